//! Allmine: sign-in, sessions, the account and its devices' tokens under `/api/v1`, errors in one envelope.

mod account_deletion;
mod activity;
mod device_token;
mod envelope;
mod examples;
mod export;
mod live_activity;
mod phone;
mod profile;
mod sessions;
mod sign_in;
mod user;

use crate::routing::{Operation, operation};

pub(crate) use envelope::{ErrorEnvelope, answer, render};

/// The operations, in the order of the document.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation::<sign_in::__path_send_otp, _>(sign_in::send_otp),
        operation::<sign_in::__path_verify_otp, _>(sign_in::verify_otp),
        operation::<sign_in::__path_refresh, _>(sign_in::refresh),
        operation::<sessions::__path_logout, _>(sessions::logout),
        operation::<sessions::__path_revoke_token, _>(sessions::revoke_token),
        operation::<sessions::__path_list, _>(sessions::list),
        operation::<sessions::__path_end, _>(sessions::end),
        operation::<sessions::__path_validate_token, _>(sessions::validate_token),
        operation::<user::__path_me, _>(user::me),
        operation::<profile::__path_change, _>(profile::change),
        operation::<account_deletion::__path_request, _>(account_deletion::request),
        operation::<account_deletion::__path_cancel, _>(account_deletion::cancel),
        operation::<activity::__path_activity, _>(activity::activity),
        operation::<export::__path_export, _>(export::export),
        operation::<device_token::__path_register, _>(device_token::register),
        operation::<device_token::__path_remove, _>(device_token::remove),
        operation::<live_activity::__path_record, _>(live_activity::record),
        operation::<live_activity::__path_remove, _>(live_activity::remove),
    ]
}
