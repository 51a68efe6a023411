//! Allmine: sign-in, sessions, the account and its devices' tokens under `/api/v1`, errors in one envelope.

mod account_deletion;
mod device_token;
mod envelope;
mod live_activity;
mod phone;
mod profile;
mod sessions;
mod sign_in;
mod user;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::call::Call;
use crate::dialect::Dialect;
use crate::routing::{self, Answer, Operation};

pub(crate) use envelope::render;

/// Mounts the operations.
pub(crate) fn mount(config: &mut ServiceConfig) {
    routing::mount(
        config,
        Dialect::Allmine,
        vec![
            operation(Method::POST, "/api/v1/auth/send-otp", sign_in::send_otp),
            operation(Method::POST, "/api/v1/auth/verify-otp", sign_in::verify_otp),
            operation(Method::POST, "/api/v1/auth/refresh", sign_in::refresh),
            operation(Method::POST, "/api/v1/auth/logout", sessions::logout),
            operation(Method::POST, "/api/v1/auth/revoke-token", sessions::revoke_token),
            operation(Method::GET, "/api/v1/auth/sessions", sessions::list),
            operation(Method::DELETE, "/api/v1/auth/sessions/{id}", sessions::end),
            operation(
                Method::GET,
                "/api/v1/auth/validate-token",
                sessions::validate_token,
            ),
            operation(Method::GET, "/api/v1/auth/me", user::me),
            operation(Method::PATCH, "/api/v1/users/me", profile::change),
            operation(
                Method::POST,
                "/api/v1/users/me/account-deletion",
                account_deletion::request,
            ),
            operation(
                Method::DELETE,
                "/api/v1/users/me/account-deletion",
                account_deletion::cancel,
            ),
            operation(
                Method::POST,
                "/api/v1/notifications/device-token",
                device_token::register,
            ),
            operation(
                Method::DELETE,
                "/api/v1/notifications/device-token/{token}",
                device_token::remove,
            ),
            operation(
                Method::POST,
                "/api/v1/notifications/live-activity-sessions",
                live_activity::record,
            ),
            operation(
                Method::DELETE,
                "/api/v1/notifications/live-activity-sessions/{activityId}",
                live_activity::remove,
            ),
        ],
    );
}

fn operation<H>(method: Method, path: &'static str, handler: H) -> Operation
where
    H: AsyncFn(&mut Call) -> Answer + Clone + 'static,
{
    routing::operation(Dialect::Allmine, method, path, handler)
}
