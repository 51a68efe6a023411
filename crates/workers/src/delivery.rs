//! The loop that empties an outbox.

use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::store::StoreError;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::{Bell, Ending, asked};

/// How many deliveries are in flight at once.
const AT_ONCE: u32 = 16;

/// How often the outbox is looked at when nobody rings: for what is due again, and what other servers left behind.
const LOOK: Duration = Duration::from_secs(1);

/// Something that waits in a database to be delivered, and is claimed before.
pub trait Outbox: Send + Sync + 'static {
    /// A claim.
    type Claimed: Send + 'static;

    /// Claims at most `most` deliveries that are due.
    fn claim(&self, most: u32) -> impl Future<Output = Result<Vec<Self::Claimed>, StoreError>> + Send;

    /// Makes a claimed delivery, and writes down how that went. Bounds its own time.
    fn deliver(&self, claimed: Self::Claimed) -> impl Future<Output = ()> + Send;
}

/// Delivers until it is asked to end, then waits for what is in flight. No more is claimed than can be begun at once, so
/// that no lease runs while a delivery waits its turn.
pub(crate) async fn run<O: Outbox>(outbox: Arc<O>, bell: Bell, mut ending: Ending) {
    let mut in_flight = JoinSet::new();
    let mut times = interval(LOOK);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whether there may be more due than what was claimed.
    let mut more = true;
    loop {
        let room = AT_ONCE.saturating_sub(u32::try_from(in_flight.len()).unwrap_or(AT_ONCE));
        if more && room > 0 {
            match outbox.claim(room).await {
                Ok(claimed) => {
                    more = u32::try_from(claimed.len()).is_ok_and(|claimed| claimed >= room);
                    for delivery in claimed {
                        let outbox = Arc::clone(&outbox);
                        in_flight.spawn(async move { outbox.deliver(delivery).await });
                    }
                }
                Err(error) => {
                    more = false;
                    tracing::warn!(%error, "the outbox could not be looked at");
                }
            }
        }
        tokio::select! {
            () = asked(&mut ending) => break,
            Some(ended) = in_flight.join_next() => note(ended),
            () = bell.rung() => more = true,
            _ = times.tick() => more = true,
        }
    }
    while let Some(ended) = in_flight.join_next().await {
        note(ended);
    }
}

/// A delivery that panicked is one whose end nobody knows: its lease runs out.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a delivery panicked");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use doorbell_domain::ports::Wake;
    use tokio::sync::Semaphore;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::{Running, Workers};

    /// An outbox of numbers, whose deliveries take a permit each to end.
    #[derive(Clone)]
    struct Numbers(Arc<Inner>);

    struct Inner {
        state: Mutex<State>,
        ends: Semaphore,
    }

    #[derive(Default)]
    struct State {
        queued: VecDeque<u32>,
        out_of_reach: bool,
        looks: u32,
        begun: Vec<u32>,
        ended: Vec<u32>,
    }

    impl Numbers {
        fn new(permits: usize) -> Self {
            Self(Arc::new(Inner {
                state: Mutex::default(),
                ends: Semaphore::new(permits),
            }))
        }

        fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
            look(&mut self.0.state.lock().expect("whole"))
        }

        fn queue(&self, numbers: impl IntoIterator<Item = u32>) {
            self.with(|state| state.queued.extend(numbers));
        }

        fn begun(&self) -> usize {
            self.with(|state| state.begun.len())
        }
    }

    impl Outbox for Numbers {
        type Claimed = u32;

        async fn claim(&self, most: u32) -> Result<Vec<u32>, StoreError> {
            self.with(|state| {
                state.looks += 1;
                if state.out_of_reach {
                    return Err(StoreError::Unavailable("out of reach".to_owned()));
                }
                let most = state.queued.len().min(usize::try_from(most).expect("few"));
                Ok(state.queued.drain(..most).collect())
            })
        }

        async fn deliver(&self, number: u32) {
            self.with(|state| state.begun.push(number));
            self.0.ends.acquire().await.expect("open").forget();
            assert_ne!(number, 13, "a bug");
            self.with(|state| state.ended.push(number));
        }
    }

    fn start(numbers: &Numbers) -> (Bell, Running) {
        let bell = Bell::new();
        let running = Workers::new().deliver(numbers.clone(), bell.clone()).start();
        (bell, running)
    }

    const A_MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_delivered_at_the_start_when_rung_and_each_second() {
        let numbers = Numbers::new(100);
        numbers.queue([1]);
        let (bell, running) = start(&numbers);
        sleep(A_MOMENT).await;
        assert_eq!(numbers.begun(), 1);
        numbers.queue([2]);
        bell.wake();
        sleep(A_MOMENT).await;
        assert_eq!(numbers.begun(), 2);
        numbers.queue([3]);
        sleep(A_MOMENT).await;
        assert_eq!(numbers.begun(), 2, "nobody rang");
        sleep(LOOK).await;
        assert_eq!(numbers.begun(), 3);
        running.stop(LOOK).await;
        assert_eq!(numbers.with(|state| state.ended.clone()), [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_in_flight_and_no_more() {
        let numbers = Numbers::new(0);
        numbers.queue(0..40);
        let (_bell, running) = start(&numbers);
        sleep(10 * LOOK).await;
        assert_eq!(numbers.begun(), 16);
        // One that ends makes room for one, at once.
        numbers.0.ends.add_permits(1);
        sleep(A_MOMENT).await;
        assert_eq!(numbers.begun(), 17);
        numbers.0.ends.add_permits(39);
        sleep(A_MOMENT).await;
        assert_eq!(numbers.begun(), 40);
        running.stop(LOOK).await;
        // Of the forty, one panicked.
        assert_eq!(numbers.with(|state| state.ended.len()), 39);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_outbox_is_looked_at_once_a_second_whatever_ends() {
        let numbers = Numbers::new(100);
        numbers.queue([1, 2, 3]);
        let (_bell, running) = start(&numbers);
        sleep(Duration::from_millis(5_500)).await;
        let looks = numbers.with(|state| state.looks);
        assert!((6..=8).contains(&looks), "{looks}");
        running.stop(LOOK).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_outbox_out_of_reach_is_looked_at_again() {
        let numbers = Numbers::new(100);
        numbers.with(|state| state.out_of_reach = true);
        numbers.queue([1]);
        let (_bell, running) = start(&numbers);
        sleep(3 * LOOK).await;
        assert_eq!(numbers.begun(), 0);
        numbers.with(|state| state.out_of_reach = false);
        sleep(2 * LOOK).await;
        assert_eq!(numbers.begun(), 1);
        running.stop(LOOK).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_waits_for_what_is_in_flight_but_not_for_ever() {
        let numbers = Numbers::new(0);
        numbers.queue([1, 2]);
        let (_bell, running) = start(&numbers);
        sleep(A_MOMENT).await;
        numbers.queue([3]);
        numbers.0.ends.add_permits(1);
        let began = Instant::now();
        running.stop(Duration::from_secs(5)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(5));
        let (begun, ended) = numbers.with(|state| (state.begun.clone(), state.ended.len()));
        assert_eq!((begun, ended), (vec![1, 2], 1));

        // Where all that is in flight ends, nobody waits.
        let numbers = Numbers::new(1);
        numbers.queue([1]);
        let (_bell, running) = start(&numbers);
        sleep(A_MOMENT).await;
        let began = Instant::now();
        running.stop(Duration::from_secs(5)).await;
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}
