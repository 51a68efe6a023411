//! The tokens by which Live Activities are updated.

use actix_web::HttpResponse;
use doorbell_application::RecordLiveActivity;
use doorbell_domain::PushToken;
use doorbell_domain::text::{ActivityId, DeviceId, StreamId};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::envelope::{ErrorEnvelope, Success};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::routing::Answer;

/// An activity and its token.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LiveActivityBody {
    /// The stream that it shows.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, max_length = 256)]
    stream_id: Field<String>,
    /// The device that shows it.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, max_length = 256)]
    device_id: Field<String>,
    /// The token that updates it.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, max_length = 4096)]
    live_activity_token: Field<String>,
    /// Its own identity.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, max_length = 256)]
    activity_id: Field<String>,
}

/// Register a Live Activity.
#[utoipa::path(post, path = "/api/v1/notifications/live-activity-sessions", tag = "Allmine",
    request_body = LiveActivityBody, security(("bearer" = [])),
    responses(
        (status = 200, description = "Registered, or updated.", body = Success),
        (status = 400, description = "Validation failed.", body = ErrorEnvelope),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 404, description = "No such device of the caller.", body = ErrorEnvelope),
        (status = 409, description = "A revoked device.", body = ErrorEnvelope),
    ))]
pub(crate) async fn record(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let body: LiveActivityBody = call.json().await?;
    let mut form = Form::of(&body);
    let stream = form.required("streamId", body.stream_id, StreamId::parse);
    let device_id = form.required("deviceId", body.device_id, DeviceId::parse);
    let token = form.required("liveActivityToken", body.live_activity_token, PushToken::parse);
    let activity = form.required("activityId", body.activity_id, ActivityId::parse);
    let (Some(stream), Some(device_id), Some(token), Some(activity)) = (stream, device_id, token, activity)
    else {
        return Err(form.failure());
    };
    let command = RecordLiveActivity {
        device_id,
        activity,
        stream,
        token,
    };
    call.api.doorbell.record_live_activity(caller, command).await?;
    Ok(HttpResponse::Ok().json(Success::DONE))
}

/// Remove a Live Activity.
#[utoipa::path(delete, path = "/api/v1/notifications/live-activity-sessions/{activityId}", tag = "Allmine",
    params(("activityId" = String, Path, description = "The activity's own identity, percent-encoded.")),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Removed.", body = Success),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 404, description = "No such activity of the caller.", body = ErrorEnvelope),
    ))]
pub(crate) async fn remove(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let activity = call
        .last_segment()
        .and_then(|id| ActivityId::parse(id).ok())
        .ok_or(Failure::NotFound)?;
    call.api.doorbell.remove_live_activity(caller, activity).await?;
    Ok(HttpResponse::Ok().json(Success::DONE))
}
