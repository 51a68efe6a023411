//! The schema's versions, compiled in.

use std::error::Error;
use std::path::Path;

use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use doorbell_domain::store::{Found, StoreError};

use crate::connection::{self, Synchronous};
use crate::schema::__diesel_schema_migrations as applied;
use crate::trouble::{Around, of_message};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Brings the database at `path` to this program's schema, making it if it is missing, and gives the names of the
/// migrations that it took.
pub fn migrate(path: &Path) -> Found<Vec<String>> {
    run(&mut connection::opening(path, Synchronous::Full)?)
}

/// Takes what migrations are pending, all in one transaction, so that of two servers that start at once one
/// waits for the other.
pub(crate) fn run(connection: &mut SqliteConnection) -> Found<Vec<String>> {
    connection
        .immediate_transaction(|connection| -> Result<_, Box<dyn Error + Send + Sync>> {
            let taken = connection.run_pending_migrations(MIGRATIONS)?;
            Ok(taken.iter().map(ToString::to_string).collect())
        })
        .map_err(|error| of_message("migration", &error.to_string()))
}

/// Whether all of this program's migrations were taken. A newer program may have taken more.
pub(crate) fn check(connection: &mut SqliteConnection) -> Found<()> {
    let versions: Vec<String> = applied::table
        .select(applied::version)
        .load(connection)
        .around("__diesel_schema_migrations")
        .or_else(|error| match error {
            // An empty file has not even this table.
            StoreError::Failed(_) => Ok(Vec::new()),
            other => Err(other),
        })?;
    let known = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)
        .map_err(|error| StoreError::Failed(format!("migrations: {error}")))?;
    let pending = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .find(|version| !versions.contains(version));
    match pending {
        None => Ok(()),
        Some(version) => Err(StoreError::Unavailable(format!(
            "migration {version} has not been run"
        ))),
    }
}
