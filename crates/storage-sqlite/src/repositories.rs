//! The repositories of one open transaction.
//!
//! A writing transaction is the only one there is, so whatever it reads is locked.

mod api_keys;
mod audit;
mod code_outbox;
mod codes;
mod credentials;
mod delivery_reads;
mod delivery_sweeps;
mod event_outbox;
mod jobs;
mod keys;
mod limits;
mod messages;
mod personal_data;
mod reads;
mod sealed;
mod sessions;
mod suspects;
mod sweeps;
mod targets;
mod users;

use diesel::SqliteConnection;
use doorbell_storage::{Announcer, Vault};

pub(crate) use audit::record;

/// All of them, over one connection.
pub(crate) struct Repositories<'a> {
    connection: &'a mut SqliteConnection,
    vault: &'a Vault,
    announcer: Announcer,
}

impl<'a> Repositories<'a> {
    pub(crate) fn new(connection: &'a mut SqliteConnection, vault: &'a Vault, announcer: Announcer) -> Self {
        Self {
            connection,
            vault,
            announcer,
        }
    }
}
