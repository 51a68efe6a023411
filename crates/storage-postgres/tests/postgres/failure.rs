//! A database that fails, and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use doorbell_domain::store::{Conflict, RegisterError, StoreError};
use doorbell_domain::{Clock, UserId};
use doorbell_storage_postgres::{Options, PostgresStore};
use doorbell_testkit::build::{alert, full_user, phone};
use doorbell_testkit::{FakeSealer, Scene};
use tokio::task::JoinSet;

use crate::database::{Database, execute, open};

const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// Uses every connection of the pool at once.
async fn fill(scene: &Scene, connections: u32) {
    let user = scene.person(99).await;
    let together = Arc::new(std::sync::Barrier::new(
        usize::try_from(connections).expect("few"),
    ));
    let mut readers = JoinSet::new();
    for _ in 0..connections {
        let (scene, together) = (scene.clone(), Arc::clone(&together));
        readers.spawn(async move {
            scene
                .read(move |reads| {
                    let session = reads.session(user)?;
                    together.wait();
                    Ok(session)
                })
                .await
        });
    }
    assert!(readers.join_all().await.iter().all(Option::is_some));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_the_database_ended_all_connections_the_next_request_works() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(4)));
    let anne = scene.person(1).await;
    scene.register(scene.draft(anne).with(alert("token"))).await;

    fill(&scene, 4).await;
    execute(database.url(), END_ALL);
    let session = scene.read(move |reads| reads.session(anne)).await;
    assert!(session.is_some(), "a read");

    fill(&scene, 4).await;
    execute(database.url(), END_ALL);
    scene.register(scene.draft(anne).with(alert("other"))).await;
    assert_eq!(
        scene.shown(anne).await,
        [Some("other".to_owned())],
        "a registration"
    );

    fill(&scene, 4).await;
    execute(database.url(), END_ALL);
    let user = scene.write(move |unit| unit.lock_user(anne.user)).await;
    assert!(user.is_some(), "a transaction");
    assert_eq!(scene.store.ready().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_whose_connection_is_lost_writes_nothing() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let anne = scene.person(1).await;
    let (at, url) = (scene.tick(), database.url().to_owned());
    let lost = scene
        .try_write(move |unit| {
            let ended = unit.end_session(anne.session, at, doorbell_domain::session::EndReason::Logout)?;
            assert!(ended);
            execute(&url, END_ALL);
            // Whoever passes over the error has still lost the transaction.
            drop(unit.lock_session(anne.session));
            Ok(())
        })
        .await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert_eq!(scene.session(anne).await.ended, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_that_is_never_given_ends_in_unavailable_within_five_seconds() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(2)));
    let anne = scene.person(1).await;
    let mut holder = open(database.url());
    holder
        .batch_execute("BEGIN; SELECT FROM users FOR UPDATE")
        .expect("held");
    let began = Instant::now();
    let answer = scene.try_register(scene.draft(anne).with(alert("token"))).await;
    assert!(
        matches!(answer, Err(RegisterError::Store(StoreError::Unavailable(_)))),
        "{answer:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(holder);
    scene.register(scene.draft(anne).with(alert("token"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_without_a_free_connection_is_unavailable() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let anne = scene.person(1).await;
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let busy = scene.clone();
    let busy = tokio::spawn(async move {
        busy.read(move |reads| {
            let session = reads.session(anne)?;
            let _ = begun.send(());
            let _ = wait.recv();
            Ok(session)
        })
        .await
    });
    has_begun.await.expect("begun");
    let refused = scene.try_write(move |unit| unit.lock_user(anne.user)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    drop(release);
    assert!(busy.await.expect("no panic").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_does_not_open_fails_alone_and_says_where() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(2)));
    let mut people = Vec::new();
    for n in 0..5 {
        let person = scene.person(n).await;
        scene
            .register(scene.draft(person).with(alert(&format!("token-{n}"))))
            .await;
        people.push(person);
    }
    let broken = people[3].user;
    execute(
        database.url(),
        &format!("UPDATE push_tokens SET sealed = '\\x00' WHERE user_id = '{broken}'"),
    );
    let batch: Vec<_> = people.iter().map(|person| scene.draft(*person)).collect();
    let answers = scene.register_all(batch).await;
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Err(RegisterError::Store(StoreError::Inconsistent { table, detail })) if n == 3 => {
                assert_eq!(*table, "push_tokens");
                assert!(detail.starts_with("sealed"), "{detail}");
            }
            answer => assert!(answer.is_ok() && n != 3, "{n}: {answer:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_user_name_undoes_its_own_statement_only() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(2)));
    let (anne, ben) = (scene.person(1).await, scene.person(2).await);
    let named = move |user: UserId, n: u32, at| full_user(user, phone(n), "Same.Name", at);
    let at = scene.clock.now();
    scene
        .write(move |unit| unit.save_user(&named(anne.user, 1, at)))
        .await;
    let fingerprint = doorbell_testkit::build::fingerprint("ben");
    scene
        .write(move |unit| {
            let taken = unit.save_user(&named(ben.user, 2, at));
            assert_eq!(taken, Err(StoreError::Conflict(Conflict::Username)));
            unit.pin_fingerprint(ben.session, &fingerprint)
        })
        .await;
    assert!(
        scene.session(ben).await.fingerprint.is_some(),
        "what came after was written"
    );
    assert_eq!(scene.user(ben).await.profile.username, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_read_only_is_unavailable_for_writes() {
    let database = Database::migrated();
    let scene = Scene::new(Arc::new(database.store(1)));
    let anne = scene.person(1).await;
    execute(
        database.url(),
        "DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
         END $$",
    );
    let scene = Scene {
        store: Arc::new(database.store(1)),
        ..scene
    };
    assert!(scene.read(move |reads| reads.session(anne)).await.is_some());
    let refused = scene.try_register(scene.draft(anne)).await;
    assert!(
        matches!(refused, Err(RegisterError::Store(StoreError::Unavailable(_)))),
        "{refused:?}"
    );
}

#[test]
fn a_database_that_is_not_there_is_unavailable() {
    // Port 1 is nobody's.
    let refused = PostgresStore::connect(
        "postgres://postgres@127.0.0.1:1/registry",
        Arc::new(FakeSealer),
        Options::default(),
    );
    assert!(matches!(refused.err(), Some(StoreError::Unavailable(_))));
}
