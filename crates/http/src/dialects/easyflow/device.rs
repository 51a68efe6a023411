//! A device as easyflow shows it.

use actix_web::HttpResponse;
use doorbell_domain::{DeviceView, Platform};
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::{MobileSettingsAnswer, WebSettingsAnswer};
use crate::instant::Instant;
use crate::openapi::vocabulary::{self, always_200, never_deleted};

/// A device. What is not known is left out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EasyflowDevice)]
pub(crate) struct DeviceAnswer {
    /// The device's own identity, the same in every dialect.
    id: String,
    /// When it was first registered.
    created_at: Instant,
    /// When anything about it last changed.
    updated_at: Instant,
    /// Always `false`: a device is revoked, never deleted.
    #[schema(schema_with = never_deleted)]
    deleted: &'static str,
    /// Whose it is.
    user_id: String,
    /// The client's own name for it.
    #[schema(example = "device-a81f92")]
    device_id: String,
    /// `android`, `ios` or `web`.
    #[schema(value_type = vocabulary::Platform)]
    platform: &'static str,
    /// The last authenticated write that named it.
    last_used_at: Instant,
    /// `active` or `revoked`.
    #[schema(value_type = vocabulary::DeviceStatus)]
    status: &'static str,
    /// Where the application was built for.
    #[schema(example = "production")]
    environment: String,
    /// Its last registration, refresh or update.
    last_seen_at: Instant,
    /// Its alert token, where it has one that may ring.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    push_token: Option<String>,
    /// For android and ios.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mobile_settings: Option<MobileSettingsAnswer>,
    /// For web.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    web_settings: Option<WebSettingsAnswer>,
}

impl From<DeviceView> for DeviceAnswer {
    fn from(view: DeviceView) -> Self {
        let DeviceView { device, push_token } = view;
        let is_web = device.platform == Platform::Web;
        Self {
            id: device.id.to_string(),
            created_at: Instant(device.created_at),
            updated_at: Instant(device.updated_at),
            deleted: "false",
            user_id: device.user.to_string(),
            device_id: device.device_id.as_str().to_owned(),
            platform: device.platform.name(),
            last_used_at: Instant(device.last_used_at),
            status: device.status.name(),
            environment: device.environment.as_str().to_owned(),
            last_seen_at: Instant(device.last_seen_at),
            push_token: push_token.map(|token| token.expose().to_owned()),
            mobile_settings: (!is_web).then(|| device.mobile.into()),
            web_settings: is_web.then(|| device.web.into()),
        }
    }
}

/// The operation succeeded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EasyflowSuccess)]
pub(crate) struct Success<T> {
    /// Always 200.
    #[schema(schema_with = always_200)]
    status_code: u16,
    /// What came of it.
    data: T,
}

/// One device.
#[derive(Serialize, ToSchema)]
#[schema(as = EasyflowDeviceData)]
pub(crate) struct DeviceData {
    /// The device.
    device: DeviceAnswer,
}

/// The answer that holds `data`.
pub(crate) fn success<T: Serialize>(data: T) -> HttpResponse {
    HttpResponse::Ok().json(Success {
        status_code: 200,
        data,
    })
}

/// The answer that shows one device.
pub(crate) fn show(view: DeviceView) -> HttpResponse {
    success(DeviceData { device: view.into() })
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use doorbell_domain::device::{MobileSettings, WebSettings};
    use doorbell_domain::text::{DeviceId, Environment, Text};
    use doorbell_domain::{Device, DeviceStatus, DeviceUid, PushToken, Timestamp, UserId};

    use super::*;

    const ID: &str = "0192f0c1-2b3d-7c4e-8f50-123456789abc";

    fn view(platform: Platform) -> DeviceView {
        let at = Timestamp::from_micros;
        DeviceView {
            device: Device {
                id: DeviceUid::parse(ID).expect("an id"),
                user: UserId::parse(ID).expect("an id"),
                device_id: DeviceId::parse("device-a81f92").expect("text"),
                platform,
                environment: Environment::production(),
                status: DeviceStatus::Active,
                timezone: None,
                mobile: MobileSettings::default(),
                web: WebSettings::default(),
                created_at: at(0),
                updated_at: at(1_000_000),
                last_seen_at: at(2_000_000),
                last_used_at: at(3_000_000),
            },
            push_token: None,
        }
    }

    fn shown(view: DeviceView) -> String {
        let bytes = show(view).into_body().try_into_bytes().expect("a body in memory");
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let expected = |platform: &str, settings: &str| {
            format!(
                "{{\"statusCode\":200,\"data\":{{\"device\":{{\"id\":\"{ID}\",\
                 \"createdAt\":\"1970-01-01T00:00:00.000Z\",\"updatedAt\":\"1970-01-01T00:00:01.000Z\",\
                 \"deleted\":\"false\",\"userId\":\"{ID}\",\"deviceId\":\"device-a81f92\",\
                 \"platform\":\"{platform}\",\"lastUsedAt\":\"1970-01-01T00:00:03.000Z\",\"status\":\"active\",\
                 \"environment\":\"production\",\"lastSeenAt\":\"1970-01-01T00:00:02.000Z\",\
                 \"{settings}\":{{}}}}}}}}"
            )
        };
        assert_eq!(shown(view(Platform::Ios)), expected("ios", "mobileSettings"));
        assert_eq!(
            shown(view(Platform::Android)),
            expected("android", "mobileSettings")
        );
        assert_eq!(shown(view(Platform::Web)), expected("web", "webSettings"));
    }

    #[test]
    fn what_is_known_is_shown_to_its_owner() {
        let mut full = view(Platform::Web);
        full.push_token = PushToken::parse("token").ok();
        full.device.web.ip_address = Text::parse("10.0.0.45").ok();
        full.device.mobile.app_version = Text::parse("3.2.1").ok();
        let shown = shown(full);
        assert!(shown.contains(r#""pushToken":"token","webSettings":{"ipAddress":"10.0.0.45"}"#));
        assert!(!shown.contains("mobileSettings"), "a browser has none");
    }
}
