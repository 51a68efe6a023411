//! A copy of the database, taken while it is served.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use doorbell_domain::store::{Found, StoreError};

use crate::connection;
use crate::trouble::Around;

/// Copies the database at `from`, as it is at one moment, to the new file `to`, and gives the copy's size in bytes.
///
/// Others read and write meanwhile. The copy is whole by itself (no `-wal` beside it), readable by its owner alone, and
/// on the disk when this returns. A file that is there is never written over; one that could not be finished is removed.
pub fn back_up(from: &Path, to: &Path) -> Found<u64> {
    if !from.is_file() {
        // Opening would make an empty one.
        return Err(StoreError::Failed(format!(
            "there is no database at {}",
            from.display()
        )));
    }
    let mut source = connection::reading(from)?;
    // What is there is refused here, in one step with the making; SQLite takes an empty file for its own.
    reserve(to)?;
    let copied = copy(&mut source, to);
    if copied.is_err() {
        // What it came to is told; a half copy must not be taken for one.
        drop(fs::remove_file(to));
    }
    copied
}

fn reserve(to: &Path) -> Found<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(to).map(drop).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Failed(format!(
            "{} is there already, and nothing is written over",
            to.display()
        )),
        _ => trouble(to, &error),
    })
}

fn copy(source: &mut SqliteConnection, to: &Path) -> Found<u64> {
    sql_query("VACUUM INTO ?")
        .bind::<Text, _>(connection::address(to)?)
        .execute(source)
        .around("backup")?;
    let size = File::open(to).and_then(|copy| {
        copy.sync_all()?;
        copy.metadata()
    });
    Ok(size.map_err(|error| trouble(to, &error))?.len())
}

fn trouble(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Failed(format!("{}: {error}", path.display()))
}
