//! Names that the document gives to what fields may say: listed by the domain, or the same always.

use std::borrow::Cow;

use doorbell_domain::device::DeviceStatus as Status;
use doorbell_domain::profile::{Availability as Reachable, Gender as Stated};
use doorbell_domain::user::DeletionStatus;
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
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
    /// What kind of problem it is: what to branch on.
    ProblemCode = [
        "unauthorized",
        "invalid_json",
        "unsupported_media_type",
        "invalid_endpoint",
        "invalid_keys",
        "invalid_field",
        "payload_too_large",
        "not_found",
        "method_not_allowed",
        "conflict",
        "request_timeout",
        "too_many_requests",
        "unavailable",
        "internal",
    ];
}

/// A field that says `true` in every answer of its kind.
pub(crate) fn always_true() -> ObjectBuilder {
    constant(Type::Boolean, Value::Bool(true))
}

/// A field that says `false` in every answer of its kind.
pub(crate) fn always_false() -> ObjectBuilder {
    constant(Type::Boolean, Value::Bool(false))
}

/// A field that says `null` in every answer of its kind.
pub(crate) fn always_null() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Null))
        .description(Some("Always null here."))
}

/// easyflow's word for a device that is there, as a text.
pub(crate) fn never_deleted() -> ObjectBuilder {
    constant(Type::String, Value::from("false"))
        .description(Some("Always `false`: a device is revoked, never deleted."))
}

fn constant(of: Type, value: Value) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(of)
        .enum_values(Some([value.clone()]))
        .examples([value])
}
