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

/// The answer to a failure.
pub(crate) fn render(failure: &Failure) -> HttpResponse {
    let (status, code) = heading(failure);
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .json(Problem {
            kind: format!("urn:doorbell:problem:{}", code.name()),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail(failure),
            code: code.name(),
        })
}

/// The table from failure to status and code.
fn heading(failure: &Failure) -> (StatusCode, Code) {
    match failure {
        Failure::UnknownPath | Failure::NotFound | Failure::UnknownDevice => {
            (StatusCode::NOT_FOUND, Code::NotFound)
        }
        Failure::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed),
        Failure::Unauthenticated => (StatusCode::UNAUTHORIZED, Code::Unauthorized),
        Failure::Forbidden => (StatusCode::FORBIDDEN, Code::Forbidden),
        Failure::TooLarge | Failure::TooLargeForPush => {
            (StatusCode::PAYLOAD_TOO_LARGE, Code::PayloadTooLarge)
        }
        Failure::Slow => (StatusCode::REQUEST_TIMEOUT, Code::RequestTimeout),
        Failure::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType),
        Failure::InvalidJson => (StatusCode::BAD_REQUEST, Code::InvalidJson),
        Failure::Invalid(fields) => (StatusCode::BAD_REQUEST, code_of(fields)),
        Failure::NoTokens | Failure::PushOff => (StatusCode::BAD_REQUEST, Code::InvalidField),
        Failure::Conflict
        | Failure::KeyReused
        | Failure::RevokedDevice
        | Failure::TooManyDevices
        | Failure::TooManyTokens => (StatusCode::CONFLICT, Code::Conflict),
        Failure::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests),
        Failure::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        Failure::Internal => (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
    }
}

/// What is wrong with this request, in words.
fn detail(failure: &Failure) -> String {
    let words = match failure {
        Failure::Invalid(fields) => return detail_of(fields),
        Failure::MethodNotAllowed(allowed) => return format!("the path takes {allowed}"),
        Failure::TooLarge => return format!("the body may have {} bytes", crate::MAX_BODY),
        Failure::UnknownPath => "no operation has this path",
        Failure::NotFound | Failure::UnknownDevice => "there is no such thing",
        Failure::Unauthenticated => {
            "a valid bearer token is required: an API key under /v1/, an access token elsewhere"
        }
        Failure::Forbidden => "this is not yours to do",
        Failure::TooLargeForPush => "notification and data are more than a push carries",
        Failure::Slow => "the body did not arrive in time",
        Failure::UnsupportedMediaType => "the content type must be application/json",
        Failure::InvalidJson => "the body must be a JSON object",
        Failure::NoTokens | Failure::PushOff => "nothing can be rung",
        Failure::Conflict => "the present state does not allow this",
        Failure::KeyReused => "the Idempotency-Key was used for a request with another body",
        Failure::RevokedDevice => "this browser's device was revoked: unsubscribe it before subscribing anew",
        Failure::TooManyDevices => "this user has as many devices as a user may have",
        Failure::TooManyTokens => "this device has as many tokens as a device may have",
        Failure::TooMany(_) => "too many requests",
        Failure::Unavailable => "try again shortly",
        Failure::Internal => "the server failed",
    };
    words.to_owned()
}

/// The first bad field decides what a client branches on.
fn code_of(fields: &[BadField]) -> Code {
    match fields.first().map(|field| field.name.as_ref()) {
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
