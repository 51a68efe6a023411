//! Connections for one kind of work, and whose turn it is on them.

use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::store::{Found, StoreError};
use doorbell_storage::blocking::{self, Deadline};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::pool::Pool;
use crate::waiting::Waiting;

/// How long work waits for its turn, so that what is left of the deadline is enough to do it.
const TURN: Duration = Duration::from_millis(3_500);

/// A pool, and as many turns as it has connections. The pool itself would serve whoever is quickest, and let others wait
/// until they give up.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) pool: Pool,
    turns: Arc<Semaphore>,
    pub(crate) waiting: Waiting,
}

impl Lane {
    /// A lane over all connections of a pool.
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(usize::try_from(pool.size()).unwrap_or(1))),
            pool,
            waiting: Waiting::default(),
        }
    }

    /// Runs `work` in its turn, all within one deadline.
    pub(crate) async fn in_turn<T, F>(&self, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&Pool, &Deadline) -> Found<T> + Send + 'static,
    {
        let deadline = Deadline::after(blocking::DEADLINE);
        let turn = {
            let _waiting = self.waiting.enter();
            timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await
        };
        let no_turn = || StoreError::Unavailable("no connection was free in time".to_owned());
        let turn = turn.ok().and_then(Result::ok).ok_or_else(no_turn)?;
        let pool = self.pool.clone();
        blocking::run_until(deadline, move |deadline| {
            // Kept until the work ends, which may be after its caller went away.
            let _turn = turn;
            work(&pool, deadline)
        })
        .await
    }
}
