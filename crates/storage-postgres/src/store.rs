//! The store.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use doorbell_domain::ports::{BoxFuture, Sealer};
use doorbell_domain::registration::{Registered, Registration};
use doorbell_domain::store::{Found, ReadWork, RegisterError, Store, StoreError, WriteWork};
use doorbell_storage::{Vault, blocking};

use crate::pool::{Pool, direct};
use crate::repositories::Repositories;
use crate::{conninfo, migrate, register};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to bring the schema up to date first.
    pub migrate: bool,
    /// How many connections to hold at most.
    pub connections: u32,
}

impl Default for Options {
    /// Migrates, and holds two connections a core, but never more than eight.
    fn default() -> Self {
        let cores = available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
        Self {
            migrate: true,
            connections: cores.saturating_mul(2).min(8),
        }
    }
}

/// The registry in PostgreSQL.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    vault: Vault,
}

impl PostgresStore {
    /// Opens the database at `url`, which must be there and answer. Blocks the thread.
    pub fn connect(url: &str, sealer: Arc<dyn Sealer>, options: Options) -> Result<Self, StoreError> {
        let whole = conninfo::with_defaults(url);
        if options.migrate {
            for migration in migrate::migrate(url)? {
                tracing::info!(migration, "the schema was migrated");
            }
        } else {
            drop(direct(&whole)?);
        }
        Ok(Self {
            pool: Pool::new(whole, options.connections),
            vault: Vault::new(sealer),
        })
    }
}

impl Store for PostgresStore {
    fn read_boxed(&self, work: ReadWork) -> BoxFuture<'_, Found<()>> {
        let Self { pool, vault } = self.clone();
        Box::pin(blocking::run(move || {
            work(&mut Repositories::reading(&pool, &vault))
        }))
    }

    fn transact_boxed(&self, work: WriteWork) -> BoxFuture<'_, Found<()>> {
        let Self { pool, vault } = self.clone();
        let until = Instant::now() + blocking::DEADLINE;
        Box::pin(blocking::run(move || {
            let mut repositories = Repositories::writing(&pool, &vault)?;
            let done = work(&mut repositories).and_then(|()| {
                let late = Instant::now() > until;
                let too_late = || StoreError::Unavailable("no answer in time".to_owned());
                (!late).then_some(()).ok_or_else(too_late)
            });
            match done {
                Ok(()) => repositories.commit(),
                Err(error) => {
                    repositories.roll_back();
                    Err(error)
                }
            }
        }))
    }

    fn register(&self, batch: Vec<Registration>) -> BoxFuture<'_, Vec<Result<Registered, RegisterError>>> {
        let Self { pool, vault } = self.clone();
        let until = Instant::now() + blocking::DEADLINE;
        let size = batch.len();
        Box::pin(async move {
            let answers = blocking::run(move || Ok(register::register(&pool, &vault, &batch, until))).await;
            answers.unwrap_or_else(|error| vec![Err(RegisterError::Store(error)); size])
        })
    }

    fn ready(&self) -> BoxFuture<'_, Found<()>> {
        let Self { pool, .. } = self.clone();
        Box::pin(blocking::run(move || {
            let versions = pool.ask(&mut None, migrate::applied_versions)?;
            migrate::check(&versions)
        }))
    }
}
