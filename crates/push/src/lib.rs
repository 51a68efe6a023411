//! Delivery of notifications, a module for each of those who carry them.

pub mod web_push;

#[cfg(test)]
mod names;
