//! Failures as easyflow answers them: a message, the status in words, and its number.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::failure::{BadField, Failure};

/// What went wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EasyflowError)]
pub(crate) struct ErrorAnswer {
    /// What is wrong: with 400, the names of the parameters that are.
    #[schema(example = "Invalid param: [deviceId]")]
    message: String,
    /// The HTTP status in words.
    #[schema(example = "Bad Request")]
    error: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 400)]
    status_code: u16,
}

/// The table from failure to answer. This dialect has no 404 but for unknown paths, and no 409.
pub(crate) fn render(failure: &Failure, request: &HttpRequest) -> HttpResponse {
    answer(failure, Some(request))
}

/// The answer to a failure, of which an unknown path's repeats the request's.
pub(crate) fn answer(failure: &Failure, request: Option<&HttpRequest>) -> HttpResponse {
    let (status, message) = match failure {
        Failure::UnknownPath => (
            StatusCode::NOT_FOUND,
            request.map(|request| format!("Cannot {} {}", request.method(), request.path())),
        ),
        Failure::Forbidden | Failure::RevokedDevice => {
            (StatusCode::FORBIDDEN, Some("Forbidden resource".to_owned()))
        }
        Failure::Invalid(fields) => (StatusCode::BAD_REQUEST, Some(invalid(fields))),
        // Only an added device is one too many, and only a named one is unknown under that key.
        Failure::UnknownDevice | Failure::TooManyDevices => (
            StatusCode::BAD_REQUEST,
            Some("Invalid param: [deviceId]".to_owned()),
        ),
        Failure::TooManyTokens => (
            StatusCode::BAD_REQUEST,
            Some("Invalid param: [pushToken]".to_owned()),
        ),
        Failure::InvalidJson
        | Failure::UnsupportedMediaType
        | Failure::NotFound
        | Failure::Conflict
        | Failure::KeyReused
        | Failure::NoTokens
        | Failure::PushOff => (StatusCode::BAD_REQUEST, Some(invalid(&[]))),
        Failure::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Some("Internal server error".to_owned()),
        ),
        Failure::Unauthenticated => (StatusCode::UNAUTHORIZED, None),
        Failure::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, None),
        Failure::Slow => (StatusCode::REQUEST_TIMEOUT, None),
        Failure::TooLarge | Failure::TooLargeForPush => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Failure::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, None),
        Failure::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, None),
    };
    let error = status.canonical_reason().unwrap_or("Error");
    HttpResponse::build(status).json(ErrorAnswer {
        message: message.unwrap_or_else(|| error.to_owned()),
        error,
        status_code: status.as_u16(),
    })
}

fn invalid(fields: &[BadField]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_ref()).collect();
    format!("Invalid param: [{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use actix_web::test::TestRequest;
    use time::Duration;

    use super::*;

    fn rendered(failure: &Failure) -> String {
        let request = TestRequest::post()
            .uri("/notifications/de%22vices?token=secret")
            .to_http_request();
        let response = render(failure, &request);
        let status = response.status().as_u16();
        let bytes = response.into_body().try_into_bytes().expect("a body in memory");
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        assert!(
            text.ends_with(&format!(",\"statusCode\":{status}}}")),
            "{text} says what the status line says"
        );
        text
    }

    #[test]
    fn a_failure_is_answered_as_the_document_says() {
        for (failure, message, error, status) in [
            (Failure::Unauthenticated, "Unauthorized", "Unauthorized", 401),
            (Failure::Forbidden, "Forbidden resource", "Forbidden", 403),
            (Failure::RevokedDevice, "Forbidden resource", "Forbidden", 403),
            (
                Failure::UnknownPath,
                "Cannot POST /notifications/de%22vices",
                "Not Found",
                404,
            ),
            (
                Failure::MethodNotAllowed("GET, HEAD".into()),
                "Method Not Allowed",
                "Method Not Allowed",
                405,
            ),
            (Failure::Slow, "Request Timeout", "Request Timeout", 408),
            (Failure::TooLarge, "Payload Too Large", "Payload Too Large", 413),
            (
                Failure::TooMany(Duration::SECOND),
                "Too Many Requests",
                "Too Many Requests",
                429,
            ),
            (
                Failure::Internal,
                "Internal server error",
                "Internal Server Error",
                500,
            ),
            (
                Failure::Unavailable,
                "Service Unavailable",
                "Service Unavailable",
                503,
            ),
        ] {
            assert_eq!(
                rendered(&failure),
                format!(r#"{{"message":"{message}","error":"{error}","statusCode":{status}}}"#)
            );
        }
    }

    #[test]
    fn bad_parameters_are_named_in_their_order() {
        let bad = |name: &'static str| BadField {
            name: name.into(),
            rule: "is required".to_owned(),
        };
        for (failure, names) in [
            (Failure::InvalidJson, ""),
            (Failure::UnsupportedMediaType, ""),
            (Failure::Invalid(vec![bad("pushToken")]), "pushToken"),
            (
                Failure::Invalid(vec![bad("deviceId"), bad("pushToken")]),
                "deviceId, pushToken",
            ),
            (Failure::UnknownDevice, "deviceId"),
            (Failure::TooManyDevices, "deviceId"),
            (Failure::TooManyTokens, "pushToken"),
        ] {
            assert_eq!(
                rendered(&failure),
                format!(r#"{{"message":"Invalid param: [{names}]","error":"Bad Request","statusCode":400}}"#)
            );
        }
    }
}
