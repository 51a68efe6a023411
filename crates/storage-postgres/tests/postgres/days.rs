//! Finished jobs are kept by days.

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use doorbell_domain::job::{FinalState, Finished, State};
use doorbell_domain::retention::{PASS, Retention};
use doorbell_domain::sweeps::Sweep;
use doorbell_domain::{Caller, Clock, MessageId, Timestamp};
use doorbell_testkit::Scene;
use time::Duration;
use tokio::task::JoinSet;

use crate::database::{Database, execute, open};

const DAY: Duration = Duration::days(1);

/// The partitions from the day on which a scene begins, which ends after 9 hours.
const DAYS: [&str; 4] = [
    "finished_jobs_20260921",
    "finished_jobs_20260922",
    "finished_jobs_20260923",
    "finished_jobs_20260924",
];

const REST: &str = "finished_jobs_rest";

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

fn names(database: &Database, sql: &str) -> Vec<String> {
    let names: Vec<Named> = sql_query(sql).load(&mut open(database.url())).expect("an answer");
    names.into_iter().map(|named| named.name).collect()
}

/// The tables that there are for finished jobs, in order.
fn days(database: &Database) -> Vec<String> {
    names(
        database,
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'finished_jobs'::regclass ORDER BY 1",
    )
}

/// Where the finished jobs lie, in order of their ends.
fn places(database: &Database) -> Vec<String> {
    names(
        database,
        "SELECT tableoid::regclass::text AS name FROM finished_jobs ORDER BY finished_at",
    )
}

async fn scene(database: &Database) -> (Scene, Caller) {
    let scene = Scene::new(Arc::new(database.store(4)));
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    (scene, caller)
}

/// What a server does every now and then.
async fn sweep(scene: &Scene, now: Timestamp) -> Sweep {
    let over = Retention::STANDARD.over_at(now);
    scene
        .write(move |unit| unit.sweep_finished_jobs(over.jobs, PASS))
        .await
}

/// A message whose one job ended at `now`.
async fn delivered(scene: &Scene, caller: Caller, now: Timestamp) -> MessageId {
    let sent = scene.send(caller.user).await;
    let claimed = scene.claim_one(scene.clock.now()).await;
    let over = Finished::by_attempt(&claimed, FinalState::Delivered, None);
    assert_eq!(scene.finish(vec![over], now).await.messages, [sent.message.id]);
    sent.message.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_made_before_it_comes_and_dropped_when_it_is_over() {
    let database = Database::migrated();
    let (scene, caller) = scene(&database).await;
    let start = scene.clock.now();
    assert_eq!(sweep(&scene, start).await, Sweep::default());
    assert_eq!(days(&database), [DAYS[0], DAYS[1], DAYS[2], REST]);

    let (today, later) = (start + Duration::hours(9), start + DAY);
    let gone = delivered(&scene, caller, start).await;
    delivered(&scene, caller, today).await;
    let kept = delivered(&scene, caller, later).await;
    assert_eq!(places(&database), [DAYS[0], DAYS[0], DAYS[1]]);

    // The last of the first day is a month old: from then on the whole day is.
    let midnight = Timestamp::from_micros(1_790_035_200_000_000);
    let over = midnight + Retention::STANDARD.jobs;
    assert_eq!(sweep(&scene, over - Duration::microseconds(1)).await.removed, 0);
    assert_eq!(scene.states(gone).await, [State::Over(FinalState::Delivered)]);
    let swept = Sweep {
        removed: 2,
        full: false,
    };
    assert_eq!(sweep(&scene, over).await, swept);
    assert_eq!(places(&database), [DAYS[1]]);
    assert_eq!(scene.states(gone).await, []);
    assert_eq!(scene.states(kept).await, [State::Over(FinalState::Delivered)]);
    let there = days(&database);
    assert!(!there.contains(&DAYS[0].to_owned()) && there.contains(&"finished_jobs_20261024".to_owned()));
}

/// As on the day on which the service is installed: nobody has swept yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_has_begun_without_a_place_of_its_own_stays_in_the_rest() {
    let database = Database::migrated();
    let (scene, caller) = scene(&database).await;
    let start = scene.clock.now();
    let first = delivered(&scene, caller, start).await;
    assert_eq!(sweep(&scene, start).await, Sweep::default());
    assert_eq!(days(&database), [DAYS[1], DAYS[2], REST]);
    let moment = Duration::microseconds(1);
    delivered(&scene, caller, start + moment).await;
    delivered(&scene, caller, start + DAY).await;
    assert_eq!(places(&database), [REST, REST, DAYS[1]]);
    // The rest goes row by row.
    let over = start + Retention::STANDARD.jobs;
    assert_eq!(sweep(&scene, over).await.removed, 1);
    assert_eq!(scene.states(first).await, []);
    assert_eq!(sweep(&scene, over + moment).await.removed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_sweep_at_once_make_each_day_once() {
    let database = Database::migrated();
    let (scene, caller) = scene(&database).await;
    let start = scene.clock.now();
    for round in 0..5 {
        let now = start + DAY * round;
        let mut sweeps = JoinSet::new();
        for _ in 0..4 {
            let scene = scene.clone();
            sweeps.spawn(async move { sweep(&scene, now).await });
        }
        delivered(&scene, caller, now).await;
        assert!(sweeps.join_all().await.iter().all(|swept| swept.removed == 0));
    }
    sweep(&scene, start + DAY * 4).await;
    let there = days(&database);
    let once: BTreeSet<&String> = there.iter().collect();
    assert_eq!(once.len(), there.len());
    // All but the first day's, if its job came before it.
    let tables = there.iter().map(String::as_str);
    assert!(
        DAYS[1..]
            .iter()
            .all(|day| tables.clone().any(|there| there == *day))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_waits_for_nobody_who_looks_at_a_day() {
    let database = Database::migrated();
    let (scene, caller) = scene(&database).await;
    let start = scene.clock.now();
    sweep(&scene, start).await;
    delivered(&scene, caller, start).await;
    let mut reader = open(database.url());
    reader
        .batch_execute("BEGIN; SELECT FROM finished_jobs")
        .expect("read");
    let late = start + Duration::days(60);
    assert_eq!(sweep(&scene, late).await, Sweep::default(), "it can wait");
    assert_eq!(places(&database), [DAYS[0]]);
    drop(reader);
    assert_eq!(sweep(&scene, late).await.removed, 1);
    assert_eq!(places(&database), [""; 0]);
}

/// Where another role migrates, as `DOORBELL_MIGRATE=false` is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_may_not_make_tables_sweeps_without_them() {
    let database = Database::migrated();
    let (scene, caller) = scene(&database).await;
    let start = scene.clock.now();
    execute(
        database.url(),
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE insufficient_privilege USING MESSAGE = 'permission denied'; END $$;
         CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()",
    );
    assert_eq!(sweep(&scene, start).await, Sweep::default());
    delivered(&scene, caller, start).await;
    assert_eq!(places(&database), [REST]);
    let over = start + Retention::STANDARD.jobs;
    assert_eq!(sweep(&scene, over).await.removed, 1);
}
