//! Opening the database's file.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use doorbell_domain::store::{Found, StoreError};

use crate::trouble::{Around, is_lock, of_message};

/// How surely a commit is on the disk when it is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// It outlives a loss of power.
    #[default]
    Full,
    /// It outlives this program; a loss of power may take the last commits, never the database.
    Normal,
}

impl Synchronous {
    const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "PRAGMA synchronous = FULL",
            Self::Normal => "PRAGMA synchronous = NORMAL",
        }
    }
}

/// How long a connection at work waits for another program's lock, in milliseconds.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 2000";

/// The same while a store is opened: another server's migration of a large file may take this long.
const OPENING_BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 60000";

/// For how long a new file is tried to be switched to a write-ahead log, and how long it is waited between two tries.
const SWITCHING: Duration = Duration::from_mins(1);
const BETWEEN_SWITCHES: Duration = Duration::from_millis(10);

/// Opens a connection that migrates, making the file and its folder if they are missing.
pub(crate) fn opening(path: &Path, synchronous: Synchronous) -> Found<SqliteConnection> {
    let path = make(path)?;
    let mut connection = establish(&path)?;
    // Before anything else, since the pragmas that follow may have to wait themselves.
    run(&mut connection, OPENING_BUSY_TIMEOUT)?;
    write_ahead(&mut connection)?;
    run(&mut connection, synchronous.pragma())?;
    run(&mut connection, "PRAGMA foreign_keys = ON")?;
    Ok(connection)
}

/// Makes a connection that was opened one that writes.
pub(crate) fn turn_to_writing(connection: &mut SqliteConnection) -> Found<()> {
    run(connection, BUSY_TIMEOUT)
}

/// Opens a connection to a file that is there, to read all of it.
pub(crate) fn reading(path: &Path) -> Found<SqliteConnection> {
    let mut connection = establish(path)?;
    run(&mut connection, BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Makes a connection one that only reads.
pub(crate) fn restrict_to_reading(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(BUSY_TIMEOUT)?;
    connection.batch_execute("PRAGMA query_only = ON")
}

/// The path as the connection string that means this file: one that is not absolute could be read as an address.
pub(crate) fn address(path: &Path) -> Found<String> {
    let absolute = std::path::absolute(path)
        .map_err(|error| StoreError::Failed(format!("{}: {error}", path.display())))?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|_| StoreError::Failed(format!("{}: the path is not UTF-8", path.display())))
}

fn establish(path: &Path) -> Found<SqliteConnection> {
    SqliteConnection::establish(&address(path)?).map_err(|error| of_message("connection", &error.to_string()))
}

/// Makes the file for its owner alone; SQLite gives its companions the same rights.
fn make(path: &Path) -> Found<PathBuf> {
    let unavailable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unavailable)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(path.to_owned()),
        Err(error) => Err(unavailable(error)),
    }
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// Has the file written ahead, unless it is already. Who else has a new file open stands in the way of that, be it by the same wish,
/// and here SQLite refuses at once instead of waiting: it holds a lock by then that it could only wait with.
fn write_ahead(connection: &mut SqliteConnection) -> Found<()> {
    let began = Instant::now();
    loop {
        match switch_to_write_ahead(connection) {
            Err(StoreError::Unavailable(why)) if is_lock(&why) && began.elapsed() < SWITCHING => {
                thread::sleep(BETWEEN_SWITCHES);
            }
            switched => return switched,
        }
    }
}

/// A file system that cannot share memory keeps the old mode and says so only here.
fn switch_to_write_ahead(connection: &mut SqliteConnection) -> Found<()> {
    let mode: JournalMode = diesel::sql_query("PRAGMA journal_mode = WAL")
        .get_result(connection)
        .around("journal")?;
    if mode.journal_mode == "wal" {
        Ok(())
    } else {
        Err(StoreError::Failed(format!(
            "the file system allows no write-ahead log, only {}",
            mode.journal_mode
        )))
    }
}

fn run(connection: &mut SqliteConnection, pragma: &str) -> Found<()> {
    connection.batch_execute(pragma).around("pragma")
}
