//! Synchronous work from asynchronous code: one hop, one deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use doorbell_domain::store::{Found, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;

/// How long a caller waits for the database, all told. Shorter than the 5 seconds after which a request is
/// answered 503, so that the answer is ours.
pub const DEADLINE: Duration = Duration::from_millis(4_500);

/// The moment after which nobody waits for the answer any more, unless a commit began before it.
///
/// Whoever was told that the store was unavailable must not find later that all was written: so a commit and the end
/// of the waiting exclude each other.
#[derive(Debug)]
pub struct Deadline {
    at: Instant,
    phase: AtomicU8,
}

const WORKING: u8 = 0;
const COMMITTING: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Deadline {
    /// In that time from now.
    pub fn after(time: Duration) -> Self {
        Self {
            at: Instant::now() + time,
            phase: AtomicU8::new(WORKING),
        }
    }

    /// Whether it is not worth while to try again.
    pub fn has_passed(&self) -> bool {
        Instant::now() > self.at
    }

    /// To be called before every commit, which must not be begun on an error.
    pub fn begin_commit(&self) -> Found<()> {
        if !self.has_passed() && self.enter(COMMITTING) {
            Ok(())
        } else {
            Err(too_late())
        }
    }

    /// Ends the waiting, after which no commit begins; whether none had begun.
    pub(crate) fn give_up(&self) -> bool {
        self.enter(GIVEN_UP)
    }

    /// Whether the phase is now `phase`: both ends are final.
    fn enter(&self, phase: u8) -> bool {
        self.phase
            .compare_exchange(WORKING, phase, Ordering::AcqRel, Ordering::Acquire)
            .map_or_else(|now| now == phase, |_| true)
    }

    pub(crate) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

fn too_late() -> StoreError {
    StoreError::Unavailable("no answer in time".to_owned())
}

/// Runs `work`, which commits nothing, on the blocking pool and waits for it until [`DEADLINE`].
pub async fn run<T, F>(work: F) -> Found<T>
where
    T: Send + 'static,
    F: FnOnce() -> Found<T> + Send + 'static,
{
    run_until(Deadline::after(DEADLINE), move |_| work()).await
}

/// Runs `work` on the blocking pool and waits for it until `deadline`, or longer where a commit has begun.
///
/// Work that has not begun by then never runs; work that has is left to end by itself, so it must bound its
/// own waiting. A panic of the work is a [`StoreError::Failed`] and goes no further.
pub async fn run_until<T, F>(deadline: Deadline, work: F) -> Found<T>
where
    T: Send + 'static,
    F: FnOnce(&Arc<Deadline>) -> Found<T> + Send + 'static,
{
    // Spans do not follow into another thread by themselves.
    let span = Span::current();
    let deadline = Arc::new(deadline);
    let theirs = Arc::clone(&deadline);
    let mut task = spawn_blocking(move || span.in_scope(|| work(&theirs)));
    let ended = match timeout(deadline.left(), &mut task).await {
        Ok(ended) => ended,
        Err(_) if deadline.give_up() => {
            task.abort();
            return Err(too_late());
        }
        Err(_) => task.await,
    };
    match ended {
        Ok(result) => result,
        Err(lost) if lost.is_panic() => Err(StoreError::Failed("the work panicked".to_owned())),
        Err(_) => Err(StoreError::Unavailable("the server is stopping".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_that_takes_too_long_is_unavailable_and_its_caller_goes_on() {
        let (release, wait) = mpsc::channel::<()>();
        let (late, told) = mpsc::channel();
        let answer = run_until(Deadline::after(Duration::from_millis(20)), move |deadline| {
            wait.recv().map_err(|_| too_late())?;
            late.send(deadline.begin_commit()).map_err(|_| too_late())
        });
        assert_eq!(answer.await, Err(too_late()));
        release.send(()).expect("the work still waits");
        let committed = told.recv().expect("the work went on");
        assert_eq!(committed, Err(too_late()), "what was refused is not written");
    }

    #[tokio::test]
    async fn a_commit_that_has_begun_is_waited_for() {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (release, wait) = mpsc::channel::<()>();
        let answer = tokio::spawn(run_until(
            Deadline::after(Duration::from_secs(1)),
            move |deadline| {
                deadline.begin_commit()?;
                let _ = begun.send(());
                wait.recv().map_err(|_| too_late())
            },
        ));
        begins.await.expect("begun");
        // Another's later deadline passes meanwhile.
        let other = run_until(Deadline::after(Duration::from_millis(1_100)), |deadline| {
            while !deadline.has_passed() {
                std::thread::yield_now();
            }
            deadline.begin_commit()
        });
        assert_eq!(other.await, Err(too_late()));
        release.send(()).expect("the commit still runs");
        assert_eq!(answer.await.expect("no panic"), Ok(()));
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_and_goes_no_further() {
        let failed = run(|| -> Found<()> { panic!("a bug") }).await;
        assert_eq!(failed, Err(StoreError::Failed("the work panicked".to_owned())));
        assert_eq!(run(|| Ok(1)).await, Ok(1));
    }
}
