//! That nobody's request looks at what is everybody's.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use doorbell_domain::job::{FinalState, Finished, Postponed, Reason};
use doorbell_domain::{Clock, Platform};
use doorbell_testkit::Scene;
use doorbell_testkit::build::{alert, web_push};
use doorbell_testkit::everything::everything;
use time::Duration;

use crate::database::{Database, open};

/// How many people there are whom no request is about.
const OTHERS: u32 = 400;

/// How many entries of an index, or rows of a table by no index, have been read.
#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

fn ask(connection: &mut PgConnection, sql: &str) -> Vec<Counted> {
    sql_query(sql).load(connection).expect("an answer")
}

/// What has been read in the database so far, by indexes and tables. A connection tells of its reads when it ends at the latest, so
/// this waits until nobody else is connected.
fn read_so_far(database: &Database) -> BTreeMap<String, i64> {
    let mut connection = open(database.url());
    let others = "SELECT '' AS place, count(*) AS entries FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let alone = (0..50_000).any(|_| {
        let others = ask(&mut connection, others);
        others.first().is_some_and(|others| others.entries == 0)
    });
    assert!(alone, "somebody stays connected");
    let read = ask(
        &mut connection,
        "SELECT indexrelname::text AS place, idx_tup_read AS entries FROM pg_stat_user_indexes
        UNION ALL SELECT relname::text, seq_tup_read FROM pg_stat_user_tables",
    );
    read.into_iter()
        .map(|Counted { place, entries }| (place, entries))
        .collect()
}

/// Makes PostgreSQL believe that nothing is on its way, as it does of a table that was empty when it was last analysed and has pages from
/// before: these are, between any two messages.
fn last_seen_empty(database: &Database) {
    let mut connection = open(database.url());
    for sql in [
        "ANALYZE",
        "UPDATE pg_class SET reltuples = 0
        WHERE relpages > 0 AND relname IN ('push_jobs', 'code_outbox', 'event_outbox')",
        "DELETE FROM pg_statistic USING pg_class WHERE pg_class.oid = starelid AND reltuples = 0",
    ] {
        sql_query(sql).execute(&mut connection).expect(sql);
    }
}

/// PostgreSQL has never looked at the tables when it makes its plans, as where an application has just been released: whatever it then
/// takes for cheap, no plan may read all of a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_reads_what_grows_with_the_number_of_people() {
    asked_of_many(|_| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_reads_what_grows_though_the_tables_were_last_seen_empty() {
    asked_of_many(last_seen_empty).await;
}

async fn asked_of_many(then: impl FnOnce(&Database)) {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let (mut people, mut drafts) = (Vec::new(), Vec::new());
    for n in 0..OTHERS {
        let person = scene.person(1_000 + n).await;
        people.push(person);
        drafts.push(scene.draft(person).with(alert(&format!("token {n}"))));
        let browser = scene.draft(person).on_holder(Platform::Web);
        drafts.push(browser.with(web_push(&format!("box {n}"))));
    }
    assert!(scene.register_all(drafts).await.iter().all(Result::is_ok));
    // Of their messages half is over, and half on its way.
    for person in people {
        scene.send(person.user).await;
    }
    let now = scene.tick();
    let claimed = scene.claim(now, 2 * OTHERS).await;
    let over = claimed.iter().step_by(2);
    let over = over.map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None));
    assert_eq!(scene.finish(over.collect(), now).await.jobs.len(), 400);
    // Of rows that were written anew, an index has the old place until somebody has looked there once.
    assert_eq!(scene.claim(now, 1).await, []);
    then(&database);
    let read = read_by(&database, scene, async |scene| everything(&scene).await).await;
    assert_eq!(read, BTreeMap::new(), "so many entries were read");
}

/// However much waits for a slow push service, those who deliver for others need not look at it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_claim_reads_what_waits_in_a_slow_lane() {
    claimed_beside_a_slow_lane(|_| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_claim_reads_what_waits_in_a_slow_lane_though_the_tables_were_last_seen_empty() {
    claimed_beside_a_slow_lane(last_seen_empty).await;
}

async fn claimed_beside_a_slow_lane(then: impl FnOnce(&Database)) {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let person = scene.person(1).await;
    scene.browser(person, "browser").await;
    let mut slow = Vec::new();
    for _ in 0..OTHERS {
        let sent = scene.send(person.user).await;
        slow.extend(sent.jobs.into_iter().map(|job| job.lane));
    }
    slow.truncate(1);
    scene.telephone(person, "telephone").await;
    scene.send(person.user).await;
    let now = scene.clock.now();
    then(&database);
    let read = read_by(&database, scene, async |scene| {
        assert_eq!(scene.claim_beside(now, 10, slow.clone()).await.len(), 1);
        let lane = slow.first().expect("a lane").clone();
        scene
            .write(move |unit| unit.rest_lane(&lane, now + Duration::seconds(1)))
            .await;
        assert_eq!(scene.claim(now, 10).await, []);
    })
    .await;
    assert_eq!(read, BTreeMap::new(), "so many entries were read");
}

/// The table of jobs is empty between any two messages, and statistics may be of such a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_jobs_is_written_down_by_their_ids_though_the_table_was_last_seen_empty() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let person = scene.person(1).await;
    scene.telephone(person, "telephone").await;
    for _ in 0..OTHERS {
        scene.send(person.user).await;
    }
    let now = scene.tick();
    let claimed = scene.claim(now, 12).await;
    last_seen_empty(&database);
    let read = read_by(&database, scene, async |scene| {
        let (over, rest) = claimed.split_at(4);
        let (later, back) = rest.split_at(4);
        let over = over
            .iter()
            .map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None));
        assert_eq!(scene.finish(over.collect(), now).await.messages.len(), 4);
        let later: Vec<_> = later
            .iter()
            .map(|claimed| Postponed {
                id: claimed.job.id,
                fence: claimed.schedule.fence,
                due_at: now,
                reason: Reason::TooSlow,
            })
            .collect();
        let postponed = scene.write(move |unit| unit.postpone_jobs(&later, now)).await;
        assert_eq!(postponed.len(), 4);
        let back: Vec<_> = back
            .iter()
            .map(|claimed| (claimed.job.id, claimed.schedule.fence))
            .collect();
        scene.write(move |unit| unit.return_jobs(&back, now)).await;
    })
    .await;
    assert_eq!(read, BTreeMap::new(), "so many entries were read");
}

/// Does `work` through a store that is opened for it; gives where it read much.
async fn read_by(database: &Database, scene: Scene, work: impl AsyncFnOnce(Scene)) -> BTreeMap<String, i64> {
    let Scene {
        store,
        clock,
        entropy,
    } = scene;
    drop(store);
    let before = read_so_far(database);
    work(Scene {
        store: Arc::new(database.store(1)),
        clock,
        entropy,
    })
    .await;
    let mut read = read_so_far(database);
    for (place, entries) in &mut read {
        *entries -= before.get(place).copied().unwrap_or(0);
    }
    let much = i64::from(OTHERS) / 2;
    read.retain(|_, entries| *entries >= much);
    read
}
