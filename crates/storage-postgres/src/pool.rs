//! Connections, and how a failed one is told from a good one without asking each.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::R2D2Connection;
use diesel::{Connection, PgConnection, QueryResult};
use doorbell_domain::store::{Found, StoreError};
use r2d2::{HandleError, ManageConnection, PooledConnection};
use thiserror::Error;

use crate::conninfo;
use crate::trouble::Trouble;

/// How long to wait for a free connection.
const CHECKOUT: Duration = Duration::from_secs(2);

/// How many dead connections in a row are replaced before the database counts as gone.
const REPLACEMENTS: u32 = 3;

/// What every connection asks of the server.
///
/// Every lookup here is by an index. A plan may be kept from a time when the tables were empty, so the
/// planner is told not to count on their staying small. The language of messages needs a right that the
/// role may not have. What is read after a lock must be what the lock's last holder left, whatever isolation the
/// database is set to.
const SETTINGS: &str = "
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '4s';
    SET lock_timeout = '3s';
    SET idle_in_transaction_session_timeout = '5s';
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET jit = off;
    DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
";

/// A pooled connection.
pub(crate) struct Link {
    pub(crate) connection: PgConnection,
    /// How many times the pool had lost a connection when this one was made.
    generation: u64,
    lost: bool,
}

pub(crate) struct Manager {
    url: String,
    generation: Arc<AtomicU64>,
}

impl Manager {
    fn is_stale(&self, link: &Link) -> bool {
        link.lost || link.generation < self.generation.load(Ordering::Acquire)
    }
}

/// Why a connection could not be made, without what must not be told.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Refused {
    fn new(error: &impl Display, url: &str) -> Self {
        Self(conninfo::without_password(&error.to_string(), url))
    }
}

impl From<Refused> for StoreError {
    fn from(Refused(why): Refused) -> Self {
        Self::Unavailable(format!("no connection: {why}"))
    }
}

/// A connection without any settings of its own.
pub(crate) fn direct(url: &str) -> Result<PgConnection, Refused> {
    PgConnection::establish(url).map_err(|error| Refused::new(&error, url))
}

impl ManageConnection for Manager {
    type Connection = Link;
    type Error = Refused;

    fn connect(&self) -> Result<Link, Refused> {
        // Read first: a connection that was being made while another failed is as suspect as the older ones.
        let generation = self.generation.load(Ordering::Acquire);
        let mut connection = direct(&self.url)?;
        connection
            .batch_execute(SETTINGS)
            .map_err(|error| Refused::new(&error, &self.url))?;
        Ok(Link {
            connection,
            generation,
            lost: false,
        })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), Refused> {
        let answer = link.connection.ping();
        answer.map_err(|error| Refused::new(&error, &self.url))
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        std::thread::panicking() || self.is_stale(link) || link.connection.is_broken()
    }
}

/// Tells the log why a connection could not be made; the waiting caller is told by the pool.
#[derive(Debug)]
struct Log;

impl HandleError<Refused> for Log {
    fn handle_error(&self, error: Refused) {
        tracing::warn!(%error, "no connection to the database");
    }
}

/// The connections of one server.
#[derive(Clone)]
pub(crate) struct Pool {
    links: r2d2::Pool<Manager>,
    generation: Arc<AtomicU64>,
}

pub(crate) type Pooled = PooledConnection<Manager>;

impl Pool {
    /// A pool of at most `size` connections, made as they are needed.
    pub(crate) fn new(url: String, size: u32) -> Self {
        let generation = Arc::new(AtomicU64::new(0));
        let manager = Manager {
            url,
            generation: Arc::clone(&generation),
        };
        let links = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(size.min(2)))
            .connection_timeout(CHECKOUT)
            .test_on_check_out(false)
            .error_handler(Box::new(Log))
            .build_unchecked(manager);
        Self { links, generation }
    }

    /// How many connections it may hold.
    pub(crate) fn size(&self) -> u32 {
        self.links.max_size()
    }

    /// How many of its connections are lent out.
    pub(crate) fn in_use(&self) -> u32 {
        let state = self.links.state();
        state.connections.saturating_sub(state.idle_connections)
    }

    /// A connection that is not known to have failed.
    pub(crate) fn get(&self) -> Found<Pooled> {
        loop {
            let link = self
                .links
                .get()
                .map_err(|error| StoreError::Unavailable(format!("no connection: {error}")))?;
            if link.generation >= self.generation.load(Ordering::Acquire) {
                return Ok(link);
            }
            // Dropped here, and since it is stale, closed.
        }
    }

    /// A connection with a transaction begun on it. A connection that turns out dead is replaced: nothing has
    /// been done on it yet.
    pub(crate) fn begin(&self) -> Result<Pooled, Trouble> {
        let mut replaced = 0;
        loop {
            let mut link = self.get()?;
            let begun = AnsiTransactionManager::begin_transaction(&mut link.connection);
            match begun.map_err(Trouble::from) {
                Ok(()) => return Ok(link),
                Err(trouble) => {
                    self.judge(&mut link, &trouble);
                    if !trouble.lost || replaced == REPLACEMENTS {
                        return Err(trouble);
                    }
                    replaced += 1;
                }
            }
        }
    }

    /// Runs one statement that may be run again, on `link` or, if that turns out dead, on another.
    pub(crate) fn ask<T>(
        &self,
        link: &mut Option<Pooled>,
        statement: impl Fn(&mut PgConnection) -> QueryResult<T>,
    ) -> Found<T> {
        let mut replaced = 0;
        loop {
            let mut held = match link.take() {
                Some(held) => held,
                None => self.get()?,
            };
            match statement(&mut held.connection).map_err(Trouble::from) {
                Ok(value) => {
                    *link = Some(held);
                    return Ok(value);
                }
                Err(trouble) => {
                    self.judge(&mut held, &trouble);
                    if !trouble.lost || replaced == REPLACEMENTS {
                        return Err(trouble.error);
                    }
                    replaced += 1;
                }
            }
        }
    }

    /// Takes a lost connection out of use, and with it all that are no younger: what ended it, most likely
    /// the database's restart, has ended them too.
    pub(crate) fn judge(&self, link: &mut Link, trouble: &Trouble) {
        if trouble.lost {
            link.lost = true;
            self.generation.fetch_max(link.generation + 1, Ordering::AcqRel);
        }
    }
}
