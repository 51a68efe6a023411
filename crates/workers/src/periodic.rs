//! What is done from time to time.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::{Ending, asked};

pub(crate) async fn run<F, E>(period: Duration, name: &'static str, work: impl Fn() -> F, mut ending: Ending)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let rounds = async move {
        let mut times = interval(period);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            times.tick().await;
            if let Err(error) = work().await {
                tracing::warn!(work = name, %error, "periodic work failed");
            }
        }
    };
    tokio::select! {
        () = asked(&mut ending) => {}
        () = rounds => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::Workers;

    #[tokio::test(start_paused = true)]
    async fn work_is_done_at_once_and_then_each_period_whether_it_fails_or_not() {
        let done = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&done);
        let running = Workers::new()
            .every(Duration::from_mins(1), "counting", move || {
                let round = counted.fetch_add(1, Ordering::Relaxed);
                async move {
                    if round == 1 {
                        Err("the second round")
                    } else {
                        Ok(())
                    }
                }
            })
            .start();
        sleep(Duration::from_secs(150)).await;
        assert_eq!(done.load(Ordering::Relaxed), 3);
        running.stop(Duration::from_secs(1)).await;
        sleep(Duration::from_mins(10)).await;
        assert_eq!(done.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_end_is_left_where_it_stands() {
        let running = Workers::new()
            .every(Duration::from_mins(1), "standing still", || async {
                std::future::pending::<Result<(), String>>().await
            })
            .start();
        sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        running.stop(Duration::from_secs(30)).await;
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}
