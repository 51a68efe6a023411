//! The file that the registry lies in.

#![expect(clippy::expect_used, reason = "a test that cannot have its file fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use doorbell_domain::Platform;
use doorbell_domain::store::{self, Store, StoreError};
use doorbell_storage_sqlite::{Options, SqliteStore, Synchronous, back_up, migrate};
use doorbell_testkit::build::{alert, live_activity, web_push};
use doorbell_testkit::{FakeSealer, Scene};

fn open(path: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, Arc::new(FakeSealer)).expect("a store"))
}

fn intruder(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("a connection")
}

fn number(connection: &mut SqliteConnection, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let row: Row = diesel::sql_query(sql).get_result(connection).expect("a number");
    row.n
}

#[tokio::test]
async fn a_file_that_another_locks_is_unavailable_for_writes_and_works_again_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let scene = Scene::new(open(&path));
    let caller = scene.person(1).await;
    let mut other = intruder(&path);
    other.batch_execute("BEGIN EXCLUSIVE").expect("a lock");

    let begun = Instant::now();
    let refused = scene.try_register(scene.draft(caller)).await;
    assert!(
        matches!(
            refused,
            Err(store::RegisterError::Store(StoreError::Unavailable(_)))
        ),
        "{refused:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(matches!(
        scene.store.ready().await,
        Err(StoreError::Unavailable(_))
    ));
    // Readers wait for nobody.
    assert_eq!(scene.user(caller).await.id, caller.user);

    other.batch_execute("ROLLBACK").expect("unlocked");
    scene.register(scene.draft(caller)).await;
    assert_eq!(scene.store.ready().await, Ok(()));
}

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    // The folder is made, too.
    let path = folder.path().join("deep").join("er").join("doorbell.db");
    let scene = Scene::new(open(&path));
    let caller = scene.person(1).await;
    let view = scene
        .register(scene.draft(caller).with(alert("token")))
        .await
        .view;
    drop(scene);
    let scene = Scene::new(open(&path));
    assert_eq!(scene.device(caller, "phone").await, Some(view));
}

#[tokio::test]
async fn no_secret_lies_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(open(&folder.path().join("doorbell.db")));
    let caller = scene.person(1).await;
    scene
        .register(scene.draft(caller).with(alert("secret-token")))
        .await;
    scene
        .register(
            scene
                .draft(caller)
                .on_holder(Platform::Web)
                .with(web_push("secret-box")),
        )
        .await;
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(7).any(|window| window == b"secret-"));
        files += usize::from(!bytes.is_empty());
    }
    assert!(files >= 2, "the database and its log");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::new(open(&folder.path().join("doorbell.db")));
    scene.person(1).await;
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let mode = entry
            .expect("an entry")
            .metadata()
            .expect("metadata")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_copy_is_whole_and_written_over_by_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("doorbell.db"), folder.path().join("copy.db"));
    let scene = Scene::new(open(&path));
    let caller = scene.person(1).await;
    let view = scene
        .register(scene.draft(caller).with(alert("token")))
        .await
        .view;
    let size = back_up(&path, &copy).expect("a copy");
    assert_eq!(fs::metadata(&copy).expect("the copy").len(), size);
    assert!(back_up(&path, &copy).is_err());
    assert_eq!(fs::metadata(&copy).expect("the copy").len(), size);
    // What comes after is not in it.
    scene
        .register(scene.draft(caller).on("other", Platform::Ios))
        .await;
    let restored = Scene::new(open(&copy));
    assert_eq!(restored.device(caller, "phone").await, Some(view));
    assert_eq!(restored.device(caller, "other").await, None);

    let (none, of_none) = (folder.path().join("none.db"), folder.path().join("of-none.db"));
    assert!(back_up(&none, &of_none).is_err());
    assert!(!none.exists() && !of_none.exists(), "nothing is made of nothing");
}

#[tokio::test]
async fn no_address_outlives_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let scene = Scene::new(open(&path));
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    for value in ["a", "b", "c"] {
        for caller in [one, other] {
            scene.register(scene.draft(caller).with(alert(value))).await;
        }
        scene
            .register(scene.draft(one).with(live_activity("ride", "s", value)))
            .await;
        scene
            .register(scene.draft(other).on_holder(Platform::Web).with(web_push(value)))
            .await;
        scene
            .register(scene.draft(one).on_holder(Platform::Web).with(web_push(value)))
            .await;
        assert!(
            scene
                .try_register(scene.draft(one).on_known("none").with(alert("d")))
                .await
                .is_err()
        );
    }
    scene.remove_tokens(one.user, "c").await;
    let mut connection = intruder(&path);
    let unused = "SELECT count(*) AS n FROM push_addresses AS a \
        WHERE NOT EXISTS (SELECT 1 FROM push_tokens AS t WHERE t.provider = a.provider AND t.value_hash = a.value_hash) \
        AND NOT EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.provider = a.provider AND s.endpoint_hash = a.value_hash)";
    assert_eq!(number(&mut connection, unused), 0);
    assert!(number(&mut connection, "SELECT count(*) AS n FROM push_addresses") > 0);
}

#[tokio::test]
async fn a_row_that_no_row_can_be_names_its_table_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let scene = Scene::new(open(&path));
    let caller = scene.person(1).await;
    scene.register(scene.draft(caller).with(alert("token"))).await;
    let mut other = intruder(&path);
    for (damage, table, detail) in [
        (
            "UPDATE devices SET mobile = 'x'",
            "devices",
            "Error deserializing field 'mobile'",
        ),
        (
            "UPDATE devices SET mobile = '{}', platform = 'watch'",
            "devices",
            "platform",
        ),
        (
            "UPDATE devices SET platform = 'ios'; UPDATE push_tokens SET sealed = x'00'",
            "push_tokens",
            "sealed: sealed for another place",
        ),
        ("UPDATE sessions SET counter = -1", "sessions", "counter"),
    ] {
        other.batch_execute(damage).expect("damaged");
        let page = store::Page { offset: 0, limit: 1 };
        let found = store::read(&*scene.store, move |reads| reads.devices(caller, page)).await;
        let inconsistent = StoreError::Inconsistent {
            table,
            detail: detail.to_owned(),
        };
        assert_eq!(found, Err(inconsistent), "{damage}");
    }
}

#[tokio::test]
async fn one_damaged_row_of_a_batch_refuses_its_own_registration_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let scene = Scene::new(open(&path));
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(scene.person(n).await);
    }
    let damaged = people.get(2).expect("five").user.uuid();
    let hex = damaged.simple().to_string();
    intruder(&path)
        .batch_execute(&format!(
            "UPDATE sessions SET counter = -1 WHERE user_id = x'{hex}'"
        ))
        .expect("damaged");
    let drafts: Vec<_> = people.iter().map(|caller| scene.draft(*caller)).collect();
    let answers = scene.register_all(drafts).await;
    let made: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(made, [true, true, false, true, true]);
    for (caller, answer) in people.iter().zip(answers).filter(|(_, answer)| answer.is_ok()) {
        let registered = answer.expect("admitted");
        assert_eq!(registered.view.device.user, caller.user);
    }
}

#[tokio::test]
async fn a_schema_that_lags_is_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let options = Options {
        migrate: false,
        synchronous: Synchronous::Normal,
        ..Options::default()
    };
    let store = SqliteStore::open_with(&path, Arc::new(FakeSealer), options).expect("a store");
    assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
    assert!(!migrate(&path).expect("migrated").is_empty());
    assert_eq!(store.ready().await, Ok(()));
}

#[test]
fn of_servers_that_migrate_at_once_one_does_and_again_is_harmless() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let servers: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            thread::spawn(move || migrate(&path).expect("migrated"))
        })
        .collect();
    let taken: Vec<_> = servers
        .into_iter()
        .flat_map(|server| server.join().expect("no panic"))
        .collect();
    let each: BTreeSet<_> = taken.iter().collect();
    assert_eq!((each.len(), taken.is_empty()), (taken.len(), false));
    assert_eq!(migrate(&path), Ok(Vec::new()));
}

#[test]
fn a_server_that_starts_waits_longer_for_anothers_migration_than_a_write_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let mut other = intruder(&path);
    other
        .batch_execute("BEGIN EXCLUSIVE")
        .expect("the other server migrates");
    let (migrated, outcome) = mpsc::channel();
    let starting = thread::spawn(move || migrated.send(migrate(&path)));
    // A write gives up after two seconds.
    assert!(outcome.recv_timeout(Duration::from_millis(2_300)).is_err());
    other.batch_execute("COMMIT").expect("the other server is done");
    let taken = outcome.recv().expect("an outcome").expect("migrated");
    assert!(!taken.is_empty());
    starting.join().expect("no panic").expect("sent");
}

#[test]
fn a_server_that_starts_waits_for_whoever_reads_a_file_that_is_not_written_ahead_yet() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let mut other = intruder(&path);
    other
        .batch_execute("CREATE TABLE theirs (id INTEGER); BEGIN; SELECT * FROM theirs")
        .expect("the other program reads");
    let (migrated, outcome) = mpsc::channel();
    let starting = thread::spawn(move || migrated.send(migrate(&path)));
    assert!(outcome.recv_timeout(Duration::from_millis(200)).is_err());
    other.batch_execute("COMMIT").expect("the other program is done");
    let taken = outcome.recv().expect("an outcome").expect("migrated");
    assert!(!taken.is_empty());
    starting.join().expect("no panic").expect("sent");
}

#[test]
fn a_path_that_cannot_be_opened_is_unavailable() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = SqliteStore::open(folder.path(), Arc::new(FakeSealer));
    assert!(matches!(opened.map(drop), Err(StoreError::Unavailable(_))));
    let file = folder.path().join("file");
    fs::write(&file, "text").expect("a file");
    let below = SqliteStore::open(&file.join("doorbell.db"), Arc::new(FakeSealer));
    assert!(matches!(below.map(drop), Err(StoreError::Unavailable(_))));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = format!("{}/../../migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        fs::read_dir(folder)
            .expect("a folder of migrations")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect()
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}
