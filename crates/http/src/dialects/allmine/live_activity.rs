//! The tokens by which Live Activities are updated.

use actix_web::HttpResponse;
use doorbell_application::RecordLiveActivity;
use doorbell_domain::PushToken;
use doorbell_domain::text::{ActivityId, DeviceId, StreamId};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::envelope::Success;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::routing::Answer;

/// An activity and its token.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = AllmineLiveActivityRequest)]
pub(crate) struct LiveActivityBody {
    /// The stream that it shows.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "stream-42")]
    stream_id: Field<String>,
    /// The device that shows it.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "iphone-14-pro")]
    device_id: Field<String>,
    /// The token that updates it.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "live_activity_token_value")]
    live_activity_token: Field<String>,
    /// Its own identity.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "activity-7")]
    activity_id: Field<String>,
}

/// Register a Live Activity.
///
/// Keeps the token by which a running Live Activity is updated; the same `activityId` again updates it. The
/// device must be known. Of more than 100 activities of a device the oldest makes room.
#[utoipa::path(post, path = "/api/v1/notifications/live-activity-sessions", tag = "Allmine",
    operation_id = "registerLiveActivity",
    request_body(content = LiveActivityBody, example = json!({"streamId": "stream-42", "deviceId": "iphone-14-pro",
        "liveActivityToken": "live_activity_token_value", "activityId": "activity-7"})),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Registered, or updated.", body = Success, example = json!({"success": true})),
        (status = 400, description = "Fields are missing or wrong; `errors[1..]` name each."),
        (status = 404, description = "The caller has no such device."),
        (status = 409, description = "The device is revoked, or has as many tokens as a device may have."),
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
///
/// For when it ended on the device: nothing more is sent to it.
#[utoipa::path(delete, path = "/api/v1/notifications/live-activity-sessions/{activityId}", tag = "Allmine",
    operation_id = "removeLiveActivity",
    params(("activityId" = String, Path, description = "The activity's own identity. Who builds the URL by hand percent-encodes it, `/` too.",
        min_length = 1, max_length = 256, example = "activity-7")),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Removed.", body = Success, example = json!({"success": true})),
        (status = 404, description = "The caller has no such activity."),
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
