//! Rocket.Chat: `/api/v1/push.*`, as its servers answered when they named each bad parameter by a code.

mod coded_error;
mod lenient_body;
mod push_info;
mod push_test;
mod push_token;

use crate::routing::{Operation, operation};

pub(crate) use coded_error::{CODES, CodedError, NotLoggedIn, render};

/// The operations, in the order of the document.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation::<push_token::__path_register, _>(push_token::register),
        operation::<push_token::__path_remove, _>(push_token::remove),
        operation::<push_info::__path_info, _>(push_info::info),
        operation::<push_test::__path_test, _>(push_test::test),
    ]
}
