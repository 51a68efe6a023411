//! The HTTP face of Doorbell: four public dialects, messages for back ends and a few operations of its own, over one set
//! of use cases.
//!
//! A dialect is a translation, never a rule: a handler reads its request, calls one use case, and renders the
//! answer. Every failure is one of a closed set, and one table a dialect turns it into status, body and
//! headers.

mod admin;
mod answer;
mod api;
mod call;
mod client;
mod cors;
mod dialect;
mod dialects;
mod failure;
mod field;
mod form;
mod instant;
mod messages;
mod metrics;
mod object;
mod openapi;
mod outcome;
mod problem;
mod protection;
mod routing;
mod service;
mod unknown;

pub use admin::configure_admin;
pub use answer::dress;
pub use api::Api;
pub use client::TrustedProxies;
pub use cors::{Cors, Origin};
pub use metrics::Metrics;
pub use openapi::openapi;

use actix_web::web::{self, ServiceConfig};

/// The largest request body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Mounts every operation of every dialect, and the answers of all other paths.
pub fn configure(config: &mut ServiceConfig) {
    routing::mount(config, operations());
    config.default_service(web::to(routing::unknown_path));
}

/// Every operation, in the order of the document.
fn operations() -> Vec<routing::Operation> {
    let mut operations = dialects::allmine::operations();
    operations.extend(dialects::rocketchat::operations());
    operations.extend(dialects::easyflow::operations());
    operations.extend(dialects::ocore::operations());
    operations.extend(messages::operations());
    operations.extend(service::operations());
    operations
}
