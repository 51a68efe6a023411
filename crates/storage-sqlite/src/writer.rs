//! The one thread that writes.
//!
//! It takes what has queued, opens one transaction, runs each job under a savepoint of its own, commits once, and
//! only then answers. So one flush to disk serves many, and a job that fails takes no other with it.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use doorbell_domain::store::{Found, StoreError};
use doorbell_storage::blocking::DEADLINE;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::Span;

use crate::trouble::Around;

/// How many jobs wait at most; more are turned away at once.
const QUEUE: usize = 1_024;

/// How many jobs one commit serves at most.
const BATCH: usize = 256;

type Work = Box<dyn FnOnce(&mut SqliteConnection) -> Found<()> + Send>;

/// A job in the queue.
struct Job {
    /// Empty once it has begun or been withdrawn.
    work: Arc<Mutex<Option<Work>>>,
    span: Span,
    done: oneshot::Sender<Found<()>>,
}

/// A job as its caller sees it.
struct Begun<T> {
    work: Arc<Mutex<Option<Work>>>,
    value: Value<T>,
    answer: oneshot::Receiver<Found<()>>,
}

/// Where a job leaves what it came to.
struct Value<T>(Arc<Mutex<Option<T>>>);

impl<T> Value<T> {
    /// What there is once the job was answered.
    fn given(&self, answered: Result<Found<()>, oneshot::error::RecvError>) -> Found<T> {
        answered.map_err(|_| unavailable("the writer has stopped"))??;
        let value = lock(&self.0).take();
        value.ok_or_else(|| StoreError::Failed("the work gave no value".to_owned()))
    }
}

/// The queue's near end.
pub(crate) struct Writer {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// How many jobs are in the queue.
    queued: Arc<AtomicU64>,
}

impl Writer {
    /// Gives `connection` to a thread of its own.
    pub(crate) fn start(connection: SqliteConnection) -> Found<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let queued = Arc::new(AtomicU64::new(0));
        let theirs = Arc::clone(&queued);
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(connection, &jobs, &theirs))
            .map_err(|error| StoreError::Failed(format!("the writer's thread: {error}")))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            queued,
        })
    }

    /// How many jobs wait to be begun.
    pub(crate) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Runs `work` in a transaction, and gives its value once that is committed.
    ///
    /// Work that has not begun before the deadline never does. Work that has is waited for, since nothing else
    /// could say whether it was committed.
    pub(crate) async fn run<T, F>(&self, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Found<T> + Send + 'static,
    {
        self.run_within(DEADLINE, work).await
    }

    async fn run_within<T, F>(&self, deadline: Duration, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Found<T> + Send + 'static,
    {
        let Begun {
            work,
            value,
            mut answer,
        } = self.begin(work)?;
        let answered = match timeout(deadline, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if lock(&work).take().is_some() => return Err(unavailable("no answer in time")),
            Err(_) => answer.await,
        };
        value.given(answered)
    }

    /// [`Self::run`] for a thread that may block: it waits for its turn, and `work` itself knows whether that came too late.
    pub(crate) fn run_blocking<T, F>(&self, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Found<T> + Send + 'static,
    {
        let Begun { value, answer, .. } = self.begin(work)?;
        value.given(answer.blocking_recv())
    }

    fn begin<T, F>(&self, work: F) -> Found<Begun<T>>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Found<T> + Send + 'static,
    {
        let value = Value(Arc::new(Mutex::new(None)));
        let place = Arc::clone(&value.0);
        let work: Work = Box::new(move |connection| {
            *lock(&place) = Some(work(connection)?);
            Ok(())
        });
        let work = Arc::new(Mutex::new(Some(work)));
        let (done, answer) = oneshot::channel();
        self.enqueue(Job {
            work: Arc::clone(&work),
            span: Span::current(),
            done,
        })?;
        Ok(Begun { work, value, answer })
    }

    fn enqueue(&self, job: Job) -> Found<()> {
        let queue = self
            .queue
            .as_ref()
            .ok_or_else(|| unavailable("the writer has stopped"))?;
        // Counted first: the writer may take it before this goes on.
        self.queued.fetch_add(1, Ordering::Relaxed);
        queue.try_send(job).map_err(|error| {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => unavailable("too many writes are waiting"),
                TrySendError::Disconnected(_) => unavailable("the writer has stopped"),
            }
        })
    }
}

impl Drop for Writer {
    /// Waits until what has queued is written, so that the file is whole and closed when this returns.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // It catches its jobs' panics; there is nobody left to tell of another.
            drop(thread.join());
        }
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

/// Nothing that is held under these locks can be left half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut connection: SqliteConnection, jobs: &Receiver<Job>, queued: &AtomicU64) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        queued.fetch_sub(u64::try_from(batch.len()).unwrap_or(0), Ordering::Relaxed);
        settle(&mut connection, batch);
    }
}

/// Runs a batch, commits it, and answers. What had not begun when a batch is lost begins again without the rest.
fn settle(connection: &mut SqliteConnection, mut batch: Vec<Job>) {
    loop {
        let mut outcomes = Vec::with_capacity(batch.len());
        let Err(error) = commit(connection, &batch, &mut outcomes) else {
            for (job, outcome) in batch.into_iter().zip(outcomes) {
                answer(job, outcome);
            }
            return;
        };
        // Whatever is left open; where SQLite has rolled back by itself, this has nothing to do and says so.
        drop(connection.batch_execute("ROLLBACK"));
        let (waiting, begun): (Vec<Job>, Vec<Job>) =
            batch.into_iter().partition(|job| lock(&job.work).is_some());
        tracing::warn!(%error, jobs = begun.len(), "a batch of writes was lost");
        let (lost, rest) = if begun.is_empty() {
            (waiting, begun)
        } else {
            (begun, waiting)
        };
        for job in lost {
            answer(job, Err(lost_with(&error)));
        }
        if rest.is_empty() {
            return;
        }
        batch = rest;
    }
}

fn lost_with(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(_) => error.clone(),
        other => StoreError::Unavailable(other.to_string()),
    }
}

fn commit(connection: &mut SqliteConnection, batch: &[Job], outcomes: &mut Vec<Found<()>>) -> Found<()> {
    // Diesel's own transactions would count these levels too; nothing here uses both.
    connection.batch_execute("BEGIN IMMEDIATE").around("begin")?;
    for job in batch {
        outcomes.push(attempt(connection, job)?);
    }
    connection.batch_execute("COMMIT").around("commit")
}

/// Runs one job; the outer error is the whole batch's.
fn attempt(connection: &mut SqliteConnection, job: &Job) -> Found<Found<()>> {
    let Some(work) = lock(&job.work).take() else {
        // Withdrawn: nobody waits for this.
        return Ok(Ok(()));
    };
    let savepoint =
        |connection: &mut SqliteConnection, sql| connection.batch_execute(sql).around("savepoint");
    savepoint(connection, "SAVEPOINT job")?;
    let outcome = job
        .span
        .in_scope(|| catch_unwind(AssertUnwindSafe(|| work(connection))))
        .unwrap_or_else(|_| Err(StoreError::Failed("the work panicked".to_owned())));
    // Some errors (a full disk, a failing one) make SQLite roll the whole transaction back. Then there is no
    // savepoint to be found, and no job that has begun in this batch is taken for written.
    if let Err(error) = &outcome {
        savepoint(connection, "ROLLBACK TO job").map_err(|_| error.clone())?;
    }
    savepoint(connection, "RELEASE job")?;
    Ok(outcome)
}

fn answer(job: Job, outcome: Found<()>) {
    // Whoever asked may have gone away; the write stands all the same.
    drop(job.done.send(outcome));
}
