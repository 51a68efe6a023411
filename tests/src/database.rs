//! A database that one test has to itself, and a look into its rows.

use std::env;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded one, in a file of the test's own folder.
    Sqlite,
    /// A new database in the cluster that `scripts/with-postgres` started.
    Postgres,
}

/// The URL of the cluster that all tests share.
pub(crate) fn shared_cluster() -> String {
    env::var("DOORBELL_TEST_POSTGRES").expect(
        "DOORBELL_TEST_POSTGRES is not set: run the tests by `make test` or under scripts/with-postgres",
    )
}

/// A database that exists as long as this does.
#[derive(Debug)]
pub(crate) struct OwnDatabase {
    url: String,
    /// On PostgreSQL, the cluster's own database and this one's name: what it takes to drop it.
    created: Option<(String, String)>,
}

impl OwnDatabase {
    /// A file in `folder`, not yet made.
    pub(crate) fn sqlite(folder: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", folder.join("doorbell.db").display()),
            created: None,
        }
    }

    /// A new, empty database in the cluster at `cluster`.
    pub(crate) fn postgres(cluster: &str) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "doorbell_{}_{}",
            process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let (server, _) = cluster
            .rsplit_once('/')
            .expect("the cluster's URL names a database");
        let mut admin = PgConnection::establish(cluster).expect("the test cluster answers");
        admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a new database");
        Self {
            url: format!("{server}/{name}"),
            created: Some((cluster.to_owned(), name)),
        }
    }

    /// What the server gets as `DATABASE_URL`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many rows `rows` (`table`, or `table WHERE …`) has.
    pub(crate) fn count(&self, rows: &str) -> i64 {
        let query = sql_query(format!("SELECT count(*) AS count FROM {rows}"));
        let counted: Counted = match self.path() {
            Some(path) => query.get_result(&mut sqlite(path)),
            None => query.get_result(&mut self.connect()),
        }
        .unwrap_or_else(|error| panic!("counting {rows}: {error}"));
        counted.count
    }

    /// Runs `statement`, and says how many rows it touched.
    pub(crate) fn execute(&self, statement: &str) -> usize {
        match self.path() {
            Some(path) => sql_query(statement).execute(&mut sqlite(path)),
            None => sql_query(statement).execute(&mut self.connect()),
        }
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// Every value of every row of an SQLite file, as its bytes, with the table and the column that it lies in: what a thief of the file
    /// has. The books of the migrations are left out.
    pub(crate) fn values(&self) -> Vec<(String, Vec<u8>)> {
        let mut connection = sqlite(self.path().expect("an SQLite file"));
        let mut ask = |query: String| -> Vec<String> {
            let told: Vec<Told> = sql_query(&query)
                .load(&mut connection)
                .unwrap_or_else(|error| panic!("{query}: {error}"));
            told.into_iter().map(|told| told.value).collect()
        };
        let tables = "SELECT name AS value FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\'";
        let mut values = Vec::new();
        for table in ask(tables.to_owned()) {
            for column in ask(format!("SELECT name AS value FROM pragma_table_info('{table}')")) {
                let place = format!("{table}.{column}");
                let hex = ask(format!(
                    "SELECT hex(\"{column}\") AS value FROM \"{table}\" WHERE \"{column}\" IS NOT NULL"
                ));
                values.extend(hex.iter().map(|hex| (place.clone(), bytes(hex))));
            }
        }
        values
    }

    /// Keeps everybody else from writing as long as the result lives.
    pub(crate) fn lock(&self) -> DatabaseLock {
        if let Some(path) = self.path() {
            let mut connection = sqlite(path);
            connection
                .batch_execute("BEGIN EXCLUSIVE")
                .expect("the file's lock");
            return DatabaseLock::Sqlite(connection);
        }
        let mut connection = self.connect();
        connection
            .batch_execute(
                "BEGIN; LOCK TABLE users, otp_phones, otp_sessions, code_outbox, limit_counters, sessions, devices, \
                 push_addresses IN ACCESS EXCLUSIVE MODE",
            )
            .expect("the tables' locks");
        DatabaseLock::Postgres(connection)
    }

    /// Makes the database one that takes no writes, as a standby is one, or takes that back. PostgreSQL only.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let (cluster, name) = self.created.as_ref().expect("a PostgreSQL database");
        let mut admin = PgConnection::establish(cluster).expect("the test cluster answers");
        let switch = if read_only { "on" } else { "off" };
        admin
            .batch_execute(&format!(
                "ALTER DATABASE {name} SET default_transaction_read_only = {switch}"
            ))
            .expect("another setting");
        // Connections keep the setting that they began with.
        let ended =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        admin.batch_execute(&ended).expect("its connections end");
    }

    fn path(&self) -> Option<&str> {
        self.url.strip_prefix("sqlite://")
    }

    fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("the test's database answers")
    }
}

/// A transaction that holds a database's locks until this goes.
#[must_use = "the locks are released when it goes"]
pub enum DatabaseLock {
    /// The one writer's lock of an SQLite file.
    Sqlite(SqliteConnection),
    /// Every lock on PostgreSQL's tables.
    Postgres(PgConnection),
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let Some((cluster, name)) = &self.created else {
            return;
        };
        // A cluster that a test has stopped takes its databases with it.
        if let Ok(mut admin) = PgConnection::establish(cluster) {
            let dropped = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            if let Err(error) = dropped {
                eprintln!("{name} is left behind: {error}");
            }
        }
    }
}

fn sqlite(path: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path).expect("the test's SQLite file opens");
    connection
        .batch_execute("PRAGMA busy_timeout = 5000")
        .expect("a busy timeout");
    connection
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    value: String,
}

/// What SQLite's `hex` wrote.
fn bytes(hex: &str) -> Vec<u8> {
    let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(octet).collect()
}
