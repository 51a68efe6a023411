//! What only this adapter does: start beside others, come back after the database, and settle races by the
//! database's own locks.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod database;

#[path = "adapter/failure.rs"]
mod failure;
#[path = "adapter/races.rs"]
mod races;
#[path = "adapter/schema.rs"]
mod schema;
