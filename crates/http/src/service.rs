//! The service's own operations: its health, its public keys, its document, the playground that reads it, and the demo.

mod asset;
mod demo;
mod document;
mod health;
mod keys;
mod page;
mod playground;

use crate::routing::{Operation, operation};

/// The operations, in the order of the document.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation::<document::__path_openapi, _>(document::openapi),
        operation::<playground::__path_page, _>(playground::page),
        operation::<playground::__path_part, _>(playground::part),
        operation::<playground::__path_root, _>(playground::root),
        operation::<demo::__path_page, _>(demo::page),
        operation::<demo::__path_part, _>(demo::part),
        operation::<demo::__path_worker, _>(demo::worker),
        operation::<demo::__path_ring, _>(demo::ring),
        operation::<demo::__path_report, _>(demo::report),
        operation::<keys::__path_jwks, _>(keys::jwks),
        operation::<health::__path_live, _>(health::live),
        operation::<health::__path_ready, _>(health::ready),
    ]
}
