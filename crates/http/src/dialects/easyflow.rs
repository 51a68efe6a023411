//! easyflow: devices and their tokens under `/notifications/devices`, bound to the fingerprint of whoever
//! speaks.

mod add_device;
mod device;
mod devices;
mod error;
mod fingerprint;
mod refresh_token;
mod settings;
mod update_device;

use actix_web::http::Method;
use actix_web::web::ServiceConfig;

use crate::dialect::Dialect;
use crate::routing::{self, operation};

pub(crate) use error::render;

/// Mounts the operations.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let easyflow = Dialect::Easyflow;
    routing::mount(
        config,
        easyflow,
        vec![
            operation(
                easyflow,
                Method::POST,
                "/notifications/devices/refresh-token",
                refresh_token::refresh,
            ),
            operation(
                easyflow,
                Method::POST,
                "/notifications/devices/add-device",
                add_device::add,
            ),
            operation(
                easyflow,
                Method::PATCH,
                "/notifications/devices/update",
                update_device::update,
            ),
            operation(easyflow, Method::GET, "/notifications/devices/get", devices::get),
            operation(easyflow, Method::GET, "/notifications/devices", devices::list),
        ],
    );
}
