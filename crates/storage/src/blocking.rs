//! Synchronous work from asynchronous code: one hop, one deadline.

use std::time::Duration;

use doorbell_domain::store::{Found, StoreError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;

/// How long a caller waits for the database, all told. Shorter than the 5 seconds after which a request is
/// answered 503, so that the answer is ours.
pub const DEADLINE: Duration = Duration::from_millis(4_500);

/// Runs `work` on the blocking pool and waits for it until [`DEADLINE`].
///
/// Work that has not begun by then never runs; work that has is left to end by itself, so it must bound its
/// own waiting. A panic of the work is a [`StoreError::Failed`] and goes no further.
pub async fn run<T, F>(work: F) -> Found<T>
where
    T: Send + 'static,
    F: FnOnce() -> Found<T> + Send + 'static,
{
    run_within(DEADLINE, work).await
}

/// [`run`] with another deadline.
pub async fn run_within<T, F>(deadline: Duration, work: F) -> Found<T>
where
    T: Send + 'static,
    F: FnOnce() -> Found<T> + Send + 'static,
{
    // Spans do not follow into another thread by themselves.
    let span = Span::current();
    let mut task = spawn_blocking(move || span.in_scope(work));
    match timeout(deadline, &mut task).await {
        Ok(Ok(result)) => result,
        Ok(Err(lost)) if lost.is_panic() => Err(StoreError::Failed("the work panicked".to_owned())),
        Ok(Err(_)) => Err(StoreError::Unavailable("the server is stopping".to_owned())),
        Err(_) => {
            task.abort();
            Err(StoreError::Unavailable("no answer in time".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_that_takes_too_long_is_unavailable_and_its_caller_goes_on() {
        let (release, wait) = mpsc::channel::<()>();
        let late = run_within(Duration::from_millis(20), move || {
            wait.recv()
                .map_err(|_| StoreError::Failed("nobody released it".to_owned()))
        })
        .await;
        assert_eq!(late, Err(StoreError::Unavailable("no answer in time".to_owned())));
        release.send(()).expect("the work still waits");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_and_goes_no_further() {
        let failed = run(|| -> Found<()> { panic!("a bug") }).await;
        assert_eq!(failed, Err(StoreError::Failed("the work panicked".to_owned())));
        assert_eq!(run(|| Ok(1)).await, Ok(1));
    }
}
