//! Failures as problem details (RFC 9457), with a stable `code`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::failure::{BadField, Failure};
use crate::openapi::vocabulary::ProblemCode;

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
    #[schema(value_type = ProblemCode)]
    code: &'static str,
}

/// The table from failure to answer.
pub(crate) fn render(failure: &Failure) -> HttpResponse {
    let (status, code, detail) = match failure {
        Failure::UnknownPath => (
            StatusCode::NOT_FOUND,
            "not_found",
            "no operation has this path".to_owned(),
        ),
        Failure::NotFound | Failure::UnknownDevice => (
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such thing".to_owned(),
        ),
        Failure::MethodNotAllowed(allowed) => (
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("the path takes {allowed}"),
        ),
        Failure::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "a valid access token is required".to_owned(),
        ),
        Failure::Forbidden => (
            StatusCode::FORBIDDEN,
            "forbidden",
            "this is not yours to do".to_owned(),
        ),
        Failure::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("the body may have {} bytes", crate::MAX_BODY),
        ),
        Failure::Slow => (
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "the body did not arrive in time".to_owned(),
        ),
        Failure::UnsupportedMediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the content type must be application/json".to_owned(),
        ),
        Failure::InvalidJson => (
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "the body must be a JSON object".to_owned(),
        ),
        Failure::Invalid(fields) => (StatusCode::BAD_REQUEST, code_of(fields), detail_of(fields)),
        Failure::Conflict => (
            StatusCode::CONFLICT,
            "conflict",
            "the present state does not allow this".to_owned(),
        ),
        Failure::RevokedDevice => (
            StatusCode::CONFLICT,
            "conflict",
            "this browser's device was revoked: unsubscribe it before subscribing anew".to_owned(),
        ),
        Failure::TooManyDevices => (
            StatusCode::CONFLICT,
            "conflict",
            "this user has as many devices as a user may have".to_owned(),
        ),
        Failure::TooManyTokens => (
            StatusCode::CONFLICT,
            "conflict",
            "this device has as many tokens as a device may have".to_owned(),
        ),
        Failure::TooMany(_) => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "too many requests".to_owned(),
        ),
        Failure::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "try again shortly".to_owned(),
        ),
        Failure::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed".to_owned(),
        ),
    };
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .json(Problem {
            kind: format!("urn:doorbell:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            code,
        })
}

/// The first bad field decides what a client branches on.
fn code_of(fields: &[BadField]) -> &'static str {
    match fields.first().map(|field| field.name) {
        Some("endpoint") => "invalid_endpoint",
        Some("keys" | "keys.p256dh" | "keys.auth") => "invalid_keys",
        _ => "invalid_field",
    }
}

fn detail_of(fields: &[BadField]) -> String {
    let named: Vec<String> = fields
        .iter()
        .map(|field| format!("{}: {}", field.name, field.rule))
        .collect();
    named.join("; ")
}
