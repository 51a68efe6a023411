//! Whom a message found nothing to ring of.

use std::sync::Arc;

use doorbell_domain::message::{Audience, Message};
use doorbell_domain::store::{Store, TrailEntry};
use doorbell_domain::sweeps::Sweep;
use doorbell_domain::{Clock, DeviceUid, MessageId, UserId};
use time::Duration;

use super::deletions;
use crate::Scene;
use crate::build::phone;

/// The messages that did not reach that user, newest first, those before one.
async fn unreached(scene: &Scene, user: UserId, before: Option<MessageId>) -> Vec<MessageId> {
    let before = before.map(MessageId::uuid);
    let trail = scene.read(move |reads| reads.user_trail(user, before, 10)).await;
    let messages = trail.into_iter().filter_map(|entry| match entry {
        TrailEntry::Unreached(message) => Some(message),
        TrailEntry::Happened(_) | TrailEntry::Job(_) => None,
    });
    messages.collect()
}

/// Accepts a message that rings nothing, as though it had rung `reached`.
async fn unheard(scene: &Scene, audience: Audience, reached: Vec<UserId>) -> Message {
    let message = scene.message();
    let id = message.id;
    scene.accept(message.clone(), Vec::new()).await;
    scene
        .write(move |unit| unit.note_unreached(id, &audience, &reached))
        .await;
    scene.tick();
    message
}

/// By whatever name it was meant for them, and not on that of whoever was rung, or is not there.
pub async fn a_message_that_finds_nothing_to_ring_is_on_its_users_trail(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (by_id, by_phone, by_device) = (
        scene.person(1).await,
        scene.person(2).await,
        scene.person(3).await,
    );
    let (rung, gone) = (scene.person(4).await, scene.person(5).await);
    let device = scene.telephone(by_device, "phone").await;
    let (due, line) = (deletions::ask(&scene, gone).await, scene.id());
    scene
        .write(move |unit| deletions::finalize(unit, gone.user, due, line))
        .await;
    let nobody = UserId::from_uuid(scene.id());
    let no_device = DeviceUid::from_uuid(scene.id());
    let audience = Audience::new(
        vec![by_id.user, rung.user, gone.user, nobody],
        vec![device, no_device],
        vec![phone(2), phone(99)],
    )
    .expect("somebody");
    let first = unheard(&scene, audience, vec![rung.user]).await.id;
    for user in [by_id.user, by_phone.user, by_device.user] {
        assert_eq!(unreached(&scene, user, None).await, [first]);
    }
    for user in [rung.user, gone.user, nobody] {
        assert_eq!(unreached(&scene, user, None).await, []);
    }
    // Whoever is named twice is told of once.
    let twice = Audience::new(vec![by_phone.user], vec![], vec![phone(2)]).expect("one");
    let second = unheard(&scene, twice, Vec::new()).await.id;
    assert_eq!(unreached(&scene, by_phone.user, None).await, [second, first]);
    assert_eq!(unreached(&scene, by_phone.user, Some(second)).await, [first]);
    assert_eq!(unreached(&scene, by_phone.user, Some(first)).await, []);
}

/// As long as what became of jobs.
pub async fn what_is_noted_of_the_unreached_goes_from_its_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let user = scene.person(1).await.user;
    let first = unheard(&scene, Audience::of(user), Vec::new()).await;
    unheard(&scene, Audience::of(user), Vec::new()).await;
    let last = unheard(&scene, Audience::of(user), Vec::new()).await;
    let swept = |until, limit| scene.write(move |unit| unit.sweep_unreached(until, limit));
    let sweep = |removed, full| Sweep { removed, full };
    let edge = first.created_at;
    assert_eq!(swept(edge - Duration::milliseconds(1), 10).await, sweep(0, false));
    assert_eq!(swept(edge, 10).await, sweep(1, false));
    let late = scene.clock.now();
    assert_eq!(swept(late, 1).await, sweep(1, true), "oldest first");
    assert_eq!(unreached(&scene, user, None).await, [last.id]);
    assert_eq!(swept(late, 10).await, sweep(1, false));
}

/// What was said to them alone goes along, though they never heard it.
pub async fn an_erased_account_leaves_no_message_that_did_not_reach_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (leaving, other) = (scene.person(1).await.user, scene.person(2).await);
    let both = Audience::new(vec![leaving, other.user], vec![], vec![]).expect("two");
    let alone = unheard(&scene, Audience::of(leaving), Vec::new()).await.id;
    let together = unheard(&scene, both.clone(), Vec::new()).await.id;
    scene.telephone(other, "phone").await;
    let targets = scene.reachable(both.clone()).await;
    let heard = scene.accept(scene.message(), targets).await.message.id;
    scene
        .write(move |unit| unit.note_unreached(heard, &both, &[other.user]))
        .await;
    let now = scene.tick();
    scene
        .write(move |unit| {
            unit.claim_user(leaving)?;
            unit.erase_user(leaving, None, now)
        })
        .await;
    assert_eq!(unreached(&scene, leaving, None).await, []);
    assert_eq!(unreached(&scene, other.user, None).await, [together]);
    let told = scene
        .read(move |reads| reads.message_report(alone, None, 1))
        .await;
    assert_eq!(told, None);
    assert_eq!(scene.report(heard).await.jobs.len(), 1);
}
