//! Rows, and what they are in the domain.

mod code;
mod code_outbox;
mod device;
mod event;
mod job;
mod message;
mod personal_data;
mod session;
mod subscription;
mod token;
mod user;

pub(crate) use code::CodeRow;
pub(crate) use code_outbox::OutboxRow;
pub(crate) use device::{DeviceRow, UpsertDevice};
pub(crate) use event::{EventRow, EventTypes};
pub(crate) use job::{JobLineRow, JobLineTypes, JobRow, JobTypes};
pub(crate) use message::{MessageRow, MessageTypes};
pub(crate) use personal_data::{HeldTokenRow, SentCodeRow};
pub(crate) use session::SessionRow;
pub(crate) use subscription::{SubscriptionRow, UpsertSubscription};
pub(crate) use token::{TokenRow, UpsertToken};
pub(crate) use user::{SaveUser, UserRow};
