//! The token by which a device is rung.

use doorbell_application::RegisterDeviceToken;
use doorbell_domain::text::DeviceId;
use doorbell_domain::{Platform, PushToken};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::envelope::{Envelope, ErrorEnvelope, Success, wrapped};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::routing::Answer;

/// What a device tells of itself. Absent and null both leave a thing as it is.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DeviceTokenBody {
    /// ios, android or web. Without `token`, a known device keeps its own.
    #[schema(value_type = String, required, example = "ios")]
    platform: Field<String>,
    /// The device's name for itself.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, max_length = 256, example = "iphone-14-pro")]
    device_id: Field<String>,
    /// The provider's token; a person may not have allowed one.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 4096, example = "sample")]
    token: Field<String>,
    /// An IANA time zone name.
    #[schema(value_type = Option<String>, example = "Europe/Istanbul")]
    timezone: Field<String>,
    /// The token that starts Live Activities.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 4096, example = "push_to_start_token_value")]
    live_activity_push_to_start_token: Field<String>,
}

/// Register or update a device's token.
#[utoipa::path(post, path = "/api/v1/notifications/device-token", tag = "Allmine",
    request_body = DeviceTokenBody, security(("bearer" = [])),
    responses(
        (status = 200, description = "Registered.", body = Envelope<Success>),
        (status = 400, description = "Validation failed.", body = ErrorEnvelope),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 409, description = "A revoked device, or too many devices.", body = ErrorEnvelope),
    ))]
pub(crate) async fn register(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let body: DeviceTokenBody = call.json().await?;
    let mut form = Form::of(&body);
    let platform = form.required("platform", body.platform, |name| {
        Platform::from_name(&name).ok_or("must be ios, android or web")
    });
    let device_id = form.required("deviceId", body.device_id, DeviceId::parse);
    let token = form.optional("token", body.token, PushToken::parse);
    let timezone = form.optional("timezone", body.timezone, |name| call.api.zones.find(&name));
    let push_to_start = form.optional(
        "liveActivityPushToStartToken",
        body.live_activity_push_to_start_token,
        PushToken::parse,
    );
    let (Some(platform), Some(device_id), true) = (platform, device_id, form.is_good()) else {
        return Err(form.failure());
    };
    let command = RegisterDeviceToken {
        device_id,
        platform,
        token,
        timezone,
        push_to_start,
    };
    call.api.doorbell.register_device_token(caller, command).await?;
    Ok(wrapped(call, Success::DONE))
}

/// Remove a token.
#[utoipa::path(delete, path = "/api/v1/notifications/device-token/{token}", tag = "Allmine",
    params(("token" = String, Path, description = "The token's value, percent-encoded.")),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The caller has no token of this value now.", body = Envelope<Success>),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 404, description = "The caller had none.", body = ErrorEnvelope),
    ))]
pub(crate) async fn remove(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let token = call
        .last_segment()
        .and_then(|value| PushToken::parse(value).ok())
        .ok_or(Failure::NotFound)?;
    call.api.doorbell.remove_push_token(caller, token).await?;
    Ok(wrapped(call, Success::DONE))
}
