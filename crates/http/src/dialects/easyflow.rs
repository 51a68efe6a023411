//! easyflow: devices and their tokens under `/notifications/devices`, bound to the fingerprint of whoever
//! speaks.

mod add_device;
mod device;
mod devices;
mod error;
mod examples;
mod fingerprint;
mod refresh_token;
mod settings;
mod update_device;

use crate::routing::{Operation, operation};

pub(crate) use error::{ErrorAnswer, answer, render};

/// The operations, in the order of the document.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation::<refresh_token::__path_refresh, _>(refresh_token::refresh),
        operation::<add_device::__path_add, _>(add_device::add),
        operation::<update_device::__path_update, _>(update_device::update),
        operation::<devices::__path_get, _>(devices::get),
        operation::<devices::__path_list, _>(devices::list),
    ]
}
