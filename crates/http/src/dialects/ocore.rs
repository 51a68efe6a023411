//! oCore: Web Push subscriptions under `/push` and `/api/push`, bare bodies, RFC 9457 errors.

mod problem;
mod subscriptions;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::dialect::Dialect;
use crate::routing::{self, operation};

pub(crate) use problem::render;

/// Mounts the operations at both of their places.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let problem = Dialect::Problem;
    routing::mount(
        config,
        problem,
        vec![
            operation(problem, Method::POST, "/push/subscribe", subscriptions::subscribe),
            operation(
                problem,
                Method::DELETE,
                "/push/subscribe",
                subscriptions::unsubscribe,
            ),
            operation(problem, Method::GET, "/push/subscriptions", subscriptions::list),
            operation(problem, Method::GET, "/push/vapid-key", subscriptions::vapid_key),
            operation(
                problem,
                Method::POST,
                "/api/push/subscribe",
                subscriptions::subscribe,
            ),
            operation(
                problem,
                Method::DELETE,
                "/api/push/subscribe",
                subscriptions::unsubscribe,
            ),
            operation(
                problem,
                Method::GET,
                "/api/push/subscriptions",
                subscriptions::list,
            ),
            operation(
                problem,
                Method::GET,
                "/api/push/vapid-key",
                subscriptions::vapid_key,
            ),
        ],
    );
}
