//! The store.

use std::sync::Arc;
use std::thread::available_parallelism;

use doorbell_domain::ports::{BoxFuture, Sealer};
use doorbell_domain::registration::{Registered, Registration};
use doorbell_domain::store::{Found, ReadWork, RegisterError, Store, StoreError, WriteWork};
use doorbell_domain::watch::{Gauge, Watched};
use doorbell_storage::blocking::Deadline;
use doorbell_storage::combiner::{self, Combiner};
use doorbell_storage::{Announcer, Vault};

use crate::lane::Lane;
use crate::pool::{Pool, direct};
use crate::repositories::Repositories;
use crate::{conninfo, migrate, register};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to bring the schema up to date first.
    pub migrate: bool,
    /// How many connections to hold at most, beside those of the combiner and of the workers.
    pub connections: u32,
    /// How many registrations one transaction makes at most. Where it is 1 each has its own, on any connection.
    pub combine: usize,
    /// Whether what happens is left in the outbox of events.
    pub announce: bool,
}

/// How many batches of registrations are in flight at once, each on a connection of its own: while one waits for its commit,
/// the other is prepared.
const WRITERS: u32 = 2;

/// How many connections those have who work beside the requests. They take turns: what jobs came to is written down on one while others are
/// claimed on the other, and codes, events and sweeps come between, none of which holds one for long.
const WORKERS: u32 = 2;

impl Default for Options {
    /// Migrates, holds two connections a core, but never more than eight, and combines up to 256 registrations.
    fn default() -> Self {
        let cores = available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
        Self {
            migrate: true,
            connections: cores.saturating_mul(2).min(8),
            combine: 256,
            announce: false,
        }
    }
}

/// The registry in PostgreSQL.
#[derive(Clone)]
pub struct PostgresStore {
    url: String,
    lane: Lane,
    vault: Vault,
    announcer: Announcer,
    combiner: Option<Arc<Combiner<Registration>>>,
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
        let vault = Vault::new(sealer);
        let announcer = Announcer::new(options.announce);
        let combiner = if options.combine > 1 {
            Some(Arc::new(combiner(&whole, &vault, announcer, options.combine)?))
        } else {
            None
        };
        Ok(Self {
            lane: Lane::new(Pool::new(whole.clone(), options.connections)),
            url: whole,
            vault,
            announcer,
            combiner,
        })
    }

    /// The same registry for what a server does beside answering requests, on two connections of its own: neither waits for the
    /// other, however much there is of it.
    #[must_use]
    pub fn for_workers(&self) -> Self {
        Self {
            lane: Lane::new(Pool::new(self.url.clone(), WORKERS)),
            ..self.clone()
        }
    }
}

fn combiner(url: &str, vault: &Vault, announcer: Announcer, batch: usize) -> Found<Combiner<Registration>> {
    let pool = Pool::new(url.to_owned(), WRITERS);
    let vault = vault.clone();
    let options = combiner::Options {
        writers: usize::try_from(WRITERS).unwrap_or(1),
        batch,
    };
    Combiner::start(options, move |batch, deadline| {
        register::register(&pool, &vault, announcer, batch, deadline)
    })
}

impl Store for PostgresStore {
    fn read_boxed(&self, work: ReadWork) -> BoxFuture<'_, Found<()>> {
        let vault = self.vault.clone();
        let read = move |pool: &Pool, _: &Deadline| work(&mut Repositories::reading(pool, &vault));
        Box::pin(self.lane.in_turn(read))
    }

    fn transact_boxed(&self, work: WriteWork) -> BoxFuture<'_, Found<()>> {
        let (vault, announcer) = (self.vault.clone(), self.announcer);
        Box::pin(self.lane.in_turn(move |pool, deadline| {
            let mut repositories = Repositories::writing(pool, &vault, announcer)?;
            match work(&mut repositories).and_then(|()| deadline.begin_commit()) {
                Ok(()) => repositories.commit(),
                Err(error) => {
                    repositories.roll_back();
                    Err(error)
                }
            }
        }))
    }

    fn register(
        &self,
        mut batch: Vec<Registration>,
    ) -> BoxFuture<'_, Vec<Result<Registered, RegisterError>>> {
        // What comes as a batch stays one.
        if let (Some(combiner), 1) = (&self.combiner, batch.len())
            && let Some(alone) = batch.pop()
        {
            return Box::pin(combiner.register(alone));
        }
        let (vault, announcer) = (self.vault.clone(), self.announcer);
        let size = batch.len();
        Box::pin(async move {
            let registered = self.lane.in_turn(move |pool, deadline| {
                Ok(register::register(pool, &vault, announcer, &batch, deadline))
            });
            let answers = registered.await;
            answers.unwrap_or_else(|error| vec![Err(RegisterError::Store(error)); size])
        })
    }

    fn ready(&self) -> BoxFuture<'_, Found<()>> {
        Box::pin(self.lane.in_turn(|pool, _| {
            let versions = pool.ask(&mut None, migrate::applied_versions)?;
            migrate::check(&versions)
        }))
    }
}

impl Watched for PostgresStore {
    fn gauges(&self) -> Vec<(Gauge, u64)> {
        let queued = self.combiner.as_ref().map_or(0, |combiner| combiner.queued());
        vec![
            (Gauge::ConnectionsAllowed, self.lane.pool.size().into()),
            (Gauge::ConnectionsInUse, self.lane.pool.in_use().into()),
            (Gauge::ConnectionsAwaited, self.lane.waiting.count()),
            (
                Gauge::RegistrationsQueued,
                u64::try_from(queued).unwrap_or(u64::MAX),
            ),
        ]
    }
}
