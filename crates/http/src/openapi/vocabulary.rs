//! Names that the document gives to what fields may say: listed by the domain, or the same always.

use std::borrow::Cow;

use doorbell_domain::device::DeviceStatus as Status;
use doorbell_domain::profile::{Availability as Reachable, Gender as Stated};
use doorbell_domain::user::DeletionStatus;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! vocabulary {
    ($($(#[doc = $doc:literal])* $name:ident = $words:expr;)*) => {$(
        $(#[doc = $doc])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc,)*).trim()))
                    .enum_values(Some($words))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

vocabulary! {
    /// What a device runs.
    Platform = doorbell_domain::Platform::ALL.map(doorbell_domain::Platform::name);
    /// Whether a device may be rung.
    DeviceStatus = Status::ALL.map(Status::name);
    /// Whether a person takes calls.
    Availability = Reachable::ALL.iter().map(|availability| availability.name());
    /// A person's gender as they state it.
    Gender = Stated::ALL.iter().map(|gender| gender.name());
    /// Where the deletion of an account stands.
    AccountDeletionStatus = DeletionStatus::ALL.map(DeletionStatus::name);
    /// What happened to an account: `signed_in` a session began; `code_refused` a wrong code was tried; `phone_locked` so many in a
    /// row that the phone must wait; `session_ended` a session ended, `reason` says why; `foreign_fingerprint` another fingerprint
    /// than the session's was shown; `device_added`, `device_revoked`, `device_revived`; `address_gained`, `address_lost` a push token
    /// or a browser came from, or went to, another account, `reason` names its provider; `credential_revived` one
    /// that had been silent, since its session ended or its provider said that it is gone, was registered again; `credential_removed` a push
    /// token or a subscription was removed; `credential_suspect`, `credential_dead` its provider said that it is gone, once, or again a day later;
    /// `deletion_requested`, `deletion_cancelled`, `deletion_finalized`.
    AuditAction = doorbell_domain::audit::AuditAction::ALL.iter().map(|action| action.name());
    /// Why a session ended: `logout` everywhere; `revoked` by itself; `reuse` of an old refresh token; `account_deletion`.
    SessionEnd = doorbell_domain::session::EndReason::ALL.map(doorbell_domain::session::EndReason::name);
    /// Who carries pushes to a device.
    PushProvider = doorbell_domain::Provider::ALL.map(doorbell_domain::Provider::name);
    /// What a push token is for: `alert` ordinary notifications; `push_to_start`, `live_activity` those of Live Activities.
    PushTokenKind = ["alert", "push_to_start", "live_activity"];
    /// How soon a message must reach a device that saves its battery: `very-low` on power and Wi-Fi; `low` on either; `normal` on neither;
    /// `high` even at a low battery.
    MessageUrgency = doorbell_domain::message::Urgency::ALL.map(doorbell_domain::message::Urgency::name);
    /// What a job is doing: `pending` waits for its first attempt; `sending` is being attempted; `retrying` waits for the next one.
    /// Or how it ended: `delivered`, its provider took it; `dead`, its provider says that the credential is gone; `failed`, it will never
    /// be taken; `expired`, its time is over; `cancelled`, it was taken back; `superseded`, what it was for may not be rung by it any
    /// more, or a later one took its place.
    JobState = doorbell_domain::job::State::ALL.map(doorbell_domain::job::State::name);
    /// Why a job was postponed, or ended so. Of the provider: `gone`, `too_large`, `refused`, `misconfigured` (it does not believe this
    /// server), `throttled`, `provider_failed`, `too_slow`, `unreachable`, `forbidden_address`. Of this server: `provider_off` (it does not
    /// deliver by that provider), `set_aside` (attempts ended nobody knows how, five times in a row), `unreadable`. Of the credential:
    /// `session_ended`, `moved`, `removed`, `device_revoked`, `suspect`. Of the message: `time_over`, `taken_back`,
    /// `replaced` (a later one with the same `collapseKey` took its place).
    JobReason = doorbell_domain::job::Reason::ALL.iter().map(|reason| reason.name());
    /// What kind of problem it is: what to branch on.
    ProblemCode = crate::problem::Code::NAMES.iter().copied();
    /// What to branch on.
    RocketChatErrorType = crate::dialects::rocketchat::CODES;
}

// A function's schema stands as it is: utoipa adds no field's documentation to it, so each describes itself.

/// A field that says `true` in every answer of its kind.
pub(crate) fn always_true() -> ObjectBuilder {
    constant(Type::Boolean, Value::Bool(true)).description(Some("Always true here."))
}

/// A field that says `false` in every answer of its kind.
pub(crate) fn always_false() -> ObjectBuilder {
    constant(Type::Boolean, Value::Bool(false)).description(Some("Always false here."))
}

/// A field that repeats the status of a success, 200.
pub(crate) fn always_200() -> ObjectBuilder {
    constant(Type::Integer, Value::from(200)).description(Some("The HTTP status."))
}

/// A field that is one word in every answer of its kind.
fn always(word: &str) -> ObjectBuilder {
    constant(Type::String, Value::from(word))
}

/// Rocket.Chat's word for a failure of sign-in.
pub(crate) fn always_error() -> ObjectBuilder {
    always("error").description(Some("Always `error`."))
}

/// The kind of a trail's entry that is something that happened.
pub(crate) fn always_event() -> ObjectBuilder {
    always("event").description(Some("Always `event` here."))
}

/// The kind of a trail's entry that is a delivery.
pub(crate) fn always_delivery() -> ObjectBuilder {
    always("delivery").description(Some("Always `delivery` here."))
}

/// The kind of a trail's entry that is a message which rang nothing.
pub(crate) fn always_unreached() -> ObjectBuilder {
    always("unreached").description(Some("Always `unreached` here."))
}

/// The only status that an answer of a server in health has.
pub(crate) fn always_ok() -> ObjectBuilder {
    always("ok").description(Some(
        "Always `ok`; a server that is not well answers with another status, or not.",
    ))
}

/// The key type of Ed25519 (RFC 8037 §2).
pub(crate) fn octet_key_pair() -> ObjectBuilder {
    always("OKP").description(Some("The key type, an octet key pair (RFC 8037 §2)."))
}

/// The curve of the keys.
pub(crate) fn ed25519() -> ObjectBuilder {
    always("Ed25519").description(Some("The curve (RFC 8037 §2)."))
}

/// The algorithm of the signatures.
pub(crate) fn eddsa() -> ObjectBuilder {
    always("EdDSA").description(Some("The algorithm of the signatures (RFC 8037 §3.1)."))
}

/// What the keys are for.
pub(crate) fn signatures() -> ObjectBuilder {
    always("sig").description(Some("What the key is for: signatures (RFC 7517 §4.2)."))
}

/// What a person may do: the one role there is.
pub(crate) fn roles() -> ArrayBuilder {
    ArrayBuilder::new()
        .items(always("user"))
        .min_items(Some(1))
        .max_items(Some(1))
        .description(Some("Always `user` alone: Doorbell knows no other role."))
}

/// What a person is interested in, as they may say it.
pub(crate) fn interests() -> ArrayBuilder {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(1024))
                .pattern(Some(r"^[^\u0000]*$")),
        )
        .max_items(Some(100))
        .description(Some(
            "What the person is interested in, all of it: the new list replaces the one before.",
        ))
        .examples([json!(["music"])])
}

/// A field that says `null` in every answer of its kind.
pub(crate) fn always_null() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Null))
        .description(Some("Always null here."))
}

/// easyflow's word for a device that is there, as a text.
pub(crate) fn never_deleted() -> ObjectBuilder {
    always("false").description(Some("Always `false`: a device is revoked, never deleted."))
}

fn constant(of: Type, value: Value) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(of)
        .enum_values(Some([value.clone()]))
        .examples([value])
}
