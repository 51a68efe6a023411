//! The store on a real PostgreSQL: the contract that every store must pass, and what only this adapter does. It
//! starts beside others, comes back after the database, and settles races by the database's own locks.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod contract;
mod database;
mod days;
mod delivery_races;
mod failure;
mod lanes;
mod plans;
mod prepared;
mod races;
mod schema;
