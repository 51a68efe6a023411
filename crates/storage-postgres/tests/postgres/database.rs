//! A database of one test's own on the cluster that `DOORBELL_TEST_POSTGRES` names.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Bool;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use doorbell_storage_postgres::{Options, PostgresStore, migrate};
use doorbell_testkit::FakeSealer;

/// A database that goes when this is dropped.
pub(crate) struct Database {
    name: String,
    url: String,
}

impl Database {
    /// One without any table.
    pub(crate) fn empty() -> Self {
        Self::make("")
    }

    /// One with the schema, copied from a template that is migrated once a cluster and schema.
    pub(crate) fn migrated() -> Self {
        Self::make(&format!("TEMPLATE {} STRATEGY FILE_COPY", template()))
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its name, which no other test's database has.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A store on it, of at most that many connections, where each registration has a transaction of its own.
    pub(crate) fn store(&self, connections: u32) -> PostgresStore {
        self.store_with(Options {
            migrate: false,
            connections,
            combine: 1,
            announce: true,
        })
    }

    /// A store on it, as a server has it that has somebody to tell.
    pub(crate) fn combining_store(&self) -> PostgresStore {
        self.store_with(Options {
            migrate: false,
            announce: true,
            ..Options::default()
        })
    }

    fn store_with(&self, options: Options) -> PostgresStore {
        PostgresStore::connect(&self.url, Arc::new(FakeSealer), options).expect("the database answers")
    }

    fn make(how: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "doorbell_{}_{:04}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        // A process that was killed may have left one of this name.
        execute(&admin(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        execute(&admin(), &format!("CREATE DATABASE {name} {how}"));
        Self { url: at(&name), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(&admin(), &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// Runs one statement on a connection of its own.
pub(crate) fn execute(url: &str, sql: &str) {
    open(url).batch_execute(sql).expect(sql);
}

/// A connection of the test's own.
pub(crate) fn open(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("the database answers")
}

fn admin() -> String {
    std::env::var("DOORBELL_TEST_POSTGRES").expect(
        "these tests need a PostgreSQL cluster: run them under scripts/with-postgres, or set \
         DOORBELL_TEST_POSTGRES to the URL of a throwaway cluster's superuser",
    )
}

/// The cluster's URL with another database in it.
fn at(database: &str) -> String {
    let admin = admin();
    let (base, query) = admin
        .split_once('?')
        .map_or((admin.as_str(), None), |(base, query)| (base, Some(query)));
    let (scheme, rest) = base.split_once("://").expect("a URL");
    let host = rest.split('/').next().expect("a host");
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}/{database}{query}")
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    known: bool,
}

/// The folders of the migrations, in order.
pub(crate) fn migrations() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");
    let entries = std::fs::read_dir(folder).expect("a folder of migrations");
    let mut migrations: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    migrations.sort();
    migrations
}

fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        for migration in migrations() {
            let up = std::fs::read_to_string(migration.join("up.sql")).expect("a migration");
            up.hash(&mut hasher);
        }
        let name = format!("doorbell_template_{:x}", hasher.finish());
        let mut connection = open(&admin());
        // Other test programs may be about to make it too; this ends with the connection.
        connection
            .batch_execute("SELECT pg_advisory_lock(1)")
            .expect("the lock");
        let known = format!("SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') AS known");
        let Known { known } = sql_query(known).get_result(&mut connection).expect("an answer");
        if !known {
            // Renamed when it is whole, so that one that is half made is never copied.
            let making = format!("{name}_making");
            let sql = format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)");
            connection.batch_execute(&sql).expect(&sql);
            connection
                .batch_execute(&format!("CREATE DATABASE {making}"))
                .expect("made");
            migrate(&at(&making)).expect("migrated");
            let sql = format!("ALTER DATABASE {making} RENAME TO {name}");
            connection.batch_execute(&sql).expect(&sql);
        }
        name
    })
}
