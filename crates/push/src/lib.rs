//! Delivery of notifications, a module for each of those who carry them.

mod providers;
pub mod web_push;

pub use providers::Providers;

#[cfg(test)]
mod names;
