//! Delivery of one-time codes to their phones.

mod log;

pub use log::LogSender;
