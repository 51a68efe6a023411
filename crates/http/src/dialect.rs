//! Which dialect a path speaks, and thereby how its failures leave.

use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse};

use crate::dialects::{allmine, easyflow, rocketchat};
use crate::failure::Failure;
use crate::problem;

/// The four public dialects. What belongs to none of them answers as [`Dialect::Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `/api/v1/`, but for `push.*`.
    Allmine,
    /// `/api/v1/push.*`.
    RocketChat,
    /// `/notifications/`.
    Easyflow,
    /// RFC 9457 problem details: oCore, messages under `/v1/`, the service's own operations, and every other path.
    Problem,
}

impl Dialect {
    /// The dialect of a path.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/api/v1/push.") {
            Self::RocketChat
        } else if path.starts_with("/api/v1/") {
            Self::Allmine
        } else if path.starts_with("/notifications/") {
            Self::Easyflow
        } else {
            Self::Problem
        }
    }

    /// The answer to a failure: status, body, and `Retry-After`, `Allow` or `WWW-Authenticate` where they belong.
    pub(crate) fn render(self, failure: &Failure, request: &HttpRequest) -> HttpResponse {
        let mut response = match self {
            Self::Allmine => allmine::render(failure, request),
            Self::RocketChat => rocketchat::render(failure),
            Self::Easyflow => easyflow::render(failure, request),
            Self::Problem => problem::render(failure),
        };
        let headers = response.headers_mut();
        if let Some(seconds) = failure.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        // RFC 6750 §3; Rocket.Chat's two headers are no scheme that has a name.
        if *failure == Failure::Unauthenticated && self != Self::RocketChat {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Failure::MethodNotAllowed(methods) = failure
            && let Ok(methods) = HeaderValue::from_str(methods)
        {
            headers.insert(ALLOW, methods);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_dialect() {
        for (path, dialect) in [
            ("/api/v1/push.token", Dialect::RocketChat),
            ("/api/v1/push.unknown", Dialect::RocketChat),
            ("/api/v1/auth/me", Dialect::Allmine),
            ("/api/v1/", Dialect::Allmine),
            ("/api/v1", Dialect::Problem),
            ("/notifications/devices", Dialect::Easyflow),
            ("/notifications", Dialect::Problem),
            ("/v1/messages", Dialect::Problem),
            ("/push/subscribe", Dialect::Problem),
            ("/api/push/subscribe", Dialect::Problem),
            ("/", Dialect::Problem),
        ] {
            assert_eq!(Dialect::of(path), dialect, "{path}");
        }
    }
}
