//! The repositories over one connection: what a closure that reads or writes is given.

mod accounts;
mod api_keys;
mod audit;
mod code_outbox;
mod codes;
mod credentials;
mod delivery_reads;
mod delivery_sweeps;
mod event_outbox;
mod finished_days;
mod jobs;
mod keys;
mod limits;
mod messages;
mod personal_data;
mod reads;
mod sealed;
mod sweeps;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::{Connection, PgConnection, QueryResult};
use doorbell_domain::store::{Found, StoreError};
use doorbell_storage::{Announcer, Vault};

use crate::pool::{Pool, Pooled};
use crate::trouble::Trouble;

pub(crate) struct Repositories<'a> {
    pool: &'a Pool,
    vault: &'a Vault,
    announcer: Announcer,
    link: Option<Pooled>,
    transaction: Transaction,
}

enum Transaction {
    /// Each statement is a transaction of its own, and all of them read.
    None,
    /// Begun; the first failure of a statement has ended it already in all but name.
    Open { failed: Option<StoreError> },
}

impl<'a> Repositories<'a> {
    /// Repositories to read from, each statement by itself.
    pub(crate) fn reading(pool: &'a Pool, vault: &'a Vault) -> Self {
        Self {
            pool,
            vault,
            announcer: Announcer::new(false),
            link: None,
            transaction: Transaction::None,
        }
    }

    /// Repositories of a transaction that is begun here, and ended by [`Self::commit`] or, with the same effect as
    /// dropping them, [`Self::roll_back`].
    pub(crate) fn writing(pool: &'a Pool, vault: &'a Vault, announcer: Announcer) -> Found<Self> {
        Ok(Self {
            pool,
            vault,
            announcer,
            link: Some(pool.begin()?),
            transaction: Transaction::Open { failed: None },
        })
    }

    /// Commits, unless a statement failed: then nothing was written, whatever became of its error.
    pub(crate) fn commit(mut self) -> Found<()> {
        if let Transaction::Open { failed: Some(error) } = &self.transaction {
            let error = error.clone();
            self.roll_back();
            return Err(error);
        }
        self.ask(AnsiTransactionManager::commit_transaction)
    }

    /// Rolls back. If even that fails the connection is of no more use, and the pool sees it.
    pub(crate) fn roll_back(mut self) {
        if let Some(link) = &mut self.link {
            drop(AnsiTransactionManager::rollback_transaction(&mut link.connection));
        }
    }

    /// Runs one statement. Outside a transaction it may run twice: a connection that turns out dead is
    /// replaced.
    fn ask<T>(&mut self, statement: impl Fn(&mut PgConnection) -> QueryResult<T>) -> Found<T> {
        if let Transaction::None = self.transaction {
            return self.pool.ask(&mut self.link, statement);
        }
        self.attempt(statement).map_err(|trouble| self.fail(trouble))
    }

    /// [`Self::ask`] for several statements that only read, and all see one instant.
    fn ask_at_one_instant<T>(&mut self, read: impl Fn(&mut PgConnection) -> QueryResult<T>) -> Found<T> {
        match self.transaction {
            Transaction::None => self.ask(|connection| {
                connection
                    .build_transaction()
                    .read_only()
                    .repeatable_read()
                    .run(&read)
            }),
            // It sees what it wrote itself, so it cannot be another one's instant.
            Transaction::Open { .. } => self.ask(read),
        }
    }

    /// [`Self::ask`] for what a client can run into: a conflict undoes the statement alone, by a savepoint, and the
    /// transaction goes on.
    fn ask_or_conflict<T>(&mut self, statement: impl Fn(&mut PgConnection) -> QueryResult<T>) -> Found<T> {
        self.attempt(|connection| connection.transaction(&statement))
            .map_err(|trouble| match trouble.error {
                StoreError::Conflict(_) => trouble.error,
                _ => self.fail(trouble),
            })
    }

    /// [`Self::ask`] for what can as well be left undone: what fails is undone, and the transaction goes on.
    fn ask_or_leave<T>(
        &mut self,
        statements: impl Fn(&mut PgConnection) -> QueryResult<T>,
    ) -> Found<Option<T>> {
        let done = self.attempt(|connection| connection.transaction(&statements));
        match done {
            Ok(value) => Ok(Some(value)),
            Err(trouble) if trouble.lost => Err(self.fail(trouble)),
            Err(trouble) => {
                tracing::info!(error = %trouble.error, "left undone for now");
                Ok(None)
            }
        }
    }

    fn attempt<T>(
        &mut self,
        statement: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> Result<T, Trouble> {
        let link = self.link.as_mut();
        let link = link.ok_or_else(|| StoreError::Failed("no transaction is open".to_owned()))?;
        statement(&mut link.connection).map_err(|error| {
            let trouble = Trouble::from(error);
            self.pool.judge(link, &trouble);
            trouble
        })
    }

    fn fail(&mut self, trouble: Trouble) -> StoreError {
        if let Transaction::Open { failed } = &mut self.transaction {
            failed.get_or_insert_with(|| trouble.error.clone());
        }
        trouble.error
    }
}
