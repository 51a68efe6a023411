//! The [`Store`](doorbell_domain::store::Store) port on bundled SQLite, the default database.
//!
//! One thread owns the one connection that writes: work queues there, and what has queued is committed together.
//! Readers are pooled connections that cannot write, and never wait for the writer (write-ahead logging).

mod addresses;
mod backup;
mod connection;
mod lists;
mod migrations;
mod readers;
mod register;
mod repositories;
mod rows;
mod schema;
mod statement;
mod store;
mod trouble;
mod values;
mod writer;

#[cfg(test)]
mod plans;

pub use backup::back_up;
pub use connection::Synchronous;
pub use migrations::migrate;
pub use store::{Options, SqliteStore};
