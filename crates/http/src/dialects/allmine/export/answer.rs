//! What an export says.

use doorbell_domain::personal_data::{Export, HeldSubscription, HeldToken, SentCode};
use doorbell_domain::text::Text;
use doorbell_domain::{Device, Session, SessionId, TokenKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::activity::ActivityItem;
use super::super::user::UserAnswer;
use crate::instant::Instant;
use crate::openapi::vocabulary;

/// Everything that is held about an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExport)]
pub(crate) struct ExportAnswer {
    /// When it was read.
    exported_at: Instant,
    /// The account's own identity.
    #[schema(format = "uuid")]
    user_id: String,
    /// The first sign-in.
    created_at: Instant,
    /// The account's last change.
    updated_at: Instant,
    /// The account, and what the person said of themselves.
    user: UserAnswer,
    /// Sessions, newest first: live ones, expired ones, and ended ones of the last 90 days.
    sessions: Vec<ExportedSession>,
    /// Devices, newest first, revoked ones too.
    devices: Vec<ExportedDevice>,
    /// Push tokens, newest first, those too that may not ring now.
    push_tokens: Vec<ExportedToken>,
    /// Web Push subscriptions, newest first, those too that may not ring now.
    subscriptions: Vec<ExportedSubscription>,
    /// One-time codes that were asked for with the account's number, newest first.
    one_time_codes: Vec<ExportedCode>,
    /// When that number was last sent a code.
    #[schema(required)]
    code_last_sent_at: Option<Instant>,
    /// How often in a row a code of that number was guessed wrong; signing in ends it.
    #[schema(minimum = 0)]
    wrong_codes_in_a_row: u32,
    /// The last wrong guess since the last sign-in.
    #[schema(required)]
    last_wrong_code_at: Option<Instant>,
    /// What happened to the account, newest first.
    events: Vec<ActivityItem>,
    /// Which of the lists were cut.
    has_more: HasMore,
}

/// Which lists have older entries than those shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "one for each list that can be cut")]
#[schema(as = AllmineExportHasMore)]
pub(crate) struct HasMore {
    /// Whether there are older sessions.
    sessions: bool,
    /// Whether there are older push tokens.
    push_tokens: bool,
    /// Whether there are older codes.
    one_time_codes: bool,
    /// Whether there are older events: `listActivity` pages through them all.
    events: bool,
}

/// A session, without what its refresh tokens are made of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedSession)]
pub(crate) struct ExportedSession {
    /// The session's own identity.
    #[schema(format = "uuid")]
    id: String,
    /// The sign-in.
    created_at: Instant,
    /// The last sign-in or refresh.
    last_used_at: Instant,
    /// When it dies, or died, without a refresh.
    expires_at: Instant,
    /// When it dies, or died, at the latest.
    absolute_expires_at: Instant,
    /// When it was ended; null where it was not.
    #[schema(required)]
    ended_at: Option<Instant>,
    /// Why it was ended; null where it was not.
    #[schema(required, value_type = Option<vocabulary::SessionEnd>)]
    end_reason: Option<&'static str>,
    /// Whether it is the one that asks.
    current: bool,
    /// How often it was refreshed.
    #[schema(minimum = 0)]
    refresh_count: u32,
    /// The fingerprint that is pinned to it: the first that it showed as `x-fingerprint-id`; null where it showed none.
    #[schema(required)]
    fingerprint: Option<String>,
    /// The client's `User-Agent` at sign-in.
    #[schema(required)]
    user_agent: Option<String>,
    /// The address that it signed in from.
    #[schema(required)]
    ip_address: Option<String>,
    /// The device that last registered under it, by the client's own name.
    #[schema(required)]
    device_id: Option<String>,
}

impl ExportedSession {
    fn of(session: Session, asking: SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: Instant(session.created_at),
            last_used_at: Instant(session.last_used_at),
            expires_at: Instant(session.expires_at),
            absolute_expires_at: Instant(session.absolute_expires_at),
            ended_at: session.ended.map(|(at, _)| Instant(at)),
            end_reason: session.ended.map(|(_, reason)| reason.name()),
            current: session.id == asking,
            refresh_count: session.counter,
            fingerprint: session.fingerprint.map(|print| print.as_str().to_owned()),
            user_agent: text(session.user_agent.as_ref()),
            ip_address: session.ip.map(|ip| ip.to_string()),
            device_id: session.device_id.map(|id| id.as_str().to_owned()),
        }
    }
}

/// A device, without its tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedDevice)]
pub(crate) struct ExportedDevice {
    /// The device's own identity.
    #[schema(format = "uuid")]
    id: String,
    /// The client's own name for it.
    #[schema(example = "iphone-14-pro")]
    device_id: String,
    /// ios, android or web.
    #[schema(value_type = vocabulary::Platform)]
    platform: &'static str,
    /// Where its application was built for.
    #[schema(example = "production")]
    environment: String,
    /// active or revoked.
    #[schema(value_type = vocabulary::DeviceStatus)]
    status: &'static str,
    /// The zone that it last sent.
    #[schema(required, example = "Europe/Istanbul")]
    timezone: Option<String>,
    /// What its application told of itself.
    mobile_settings: ExportedMobileSettings,
    /// What its browser told of itself.
    web_settings: ExportedWebSettings,
    /// When it was first registered.
    created_at: Instant,
    /// When anything about it last changed.
    updated_at: Instant,
    /// Its last registration, refresh or update.
    last_seen_at: Instant,
    /// The last authenticated write that named it.
    last_used_at: Instant,
}

/// What an installed application told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedMobileSettings)]
pub(crate) struct ExportedMobileSettings {
    /// The installation's own identity.
    #[schema(required)]
    app_instance_id: Option<String>,
    /// The application's version.
    #[schema(required)]
    app_version: Option<String>,
    /// The operating system's version.
    #[schema(required)]
    os_version: Option<String>,
    /// The model of the device.
    #[schema(required)]
    device_model: Option<String>,
}

/// What a browser told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedWebSettings)]
pub(crate) struct ExportedWebSettings {
    /// Its `User-Agent`.
    #[schema(required)]
    user_agent: Option<String>,
    /// The address that it said it has.
    #[schema(required)]
    ip_address: Option<String>,
}

impl From<Device> for ExportedDevice {
    fn from(device: Device) -> Self {
        Self {
            id: device.id.to_string(),
            device_id: device.device_id.as_str().to_owned(),
            platform: device.platform.name(),
            environment: device.environment.as_str().to_owned(),
            status: device.status.name(),
            timezone: device.timezone.map(|zone| zone.as_str().to_owned()),
            mobile_settings: ExportedMobileSettings {
                app_instance_id: text(device.mobile.app_instance_id.as_ref()),
                app_version: text(device.mobile.app_version.as_ref()),
                os_version: text(device.mobile.os_version.as_ref()),
                device_model: text(device.mobile.device_model.as_ref()),
            },
            web_settings: ExportedWebSettings {
                user_agent: text(device.web.user_agent.as_ref()),
                ip_address: text(device.web.ip_address.as_ref()),
            },
            created_at: Instant(device.created_at),
            updated_at: Instant(device.updated_at),
            last_seen_at: Instant(device.last_seen_at),
            last_used_at: Instant(device.last_used_at),
        }
    }
}

/// A push token, without its value.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedToken)]
pub(crate) struct ExportedToken {
    /// The token's own identity, Rocket.Chat's `_id`.
    #[schema(format = "uuid")]
    id: String,
    /// The device that it rings, by its `id`.
    #[schema(format = "uuid")]
    device_id: String,
    /// The session under which it was last registered.
    #[schema(format = "uuid")]
    session_id: String,
    /// apns or fcm.
    #[schema(value_type = vocabulary::PushProvider)]
    provider: &'static str,
    /// The application that it was issued for.
    #[schema(example = "default")]
    app: String,
    /// `alert`, `push_to_start` or `live_activity`.
    #[schema(value_type = vocabulary::PushTokenKind)]
    kind: &'static str,
    /// The Live Activity that it updates; null for the other kinds.
    #[schema(required)]
    activity_id: Option<String>,
    /// The stream that this activity shows; null for the other kinds.
    #[schema(required)]
    stream_id: Option<String>,
    /// When it was first registered.
    created_at: Instant,
    /// When it was last registered.
    updated_at: Instant,
}

impl From<HeldToken> for ExportedToken {
    fn from(token: HeldToken) -> Self {
        let kind = token.kind.name();
        let (activity_id, stream_id) = match token.kind {
            TokenKind::Alert | TokenKind::PushToStart => (None, None),
            TokenKind::LiveActivity { activity, stream } => (
                Some(activity.as_str().to_owned()),
                Some(stream.as_str().to_owned()),
            ),
        };
        Self {
            id: token.id.to_string(),
            device_id: token.device.to_string(),
            session_id: token.session.to_string(),
            provider: token.provider.name(),
            app: token.app.as_str().to_owned(),
            kind,
            activity_id,
            stream_id,
            created_at: Instant(token.created_at),
            updated_at: Instant(token.updated_at),
        }
    }
}

/// A Web Push subscription, without what opens its mailbox.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedSubscription)]
pub(crate) struct ExportedSubscription {
    /// The subscription's own identity.
    #[schema(format = "uuid")]
    id: String,
    /// Its device, by its `id`.
    #[schema(format = "uuid")]
    device_id: String,
    /// The session under which it was last registered.
    #[schema(format = "uuid")]
    session_id: String,
    /// The push service: the endpoint's origin alone.
    #[schema(example = "https://updates.push.services.mozilla.com")]
    endpoint_origin: String,
    /// The person's name for the browser.
    #[schema(required)]
    device_name: Option<String>,
    /// The browser's `User-Agent`.
    #[schema(required)]
    user_agent: Option<String>,
    /// When it was first registered.
    created_at: Instant,
    /// When it was last registered.
    last_used_at: Instant,
}

impl From<HeldSubscription> for ExportedSubscription {
    fn from(subscription: HeldSubscription) -> Self {
        Self {
            id: subscription.id.to_string(),
            device_id: subscription.device.to_string(),
            session_id: subscription.session.to_string(),
            endpoint_origin: subscription.origin,
            device_name: text(subscription.device_name.as_ref()),
            user_agent: text(subscription.user_agent.as_ref()),
            created_at: Instant(subscription.created_at),
            last_used_at: Instant(subscription.last_used_at),
        }
    }
}

/// What became of a one-time code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineExportedCode)]
pub(crate) struct ExportedCode {
    /// When it was asked for.
    sent_at: Instant,
    /// When it died at the latest.
    expires_at: Instant,
    /// How many guesses were compared with it.
    #[schema(minimum = 0)]
    attempts: u32,
    /// When it signed somebody in; null where it did not.
    #[schema(required)]
    used_at: Option<Instant>,
    /// When the next one took its place; null where none did.
    #[schema(required)]
    superseded_at: Option<Instant>,
}

impl From<SentCode> for ExportedCode {
    fn from(code: SentCode) -> Self {
        Self {
            sent_at: Instant(code.created_at),
            expires_at: Instant(code.expires_at),
            attempts: code.attempts,
            used_at: code.used_at.map(Instant),
            superseded_at: code.superseded_at.map(Instant),
        }
    }
}

impl ExportAnswer {
    /// What was found for the session that asks.
    pub(super) fn of(export: Export, asking: SessionId, exported_at: Instant) -> Self {
        let has_more = HasMore {
            sessions: export.sessions.more,
            push_tokens: export.tokens.more,
            one_time_codes: export.codes.more,
            events: export.events.more,
        };
        let session = |session| ExportedSession::of(session, asking);
        Self {
            exported_at,
            user_id: export.user.id.to_string(),
            created_at: Instant(export.user.created_at),
            updated_at: Instant(export.user.updated_at),
            user: export.user.into(),
            sessions: export.sessions.items.into_iter().map(session).collect(),
            devices: all(export.devices),
            push_tokens: all(export.tokens.items),
            subscriptions: all(export.subscriptions),
            one_time_codes: all(export.codes.items),
            code_last_sent_at: export.number.last_sent_at.map(Instant),
            wrong_codes_in_a_row: export.number.failures,
            last_wrong_code_at: export.number.failed_at.map(Instant),
            events: all(export.events.items),
            has_more,
        }
    }
}

fn all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

fn text(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use doorbell_domain::personal_data::Newest;
    use doorbell_domain::session::{EndReason, SessionPolicy};
    use doorbell_domain::store::PhoneState;
    use doorbell_domain::text::Fingerprint;
    use doorbell_domain::{PhoneNumber, Timestamp, User, UserId};
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70";

    fn export() -> Export {
        let at = Timestamp::from_micros(0);
        let (user, session) = (
            UserId::parse(ID).expect("an id"),
            SessionId::parse(ID).expect("an id"),
        );
        let phone = PhoneNumber::from_parts(90, "5372505890").expect("a number");
        let nothing = || Newest::of(Vec::new(), 1);
        Export {
            user: User::sign_up(user, phone, None, None, at),
            sessions: Newest {
                items: vec![Session {
                    id: session,
                    user,
                    counter: 3,
                    salt: *b"grains of salt..",
                    rotated_at: at,
                    fingerprint: Fingerprint::parse("a-very-own-fingerprint").ok(),
                    device_id: None,
                    user_agent: None,
                    ip: None,
                    created_at: at,
                    last_used_at: at,
                    expires_at: at + SessionPolicy::STANDARD.idle,
                    absolute_expires_at: at + SessionPolicy::STANDARD.absolute,
                    ended: Some((at, EndReason::Reuse)),
                }],
                more: true,
            },
            devices: Vec::new(),
            tokens: Newest::of(Vec::new(), 1),
            subscriptions: Vec::new(),
            codes: Newest::of(Vec::new(), 1),
            number: PhoneState {
                failures: 2,
                failed_at: Some(at),
                ..PhoneState::default()
            },
            events: nothing(),
        }
    }

    #[test]
    fn a_session_is_shown_without_what_proves_it() {
        let asking = SessionId::parse(ID).expect("an id");
        let answer = ExportAnswer::of(export(), asking, Instant(Timestamp::from_micros(0)));
        let shown = serde_json::to_value(&answer).expect("JSON");
        assert_eq!(
            shown["sessions"],
            json!([{"id": ID, "createdAt": "1970-01-01T00:00:00.000Z", "lastUsedAt": "1970-01-01T00:00:00.000Z",
                "expiresAt": "1970-01-31T00:00:00.000Z", "absoluteExpiresAt": "1970-06-30T00:00:00.000Z",
                "endedAt": "1970-01-01T00:00:00.000Z", "endReason": "reuse", "current": true, "refreshCount": 3,
                "fingerprint": "a-very-own-fingerprint", "userAgent": null, "ipAddress": null, "deviceId": null}])
        );
        assert_eq!(
            shown["hasMore"],
            json!({"sessions": true, "pushTokens": false, "oneTimeCodes": false, "events": false})
        );
        let text = shown.to_string();
        assert!(!text.contains("salt"), "{text}");
        assert_eq!(shown["codeLastSentAt"], Value::Null);
        assert_eq!(shown["wrongCodesInARow"], 2);
        assert_eq!(shown["lastWrongCodeAt"], "1970-01-01T00:00:00.000Z");
    }
}
