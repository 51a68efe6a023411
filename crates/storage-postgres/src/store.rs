//! The store.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use doorbell_domain::ports::{BoxFuture, Sealer};
use doorbell_domain::registration::{Registered, Registration};
use doorbell_domain::store::{Found, ReadWork, RegisterError, Store, StoreError, WriteWork};
use doorbell_domain::watch::{Gauge, Watched};
use doorbell_storage::Vault;
use doorbell_storage::blocking::{self, Deadline};
use doorbell_storage::combiner::{self, Combiner};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::pool::{Pool, direct};
use crate::repositories::Repositories;
use crate::waiting::Waiting;
use crate::{conninfo, migrate, register};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to bring the schema up to date first.
    pub migrate: bool,
    /// How many connections to hold at most, beside those of the combiner.
    pub connections: u32,
    /// How many registrations one transaction makes at most. Where it is 1 each has its own, on any connection.
    pub combine: usize,
}

/// How many batches of registrations are in flight at once, each on a connection of its own: while one waits for its commit,
/// the other is prepared.
const WRITERS: u32 = 2;

impl Default for Options {
    /// Migrates, holds two connections a core, but never more than eight, and combines up to 256 registrations.
    fn default() -> Self {
        let cores = available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
        Self {
            migrate: true,
            connections: cores.saturating_mul(2).min(8),
            combine: 256,
        }
    }
}

/// The registry in PostgreSQL.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    vault: Vault,
    turns: Arc<Semaphore>,
    waiting: Waiting,
    combiner: Option<Arc<Combiner<Registration>>>,
}

/// How long work waits for its turn, so that what is left of the deadline is enough to do it.
const TURN: Duration = Duration::from_millis(3_500);

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
        let combiner = if options.combine > 1 {
            Some(Arc::new(combiner(&whole, &vault, options.combine)?))
        } else {
            None
        };
        Ok(Self {
            pool: Pool::new(whole, options.connections),
            vault,
            combiner,
            waiting: Waiting::default(),
            turns: Arc::new(Semaphore::new(usize::try_from(options.connections).unwrap_or(1))),
        })
    }

    /// Runs `work` in its turn, as many at once as there are connections, all within one deadline. The pool
    /// itself would serve whoever is quickest, and let others wait until they give up.
    async fn in_turn<T, F>(&self, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&Deadline) -> Found<T> + Send + 'static,
    {
        let deadline = Deadline::after(blocking::DEADLINE);
        let turn = {
            let _waiting = self.waiting.enter();
            timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await
        };
        let no_turn = || StoreError::Unavailable("no connection was free in time".to_owned());
        let turn = turn.ok().and_then(Result::ok).ok_or_else(no_turn)?;
        blocking::run_until(deadline, move |deadline| {
            // Kept until the work ends, which may be after its caller went away.
            let _turn = turn;
            work(deadline)
        })
        .await
    }
}

fn combiner(url: &str, vault: &Vault, batch: usize) -> Found<Combiner<Registration>> {
    let pool = Pool::new(url.to_owned(), WRITERS);
    let vault = vault.clone();
    let options = combiner::Options {
        writers: usize::try_from(WRITERS).unwrap_or(1),
        batch,
    };
    Combiner::start(options, move |batch, deadline| {
        register::register(&pool, &vault, batch, deadline)
    })
}

impl Store for PostgresStore {
    fn read_boxed(&self, work: ReadWork) -> BoxFuture<'_, Found<()>> {
        let Self { pool, vault, .. } = self.clone();
        Box::pin(self.in_turn(move |_| work(&mut Repositories::reading(&pool, &vault))))
    }

    fn transact_boxed(&self, work: WriteWork) -> BoxFuture<'_, Found<()>> {
        let Self { pool, vault, .. } = self.clone();
        Box::pin(self.in_turn(move |deadline| {
            let mut repositories = Repositories::writing(&pool, &vault)?;
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
        let Self { pool, vault, .. } = self.clone();
        let size = batch.len();
        Box::pin(async move {
            let registered =
                self.in_turn(move |deadline| Ok(register::register(&pool, &vault, &batch, deadline)));
            let answers = registered.await;
            answers.unwrap_or_else(|error| vec![Err(RegisterError::Store(error)); size])
        })
    }

    fn ready(&self) -> BoxFuture<'_, Found<()>> {
        let Self { pool, .. } = self.clone();
        Box::pin(self.in_turn(move |_| {
            let versions = pool.ask(&mut None, migrate::applied_versions)?;
            migrate::check(&versions)
        }))
    }
}

impl Watched for PostgresStore {
    fn gauges(&self) -> Vec<(Gauge, u64)> {
        let queued = self.combiner.as_ref().map_or(0, |combiner| combiner.queued());
        vec![
            (Gauge::ConnectionsAllowed, self.pool.size().into()),
            (Gauge::ConnectionsInUse, self.pool.in_use().into()),
            (Gauge::ConnectionsAwaited, self.waiting.count()),
            (
                Gauge::RegistrationsQueued,
                u64::try_from(queued).unwrap_or(u64::MAX),
            ),
        ]
    }
}
