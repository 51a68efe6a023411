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
    #[schema(value_type = String, required, min_length = 1, max_length = 256, example = "device-a81f92")]
    device_id: Field<String>,
    /// The token that its platform's provider gave.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 4096, example = "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123")]
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
            example = json!({"statusCode": 200, "data": {"device": {
                "id": "65dcb2a91f8c9b0022c8e771", "createdAt": "2026-01-28T18:42:11.430Z",
                "updatedAt": "2026-01-29T16:22:40.910Z", "deleted": "false",
                "userId": "91f8b73e-1c4a-4d9e-a9e2-3c7a8b1d902f", "deviceId": "device-a81f92",
                "platform": "android", "lastUsedAt": "2026-01-29T16:20:58.300Z", "status": "active",
                "environment": "production", "lastSeenAt": "2026-01-29T16:22:40.910Z",
                "pushToken": "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123",
                "mobileSettings": {"appInstanceId": "app-instance-4421", "appVersion": "3.2.1",
                    "osVersion": "14.8", "deviceModel": "Pixel 8"}}}})),
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
