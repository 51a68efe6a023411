//! The write combiner: what queues while a batch is in flight leaves as the next batch.
//!
//! There is no timer. A write that finds a writer idle leaves at once and alone; under load batches grow by
//! themselves, and one commit serves all of a batch. Nothing that a single write promises is given up:
//!
//! - a write is answered after its own commit, never before;
//! - writes that share a key never are in flight in two batches, and leave in the order in which they came, so that
//!   no two batches of one server wait for each other in the database;
//! - who waits too long is told so, and then nothing is written;
//! - who goes away while waiting is passed over, and afterwards harms nobody.

mod queue;
mod registration;
#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use doorbell_domain::store::{Found, StoreError};
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::queue::{Departure, Queue};
use crate::blocking::{DEADLINE, Deadline};

/// How long callers wait.
#[derive(Clone, Copy)]
struct Patience {
    /// For a writer.
    turn: Duration,
    /// For the batch.
    flight: Duration,
}

impl Patience {
    /// Together no longer than any other write may take.
    const OF_CALLERS: Self = Self {
        turn: Duration::from_secs(2),
        flight: DEADLINE.saturating_sub(Duration::from_secs(2)),
    };
}

/// What can be written together with others of its kind.
pub trait Write: Send + 'static {
    /// What two writes may not touch at once.
    type Key: Clone + Eq + Hash + Send;
    /// What comes of it.
    type Answer: Send + 'static;

    /// All that it touches.
    fn keys(&self) -> Vec<Self::Key>;
}

/// How a combiner is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many threads write, each a batch at a time.
    pub writers: usize,
    /// How many writes a batch has at most.
    pub batch: usize,
}

/// Combines single writes into batches. Dropping it writes what has queued.
pub struct Combiner<W: Write> {
    shared: Arc<Shared<W>>,
    writers: Vec<JoinHandle<()>>,
    turn: Duration,
}

struct Shared<W: Write> {
    queue: Mutex<Queue<W>>,
    /// Something was queued, keys came free, or no more is coming.
    news: Condvar,
}

impl<W: Write> Combiner<W> {
    /// Starts the writers. `flush` writes a batch in one transaction, begins no commit unless the deadline lets it, and gives
    /// an answer for each write, in order.
    pub fn start<F>(options: Options, flush: F) -> Found<Self>
    where
        F: Fn(&[W], &Arc<Deadline>) -> Vec<W::Answer> + Send + Sync + 'static,
    {
        Self::start_with(options, Patience::OF_CALLERS, flush)
    }

    fn start_with<F>(options: Options, patience: Patience, flush: F) -> Found<Self>
    where
        F: Fn(&[W], &Arc<Deadline>) -> Vec<W::Answer> + Send + Sync + 'static,
    {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::default()),
            news: Condvar::new(),
        });
        let flush = Arc::new(flush);
        let mut combiner = Self {
            shared: Arc::clone(&shared),
            writers: Vec::with_capacity(options.writers),
            turn: patience.turn,
        };
        for _ in 0..options.writers {
            let (shared, flush) = (Arc::clone(&shared), Arc::clone(&flush));
            let writer = thread::Builder::new()
                .name("combiner".to_owned())
                .spawn(move || shared.serve(options.batch, patience.flight, flush.as_ref()))
                .map_err(|error| StoreError::Failed(format!("a writer's thread: {error}")))?;
            combiner.writers.push(writer);
        }
        Ok(combiner)
    }

    /// Writes `write` with whatever else is there to be written, and gives its answer once that is committed.
    ///
    /// [`StoreError::Unavailable`] where too many wait, or it was not written in time: then nothing was written.
    pub async fn write(&self, write: W) -> Found<W::Answer> {
        let (done, mut answer) = oneshot::channel();
        let ticket = self.shared.queue().enqueue(write, done)?;
        self.shared.news.notify_one();
        let answered = match timeout(self.turn, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if self.shared.queue().withdraw(ticket) => {
                return Err(unavailable("no writer was free in time"));
            }
            Err(_) => self.landing(ticket, answer).await?,
        };
        answered.map_err(|_| StoreError::Failed("a batch of writes was not answered".to_owned()))
    }

    /// How many writes wait to leave.
    pub fn queued(&self) -> usize {
        self.shared.queue().waiting()
    }

    /// Waits for a batch that has left, until its deadline or, where its commit has begun, longer.
    async fn landing(
        &self,
        ticket: u64,
        mut answer: oneshot::Receiver<W::Answer>,
    ) -> Found<Result<W::Answer, oneshot::error::RecvError>> {
        let deadline = self.shared.queue().deadline_of(ticket);
        if let Some(deadline) = deadline {
            return match timeout(deadline.left(), &mut answer).await {
                Ok(answered) => Ok(answered),
                Err(_) if deadline.give_up() => Err(unavailable("no answer in time")),
                Err(_) => Ok(answer.await),
            };
        }
        // It landed just now.
        Ok(answer.await)
    }
}

impl<W: Write> Drop for Combiner<W> {
    fn drop(&mut self) {
        self.shared.queue().close();
        self.shared.news.notify_all();
        for writer in self.writers.drain(..) {
            if writer.thread().id() != thread::current().id() {
                // It catches its batches' panics; there is nobody left to tell of another.
                drop(writer.join());
            }
        }
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

impl<W: Write> Shared<W> {
    /// Nothing that is held under this lock can be left half done.
    fn queue(&self) -> MutexGuard<'_, Queue<W>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A writer's life: batch after batch, until no more is coming.
    fn serve<F>(&self, most: usize, time: Duration, flush: &F)
    where
        F: Fn(&[W], &Arc<Deadline>) -> Vec<W::Answer>,
    {
        while let Some(departure) = self.next(most, time) {
            let Departure {
                writes,
                callers,
                flight,
                deadline,
            } = departure;
            let answers = catch_unwind(AssertUnwindSafe(|| flush(&writes, &deadline)));
            // Before the answers, so that who is answered finds the keys free.
            self.queue().land(flight);
            self.news.notify_all();
            // After a panic nobody is answered, which each caller is told as a failure.
            for (caller, answer) in callers.into_iter().zip(answers.unwrap_or_default()) {
                // Whoever asked may have gone away; the write stands all the same.
                drop(caller.send(answer));
            }
        }
    }

    /// Waits for the next batch; `None` once no more is coming.
    fn next(&self, most: usize, time: Duration) -> Option<Departure<W>> {
        let mut queue = self.queue();
        loop {
            if let Some(departure) = queue.depart(most, time) {
                return Some(departure);
            }
            if queue.is_done() {
                return None;
            }
            queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
