//! Adding a device with everything that is known of it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use doorbell_application::AddDevice;
use doorbell_domain::text::{DeviceId, Environment};
use doorbell_domain::{Platform, PushToken};
use serde::Deserialize;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
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
use crate::routing::{Answer, Schemas};

/// A device as its client describes it.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AddDeviceBody {
    /// The client's own name for the device.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "device-a81f92")]
    device_id: Field<String>,
    /// `android`, `ios` or `web`.
    #[schema(value_type = vocabulary::Platform, required)]
    platform: Field<String>,
    /// Where the application was built for; `sandbox` and `development` mean the APNs sandbox.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "production")]
    environment: Field<String>,
    /// The token that its platform's provider gave.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123")]
    push_token: Field<String>,
    /// What the application tells.
    #[schema(value_type = Option<MobileSettingsBody>)]
    mobile_settings: Field<Object<MobileSettingsBody>>,
    /// What the browser tells.
    #[schema(value_type = Option<WebSettingsBody>)]
    web_settings: Field<Object<WebSettingsBody>>,
}

const MOBILE: &str = "mobileSettings";
const WEB: &str = "webSettings";

/// The settings that a device of that platform must bring, by the name of their field.
const fn settings_of(platform: Platform) -> &'static str {
    match platform {
        Platform::Android | Platform::Ios => MOBILE,
        Platform::Web => WEB,
    }
}

/// The body in the document, which knows that a platform needs its own settings.
struct AddDeviceRequest;

impl PartialSchema for AddDeviceRequest {
    fn schema() -> RefOr<Schema> {
        let with = |settings: &'static str, of: RefOr<Schema>| {
            let needing = Platform::ALL
                .into_iter()
                .filter(|platform| settings_of(*platform) == settings);
            let names: BTreeSet<&str> = needing.map(Platform::name).collect();
            ObjectBuilder::new()
                .property(
                    "platform",
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .enum_values(Some(names))
                        .description(Some("What the device runs.")),
                )
                .property(settings, of)
                .required("platform")
                .required(settings)
        };
        let mobile = described(
            MobileSettingsBody::name(),
            "What the application tells, if only `{}`.",
        );
        let web = described(WebSettingsBody::name(), "What the browser tells, if only `{}`.");
        AllOfBuilder::new()
            .description(Some(
                "A device as its client describes it. A platform needs its own settings, if only `{}`.",
            ))
            .item(AddDeviceBody::schema())
            .item(
                OneOfBuilder::new()
                    .item(with(MOBILE, mobile))
                    .item(with(WEB, web)),
            )
            .into()
    }
}

fn described(schema: Cow<'static, str>, description: &str) -> RefOr<Schema> {
    let mut reference = Ref::from_schema_name(schema);
    description.clone_into(&mut reference.description);
    RefOr::Ref(reference)
}

impl ToSchema for AddDeviceRequest {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EasyflowAddDeviceRequest")
    }

    fn schemas(schemas: &mut Schemas) {
        AddDeviceBody::schemas(schemas);
    }
}

/// Add a device.
///
/// Makes the device known with everything that its client tells, or renews it; a revoked one becomes active
/// again. `mobileSettings` is required for android and ios, `webSettings` for web, if only as `{}`.
#[utoipa::path(post, path = "/notifications/devices/add-device", tag = "easyflow", operation_id = "addDevice",
    request_body(content = AddDeviceRequest, example = json!({"deviceId": "device-a81f92", "platform": "android",
        "environment": "production", "pushToken": "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123",
        "mobileSettings": {"appInstanceId": "app-instance-4421", "appVersion": "3.2.1", "osVersion": "14.8",
            "deviceModel": "Pixel 8"}})),
    security(("bearer" = [])), params(FingerprintHeader),
    responses(
        (status = 200, description = "The device as it stands now.", body = Success<DeviceData>,
            example = json!(super::examples::telephone())),
        (status = 400, description = "Parameters are missing or wrong: wrong settings are named as a whole; \
            `deviceId` also where the user may have no more devices, `pushToken` where the device may have no more tokens."),
        (status = 403, description = "The fingerprint is not the one that the session showed first."),
    ))]
pub(crate) async fn add(call: &mut Call) -> Answer {
    let (caller, fingerprint) = enter(call)?;
    let body: AddDeviceBody = call.json().await?;
    let command = command(body)?;
    let registered = call.api.doorbell.add_device(caller, fingerprint, command).await?;
    Ok(show(registered.view))
}

fn command(body: AddDeviceBody) -> Result<AddDevice, Failure> {
    let mut form = Form::of(&body);
    let device_id = form.required("deviceId", body.device_id, DeviceId::parse);
    let platform = form.required("platform", body.platform, |name| {
        Platform::from_name(&name).ok_or("must be android, ios or web")
    });
    let environment = form.required("environment", body.environment, Environment::parse);
    let push_token = form.required("pushToken", body.push_token, PushToken::parse);
    let needed = platform.map(settings_of);
    let parse_mobile = |Object(settings): Object<MobileSettingsBody>| settings.parse();
    let mobile = if needed == Some(MOBILE) {
        form.required(MOBILE, body.mobile_settings, parse_mobile)
    } else {
        form.optional(MOBILE, body.mobile_settings, parse_mobile)
    };
    let parse_web = |Object(settings): Object<WebSettingsBody>| settings.parse();
    let web = if needed == Some(WEB) {
        form.required(WEB, body.web_settings, parse_web)
    } else {
        form.optional(WEB, body.web_settings, parse_web)
    };
    match (device_id, platform, environment, push_token, form.is_good()) {
        (Some(device_id), Some(platform), Some(environment), Some(push_token), true) => Ok(AddDevice {
            device_id,
            platform,
            environment,
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

    fn bad(body: Value) -> Vec<std::borrow::Cow<'static, str>> {
        let body: AddDeviceBody = serde_json::from_value(body).expect("fields never fail");
        match command(body) {
            Ok(_) => vec![],
            Err(Failure::Invalid(fields)) => fields.into_iter().map(|field| field.name).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn with(name: &str, value: Value) -> Value {
        let mut body = json!({
            "deviceId": "d", "platform": "ios", "environment": "sandbox", "pushToken": "t",
            "mobileSettings": {"appVersion": "1"},
        });
        body[name] = value;
        body
    }

    #[test]
    fn every_bad_parameter_is_named_in_the_tables_order() {
        assert_eq!(
            bad(json!({"webSettings": 1, "mobileSettings": "x"})),
            [
                "deviceId",
                "platform",
                "environment",
                "pushToken",
                "mobileSettings",
                "webSettings"
            ]
        );
        assert_eq!(bad(with("deviceId", json!("x".repeat(257)))), ["deviceId"]);
        assert_eq!(bad(with("platform", json!("iOS"))), ["platform"]);
        assert_eq!(bad(with("environment", json!(""))), ["environment"]);
        assert_eq!(bad(with("pushToken", json!(5))), ["pushToken"]);
    }

    #[test]
    fn a_platform_needs_its_own_settings() {
        assert!(bad(with("mobileSettings", json!({}))).is_empty());
        assert_eq!(bad(with("mobileSettings", json!(null))), ["mobileSettings"]);
        assert_eq!(bad(with("mobileSettings", json!(["1"]))), ["mobileSettings"]);
        assert_eq!(
            bad(with("mobileSettings", json!({"appVersion": 1}))),
            ["mobileSettings"]
        );
        assert_eq!(bad(with("platform", json!("web"))), ["webSettings"]);
        assert_eq!(bad(with("webSettings", json!([]))), ["webSettings"]);
        let mut web = with("platform", json!("web"));
        web["webSettings"] = json!({"ipAddress": "10.0.0.45"});
        assert!(bad(web).is_empty());
    }
}
