//! Delivery of one-time codes to their phones: the senders, the order in which they are asked, and what they write.

mod log;
mod post;
mod senders;
mod twilio;
mod webhook;
mod wording;

#[cfg(test)]
mod samples;

pub use log::LogSender;
pub use senders::Senders;
pub use twilio::{Origin, Twilio, TwilioAccount};
pub use webhook::Webhook;
pub use wording::{Autofill, Title, Wording};
