//! Builders of domain values, with every field set to something that would be missed.

mod delivery;

use doorbell_domain::code::{CodeHash, CodeLength, CodePolicy, Purpose};
use doorbell_domain::device::{MobileSettings, WebSettings};
use doorbell_domain::profile::{Availability, Consent, Gender, Profile, Username};
use doorbell_domain::registration::{
    Credential, DeviceChange, MadeUnder, Registration, Target, WhenMissing, WhenRevoked,
};
use doorbell_domain::session::SessionPolicy;
use doorbell_domain::text::{ActivityId, AppName, DeviceId, Environment, Fingerprint, StreamId, Text};
use doorbell_domain::user::{Deletion, DeletionStatus};
use doorbell_domain::web_push::SubscriptionKeys;
use doorbell_domain::{
    Caller, Code, CodeDelivery, DeviceStatus, DeviceUid, FreshIds, Language, OtpSession, OtpSessionId,
    PhoneNumber, Platform, Provider, PushToken, Session, SessionId, TimeZoneName, Timestamp, User, UserId,
    WebPushEndpoint,
};
use time::Duration;
use uuid::Uuid;

pub use delivery::{api_key, api_key_name, content, job, message};

/// The phone number of the `n`th person.
pub fn phone(n: u32) -> PhoneNumber {
    PhoneNumber::from_parts(90, (5_550_000_000_u64 + u64::from(n)).to_string()).expect("a phone number")
}

/// A bounded text.
pub fn text(text: &str) -> Text {
    Text::parse(text).expect("a text")
}

/// A device's name for itself.
pub fn device_id(name: &str) -> DeviceId {
    DeviceId::parse(name).expect("a deviceId")
}

/// A fingerprint.
pub fn fingerprint(name: &str) -> Fingerprint {
    Fingerprint::parse(name).expect("a fingerprint")
}

/// A push token's value.
pub fn push_token(value: &str) -> PushToken {
    PushToken::parse(value).expect("a push token")
}

/// A user name.
pub fn username(name: &str) -> Username {
    Username::parse(name).expect("a user name")
}

/// The code policy of the design: six digits, five minutes, five attempts, a minute between sends.
pub fn code_policy() -> CodePolicy {
    CodePolicy {
        length: CodeLength::new(6).expect("in range"),
        ttl: Duration::minutes(5),
        attempts: 5,
        cooldown: Duration::seconds(60),
    }
}

/// A code for signing in, issued at `now`.
pub fn otp_session(id: Uuid, phone: PhoneNumber, now: Timestamp) -> OtpSession {
    OtpSession {
        id: OtpSessionId::from_uuid(id),
        phone,
        purpose: Purpose::SignIn,
        hash: CodeHash {
            key_id: "key-1".to_owned(),
            mac: std::array::from_fn(|n| u8::try_from(n).unwrap_or(0) ^ 0xa5),
        },
        created_at: now,
        expires_at: now + code_policy().ttl,
        attempts: 0,
        used_at: None,
    }
}

/// A code for signing in on its way, asked for at `now`.
pub fn code_delivery(id: Uuid, phone: PhoneNumber, now: Timestamp) -> CodeDelivery {
    CodeDelivery {
        id: OtpSessionId::from_uuid(id),
        phone,
        purpose: Purpose::SignIn,
        language: Language::Turkish,
        code: Code::parse("012345").expect("digits"),
        created_at: now,
        expires_at: now + code_policy().ttl,
    }
}

/// A session of `user` that began at `now`, with nothing said yet.
pub fn session(id: SessionId, user: UserId, now: Timestamp) -> Session {
    Session {
        id,
        user,
        counter: 0,
        salt: *id.uuid().as_bytes(),
        rotated_at: now,
        fingerprint: None,
        device_id: None,
        user_agent: None,
        ip: None,
        created_at: now,
        last_used_at: now,
        expires_at: now + SessionPolicy::STANDARD.idle,
        absolute_expires_at: now + SessionPolicy::STANDARD.absolute,
        ended: None,
    }
}

/// Who speaks under `session`.
pub fn caller(session: &Session) -> Caller {
    Caller {
        user: session.user,
        session: session.id,
        expires_at: session.created_at + SessionPolicy::STANDARD.access,
    }
}

/// A profile with every field set.
pub fn full_profile(user_name: &str) -> Profile {
    Profile {
        name: Some(text("Zeynep 😀")),
        surname: Some(text("Yılmaz")),
        username: Some(username(user_name)),
        profile_photo: Some(text("https://example.com/𝒛.png")),
        availability: Availability::Busy,
        birth_date: Some(Timestamp::from_micros(-86_400_000_001)),
        gender: Some(Gender::Undisclosed),
        interests: vec![text("tea"), text("雨"), text("🎈")],
        expertise: Some(text("clocks")),
        email: Some(text("z@example.com")),
        bio: Some(text("line\nline \"quoted\" \\ 'single'")),
        instagram: Some(text("insta")),
        x: Some(text("x")),
        tiktok: Some(text("tik")),
        snapchat: Some(text("snap")),
        facebook: Some(text("face")),
        privacy_policy: Consent {
            accepted: true,
            version: Some(text("1.0")),
        },
        terms_of_use: Consent {
            accepted: true,
            version: None,
        },
        consent_form: Consent {
            accepted: false,
            version: Some(text("3")),
        },
    }
}

/// A deletion with every field set.
pub fn full_deletion(now: Timestamp) -> Deletion {
    Deletion {
        status: DeletionStatus::Finalized,
        requested_at: now,
        scheduled_for: now + Duration::days(30),
        cancelled_at: Some(now + Duration::microseconds(1)),
        finalized_at: Some(now + Duration::microseconds(2)),
    }
}

/// A user with every field set.
pub fn full_user(id: UserId, phone: PhoneNumber, user_name: &str, now: Timestamp) -> User {
    User {
        id,
        phone: Some(phone),
        profile: full_profile(user_name),
        username_changed_at: Some(now + Duration::microseconds(3)),
        signup_source: Some(text("poster")),
        signup_campaign: Some(text("spring 🌱")),
        timezone: Some(TimeZoneName::known("Europe/Istanbul")),
        deletion: Some(full_deletion(now)),
        last_login_at: now + Duration::microseconds(4),
        created_at: now,
        updated_at: now + Duration::microseconds(5),
    }
}

/// Everything that an application may tell.
pub fn mobile_settings() -> MobileSettings {
    MobileSettings {
        app_instance_id: Some(text("instance")),
        app_version: Some(text("1.2.3")),
        os_version: Some(text("26.1")),
        device_model: Some(text("Telefon 📱")),
    }
}

/// Everything that a browser may tell.
pub fn web_settings() -> WebSettings {
    WebSettings {
        user_agent: Some(text("Mozilla/5.0 \"quoted\"")),
        ip_address: Some(text("2001:db8::1")),
    }
}

/// A token for ordinary notifications of the app `default`, carried by whoever carries the device's platform.
pub fn alert(value: &str) -> Credential {
    Credential::Alert {
        provider: None,
        app: AppName::default_app(),
        value: push_token(value),
    }
}

/// A token for ordinary notifications of `app`, carried by `provider`.
pub fn alert_of(provider: Provider, app: &str, value: &str) -> Credential {
    Credential::Alert {
        provider: Some(provider),
        app: AppName::parse(app).expect("an app"),
        value: push_token(value),
    }
}

/// A token that starts Live Activities.
pub fn push_to_start(value: &str) -> Credential {
    Credential::PushToStart {
        value: push_token(value),
    }
}

/// An activity's identity.
pub fn activity(name: &str) -> ActivityId {
    ActivityId::parse(name).expect("an activity")
}

/// A token that updates one Live Activity.
pub fn live_activity(name: &str, stream: &str, value: &str) -> Credential {
    Credential::LiveActivity {
        activity: activity(name),
        stream: StreamId::parse(stream).expect("a stream"),
        value: push_token(value),
    }
}

/// The mailbox of that name.
pub fn endpoint(name: &str) -> WebPushEndpoint {
    WebPushEndpoint::restore(format!("https://push.example.com/{name}"))
}

/// A browser's subscription to that mailbox, with every field set.
pub fn web_push(name: &str) -> Credential {
    Credential::WebPush {
        endpoint: endpoint(name),
        keys: SubscriptionKeys::restore(
            std::array::from_fn(|n| if n == 0 { 4 } else { u8::try_from(n).unwrap_or(0) }),
            std::array::from_fn(|n| u8::try_from(n).unwrap_or(0) ^ 0xff),
        ),
        vapid_key: MadeUnder::Presumed("vapid-1".to_owned()),
        device_name: Some(text("Browser 😀")),
        user_agent: Some(text("Mozilla/5.0")),
    }
}

/// A registration in the making: a new iPhone named `phone` and nothing else, until told otherwise.
#[derive(Clone, Debug)]
pub struct Draft(Registration);

impl Draft {
    /// `caller` registers at `at`.
    pub fn new(caller: Caller, at: Timestamp, ids: FreshIds) -> Self {
        Self(Registration {
            caller,
            fingerprint: None,
            at,
            ids,
            max_devices: 1_000,
            target: Target::Named {
                device_id: device_id("phone"),
                when_missing: WhenMissing::Make(Platform::Ios),
            },
            when_revoked: WhenRevoked::Refuse,
            change: DeviceChange::default(),
            credentials: Vec::new(),
        })
    }

    /// Happens at another time than the clock's.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.0.at = at;
        self
    }

    /// The device of that name, made with that platform if it is missing.
    #[must_use]
    pub fn on(mut self, name: &str, platform: Platform) -> Self {
        self.0.target = Target::Named {
            device_id: device_id(name),
            when_missing: WhenMissing::Make(platform),
        };
        self
    }

    /// The device of that name, which must be there.
    #[must_use]
    pub fn on_known(mut self, name: &str) -> Self {
        self.0.target = Target::Named {
            device_id: device_id(name),
            when_missing: WhenMissing::Refuse,
        };
        self
    }

    /// The device with that id.
    #[must_use]
    pub fn on_uid(mut self, uid: DeviceUid) -> Self {
        self.0.target = Target::Uid(uid);
        self
    }

    /// The device that holds the first credential, or one of that platform made for it.
    #[must_use]
    pub fn on_holder(mut self, platform: Platform) -> Self {
        self.0.target = Target::Holder { platform };
        self
    }

    /// Shows one more credential.
    #[must_use]
    pub fn with(mut self, credential: Credential) -> Self {
        self.0.credentials.push(credential);
        self
    }

    /// Shows a fingerprint.
    #[must_use]
    pub fn fingerprint(mut self, name: &str) -> Self {
        self.0.fingerprint = Some(fingerprint(name));
        self
    }

    /// Allows that many devices.
    #[must_use]
    pub fn max_devices(mut self, most: u32) -> Self {
        self.0.max_devices = most;
        self
    }

    /// Says what to do if the device is revoked.
    #[must_use]
    pub fn when_revoked(mut self, when: WhenRevoked) -> Self {
        self.0.when_revoked = when;
        self
    }

    /// Sends a zone.
    #[must_use]
    pub fn zone(mut self, name: &str) -> Self {
        self.0.change.timezone = Some(TimeZoneName::known(name));
        self
    }

    /// Sets the device's status.
    #[must_use]
    pub fn status(mut self, status: DeviceStatus) -> Self {
        self.0.change.status = Some(status);
        self
    }

    /// Changes everything of the device that a registration can change, but its status.
    #[must_use]
    pub fn everything(mut self, platform: Platform) -> Self {
        self.0.change = DeviceChange {
            platform: Some(platform),
            environment: Some(Environment::parse("sandbox").expect("an environment")),
            status: self.0.change.status,
            timezone: Some(TimeZoneName::known("Asia/Tokyo")),
            mobile: Some(mobile_settings()),
            web: Some(web_settings()),
        };
        self
    }

    /// The registration.
    pub fn build(self) -> Registration {
        self.0
    }
}
