//! Rows as the database keeps them, and the domain's types that they stand for.
//!
//! The fields of each stand in the order of its table's columns.

mod account;
mod code;
mod code_outbox;
mod credential;
mod device;
mod event;
mod job;
mod message;
mod personal_data;

pub(crate) use account::{SessionRow, UserRow};
pub(crate) use code::{KeyRow, OtpRow, TrailRow};
pub(crate) use code_outbox::OutboxRow;
pub(crate) use credential::{SubscriptionRow, TokenRow};
pub(crate) use device::DeviceRow;
pub(crate) use event::EventRow;
pub(crate) use job::{JobLineRow, JobRow, state};
pub(crate) use message::{ApiKeyRow, MessageRow};
pub(crate) use personal_data::{HeldTokenRow, SentCodeRow};

use doorbell_domain::Timestamp;

use crate::moment::Moment;

fn instant(moment: Option<Moment>) -> Option<Timestamp> {
    moment.map(|Moment(at)| at)
}
