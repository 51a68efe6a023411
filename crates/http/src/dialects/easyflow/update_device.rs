//! Changing facts of a known device, revoking it, and taking that back.

use doorbell_application::UpdateDevice;
use doorbell_domain::text::Environment;
use doorbell_domain::{DeviceStatus, DeviceUid, PushToken};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::device::{DeviceData, Success, show};
use super::fingerprint::{FingerprintHeader, enter};
use super::settings::{MobileSettingsBody, WebSettingsBody};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::object::Object;
use crate::openapi::vocabulary;
use crate::routing::Answer;

/// Which device, and what to change of it. What is left out or null stays as it is.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = EasyflowUpdateDeviceRequest)]
pub(crate) struct UpdateDeviceBody {
    /// The device's `id`.
    #[schema(value_type = String, required, format = "uuid", example = "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091")]
    id: Field<String>,
    /// Where the application was built for; `sandbox` and `development` mean the APNs sandbox.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$")]
    environment: Field<String>,
    /// `active` or `revoked`; a revoked device is not rung.
    #[schema(value_type = Option<vocabulary::DeviceStatus>)]
    status: Field<String>,
    /// The token that its platform's provider gave.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123")]
    push_token: Field<String>,
    /// What the application tells.
    #[schema(value_type = Option<MobileSettingsBody>)]
    mobile_settings: Field<Object<MobileSettingsBody>>,
    /// What the browser tells.
    #[schema(value_type = Option<WebSettingsBody>)]
    web_settings: Field<Object<WebSettingsBody>>,
}

/// Update a device.
///
/// Changes what is sent; what is left out or `null` stays as it is. `status: revoked` silences the device
/// until it is made active or added again.
#[utoipa::path(patch, path = "/notifications/devices/update", tag = "easyflow", operation_id = "updateDevice",
    request_body(content = UpdateDeviceBody, example = json!({"id": "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091",
        "status": "revoked"})),
    security(("bearer" = [])), params(FingerprintHeader),
    responses(
        (status = 200, description = "The device as it stands now.", body = Success<DeviceData>,
            example = json!(super::examples::revoked_telephone())),
        (status = 400, description = "Parameters are missing, wrong (wrong settings are named as a whole), or \
            name no device of the caller; `pushToken` also where the device may have no more tokens."),
        (status = 403, description = "A token for a revoked device, or the fingerprint is not the one that the session showed first."),
    ))]
pub(crate) async fn update(call: &mut Call) -> Answer {
    let (caller, fingerprint) = enter(call)?;
    let body: UpdateDeviceBody = call.json().await?;
    let command = command(body)?;
    let updated = call
        .api
        .doorbell
        .update_device(caller, fingerprint, command)
        .await;
    match updated.map_err(Failure::from) {
        Ok(registered) => Ok(show(registered.view)),
        Err(Failure::UnknownDevice) => Err(Failure::field("id", "is not a device of the caller")),
        Err(failure) => Err(failure),
    }
}

fn command(body: UpdateDeviceBody) -> Result<UpdateDevice, Failure> {
    let mut form = Form::of(&body);
    let id = form.required("id", body.id, |id| {
        DeviceUid::parse(&id).ok_or("must be a device's id")
    });
    let environment = form.optional("environment", body.environment, Environment::parse);
    let status = form.optional("status", body.status, |name| {
        DeviceStatus::from_name(&name).ok_or("must be active or revoked")
    });
    let push_token = form.optional("pushToken", body.push_token, PushToken::parse);
    let mobile = form.optional("mobileSettings", body.mobile_settings, |Object(settings)| {
        settings.parse()
    });
    let web = form.optional("webSettings", body.web_settings, |Object(settings)| {
        settings.parse()
    });
    match (id, form.is_good()) {
        (Some(id), true) => Ok(UpdateDevice {
            id,
            environment,
            status,
            push_token,
            mobile,
            web,
        }),
        _ => Err(form.failure()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "0192f0c1-2b3d-7c4e-8f50-123456789abc";

    fn read(body: Value) -> Result<UpdateDevice, Vec<std::borrow::Cow<'static, str>>> {
        let body: UpdateDeviceBody = serde_json::from_value(body).expect("fields never fail");
        command(body).map_err(|failure| match failure {
            Failure::Invalid(fields) => fields.into_iter().map(|field| field.name).collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn only_the_id_is_required_and_null_leaves_as_it_is() {
        let command = read(json!({
            "id": ID, "environment": null, "status": null, "pushToken": null, "mobileSettings": null,
            "webSettings": null,
        }))
        .expect("accepted");
        assert_eq!(command.id.to_string(), ID);
        assert!(command.environment.is_none() && command.status.is_none() && command.push_token.is_none());
        assert!(command.mobile.is_none() && command.web.is_none());
    }

    #[test]
    fn every_bad_parameter_is_named_in_the_tables_order() {
        assert_eq!(
            read(json!({
                "webSettings": [], "mobileSettings": {"osVersion": ""}, "pushToken": "", "status": "deleted",
                "environment": 1, "id": ID.to_uppercase(),
            }))
            .expect_err("refused"),
            [
                "id",
                "environment",
                "status",
                "pushToken",
                "mobileSettings",
                "webSettings"
            ]
        );
        assert_eq!(read(json!({})).expect_err("refused"), ["id"]);
        assert_eq!(read(json!({"id": 5})).expect_err("refused"), ["id"]);
    }
}
