//! Connections that read, while the writer writes.

use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use doorbell_domain::store::{Found, StoreError};

use crate::connection;
use crate::trouble::Abandoned;

/// How many reads run at once. Each is some microseconds of work on pages that are in memory.
const CONNECTIONS: u32 = 4;

/// How long a read waits for a connection.
const CHECKOUT: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        connection::restrict_to_reading(connection).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// The pool of reading connections.
#[derive(Clone)]
pub(crate) struct Readers(Pool<ConnectionManager<SqliteConnection>>);

impl Readers {
    /// Opens the file at `path`, which must be there.
    pub(crate) fn open(path: &Path) -> Found<Self> {
        Pool::builder()
            .max_size(CONNECTIONS)
            .connection_timeout(CHECKOUT)
            .test_on_check_out(false)
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(connection::address(path)?))
            .map(Self)
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Runs `work` on one snapshot of the database. Blocks.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> Found<T>) -> Found<T> {
        let mut connection = self
            .0
            .get()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        connection
            .transaction(|connection| work(connection).map_err(Abandoned::Work))
            .map_err(StoreError::from)
    }
}
