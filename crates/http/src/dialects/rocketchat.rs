//! Rocket.Chat: `/api/v1/push.*`, as its servers answered when they named each bad parameter by a code.

mod coded_error;
mod lenient_body;
mod push_info;
mod push_token;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::dialect::Dialect;
use crate::routing::{self, operation};

pub(crate) use coded_error::render;

/// Mounts the operations.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let rocketchat = Dialect::RocketChat;
    routing::mount(
        config,
        rocketchat,
        vec![
            operation(
                rocketchat,
                Method::POST,
                "/api/v1/push.token",
                push_token::register,
            ),
            operation(
                rocketchat,
                Method::DELETE,
                "/api/v1/push.token",
                push_token::remove,
            ),
            operation(rocketchat, Method::GET, "/api/v1/push.info", push_info::info),
        ],
    );
}
