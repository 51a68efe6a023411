//! Two servers on one database.

use std::sync::Arc;

use doorbell_domain::Platform;
use doorbell_testkit::Scene;
use doorbell_testkit::build::{Draft, alert, web_push};
use tokio::task::JoinSet;

use crate::database::Database;

/// One scene, seen by two servers.
fn two_servers(database: &Database) -> (Scene, Scene) {
    let first = Scene::new(Arc::new(database.combining_store()));
    let second = Scene {
        store: Arc::new(database.combining_store()),
        ..first.clone()
    };
    (first, second)
}

async fn register(scene: Scene, draft: Draft) -> Result<(), String> {
    let answer = scene.try_register(draft).await;
    answer.map(drop).map_err(|error| error.to_string())
}

/// As after an application's release: everybody registers at once, on both servers, and some values are shown by many.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wave_through_two_servers_loses_no_write_and_leaves_each_value_one_owner() {
    const DEVICES: usize = 8;
    let database = Database::migrated();
    let (first, second) = two_servers(&database);
    let mut people = Vec::new();
    for n in 1..=24 {
        people.push(first.person(n).await);
    }
    let shared = |device: usize| format!("shared {device}");
    let mut wave = JoinSet::new();
    for device in 0..DEVICES {
        for (n, person) in people.iter().enumerate() {
            let server = if (n + device) % 2 == 0 { &first } else { &second };
            let value = if n % 3 == 0 {
                shared(device)
            } else {
                format!("{n} on {device}")
            };
            let draft = server
                .draft(*person)
                .on(&format!("device {device}"), Platform::Ios)
                .with(alert(&value));
            wave.spawn(register(server.clone(), draft));
        }
    }
    while let Some(answer) = wave.join_next().await {
        assert_eq!(answer.expect("no panic"), Ok(()));
    }
    let mut owners = [0_usize; DEVICES];
    for (n, person) in people.iter().enumerate() {
        let tokens = first.shown(*person).await;
        assert_eq!(tokens.len(), DEVICES, "person {n} has every device");
        for (device, owners) in owners.iter_mut().enumerate() {
            *owners += usize::from(tokens.contains(&Some(shared(device))));
            let own = Some(format!("{n} on {device}"));
            assert_eq!(tokens.contains(&own), n % 3 != 0, "person {n}, device {device}");
        }
    }
    assert_eq!(owners, [1; DEVICES]);
}

/// Tokens that cross over between two people in opposite order: each server holds what the other waits for,
/// unless both lock in one order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opposite_moves_through_two_servers_never_block_each_other() {
    let database = Database::migrated();
    let (first, second) = two_servers(&database);
    let (anne, ben) = (first.person(1).await, first.person(2).await);
    for round in 0..60 {
        let there = first
            .draft(anne)
            .with(alert("x"))
            .with(doorbell_testkit::build::push_to_start("y"));
        let back = first
            .draft(ben)
            .with(doorbell_testkit::build::push_to_start("x"))
            .with(alert("y"));
        let mailbox = first
            .draft(anne)
            .on_holder(Platform::Web)
            .with(web_push("mailbox"));
        let other = first
            .draft(ben)
            .on_holder(Platform::Web)
            .with(web_push("mailbox"));
        let (a, b, c, d) = tokio::join!(
            register(first.clone(), there),
            register(second.clone(), back),
            register(second.clone(), mailbox),
            register(first.clone(), other),
        );
        for answer in [a, b, c, d] {
            assert_eq!(answer, Ok(()), "round {round}");
        }
        let (annes, bens) = (first.shown(anne).await, second.shown(ben).await);
        assert!(
            !annes
                .iter()
                .flatten()
                .any(|token| bens.contains(&Some(token.clone()))),
            "round {round}: one token rings two people"
        );
    }
}

/// While another user takes a device's old value, its owner brings the new one: the owner's row is at once
/// removed and rewritten, and must stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_owners_new_value_outlives_the_theft_of_the_old_one() {
    let database = Database::migrated();
    let (first, second) = two_servers(&database);
    let (owner, thief) = (first.person(1).await, first.person(2).await);
    let value = |n: u32| format!("value-{n}");
    first.register(first.draft(owner).with(alert(&value(0)))).await;
    for round in 0..150 {
        let renewal = first.draft(owner).with(alert(&value(round + 1)));
        let theft = first.draft(thief).with(alert(&value(round)));
        let (renewed, stolen) =
            tokio::join!(register(first.clone(), renewal), register(second.clone(), theft));
        assert_eq!((renewed, stolen), (Ok(()), Ok(())), "round {round}");
        assert_eq!(
            first.shown(owner).await,
            [Some(value(round + 1))],
            "round {round}"
        );
        assert_eq!(first.shown(thief).await, [Some(value(round))], "round {round}");
    }
}

/// The same, while the owner's removal and the thief's claim meet at the address that nobody may have.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removal_and_a_claim_that_meet_leave_the_claim_or_nothing() {
    let database = Database::migrated();
    let (first, second) = two_servers(&database);
    let (owner, thief) = (first.person(1).await, first.person(2).await);
    for round in 0..100 {
        let value = format!("value-{round}");
        first.register(first.draft(owner).with(alert(&value))).await;
        let hash = doorbell_domain::ValueHash::of(&value);
        let theft = first.draft(thief).with(alert(&value));
        let (removed, stolen) = tokio::join!(
            first.try_write(move |unit| unit.remove_tokens(owner.user, hash)),
            register(second.clone(), theft)
        );
        assert!(removed.is_ok(), "round {round}: {removed:?}");
        assert_eq!(stolen, Ok(()), "round {round}");
        assert_eq!(first.shown(owner).await, [None], "round {round}");
        assert_eq!(first.shown(thief).await, [Some(value)], "round {round}");
    }
}
