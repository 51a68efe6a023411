//! The schema: brought up to date by one server at a time, and checked by all.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use doorbell_domain::store::{Found, StoreError};

use crate::conninfo;
use crate::pool::direct;
use crate::schema::__diesel_schema_migrations as applied;
use crate::trouble::Trouble;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Waits for another server's migrations for a while, but lets none of its own wait long for a table in use.
const SETTINGS: &str = "
    SET statement_timeout = 0;
    SET lock_timeout = '60s';
    SELECT pg_advisory_lock(7236835523419137);
    SET lock_timeout = '5s';
";

/// Brings the schema of the database at `url` up to date, and gives the names of the migrations it ran.
///
/// The lock that keeps others out ends with the connection, however this ends.
pub fn migrate(url: &str) -> Found<Vec<String>> {
    let mut connection = direct(&conninfo::with_defaults(url))?;
    connection.batch_execute(SETTINGS).map_err(Trouble::from)?;
    let run = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| StoreError::Failed(format!("migration: {error}")))?;
    Ok(run.iter().map(ToString::to_string).collect())
}

/// The versions of the migrations that the schema has seen.
pub(crate) fn applied_versions(connection: &mut PgConnection) -> QueryResult<Vec<String>> {
    applied::table.select(applied::version).load(connection)
}

/// Whether `applied` has all of this program's migrations; it may have more.
pub(crate) fn check(applied: &[String]) -> Found<()> {
    let ours: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS
        .migrations()
        .map_err(|error| StoreError::Failed(format!("migration: {error}")))?;
    let missing = ours
        .iter()
        .map(Migration::name)
        .find(|name| !applied.contains(&name.version().to_string()));
    match missing {
        Some(name) => Err(StoreError::Failed(format!(
            "the schema lacks the migration {name}"
        ))),
        None => Ok(()),
    }
}
