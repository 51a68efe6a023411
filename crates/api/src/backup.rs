//! `doorbell backup`: a copy of the database.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use doorbell_storage_sqlite as sqlite;

use crate::configuration::Configuration;
use crate::database::Database;

/// Copies the database to a new file at `to`, and says how large that is. PostgreSQL has tools of its own, and is left to them.
pub(crate) fn back_up(configuration: &Configuration, to: &Path) -> anyhow::Result<()> {
    match Database::parse(&configuration.database_url)? {
        Database::Sqlite(from) => {
            let bytes = sqlite::back_up(&from, to)
                .with_context(|| format!("{} was not backed up", from.display()))?;
            let mut out = std::io::stdout().lock();
            writeln!(
                out,
                "{} is a copy of {bytes} bytes, without DOORBELL_SECRET",
                to.display()
            )?;
            Ok(())
        }
        Database::Postgres(_) => bail!(
            "DATABASE_URL names PostgreSQL, which is backed up by its own tools: \
             pg_dump --format=custom --file={} \"$DATABASE_URL\"",
            to.display()
        ),
    }
}
