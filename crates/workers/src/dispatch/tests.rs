use std::sync::Mutex;

use doorbell_domain::ports::Wake;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{Running, Workers};

const A_MOMENT: Duration = Duration::from_millis(1);
const A_TIMEOUT: Duration = Duration::from_secs(10);

/// A job of a lane; those of `hung` never end by themselves, and those of `slow` as nobody answers, until its state says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Job(Lane, u32);

/// A job that was attempted, and whether that hung.
#[derive(Clone, Debug)]
struct Done(Job, bool);

#[derive(Clone)]
struct Office(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    hung: Semaphore,
}

#[derive(Default)]
struct State {
    due: Vec<Job>,
    out_of_reach: bool,
    has_recovered: bool,
    claims: u32,
    batches: Vec<usize>,
    begun: Vec<Job>,
    settled: Vec<Job>,
    given_back: usize,
}

impl Office {
    fn new() -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            hung: Semaphore::new(0),
        }))
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.state.lock().expect("whole"))
    }

    fn post(&self, lane: &str, jobs: std::ops::Range<u32>) {
        let lane = Lane::restore(lane);
        self.with(|state| state.due.extend(jobs.map(|n| Job(lane.clone(), n))));
    }

    fn reach(&self) -> Result<(), StoreError> {
        self.with(|state| {
            if state.out_of_reach {
                return Err(StoreError::Unavailable("out of reach".to_owned()));
            }
            Ok(())
        })
    }

    fn begun(&self, lane: &str) -> usize {
        self.with(|state| state.begun.iter().filter(|job| job.0.name() == lane).count())
    }
}

impl Courier for Office {
    type Dispatch = Job;
    type Attempted = Done;

    async fn claim(&self, most: u32, busy: Vec<Lane>) -> Result<(usize, Vec<Job>), StoreError> {
        self.reach()?;
        let most = usize::try_from(most).expect("few");
        let claimed = self.with(|state| {
            state.claims += 1;
            let (mut taken, mut left) = (Vec::new(), Vec::new());
            for job in std::mem::take(&mut state.due) {
                if taken.len() < most && !busy.contains(&job.0) {
                    taken.push(job);
                } else {
                    left.push(job);
                }
            }
            state.due = left;
            taken
        });
        Ok((claimed.len(), claimed))
    }

    fn lane(dispatch: &Job) -> &Lane {
        &dispatch.0
    }

    async fn attempt(&self, job: Job) -> Done {
        self.with(|state| state.begun.push(job.clone()));
        if job.0.name().starts_with("hung") {
            self.0.hung.acquire().await.expect("open").forget();
        }
        let hung = job.0.name() == "slow" && !self.with(|state| state.has_recovered);
        if hung {
            sleep(A_TIMEOUT).await;
        }
        assert_ne!(job.1, 13, "a bug");
        Done(job, hung)
    }

    fn hung(Done(_, hung): &Done) -> Option<bool> {
        Some(*hung)
    }

    async fn settle(&self, attempts: Vec<Done>) -> Result<(), StoreError> {
        self.reach()?;
        if attempts.iter().any(|done| done.0.0.name() == "cursed") {
            return Err(StoreError::Failed("it breaks a rule".to_owned()));
        }
        self.with(|state| {
            state.batches.push(attempts.len());
            state.settled.extend(attempts.into_iter().map(|done| done.0));
        });
        Ok(())
    }

    async fn give_back(&self, unused: Vec<Job>) -> Result<(), StoreError> {
        self.with(|state| {
            state.given_back += unused.len();
            state.due.extend(unused);
        });
        Ok(())
    }
}

fn start(office: &Office) -> (Bell, Running) {
    let bell = Bell::new();
    let running = Workers::new().dispatch(office.clone(), bell.clone()).start();
    (bell, running)
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_delivered_at_the_start_and_when_rung() {
    let office = Office::new();
    office.post("a", 20..23);
    let (bell, running) = start(&office);
    sleep(A_MOMENT).await;
    assert_eq!(office.with(|state| state.settled.len()), 3);
    office.post("a", 30..33);
    bell.wake();
    sleep(A_MOMENT).await;
    assert_eq!(office.with(|state| state.settled.len()), 6);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_hangs_holds_its_share_and_keeps_nobody_else_waiting() {
    let office = Office::new();
    office.post("hung", 100..1_100);
    office.post("well", 100..2_100);
    let (_bell, running) = start(&office);
    sleep(LOOK / 2).await;
    assert_eq!(office.begun("hung"), A_LANE);
    assert_eq!(
        office.begun("well"),
        2_000,
        "all of them, without a look at the clock"
    );
    // What it holds beyond its share is bounded too.
    assert!(office.with(|state| state.due.len()) >= 1_000 - A_LANE - A_CLAIM);
    office.0.hung.add_permits(1_000);
    sleep(10 * LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 3_000);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_known_to_hang_is_asked_by_few_until_it_answers_again() {
    let office = Office::new();
    office.post("slow", 100..1_100);
    office.post("well", 100..300);
    let (_bell, running) = start(&office);
    sleep(A_TIMEOUT / 2).await;
    assert_eq!((office.begun("slow"), office.begun("well")), (A_LANE, 200));
    sleep(A_TIMEOUT).await;
    // Little more is claimed of it than is attempted.
    let given_back = office.with(|state| state.given_back);
    for _ in 0..3 {
        let before = office.begun("slow");
        sleep(A_TIMEOUT + LOOK).await;
        let begun = office.begun("slow") - before;
        assert!((8..=16).contains(&begun), "{begun}");
        office.post("well", 100..300);
    }
    assert_eq!(office.with(|state| state.given_back), given_back);
    office.with(|state| state.has_recovered = true);
    sleep(A_TIMEOUT + LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 1_800);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn a_backlog_of_others_does_not_keep_a_lane_that_hung_from_being_asked() {
    let mut round = Round::new(Arc::new(Office::new()));
    let hung = Queue {
        hung: Some(Instant::now()),
        ..Queue::default()
    };
    round.lanes.insert(Lane::restore("slow"), hung);
    round.probe = true;
    round.courier.post("slow", 100..200);
    for (taken, more) in [(8, true), (0, false)] {
        round.claim_more();
        let claimed = round
            .claiming
            .join_next()
            .await
            .expect("a claim")
            .expect("no panic");
        let (said, dispatches) = claimed.expect("in reach");
        // The small claim says nothing of what else is due, so the other follows, which passes that lane over.
        assert_eq!((dispatches.len(), said, round.more), (taken, false, more));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_hung_is_forgotten_when_nothing_comes_for_it() {
    let mut round = Round::new(Arc::new(Office::new()));
    let hung = |ago| Queue {
        hung: Some(Instant::now() - ago),
        ..Queue::default()
    };
    round.lanes.insert(Lane::restore("late"), hung(REMEMBERED));
    round.lanes.insert(Lane::restore("now"), hung(LOOK));
    round.forget();
    assert_eq!(
        round.lanes.into_keys().collect::<Vec<_>>(),
        [Lane::restore("now")]
    );
}

#[tokio::test(start_paused = true)]
async fn several_lanes_that_hang_keep_nobody_else_waiting() {
    let office = Office::new();
    for lane in ["hung", "hung-2", "hung-3", "hung-4", "hung-5", "hung-6"] {
        office.post(lane, 100..1_100);
    }
    office.post("well", 100..300);
    let (_bell, running) = start(&office);
    sleep(LOOK / 2).await;
    assert_eq!(office.begun("well"), 200);
    office.0.hung.add_permits(10_000);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_known_at_the_end_is_written_down_though_others_hang() {
    let office = Office::new();
    office.post("hung", 100..110);
    office.post("well", 100..150);
    let (_bell, running) = start(&office);
    sleep(A_MOMENT).await;
    office.0.hung.add_permits(4);
    running.stop(LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 54);
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_written_down_takes_no_other_with_it() {
    let office = Office::new();
    office.post("hung", 100..150);
    office.post("cursed", 100..101);
    office.post("well", 100..150);
    let (_bell, running) = start(&office);
    office.0.hung.add_permits(50);
    sleep(4 * LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 100);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn deliveries_end_before_everybody_else() {
    let office = Office::new();
    office.post("hung", 100..120);
    let (bell, running) = start(&office);
    sleep(A_MOMENT).await;
    running.end_of_dispatch().begin();
    office.post("well", 100..120);
    bell.wake();
    office.0.hung.add_permits(20);
    sleep(10 * LOOK).await;
    assert_eq!(
        (office.begun("well"), office.with(|state| state.settled.len())),
        (0, 20)
    );
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn ends_are_settled_together_and_no_more_at_once_than_a_batch() {
    let office = Office::new();
    office.post("a", 100..700);
    office.post("b", 100..700);
    let (_bell, running) = start(&office);
    sleep(4 * LOOK).await;
    let batches = office.with(|state| state.batches.clone());
    assert_eq!(batches.iter().sum::<usize>(), 1_200);
    assert!(
        batches.iter().all(|batch| *batch <= A_BATCH) && batches.len() < 300,
        "{batches:?}"
    );
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_while_the_store_was_away_is_written_down_when_it_is_back() {
    let office = Office::new();
    office.post("hung", 100..110);
    let (_bell, running) = start(&office);
    sleep(A_MOMENT).await;
    office.with(|state| state.out_of_reach = true);
    office.0.hung.add_permits(10);
    sleep(20 * LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 0);
    office.with(|state| state.out_of_reach = false);
    sleep(2 * LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 10);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_panics_gives_its_place_back() {
    let office = Office::new();
    office.post("a", 13..14);
    office.post("a", 100..300);
    let (_bell, running) = start(&office);
    sleep(10 * LOOK).await;
    assert_eq!(office.with(|state| state.settled.len()), 200);
    running.stop(LOOK).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_gives_back_what_was_not_begun_and_waits_for_what_was() {
    let office = Office::new();
    office.post("hung", 100..220);
    let (_bell, running) = start(&office);
    sleep(A_MOMENT).await;
    assert_eq!(office.begun("hung"), A_LANE);
    office.0.hung.add_permits(1_000);
    let began = Instant::now();
    let stopped = office.clone();
    running.stop(Duration::from_secs(5)).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    stopped.with(|state| {
        let known = state.settled.len() + state.due.len();
        assert_eq!(known, 120, "nothing is left to its lease");
        assert!(state.given_back > 0);
    });
}
