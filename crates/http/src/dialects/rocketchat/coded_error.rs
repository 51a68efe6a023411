//! Failures as Rocket.Chat answers them: a text that ends with its code, and the code again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::failure::{BadField, Failure};
use crate::openapi::vocabulary::{self, always_error, always_false};

const NOT_LOGGED_IN: &str = "You must be logged in to do this.";

/// What went wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RocketChatError)]
pub(crate) struct CodedError {
    /// Always false.
    #[schema(schema_with = always_false)]
    success: bool,
    /// What is wrong, with the code in brackets where there is one.
    #[schema(
        example = "The required \"type\" body param is missing or invalid. [error-type-param-not-valid]"
    )]
    error: String,
    /// What to branch on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<vocabulary::RocketChatErrorType>, nullable = false)]
    error_type: Option<&'static str>,
    /// Where it went wrong, for the codes of `push.test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<Details>,
}

/// Where it went wrong.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RocketChatErrorDetails)]
pub(crate) struct Details {
    /// The method that failed, by its own name.
    #[schema(example = "push_test")]
    method: &'static str,
}

/// Nobody is signed in: the same text for readers of either pair of keys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RocketChatNotLoggedIn)]
pub(crate) struct NotLoggedIn {
    /// Always false.
    #[schema(schema_with = always_false, required = false)]
    success: bool,
    /// What is wrong.
    #[schema(required = false, example = "You must be logged in to do this.")]
    error: &'static str,
    /// Always `error`.
    #[schema(schema_with = always_error)]
    status: &'static str,
    /// What is wrong.
    #[schema(example = "You must be logged in to do this.")]
    message: &'static str,
}

/// The table from failure to answer.
pub(crate) fn render(failure: &Failure) -> HttpResponse {
    let status = match failure {
        Failure::Unauthenticated => {
            return HttpResponse::Unauthorized().json(NotLoggedIn {
                success: false,
                error: NOT_LOGGED_IN,
                status: "error",
                message: NOT_LOGGED_IN,
            });
        }
        Failure::Invalid(fields) => return coded(parameter_error(fields)),
        // Only an `id` names a device, and only one that the caller revoked.
        Failure::RevokedDevice => return coded(ID_NOT_VALID),
        Failure::TooManyDevices => return coded(TOO_MANY_DEVICES),
        Failure::TooManyTokens => return coded(TOO_MANY_TOKENS),
        Failure::PushOff => return of_push_test(PUSH_DISABLED),
        Failure::NoTokens => return of_push_test(NO_TOKENS),
        Failure::NotFound | Failure::UnknownDevice => {
            return plain(StatusCode::NOT_FOUND, "Resource not found".to_owned());
        }
        Failure::TooMany(_) => {
            let wait = failure.retry_after().unwrap_or(1);
            return plain(
                StatusCode::TOO_MANY_REQUESTS,
                format!(
                    "Error, too many requests. Please slow down. You must wait {wait} seconds before trying \
                     this endpoint again. [error-too-many-requests]"
                ),
            );
        }
        Failure::UnknownPath => StatusCode::NOT_FOUND,
        Failure::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
        Failure::Forbidden => StatusCode::FORBIDDEN,
        Failure::TooLarge | Failure::TooLargeForPush => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::Slow => StatusCode::REQUEST_TIMEOUT,
        Failure::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Failure::InvalidJson => StatusCode::BAD_REQUEST,
        Failure::Conflict | Failure::KeyReused => StatusCode::CONFLICT,
        Failure::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    plain(status, status.canonical_reason().unwrap_or("Error").to_owned())
}

/// A code, and the sentence before it.
type Coded = (&'static str, &'static str);

/// Every code that an answer may name, in the order of the document.
pub(crate) const CODES: [&str; 8] = [
    ID_NOT_VALID.0,
    TYPE_NOT_VALID.0,
    VALUE_NOT_VALID.0,
    APP_NAME_NOT_VALID.0,
    TOO_MANY_DEVICES.0,
    TOO_MANY_TOKENS.0,
    PUSH_DISABLED.0,
    NO_TOKENS.0,
];

const ID_NOT_VALID: Coded = (
    "error-id-param-not-valid",
    "The required \"id\" body param is invalid.",
);

const TYPE_NOT_VALID: Coded = (
    "error-type-param-not-valid",
    "The required \"type\" body param is missing or invalid.",
);

const APP_NAME_NOT_VALID: Coded = (
    "error-appName-param-not-valid",
    "The required \"appName\" body param is missing or invalid.",
);

const VALUE_NOT_VALID: Coded = (
    "error-token-param-not-valid",
    "The required \"value\" body param is missing or invalid.",
);

/// `value` and `token` share a code, and each is named by its own sentence.
const TOKEN_NOT_VALID: Coded = (
    VALUE_NOT_VALID.0,
    "The required \"token\" body param is missing or invalid.",
);

/// Not known to Rocket.Chat, which bounds nothing; in the style of its own.
const TOO_MANY_DEVICES: Coded = (
    "error-too-many-devices",
    "You have as many devices as a user may have.",
);

/// As above.
const TOO_MANY_TOKENS: Coded = (
    "error-too-many-tokens",
    "Your device has as many tokens as a device may have.",
);

const PUSH_DISABLED: Coded = ("error-push-disabled", "Push is disabled");

const NO_TOKENS: Coded = (
    "error-no-tokens-for-this-user",
    "There are no tokens for this user",
);

/// The error of the first bad parameter: clients are told of one at a time.
fn parameter_error(fields: &[BadField]) -> Coded {
    match fields.first().map(|field| field.name.as_ref()) {
        Some("id") => ID_NOT_VALID,
        Some("type") => TYPE_NOT_VALID,
        Some("appName") => APP_NAME_NOT_VALID,
        Some("token") => TOKEN_NOT_VALID,
        _ => VALUE_NOT_VALID,
    }
}

fn coded(error: Coded) -> HttpResponse {
    bad_request(error, None)
}

/// `push.test` says which method failed, as Rocket.Chat's does.
fn of_push_test(error: Coded) -> HttpResponse {
    bad_request(error, Some(Details { method: "push_test" }))
}

fn bad_request((code, sentence): Coded, details: Option<Details>) -> HttpResponse {
    HttpResponse::BadRequest().json(CodedError {
        success: false,
        error: format!("{sentence} [{code}]"),
        error_type: Some(code),
        details,
    })
}

fn plain(status: StatusCode, error: String) -> HttpResponse {
    HttpResponse::build(status).json(CodedError {
        success: false,
        error,
        error_type: None,
        details: None,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use time::Duration;

    use super::*;

    fn rendered(failure: &Failure) -> (u16, String) {
        let response = render(failure);
        let status = response.status().as_u16();
        let bytes = response.into_body().try_into_bytes().expect("a body in memory");
        (status, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    #[test]
    fn a_bad_parameter_has_its_code_in_the_text_and_beside_it() {
        for (name, code, sentence) in [
            (
                "id",
                "error-id-param-not-valid",
                "The required \\\"id\\\" body param is invalid.",
            ),
            (
                "type",
                "error-type-param-not-valid",
                "The required \\\"type\\\" body param is missing or invalid.",
            ),
            (
                "value",
                "error-token-param-not-valid",
                "The required \\\"value\\\" body param is missing or invalid.",
            ),
            (
                "token",
                "error-token-param-not-valid",
                "The required \\\"token\\\" body param is missing or invalid.",
            ),
            (
                "appName",
                "error-appName-param-not-valid",
                "The required \\\"appName\\\" body param is missing or invalid.",
            ),
        ] {
            assert_eq!(
                rendered(&Failure::field(name, "is required")),
                (
                    400,
                    format!(r#"{{"success":false,"error":"{sentence} [{code}]","errorType":"{code}"}}"#)
                )
            );
        }
        assert_eq!(
            rendered(&Failure::RevokedDevice),
            rendered(&Failure::field("id", "is revoked"))
        );
    }

    #[test]
    fn a_test_that_rings_nobody_says_why_and_of_which_method() {
        for (failure, error, code) in [
            (Failure::PushOff, "Push is disabled", "error-push-disabled"),
            (
                Failure::NoTokens,
                "There are no tokens for this user",
                "error-no-tokens-for-this-user",
            ),
        ] {
            let expected = format!(
                r#"{{"success":false,"error":"{error} [{code}]","errorType":"{code}","details":{{"method":"push_test"}}}}"#
            );
            assert_eq!(rendered(&failure), (400, expected));
        }
    }

    #[test]
    fn who_is_not_signed_in_is_told_so_under_both_pairs_of_keys() {
        assert_eq!(
            rendered(&Failure::Unauthenticated),
            (
                401,
                concat!(
                    r#"{"success":false,"error":"You must be logged in to do this.","#,
                    r#""status":"error","message":"You must be logged in to do this."}"#
                )
                .to_owned()
            )
        );
    }

    #[test]
    fn other_failures_are_named_by_their_status() {
        for (failure, status, error) in [
            (Failure::UnknownPath, 404, "Not Found"),
            (Failure::NotFound, 404, "Resource not found"),
            (
                Failure::MethodNotAllowed("GET, HEAD".into()),
                405,
                "Method Not Allowed",
            ),
            (Failure::Slow, 408, "Request Timeout"),
            (Failure::TooLarge, 413, "Payload Too Large"),
            (Failure::Internal, 500, "Internal Server Error"),
            (Failure::Unavailable, 503, "Service Unavailable"),
            (
                Failure::TooMany(Duration::milliseconds(6_001)),
                429,
                "Error, too many requests. Please slow down. You must wait 7 seconds before trying this \
                 endpoint again. [error-too-many-requests]",
            ),
        ] {
            assert_eq!(
                rendered(&failure),
                (status, format!(r#"{{"success":false,"error":"{error}"}}"#))
            );
        }
    }
}
