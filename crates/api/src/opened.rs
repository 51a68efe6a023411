//! The registry's database, opened.

use std::fmt;
use std::sync::Arc;

use anyhow::Context;
use doorbell_domain::ports::Sealer;
use doorbell_domain::store::Store;
use doorbell_domain::watch::Watched;
use doorbell_storage_postgres::{self as postgres, PostgresStore};
use doorbell_storage_sqlite::{self as sqlite, SqliteStore};

use crate::configuration::{Configuration, SqliteSynchronous, Switch};
use crate::database::Database;

/// A store, to each of those who work with it.
pub(crate) enum Opened {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        })
    }
}

impl Opened {
    /// Opens a database as it is configured, and brings its schema up to this program if `migrate` says so.
    pub(crate) fn open(
        database: &Database,
        sealer: Arc<dyn Sealer>,
        configuration: &Configuration,
        migrate: Switch,
    ) -> anyhow::Result<Self> {
        let migrate = migrate == Switch::On;
        Ok(match database {
            Database::Sqlite(path) => {
                let options = sqlite::Options {
                    migrate,
                    combine: usize::from(configuration.combine),
                    announce: configuration.events.announce(),
                    synchronous: match configuration.sqlite_synchronous {
                        SqliteSynchronous::Full => sqlite::Synchronous::Full,
                        SqliteSynchronous::Normal => sqlite::Synchronous::Normal,
                    },
                };
                if migrate && !path.exists() {
                    tracing::info!(path = %path.display(), "there is no database here yet: a new one is made");
                }
                let opened = SqliteStore::open_with(path, sealer, options);
                let opened =
                    opened.with_context(|| format!("DATABASE_URL: cannot open {}", path.display()))?;
                Self::Sqlite(Arc::new(opened))
            }
            Database::Postgres(url) => {
                let usual = postgres::Options::default();
                let options = postgres::Options {
                    migrate,
                    combine: usize::from(configuration.combine),
                    announce: configuration.events.announce(),
                    connections: configuration.pool.unwrap_or(usual.connections),
                };
                let connected = PostgresStore::connect(url, sealer, options);
                let connected = connected.context("DATABASE_URL: cannot use this PostgreSQL database")?;
                Self::Postgres(Arc::new(connected))
            }
        })
    }

    /// For requests.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::<SqliteStore>::clone(store),
            Self::Postgres(store) => Arc::<PostgresStore>::clone(store),
        }
    }

    /// For what a server does beside answering. SQLite's one writer takes everybody in their order.
    pub(crate) fn for_workers(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::<SqliteStore>::clone(store),
            Self::Postgres(store) => Arc::new(store.for_workers()),
        }
    }

    /// For those who watch requests.
    pub(crate) fn watched(&self) -> Arc<dyn Watched> {
        match self {
            Self::Sqlite(store) => Arc::<SqliteStore>::clone(store),
            Self::Postgres(store) => Arc::<PostgresStore>::clone(store),
        }
    }
}
