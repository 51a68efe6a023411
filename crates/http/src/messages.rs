//! Doorbell's own face for back ends: messages under `/v1/`, an API key as the bearer token, RFC 9457 errors.

mod audience;
mod content;
mod job;
mod report;
mod send;
mod trail;

pub(crate) use report::ReportAnswer;
pub(crate) use send::AcceptedAnswer;

use crate::routing::{Operation, operation};

/// The operations, in the order of the document.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation::<send::__path_send, _>(send::send),
        operation::<report::__path_report, _>(report::report),
        operation::<report::__path_cancel, _>(report::cancel),
        operation::<trail::__path_trail, _>(trail::trail),
    ]
}
