//! That nobody's request looks at what is everybody's.

use std::sync::Arc;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use doorbell_domain::Platform;
use doorbell_testkit::Scene;
use doorbell_testkit::build::{alert, web_push};
use doorbell_testkit::everything::everything;

use crate::database::{Database, open};

/// How many people there are whom no request is about.
const OTHERS: u32 = 400;

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

/// How many entries of indexes, and rows of tables without one, have been read in the database so far. A connection tells of its reads
/// when it ends at the latest, so this waits until nobody else is connected.
fn read_so_far(database: &Database) -> i64 {
    let mut connection = open(database.url());
    let mut ask = |sql: &str| {
        let counted: Counted = sql_query(sql).get_result(&mut connection).expect("an answer");
        counted.entries
    };
    let others = "SELECT count(*) AS entries FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let alone = (0..50_000).any(|_| ask(others) == 0);
    assert!(alone, "somebody stays connected");
    ask(
        "SELECT (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)::bigint
        + (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)::bigint AS entries",
    )
}

/// PostgreSQL has seen the tables empty when it makes its plans, as it has where an application has just been released: whatever it then
/// takes for cheap, no plan may read all of a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_reads_what_grows_with_the_number_of_people() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let mut drafts = Vec::new();
    for n in 0..OTHERS {
        let person = scene.person(1_000 + n).await;
        drafts.push(scene.draft(person).with(alert(&format!("token {n}"))));
        let browser = scene.draft(person).on_holder(Platform::Web);
        drafts.push(browser.with(web_push(&format!("box {n}"))));
    }
    assert!(scene.register_all(drafts).await.iter().all(Result::is_ok));
    let Scene {
        store,
        clock,
        entropy,
    } = scene;
    drop(store);
    let before = read_so_far(&database);
    let scene = Scene {
        store: Arc::new(database.store(1)),
        clock,
        entropy,
    };
    everything(&scene).await;
    drop(scene.store);
    let read = read_so_far(&database) - before;
    assert!(read < i64::from(OTHERS), "{read} entries were read");
}
