//! Failures as problem details (RFC 9457), with a stable `code`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::failure::{BadField, Failure};
use crate::openapi::vocabulary;

macro_rules! codes {
    ($($variant:ident = $name:literal,)*) => {
        /// What kind of problem it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $($variant,)*
        }

        impl Code {
            /// Every code's name, in the order of the document.
            pub(crate) const NAMES: &[&str] = &[$($name),*];

            /// Its name on the wire.
            const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

codes! {
    Unauthorized = "unauthorized",
    InvalidJson = "invalid_json",
    UnsupportedMediaType = "unsupported_media_type",
    InvalidEndpoint = "invalid_endpoint",
    InvalidKeys = "invalid_keys",
    InvalidField = "invalid_field",
    PayloadTooLarge = "payload_too_large",
    Forbidden = "forbidden",
    NotFound = "not_found",
    MethodNotAllowed = "method_not_allowed",
    Conflict = "conflict",
    RequestTimeout = "request_timeout",
    TooManyRequests = "too_many_requests",
    Unavailable = "unavailable",
    Internal = "internal",
}

/// RFC 9457 problem details.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:doorbell:problem:invalid_endpoint")]
    kind: String,
    /// The HTTP status in words.
    #[schema(example = "Bad Request")]
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 400)]
    status: u16,
    /// What is wrong with this request.
    #[schema(example = "endpoint: must be an https URL")]
    detail: String,
    /// What to branch on.
    #[schema(value_type = vocabulary::ProblemCode)]
    code: &'static str,
}

/// The table from failure to answer.
pub(crate) fn render(failure: &Failure) -> HttpResponse {
    let (status, code, detail) = match failure {
        Failure::UnknownPath => (
            StatusCode::NOT_FOUND,
            Code::NotFound,
            "no operation has this path".to_owned(),
        ),
        Failure::NotFound | Failure::UnknownDevice => (
            StatusCode::NOT_FOUND,
            Code::NotFound,
            "there is no such thing".to_owned(),
        ),
        Failure::MethodNotAllowed(allowed) => (
            StatusCode::METHOD_NOT_ALLOWED,
            Code::MethodNotAllowed,
            format!("the path takes {allowed}"),
        ),
        Failure::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            Code::Unauthorized,
            "a valid access token is required".to_owned(),
        ),
        Failure::Forbidden => (
            StatusCode::FORBIDDEN,
            Code::Forbidden,
            "this is not yours to do".to_owned(),
        ),
        Failure::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::PayloadTooLarge,
            format!("the body may have {} bytes", crate::MAX_BODY),
        ),
        Failure::Slow => (
            StatusCode::REQUEST_TIMEOUT,
            Code::RequestTimeout,
            "the body did not arrive in time".to_owned(),
        ),
        Failure::UnsupportedMediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::UnsupportedMediaType,
            "the content type must be application/json".to_owned(),
        ),
        Failure::InvalidJson => (
            StatusCode::BAD_REQUEST,
            Code::InvalidJson,
            "the body must be a JSON object".to_owned(),
        ),
        Failure::Invalid(fields) => (StatusCode::BAD_REQUEST, code_of(fields), detail_of(fields)),
        Failure::Conflict => (
            StatusCode::CONFLICT,
            Code::Conflict,
            "the present state does not allow this".to_owned(),
        ),
        Failure::RevokedDevice => (
            StatusCode::CONFLICT,
            Code::Conflict,
            "this browser's device was revoked: unsubscribe it before subscribing anew".to_owned(),
        ),
        Failure::TooManyDevices => (
            StatusCode::CONFLICT,
            Code::Conflict,
            "this user has as many devices as a user may have".to_owned(),
        ),
        Failure::TooManyTokens => (
            StatusCode::CONFLICT,
            Code::Conflict,
            "this device has as many tokens as a device may have".to_owned(),
        ),
        Failure::TooMany(_) => (
            StatusCode::TOO_MANY_REQUESTS,
            Code::TooManyRequests,
            "too many requests".to_owned(),
        ),
        Failure::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Unavailable,
            "try again shortly".to_owned(),
        ),
        Failure::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "the server failed".to_owned(),
        ),
    };
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .json(Problem {
            kind: format!("urn:doorbell:problem:{}", code.name()),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            code: code.name(),
        })
}

/// The first bad field decides what a client branches on.
fn code_of(fields: &[BadField]) -> Code {
    match fields.first().map(|field| field.name) {
        Some("endpoint") => Code::InvalidEndpoint,
        Some("keys" | "keys.p256dh" | "keys.auth") => Code::InvalidKeys,
        _ => Code::InvalidField,
    }
}

fn detail_of(fields: &[BadField]) -> String {
    let named: Vec<String> = fields
        .iter()
        .map(|field| format!("{}: {}", field.name, field.rule))
        .collect();
    named.join("; ")
}
