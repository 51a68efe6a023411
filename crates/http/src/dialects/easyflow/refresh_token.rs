//! Replacing the token of a known device.

use doorbell_application::RefreshDeviceToken;
use doorbell_domain::PushToken;
use doorbell_domain::text::DeviceId;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::device::{DeviceData, Success, show};
use super::fingerprint::{FingerprintHeader, enter};
use crate::call::Call;
use crate::field::Field;
use crate::form::Form;
use crate::routing::Answer;

/// Which device, and its new token.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = EasyflowRefreshTokenRequest)]
pub(crate) struct RefreshTokenBody {
    /// The client's own name for the device.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "device-a81f92")]
    device_id: Field<String>,
    /// The token that its platform's provider gave.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123")]
    push_token: Field<String>,
}

/// Refresh device push token.
///
/// Replaces the token of a device that is known: by add-device, or by any other dialect's registration under
/// the same `deviceId`. The token is bound to the caller's session, and leaves any other user that held it.
#[utoipa::path(post, path = "/notifications/devices/refresh-token", tag = "easyflow",
    operation_id = "refreshDeviceToken",
    request_body(content = RefreshTokenBody, example = json!({"deviceId": "device-a81f92",
        "pushToken": "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123"})),
    security(("bearer" = [])), params(FingerprintHeader),
    responses(
        (status = 200, description = "The device as it stands now.", body = Success<DeviceData>,
            example = json!(super::examples::telephone())),
        (status = 400, description = "Parameters are missing, wrong, or name no device of the caller (`x-fingerprint-id` is one); `pushToken` also where \
            the device may have no more tokens."),
        (status = 403, description = "The device is revoked, or the fingerprint is not the one that the session showed first."),
    ))]
pub(crate) async fn refresh(call: &mut Call) -> Answer {
    let (caller, fingerprint) = enter(call)?;
    let body: RefreshTokenBody = call.json().await?;
    let mut form = Form::of(&body);
    let device_id = form.required("deviceId", body.device_id, DeviceId::parse);
    let push_token = form.required("pushToken", body.push_token, PushToken::parse);
    let (Some(device_id), Some(push_token)) = (device_id, push_token) else {
        return Err(form.failure());
    };
    let command = RefreshDeviceToken {
        device_id,
        push_token,
    };
    let registered = call
        .api
        .doorbell
        .refresh_device_token(caller, fingerprint, command)
        .await?;
    Ok(show(registered.view))
}
