//! Credentials that are held for dead, and how they come back or go.

use std::sync::Arc;

use doorbell_domain::job::{CredentialId, FinalState, LEASE, Reason, Target, admit};
use doorbell_domain::message::Audience;
use doorbell_domain::store::Store;
use doorbell_domain::suspicion::PROBE_AFTER;
use doorbell_domain::{Caller, Clock, Timestamp, UserId};
use time::Duration;

use crate::Scene;
use crate::build::alert;

const MICRO: Duration = Duration::microseconds(1);

/// The row of the caller's only subscription.
async fn mailbox(scene: &Scene, caller: Caller) -> CredentialId {
    let subscriptions = scene.subscriptions(caller).await;
    assert_eq!(subscriptions.len(), 1);
    CredentialId::WebPush(subscriptions.first().expect("one").id)
}

async fn suspect(scene: &Scene, ids: Vec<CredentialId>, claimed_at: Timestamp) -> Vec<CredentialId> {
    let at = scene.tick();
    scene.write(move |unit| unit.suspect(&ids, claimed_at, at)).await
}

async fn remove(scene: &Scene, user: UserId, id: CredentialId, claimed_at: Timestamp) -> bool {
    scene
        .write(move |unit| unit.remove_dead(user, id, claimed_at))
        .await
}

/// What of the caller can be rung at `now`.
async fn reachable(scene: &Scene, caller: Caller, now: Timestamp) -> Vec<Target> {
    let audience = Audience::of(caller.user);
    scene.write(move |unit| unit.reachable(&audience, now)).await
}

/// Not listed, not rung, and after a day rung once more to find out.
pub async fn a_suspect_is_silent_until_it_may_be_probed(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    scene.browser(caller, "box").await;
    scene.browser(other, "other").await;
    let id = mailbox(&scene, caller).await;
    scene.send(caller.user).await;
    assert_eq!(suspect(&scene, vec![id], scene.clock.now()).await, [id]);
    let since = scene.clock.now();
    assert_eq!(scene.subscriptions(caller).await, []);
    assert_eq!(scene.subscriptions(other).await.len(), 1);

    let claimed = scene.claim_one(since).await;
    let end = Err((FinalState::Superseded, Reason::Suspect));
    assert_eq!(admit(&claimed, since), end);
    let held = claimed.held.expect("it is still there");
    assert_eq!(held.target.suspect_at(), Some(since));

    let probe = since + PROBE_AFTER;
    assert_eq!(reachable(&scene, caller, probe - MICRO).await, []);
    let found = reachable(&scene, caller, probe).await;
    assert_eq!(found.first().and_then(Target::suspect_at), Some(since));
    assert_eq!(reachable(&scene, other, since).await.len(), 1);
}

/// The first proof is the one that counts.
pub async fn a_suspect_stays_one_since_the_first_proof(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.browser(caller, "box").await;
    let id = mailbox(&scene, caller).await;
    assert_eq!(suspect(&scene, vec![id], scene.clock.now()).await, [id]);
    let since = scene.clock.now();
    assert_eq!(suspect(&scene, vec![id], scene.clock.now()).await, []);
    let found = reachable(&scene, caller, since + PROBE_AFTER).await;
    assert_eq!(found.first().and_then(Target::suspect_at), Some(since));
}

/// A browser that subscribes again is believed.
pub async fn registering_ends_a_suspicion(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.browser(caller, "box").await;
    let id = mailbox(&scene, caller).await;
    suspect(&scene, vec![id], scene.clock.now()).await;
    scene.browser(caller, "box").await;
    assert_eq!(mailbox(&scene, caller).await, id, "the same row");
    let found = reachable(&scene, caller, scene.clock.now()).await;
    assert_eq!(found.iter().map(Target::suspect_at).collect::<Vec<_>>(), [None]);
}

/// A proof of what was there before the browser subscribed again proves nothing.
pub async fn what_was_registered_or_rung_since_it_was_claimed_is_no_suspect(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.browser(caller, "box").await;
    let id = mailbox(&scene, caller).await;
    let registered = scene.clock.now();
    assert_eq!(suspect(&scene, vec![id], registered - MICRO).await, []);
    let rung = scene.tick();
    scene.write(move |unit| unit.note_rung(&[id], rung)).await;
    assert_eq!(suspect(&scene, vec![id], rung - MICRO).await, []);
    assert_eq!(scene.subscriptions(caller).await.len(), 1);
    assert_eq!(suspect(&scene, vec![id], rung).await, [id]);
}

/// A set of them, some of which are nobody's, and tokens, which are never suspects.
pub async fn suspects_are_told_by_their_rows(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.browser(caller, "a").await;
    scene.browser(caller, "b").await;
    let found = reachable(&scene, caller, scene.clock.now()).await;
    let mut ids: Vec<_> = found.iter().map(Target::credential).collect();
    assert_eq!(ids.len(), 3);
    let mut browsers: Vec<_> = ids
        .iter()
        .filter(|id| matches!(id, CredentialId::WebPush(_)))
        .copied()
        .collect();
    browsers.sort_unstable();
    ids.reverse();
    ids.push(CredentialId::restore(
        doorbell_domain::Provider::WebPush,
        scene.id(),
    ));
    assert_eq!(suspect(&scene, ids, scene.clock.now()).await, browsers);
    assert_eq!(suspect(&scene, Vec::new(), scene.clock.now()).await, []);
    let left = reachable(&scene, caller, scene.clock.now()).await;
    assert_eq!(left.len(), 1);
}

/// It rang: the browser is in use, its device too, and nobody suspects it.
pub async fn ringing_is_noted_and_ends_a_suspicion(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.browser(caller, "box").await;
    let id = mailbox(&scene, caller).await;
    let found = reachable(&scene, caller, scene.clock.now()).await;
    let all: Vec<_> = found.iter().map(Target::credential).collect();
    suspect(&scene, vec![id], scene.clock.now()).await;
    let rung = scene.tick();
    let noted = all.clone();
    scene.write(move |unit| unit.note_rung(&noted, rung)).await;
    let subscriptions = scene.subscriptions(caller).await;
    let used: Vec<_> = subscriptions
        .iter()
        .map(|subscription| (subscription.last_used_at, subscription.suspect_at))
        .collect();
    assert_eq!(used, [(rung, None)]);
    let devices = || async {
        let page = scene.page(caller, 0, 10).await;
        let used = page.devices.into_iter().map(|view| view.device.last_used_at);
        used.collect::<Vec<_>>()
    };
    assert_eq!(devices().await, [rung, rung]);
    // Who comes late takes nothing back.
    scene.write(move |unit| unit.note_rung(&all, rung - LEASE)).await;
    assert_eq!(devices().await, [rung, rung]);
    let subscriptions = scene.subscriptions(caller).await;
    assert_eq!(
        subscriptions
            .first()
            .map(|subscription| subscription.last_used_at),
        Some(rung)
    );
    scene.write(move |unit| unit.note_rung(&[], rung)).await;
}

/// Of that user, suspect, and not seen since.
pub async fn the_dead_are_removed_only_where_all_is_as_it_was(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    let device = scene.browser(caller, "box").await;
    let id = mailbox(&scene, caller).await;
    let registered = scene.clock.now();
    let now = scene.tick();
    assert!(!remove(&scene, caller.user, id, now).await, "no suspect");
    suspect(&scene, vec![id], now).await;
    assert!(!remove(&scene, other.user, id, now).await, "not theirs");
    assert!(
        !remove(&scene, caller.user, id, registered - MICRO).await,
        "registered since"
    );
    let unknown = CredentialId::restore(doorbell_domain::Provider::WebPush, scene.id());
    assert!(!remove(&scene, caller.user, unknown, now).await);
    let token = CredentialId::restore(doorbell_domain::Provider::Apns, id.row());
    assert!(
        !remove(&scene, caller.user, token, now).await,
        "another table's row"
    );
    assert!(remove(&scene, caller.user, id, registered).await);
    assert!(!remove(&scene, caller.user, id, registered).await);
    assert_eq!(scene.page(caller, 0, 10).await.total, 0, "its device went along");
    // The mailbox is nobody's, so that it comes to its next user from nobody.
    let again = scene.browser(other, "box").await;
    assert_ne!(again, device);
    assert_eq!(scene.history(other.user).await, ["device_added"]);
}

/// A token that lies on the browser's device still rings.
pub async fn a_device_on_which_anything_else_lies_outlives_its_dead(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let device = scene.browser(caller, "box").await;
    scene
        .register(scene.draft(caller).on_uid(device).with(alert("token")))
        .await;
    let id = mailbox(&scene, caller).await;
    let now = scene.tick();
    suspect(&scene, vec![id], now).await;
    assert!(remove(&scene, caller.user, id, now).await);
    assert_eq!(scene.shown(caller).await, [Some("token".to_owned())]);
    assert_eq!(reachable(&scene, caller, now).await.len(), 1);
}

/// The operator's word, or the safety fuse's, that outlives every server.
pub async fn holding_for_dead_stops_once_and_resumes_once(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let stopped = || scene.read(|reads| reads.pruning_stopped());
    let stop = |since| {
        let scene = scene.clone();
        async move { scene.write(move |unit| unit.stop_pruning(since)).await }
    };
    let first = scene.clock.now();
    let later = scene.tick();
    assert_eq!(stopped().await, None);
    assert!(!stop(None).await);
    assert!(stop(Some(first)).await);
    assert!(!stop(Some(later)).await);
    assert_eq!(stopped().await, Some(first));
    assert!(stop(None).await);
    assert_eq!(stopped().await, None);
    assert!(stop(Some(later)).await);
    assert_eq!(stopped().await, Some(later));
}
