//! The store itself.

use std::path::Path;
use std::sync::Arc;

use doorbell_domain::ports::{BoxFuture, Sealer};
use doorbell_domain::registration::{Registered, Registration};
use doorbell_domain::store::{Found, ReadWork, RegisterError, Store, StoreError, WriteWork};
use doorbell_storage::{Vault, blocking};

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            migrate: true,
        }
    }
}

/// A registry in one SQLite file. Dropping it writes what has queued and closes the file.
pub struct SqliteStore {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    vault: Vault,
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
        Ok(Self {
            readers: Readers::open(path)?,
            writer: Writer::start(writer)?,
            vault: Vault::new(sealer),
        })
    }

    /// Registers a batch. An error that is some registration's own parts the batch until it stands alone, so that
    /// the others are made.
    async fn register_all(&self, batch: Vec<Registration>) -> Vec<Result<Registered, RegisterError>> {
        let mut answers = Vec::with_capacity(batch.len());
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let part_again = part.clone();
            let vault = self.vault.clone();
            let written = self
                .writer
                .run(move |connection| register(connection, &vault, &part_again))
                .await;
            match written {
                Ok(decided) => {
                    answers.extend(
                        decided
                            .into_iter()
                            .map(|answer| answer.map_err(RegisterError::from)),
                    );
                }
                Err(error) if part.len() == 1 || matches!(error, StoreError::Unavailable(_)) => {
                    answers.extend(part.iter().map(|_| Err(RegisterError::Store(error.clone()))));
                }
                Err(_) => {
                    let rest = part.split_off(part.len() / 2);
                    // The first half is on top.
                    parts.push(rest);
                    parts.push(part);
                }
            }
        }
        answers
    }
}

impl Store for SqliteStore {
    fn read_boxed(&self, work: ReadWork) -> BoxFuture<'_, Found<()>> {
        let (readers, vault) = (self.readers.clone(), self.vault.clone());
        Box::pin(blocking::run(move || {
            readers.read(|connection| work(&mut Repositories::new(connection, &vault)))
        }))
    }

    fn transact_boxed(&self, work: WriteWork) -> BoxFuture<'_, Found<()>> {
        let vault = self.vault.clone();
        Box::pin(
            self.writer
                .run(move |connection| work(&mut Repositories::new(connection, &vault))),
        )
    }

    fn register(&self, batch: Vec<Registration>) -> BoxFuture<'_, Vec<Result<Registered, RegisterError>>> {
        Box::pin(self.register_all(batch))
    }

    fn ready(&self) -> BoxFuture<'_, Found<()>> {
        Box::pin(async {
            let readers = self.readers.clone();
            blocking::run(move || readers.read(migrations::check)).await?;
            self.writer.run(|_| Ok(())).await
        })
    }
}
