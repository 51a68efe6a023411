//! The envelope: around every error, and around those successes that the API's documents wrap.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::call::Call;
use crate::failure::{BadField, Failure};
use crate::instant::Instant;
use crate::openapi::vocabulary::{always_200, always_false, always_null, always_true};

/// A success in the envelope.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineEnvelope)]
pub(crate) struct Envelope<T> {
    /// Always true here.
    #[schema(schema_with = always_true)]
    is_success: bool,
    /// The HTTP status.
    #[schema(schema_with = always_200)]
    status_code: u16,
    /// What was asked for.
    data: T,
    /// Always empty here.
    #[schema(max_items = 0)]
    errors: Vec<String>,
    /// When it was answered.
    timestamp: Instant,
}

/// An error in the envelope.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineError)]
pub(crate) struct ErrorEnvelope {
    /// Always false here.
    #[schema(schema_with = always_false)]
    is_success: bool,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status_code: u16,
    /// Always null here.
    #[schema(schema_with = always_null)]
    data: (),
    /// What is wrong; after "Validation failed", each bad field with its rule.
    #[schema(min_items = 1)]
    errors: Vec<String>,
    /// When it was answered.
    #[schema(value_type = Instant)]
    timestamp: Option<Instant>,
}

/// The operation succeeded.
#[derive(Serialize, ToSchema)]
#[schema(as = AllmineSuccess)]
pub(crate) struct Success {
    /// Always true.
    #[schema(schema_with = always_true)]
    success: bool,
}

impl Success {
    /// The operation succeeded.
    pub(super) const DONE: Self = Self { success: true };
}

/// 200 with `data` in the envelope.
pub(super) fn wrapped<T: Serialize>(call: &Call, data: T) -> HttpResponse {
    HttpResponse::Ok().json(Envelope {
        is_success: true,
        status_code: StatusCode::OK.as_u16(),
        data,
        errors: Vec::new(),
        timestamp: Instant(call.api.doorbell.now()),
    })
}

/// The answer to a failure.
pub(crate) fn render(failure: &Failure, request: &HttpRequest) -> HttpResponse {
    let api = request.app_data::<web::Data<Api>>();
    answer(failure, api.map(|api| Instant(api.doorbell.now())))
}

/// The answer to a failure at an instant.
pub(crate) fn answer(failure: &Failure, timestamp: Option<Instant>) -> HttpResponse {
    let (status, first) = heading(failure);
    let mut errors = vec![first.to_owned()];
    errors.extend(details(failure));
    HttpResponse::build(status).json(ErrorEnvelope {
        is_success: false,
        status_code: status.as_u16(),
        data: (),
        errors,
        timestamp,
    })
}

/// The table from failure to status and first error.
fn heading(failure: &Failure) -> (StatusCode, &'static str) {
    match failure {
        Failure::UnsupportedMediaType
        | Failure::InvalidJson
        | Failure::Invalid(_)
        | Failure::NoTokens
        | Failure::PushOff => (StatusCode::BAD_REQUEST, "Validation failed"),
        Failure::Unauthenticated => (StatusCode::UNAUTHORIZED, "Authentication required"),
        Failure::Forbidden => (StatusCode::FORBIDDEN, "Insufficient permissions"),
        Failure::UnknownPath | Failure::NotFound | Failure::UnknownDevice => {
            (StatusCode::NOT_FOUND, "Resource not found")
        }
        Failure::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
        Failure::Slow => (StatusCode::REQUEST_TIMEOUT, "Request timeout"),
        Failure::Conflict
        | Failure::RevokedDevice
        | Failure::TooManyDevices
        | Failure::TooManyTokens
        | Failure::KeyReused => (
            StatusCode::CONFLICT,
            "Resource already exists or cannot be changed in its current state",
        ),
        Failure::TooLarge | Failure::TooLargeForPush => (StatusCode::PAYLOAD_TOO_LARGE, "Payload too large"),
        Failure::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        Failure::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
        Failure::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
    }
}

/// The errors after the first, which only a 400 has.
fn details(failure: &Failure) -> Vec<String> {
    match failure {
        Failure::Invalid(fields) => fields
            .iter()
            .map(|BadField { name, rule }| format!("{name}: {rule}"))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};
    use time::Duration;

    use super::*;
    use crate::form::Form;

    async fn rendered(failure: &Failure) -> (u16, Value) {
        let response = render(failure, &TestRequest::default().to_http_request());
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body()).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[actix_web::test]
    async fn every_failure_has_the_status_and_words_of_the_documents() {
        let conflict = "Resource already exists or cannot be changed in its current state";
        for (failure, status, first) in [
            (Failure::UnknownPath, 404, "Resource not found"),
            (
                Failure::MethodNotAllowed("GET, HEAD".into()),
                405,
                "Method not allowed",
            ),
            (Failure::Unauthenticated, 401, "Authentication required"),
            (Failure::Forbidden, 403, "Insufficient permissions"),
            (Failure::TooLarge, 413, "Payload too large"),
            (Failure::Slow, 408, "Request timeout"),
            (Failure::NotFound, 404, "Resource not found"),
            (Failure::UnknownDevice, 404, "Resource not found"),
            (Failure::Conflict, 409, conflict),
            (Failure::RevokedDevice, 409, conflict),
            (Failure::TooManyDevices, 409, conflict),
            (Failure::TooMany(Duration::seconds(9)), 429, "Too many requests"),
            (Failure::Unavailable, 503, "Service unavailable"),
            (Failure::Internal, 500, "Internal server error"),
        ] {
            let (answered, body) = rendered(&failure).await;
            assert_eq!(answered, status, "{failure:?}");
            assert_eq!(
                body,
                json!({"isSuccess": false, "statusCode": status, "data": null, "errors": [first], "timestamp": null}),
                "{failure:?}"
            );
        }
    }

    #[actix_web::test]
    async fn a_400_names_each_bad_field_after_the_first_error() {
        let mut form = Form::default();
        form.refuse("platform", "is required");
        form.refuse("timezone", "must be an IANA time zone name");
        for (failure, errors) in [
            (
                form.failure(),
                json!([
                    "Validation failed",
                    "platform: is required",
                    "timezone: must be an IANA time zone name"
                ]),
            ),
            (Failure::InvalidJson, json!(["Validation failed"])),
            (Failure::UnsupportedMediaType, json!(["Validation failed"])),
        ] {
            let (status, body) = rendered(&failure).await;
            assert_eq!((status, &body["errors"]), (400, &errors));
        }
    }
}
