//! The schema and its migrations.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Barrier};
use std::thread;

use doorbell_domain::Platform;
use doorbell_domain::store::{Store, StoreError};
use doorbell_storage_postgres::{Options, PostgresStore, migrate};
use doorbell_testkit::build::{alert, web_push};
use doorbell_testkit::{FakeSealer, Scene};

use crate::database::{Database, execute, migrations};

/// The versions of all migrations, in order.
fn versions() -> Vec<String> {
    let version = |folder: &PathBuf| {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let (version, _) = name.split_once('_').expect("a version before the name");
        version.to_owned()
    };
    migrations().iter().map(version).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_on_an_empty_database_all_come_up() {
    let database = Database::empty();
    let together = Barrier::new(6);
    let connect = || {
        together.wait();
        let options = Options {
            migrate: true,
            connections: 1,
            combine: 1,
            announce: false,
        };
        PostgresStore::connect(database.url(), Arc::new(FakeSealer), options)
    };
    let stores: Vec<_> = thread::scope(|scope| {
        let servers: Vec<_> = (0..6).map(|_| scope.spawn(connect)).collect();
        let servers = servers.into_iter();
        servers.map(|server| server.join().expect("no panic")).collect()
    });
    for store in stores {
        assert_eq!(store.expect("it came up").ready().await, Ok(()));
    }
    assert_eq!(migrate(database.url()), Ok(Vec::new()), "nothing is left to do");
}

#[tokio::test]
async fn a_server_that_may_not_migrate_is_not_ready_before_somebody_does() {
    let database = Database::empty();
    let store = database.store(1);
    assert!(matches!(store.ready().await, Err(StoreError::Failed(_))));
    execute(
        database.url(),
        "CREATE TABLE __diesel_schema_migrations (version text PRIMARY KEY, run_on timestamp DEFAULT now())",
    );
    let lacking = store.ready().await.expect_err("no migration has run");
    assert!(lacking.to_string().contains("0001_registry"), "{lacking}");
    assert_eq!(migrate(database.url()).expect("migrated"), versions());
    assert_eq!(store.ready().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_takes_everything_along() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(2)));
    let anne = scene.person(1).await;
    scene.register(scene.draft(anne).with(alert("token"))).await;
    let mailbox = scene
        .draft(anne)
        .on_holder(Platform::Web)
        .with(web_push("mailbox"));
    scene.register(mailbox).await;
    execute(
        database.url(),
        "DELETE FROM users;
         DO $$ BEGIN
             ASSERT NOT EXISTS (SELECT FROM sessions), 'sessions';
             ASSERT NOT EXISTS (SELECT FROM devices), 'devices';
             ASSERT NOT EXISTS (SELECT FROM push_tokens), 'tokens';
             ASSERT NOT EXISTS (SELECT FROM subscriptions), 'subscriptions';
         END $$",
    );
    // Whose address it was is forgotten with its next owner.
    let ben = scene.person(2).await;
    scene.register(scene.draft(ben).with(alert("token"))).await;
    assert_eq!(scene.shown(ben).await, [Some("token".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_can_be_taken_down_and_put_up_again() {
    let database = Database::migrated();
    for migration in migrations().iter().rev() {
        let down = fs::read_to_string(migration.join("down.sql")).expect("a way down");
        execute(database.url(), &down);
    }
    execute(database.url(), "DELETE FROM __diesel_schema_migrations");
    assert_eq!(migrate(database.url()).expect("migrated"), versions());
    let scene = Scene::new(Arc::new(database.store(1)));
    scene.person(1).await;
}
