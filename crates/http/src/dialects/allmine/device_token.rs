//! The token by which a device is rung.

use doorbell_application::RegisterDeviceToken;
use doorbell_domain::text::DeviceId;
use doorbell_domain::{Platform, PushToken};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::envelope::{Envelope, Success, wrapped};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::openapi::vocabulary;
use crate::routing::Answer;

/// A device's registration. Absent and null both leave a thing as it is.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = AllmineDeviceTokenRequest)]
pub(crate) struct DeviceTokenBody {
    /// ios, android or web. Without `token`, a known device keeps its own.
    #[schema(value_type = vocabulary::Platform, required)]
    platform: Field<String>,
    /// The device's name for itself.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "iphone-14-pro")]
    device_id: Field<String>,
    /// The provider's token; a person may not have allowed one.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "sample")]
    token: Field<String>,
    /// An IANA time zone name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_+/-]+$", example = "Europe/Istanbul")]
    timezone: Field<String>,
    /// The token that starts Live Activities.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "push_to_start_token_value")]
    live_activity_push_to_start_token: Field<String>,
}

/// Register or update a device's token.
///
/// Makes the device known and gives it the token by which it is rung; send it after each sign-in and whenever
/// the provider gives a new token. The token is bound to the session: logging out silences it. A token that
/// another user held leaves that user in the same moment.
///
/// `token` is optional, because a person may not have allowed notifications: without it, or with `null`, only
/// the time zone and the push-to-start token are written. Absent and `null` both leave a thing as it is.
#[utoipa::path(post, path = "/api/v1/notifications/device-token", tag = "Allmine",
    operation_id = "registerDeviceToken",
    request_body(content = DeviceTokenBody, example = json!({"token": "sample", "platform": "ios",
        "deviceId": "iphone-14-pro", "timezone": "Europe/Istanbul",
        "liveActivityPushToStartToken": "push_to_start_token_value"})),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Registered.", body = Envelope<Success>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"success": true}, "errors": [],
                "timestamp": "2026-05-22T16:11:27.083Z"})),
        (status = 400, description = "Fields are missing or wrong; `errors[1..]` name each."),
        (status = 403, description = "As the API documents it. No role could be lacking here, so nobody is answered it."),
        (status = 404, description = "As the API documents it. A device that is not known is made, so nobody is answered it."),
        (status = 409, description = "The device is revoked, or the user has as many devices, or the device \
            as many tokens, as may be."),
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
///
/// Removes every row of the caller's with this value, on whatever device and by whatever dialect it was
/// registered.
#[utoipa::path(delete, path = "/api/v1/notifications/device-token/{token}", tag = "Allmine",
    operation_id = "removeDeviceToken",
    params(("token" = String, Path, description = "The token's value. Who builds the URL by hand percent-encodes it, `/` too.", min_length = 1,
        max_length = 4096, example = "sample")),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The caller has no token of this value now.", body = Envelope<Success>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"success": true}, "errors": [],
                "timestamp": "2026-05-22T16:11:27.083Z"})),
        (status = 404, description = "The caller had none."),
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
