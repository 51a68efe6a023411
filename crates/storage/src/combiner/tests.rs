use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::task::{JoinHandle, yield_now};

use super::*;

/// A write that says what it touches.
struct Note {
    name: &'static str,
    keys: &'static [&'static str],
}

impl Write for Note {
    type Key = &'static str;
    type Answer = String;

    fn keys(&self) -> Vec<&'static str> {
        self.keys.to_vec()
    }
}

/// A batch in flight, as the test sees it.
struct Flying {
    names: Vec<&'static str>,
    land: Sender<()>,
    /// Whether the deadline let it commit.
    committed: Receiver<bool>,
}

struct Airport {
    combiner: Arc<Combiner<Note>>,
    flights: Mutex<Receiver<Flying>>,
}

type Answered = JoinHandle<Found<String>>;

impl Airport {
    /// Every batch is in flight until the test lands it; one whose end is dropped panics.
    fn with(writers: usize, batch: usize) -> Self {
        Self::of_patience(writers, batch, Patience::OF_CALLERS)
    }

    fn of_patience(writers: usize, batch: usize, patience: Patience) -> Self {
        let (left, flights) = channel();
        let options = Options { writers, batch };
        let combiner = Combiner::start_with(options, patience, move |notes: &[Note], deadline| {
            let (land, landed) = channel();
            let (commit, committed) = channel();
            let names = notes.iter().map(|note| note.name).collect();
            let flying = Flying {
                names,
                land,
                committed,
            };
            left.send(flying).expect("the test goes on");
            landed.recv().expect("landed");
            // The test may not care.
            let _ = commit.send(deadline.begin_commit().is_ok());
            notes
                .iter()
                .map(|note| format!("{} is written", note.name))
                .collect()
        });
        Self {
            combiner: Arc::new(combiner.expect("started")),
            flights: Mutex::new(flights),
        }
    }

    /// Has queued the write when it returns.
    async fn write(&self, name: &'static str, keys: &'static [&'static str]) -> Answered {
        let combiner = Arc::clone(&self.combiner);
        let answered = tokio::spawn(async move { combiner.write(Note { name, keys }).await });
        yield_now().await;
        answered
    }

    fn flying(&self) -> Flying {
        let flights = self.flights.lock().expect("flights");
        flights
            .recv_timeout(Duration::from_secs(10))
            .expect("a batch leaves")
    }

    fn nothing_flies(&self) -> bool {
        self.flights.lock().expect("flights").try_recv().is_err()
    }
}

async fn written(answered: Answered, name: &str) {
    let answer = answered.await.expect("no panic");
    assert_eq!(answer, Ok(format!("{name} is written")));
}

#[tokio::test]
async fn a_lone_write_waits_for_nobody() {
    let airport = Airport::with(2, 256);
    let one = airport.write("one", &["a"]).await;
    let flying = airport.flying();
    assert_eq!(flying.names, ["one"]);
    assert!(!one.is_finished(), "answered before it was written");
    flying.land.send(()).expect("in flight");
    written(one, "one").await;
}

#[tokio::test]
async fn what_queues_meanwhile_leaves_together_in_the_order_in_which_it_came() {
    let airport = Airport::with(1, 3);
    let first = airport.write("first", &["a"]).await;
    let flying = airport.flying();
    let mut waiting = Vec::new();
    for name in ["second", "third", "fourth", "fifth"] {
        // Of one key, too: within a batch they are decided one after the other.
        waiting.push((airport.write(name, &["a"]).await, name));
    }
    assert!(airport.nothing_flies());
    flying.land.send(()).expect("in flight");
    written(first, "first").await;
    for expected in [vec!["second", "third", "fourth"], vec!["fifth"]] {
        let flying = airport.flying();
        assert_eq!(flying.names, expected);
        flying.land.send(()).expect("in flight");
    }
    for (answered, name) in waiting {
        written(answered, name).await;
    }
}

#[tokio::test]
async fn no_key_is_in_two_batches_at_once_and_its_writes_keep_their_order() {
    let airport = Airport::with(2, 256);
    let one = airport.write("one", &["a"]).await;
    let first = airport.flying();
    // Waits for "a"; and what shares "b" with it does not overtake it.
    let two = airport.write("two", &["a", "b"]).await;
    let three = airport.write("three", &["b"]).await;
    let four = airport.write("four", &["c"]).await;
    let second = airport.flying();
    assert_eq!(second.names, ["four"]);
    second.land.send(()).expect("in flight");
    written(four, "four").await;
    assert!(airport.nothing_flies());
    first.land.send(()).expect("in flight");
    written(one, "one").await;
    let third = airport.flying();
    assert_eq!(third.names, ["two", "three"]);
    third.land.send(()).expect("in flight");
    written(two, "two").await;
    written(three, "three").await;
}

#[tokio::test]
async fn who_goes_away_while_waiting_is_passed_over_and_in_flight_harms_nobody() {
    let airport = Airport::with(1, 256);
    let gone_in_flight = airport.write("in flight", &["a"]).await;
    let flying = airport.flying();
    let gone = airport.write("gone", &["b"]).await;
    let here = airport.write("here", &["b"]).await;
    for away in [gone, gone_in_flight] {
        away.abort();
        assert!(away.await.is_err_and(|error| error.is_cancelled()));
    }
    flying.land.send(()).expect("in flight");
    let next = airport.flying();
    assert_eq!(next.names, ["here"]);
    next.land.send(()).expect("in flight");
    written(here, "here").await;
}

#[tokio::test]
async fn more_than_may_wait_are_turned_away_at_once() {
    let airport = Airport::with(1, 256);
    let mut callers = vec![airport.write("first", &["a"]).await];
    let flying = airport.flying();
    for _ in 0..queue::MOST {
        callers.push(airport.write("waits", &["b"]).await);
    }
    let one_more = airport.combiner.write(Note {
        name: "one more",
        keys: &["c"],
    });
    assert_eq!(one_more.await, Err(unavailable("too many writes are waiting")));
    flying.land.send(()).expect("in flight");
    for _ in 0..queue::MOST / 256 {
        airport.flying().land.send(()).expect("in flight");
    }
    for caller in callers {
        assert!(caller.await.expect("no panic").is_ok());
    }
}

#[tokio::test]
async fn a_batch_that_panics_fails_alone() {
    let airport = Airport::with(1, 256);
    let one = airport.write("one", &["a"]).await;
    drop(airport.flying());
    let failed = one.await.expect("no panic here");
    assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
    let two = airport.write("two", &["a"]).await;
    airport.flying().land.send(()).expect("in flight");
    written(two, "two").await;
}

#[tokio::test]
async fn who_is_not_written_in_time_is_told_so_and_is_not_written() {
    let moment = Duration::from_millis(20);
    let patience = Patience {
        turn: moment,
        flight: moment,
    };
    let airport = Airport::of_patience(1, 256, patience);
    let slow = airport.write("slow", &["a"]).await;
    let flying = airport.flying();
    let late = airport.write("late", &["b"]).await;
    assert_eq!(
        late.await.expect("no panic"),
        Err(unavailable("no writer was free in time"))
    );
    assert_eq!(
        slow.await.expect("no panic"),
        Err(unavailable("no answer in time"))
    );
    flying.land.send(()).expect("in flight");
    assert_eq!(flying.committed.recv(), Ok(false));
    assert!(airport.nothing_flies());
}

#[tokio::test]
async fn what_has_queued_is_written_before_a_combiner_is_gone() {
    let airport = Airport::with(1, 1);
    let one = airport.write("one", &["a"]).await;
    let two = airport.write("two", &["b"]).await;
    let Airport { combiner, flights } = airport;
    // Their callers hold it, too: they wait no more, but what has left is written.
    let flights = flights.into_inner().expect("flights");
    flights
        .recv()
        .expect("one leaves")
        .land
        .send(())
        .expect("in flight");
    written(one, "one").await;
    let last = flights.recv().expect("two leaves");
    let ending = std::thread::spawn(move || drop(combiner));
    last.land.send(()).expect("in flight");
    written(two, "two").await;
    ending.join().expect("the writers have ended");
}
