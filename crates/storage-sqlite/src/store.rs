//! The store itself.

use std::path::Path;
use std::sync::Arc;

use doorbell_domain::ports::{BoxFuture, Sealer};
use doorbell_domain::registration::{Registered, Registration};
use doorbell_domain::store::{Found, ReadWork, RegisterError, Store, StoreError, WriteWork};
use doorbell_domain::watch::{Gauge, Watched};
use doorbell_storage::blocking::{self, Deadline};
use doorbell_storage::combiner::{self, Combiner};
use doorbell_storage::{Announcer, Vault};

use crate::connection::{self, Synchronous};
use crate::migrations;
use crate::readers::Readers;
use crate::register::register;
use crate::repositories::Repositories;
use crate::writer::Writer;

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How surely a commit is on the disk when it is answered.
    pub synchronous: Synchronous,
    /// Whether pending migrations are run; without, a schema that lags makes the store not ready.
    pub migrate: bool,
    /// How many registrations are planned and written together at most.
    pub combine: usize,
    /// Whether what happens is left in the outbox of events.
    pub announce: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            migrate: true,
            combine: 256,
            announce: false,
        }
    }
}

/// A registry in one SQLite file. Dropping it writes what has queued and closes the file.
pub struct SqliteStore {
    /// The first field, so that what it holds is written before the writer ends. `None` where nothing is to be combined.
    combiner: Option<Combiner<Registration>>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) readers: Readers,
    vault: Vault,
    announcer: Announcer,
}

impl SqliteStore {
    /// Opens the database at `path`, making it and its folder if they are missing, and migrates it. Blocks.
    pub fn open(path: &Path, sealer: Arc<dyn Sealer>) -> Found<Self> {
        Self::open_with(path, sealer, Options::default())
    }

    /// [`Self::open`] in another manner.
    pub fn open_with(path: &Path, sealer: Arc<dyn Sealer>, options: Options) -> Found<Self> {
        let mut writer = connection::opening(path, options.synchronous)?;
        if options.migrate {
            migrations::run(&mut writer)?;
        }
        connection::turn_to_writing(&mut writer)?;
        let readers = Readers::open(path)?;
        let writer = Arc::new(Writer::start(writer)?);
        let vault = Vault::new(sealer);
        let announcer = Announcer::new(options.announce);
        let combiner = if options.combine > 1 {
            Some(combiner(&writer, &vault, announcer, options.combine)?)
        } else {
            None
        };
        Ok(Self {
            combiner,
            writer,
            readers,
            vault,
            announcer,
        })
    }
}

/// One batch at a time, since there is one writer; while it is written, the next one gathers.
fn combiner(
    writer: &Arc<Writer>,
    vault: &Vault,
    announcer: Announcer,
    batch: usize,
) -> Found<Combiner<Registration>> {
    let (writer, vault) = (Arc::clone(writer), vault.clone());
    Combiner::start(combiner::Options { writers: 1, batch }, move |batch, deadline| {
        register_all(&writer, &vault, announcer, batch, deadline)
    })
}

/// Registers a batch. An error that is some registration's own halves the batch until that stands alone, so that the others
/// are made. Nothing is begun after `deadline`, when nobody waits for the answer any more.
fn register_all(
    writer: &Writer,
    vault: &Vault,
    announcer: Announcer,
    batch: &[Registration],
    deadline: &Arc<Deadline>,
) -> Vec<Result<Registered, RegisterError>> {
    let written = {
        let (vault, batch, deadline) = (vault.clone(), batch.to_vec(), Arc::clone(deadline));
        writer.run_blocking(move |connection| {
            deadline.begin_commit()?;
            register(connection, &vault, announcer, &batch)
        })
    };
    match written {
        Ok(decided) => decided
            .into_iter()
            .map(|answer| answer.map_err(RegisterError::from))
            .collect(),
        Err(error) if batch.len() < 2 || matches!(error, StoreError::Unavailable(_)) => {
            vec![Err(RegisterError::Store(error)); batch.len()]
        }
        Err(_) => {
            let (first, rest) = batch.split_at(batch.len() / 2);
            let mut answers = register_all(writer, vault, announcer, first, deadline);
            answers.extend(register_all(writer, vault, announcer, rest, deadline));
            answers
        }
    }
}

impl Store for SqliteStore {
    fn read_boxed(&self, work: ReadWork) -> BoxFuture<'_, Found<()>> {
        let (readers, vault, announcer) = (self.readers.clone(), self.vault.clone(), self.announcer);
        Box::pin(blocking::run(move || {
            readers.read(|connection| work(&mut Repositories::new(connection, &vault, announcer)))
        }))
    }

    fn transact_boxed(&self, work: WriteWork) -> BoxFuture<'_, Found<()>> {
        let (vault, announcer) = (self.vault.clone(), self.announcer);
        Box::pin(
            self.writer
                .run(move |connection| work(&mut Repositories::new(connection, &vault, announcer))),
        )
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
        let (writer, vault, announcer) = (Arc::clone(&self.writer), self.vault.clone(), self.announcer);
        let size = batch.len();
        Box::pin(async move {
            let registered = blocking::run_until(Deadline::after(blocking::DEADLINE), move |deadline| {
                Ok(register_all(&writer, &vault, announcer, &batch, deadline))
            });
            registered
                .await
                .unwrap_or_else(|error| vec![Err(RegisterError::Store(error)); size])
        })
    }

    fn ready(&self) -> BoxFuture<'_, Found<()>> {
        Box::pin(async {
            let readers = self.readers.clone();
            blocking::run(move || readers.read(migrations::check)).await?;
            self.writer.run(|_| Ok(())).await
        })
    }
}

impl Watched for SqliteStore {
    fn gauges(&self) -> Vec<(Gauge, u64)> {
        let queued = self.combiner.as_ref().map_or(0, Combiner::queued);
        vec![
            (Gauge::WritesQueued, self.writer.queued()),
            (
                Gauge::RegistrationsQueued,
                u64::try_from(queued).unwrap_or(u64::MAX),
            ),
        ]
    }
}
