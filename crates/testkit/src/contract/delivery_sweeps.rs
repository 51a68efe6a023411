//! What delivery leaves behind goes when it is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::job::{CredentialId, FinalState, Finished, Lane, Reason, State};
use doorbell_domain::store::{Ended, Found, Recalled, Store, Unit};
use doorbell_domain::sweeps::{Dead, SuspectSweep, Sweep};
use doorbell_domain::{ApiKeyId, Caller, Clock, MessageId, Provider, Timestamp};
use time::Duration;
use uuid::Uuid;

use crate::Scene;
use crate::build::alert;
use crate::scene::Sent;

const MOMENT: Duration = Duration::microseconds(1);

/// More than any of these stories has.
const MOST: u32 = 100;

fn removed(rows: usize) -> Sweep {
    Sweep {
        removed: rows,
        full: false,
    }
}

async fn swept<F>(scene: &Scene, work: F) -> Sweep
where
    F: FnOnce(&mut dyn Unit) -> Found<Sweep> + Send + 'static,
{
    scene.write(work).await
}

/// Sends to the caller's only credential, and delivers it; when.
async fn delivered(scene: &Scene, caller: Caller) -> (Sent, Timestamp) {
    let sent = scene.send(caller.user).await;
    let now = scene.tick();
    let claimed = scene.claim_one(now).await;
    let over = Finished::by_attempt(&claimed, FinalState::Delivered, None);
    scene.finish(vec![over], now).await;
    (sent, now)
}

async fn is_known(scene: &Scene, sent: &Sent) -> bool {
    let id = sent.message.id;
    scene
        .read(move |reads| reads.message_report(id, None, 1))
        .await
        .is_some()
}

/// By their end, and no job that is not over.
pub async fn finished_jobs_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let (first, edge) = delivered(&scene, caller).await;
    let (second, later) = delivered(&scene, caller).await;
    let open = scene.send(caller.user).await;
    let sweep = |until| swept(&scene, move |unit| unit.sweep_finished_jobs(until, MOST));
    assert_eq!(sweep(edge - MOMENT).await, removed(0));
    assert_eq!(sweep(edge).await, removed(1));
    assert_eq!(scene.states(first.message.id).await, []);
    assert_eq!(
        scene.states(second.message.id).await,
        [State::Over(FinalState::Delivered)]
    );
    assert_eq!(sweep(later + Duration::days(365)).await, removed(1));
    assert_eq!(scene.states(open.message.id).await, [State::Pending]);
}

/// By their acceptance, and none of which anything is left.
pub async fn messages_go_from_their_edge_on_once_their_jobs_have_gone(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let (first, over) = delivered(&scene, caller).await;
    let open = scene.send(caller.user).await;
    let nobodys = scene.accept(scene.message(), Vec::new()).await;
    let edge = first.message.created_at;
    let late = scene.clock.now() + Duration::days(365);
    let sweep = |until| swept(&scene, move |unit| unit.sweep_messages(until, MOST));
    assert_eq!(sweep(edge).await, removed(0), "a finished job is left");
    swept(&scene, move |unit| unit.sweep_finished_jobs(over, MOST)).await;
    assert_eq!(sweep(edge - MOMENT).await, removed(0));
    assert_eq!(sweep(edge).await, removed(1));
    assert!(!is_known(&scene, &first).await && is_known(&scene, &nobodys).await);
    assert_eq!(sweep(late).await, removed(1));
    assert!(!is_known(&scene, &nobodys).await && is_known(&scene, &open).await);
    assert!(scene.claim_one(late).await.message.is_some());
}

/// A week, by which everybody has stopped repeating themselves.
pub async fn idempotency_keys_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let recall = |name: &'static str, now: Timestamp| {
        let id = MessageId::from_uuid(Uuid::from_u128(1));
        scene.write(move |unit| {
            let key = IdempotencyKey::parse(name).expect("a key");
            let api_key = ApiKeyId::from_uuid(Uuid::from_u128(2));
            unit.recall(api_key, &key, &RequestHash::of("a key", b"body"), id, now)
        })
    };
    let edge = scene.tick();
    let later = scene.tick();
    assert_eq!(recall("one", edge).await, Recalled::Fresh);
    assert_eq!(recall("two", later).await, Recalled::Fresh);
    let sweep = |until| swept(&scene, move |unit| unit.sweep_idempotency_keys(until, MOST));
    assert_eq!(sweep(edge - MOMENT).await, removed(0));
    assert_eq!(sweep(edge).await, removed(1));
    let id = MessageId::from_uuid(Uuid::from_u128(1));
    assert_eq!(recall("two", later).await, Recalled::Same(id, 0));
    assert_eq!(recall("one", later).await, Recalled::Fresh);
}

/// Whoever brings push services of their own leaves nothing behind with them.
pub async fn rests_of_lanes_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.browser(caller, "a").await;
    scene.send(caller.user).await;
    let now = scene.clock.now();
    let (edge, later) = (now + Duration::minutes(1), now + Duration::minutes(2));
    scene
        .write(move |unit| {
            unit.rest_lane(&Lane::restore("over.example.com"), edge)?;
            unit.rest_lane(&Lane::restore("push.example.com"), later)
        })
        .await;
    let sweep = |until| swept(&scene, move |unit| unit.sweep_resting_lanes(until, MOST));
    assert_eq!(sweep(edge - MOMENT).await, removed(0));
    assert_eq!(sweep(edge).await, removed(1));
    assert_eq!(scene.claim(later - MOMENT, 1).await, [], "the other still rests");
    assert_eq!(sweep(later).await, removed(1));
}

/// Suspect for a month, and nobody asked for a second proof.
pub async fn suspects_go_from_their_edge_on_with_what_hangs_on_them(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    let lone = scene.browser(caller, "lone").await;
    let beside = scene.browser(caller, "beside").await;
    scene
        .register(scene.draft(caller).on_uid(beside).with(alert("token")))
        .await;
    let late = scene.browser(caller, "later").await;
    scene.browser(caller, "alive").await;
    let mut ids: Vec<_> = scene
        .subscriptions(caller)
        .await
        .iter()
        .map(|subscription| CredentialId::WebPush(subscription.id))
        .collect();
    // Newest first, as they are listed.
    let alive = ids.remove(0);
    let now = scene.tick();
    let suspect =
        |ids: Vec<CredentialId>, at: Timestamp| scene.write(move |unit| unit.suspect(&ids, now, at));
    let later = ids.remove(0);
    suspect(ids, now).await;
    suspect(vec![later], now + MOMENT).await;
    let sweep = |until, limit| scene.write(move |unit| unit.sweep_suspects(until, limit));
    let dead = |device| Dead {
        user: caller.user,
        device,
        provider: Provider::WebPush,
    };
    assert_eq!(sweep(now - MOMENT, MOST).await, SuspectSweep::default());
    let (one, rest) = (sweep(now, 1).await, sweep(now, MOST).await);
    assert_eq!((one.dead.len(), one.full), (1, true));
    assert_eq!((rest.dead.len(), rest.full), (1, false));
    let went: BTreeSet<_> = one
        .dead
        .iter()
        .chain(&rest.dead)
        .map(|dead| dead.device)
        .collect();
    assert_eq!(went, BTreeSet::from([lone, beside]));
    assert_eq!(sweep(now + MOMENT, MOST).await.dead, [dead(late)]);
    let left = scene.subscriptions(caller).await;
    let left: Vec<_> = left
        .iter()
        .map(|subscription| CredentialId::WebPush(subscription.id))
        .collect();
    assert_eq!(left, [alive]);
    let shown = scene.shown(caller).await;
    assert_eq!(shown, [None, Some("token".to_owned())], "and two devices went");
    for name in ["lone", "beside", "later"] {
        scene.browser(other, name).await;
    }
    let history = scene.history(other.user).await;
    assert_eq!(history, ["device_added"; 3], "nothing came from anybody");
}

/// And says so, so that whoever sweeps can go on at once.
pub async fn sweeps_of_delivery_do_at_most_their_limit_oldest_first(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(delivered(&scene, caller).await.0);
    }
    let late = scene.clock.now();
    let two = Sweep {
        removed: 2,
        full: true,
    };
    let jobs = || swept(&scene, move |unit| unit.sweep_finished_jobs(late, 2));
    assert_eq!(jobs().await, two);
    let newest = sent.last().expect("three");
    assert_eq!(scene.states(newest.message.id).await.len(), 1);
    assert_eq!(jobs().await, removed(1));
    let messages = || swept(&scene, move |unit| unit.sweep_messages(late, 2));
    assert_eq!(messages().await, two);
    assert!(is_known(&scene, newest).await);
    assert_eq!(messages().await, removed(1));
}

/// A deleted account leaves no job behind, and its messages end with the jobs of others.
pub async fn an_erased_account_takes_its_jobs_along(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    scene.telephone(caller, "phone").await;
    scene.telephone(other, "theirs").await;
    let (over, _) = delivered(&scene, caller).await;
    let both = doorbell_domain::message::Audience::new(vec![caller.user, other.user], vec![], vec![]);
    let targets = scene.reachable(both.expect("two")).await;
    let sent = scene.accept(scene.message(), targets).await;
    let waiting = scene.send(caller.user).await;
    let now = scene.clock.now();
    let claimed: Vec<_> = scene
        .claim(now, 10)
        .await
        .into_iter()
        .filter(|claimed| claimed.job.message == sent.message.id)
        .collect();
    assert_eq!(claimed.len(), 2);
    scene
        .write(move |unit| {
            unit.claim_user(caller.user)?;
            unit.erase_user(caller.user, None, now)
        })
        .await;
    // What was said to nobody else goes along.
    for of in [over.message.id, waiting.message.id] {
        let report = scene.read(move |reads| reads.message_report(of, None, 10)).await;
        assert_eq!(report, None);
    }
    assert_eq!(scene.states(sent.message.id).await, [State::Sending]);
    let trail = scene
        .read(move |reads| reads.user_trail(caller.user, None, 10))
        .await;
    assert!(
        trail
            .iter()
            .all(|entry| matches!(entry, doorbell_domain::store::TrailEntry::Happened(_)))
    );
    // The worker that was at it comes back, and the message is over with the other's job.
    let ends: Vec<_> = claimed
        .iter()
        .map(|claimed| Finished::unattempted(claimed, FinalState::Superseded, Reason::Removed))
        .collect();
    let ended = scene.finish(ends.clone(), now).await;
    assert_eq!((ended.jobs.len(), ended.messages), (1, vec![sent.message.id]));
    assert_eq!(scene.finish(ends, now).await, Ended::default());
    let late = scene.clock.now() + Duration::days(1);
    let left = swept(&scene, move |unit| {
        unit.sweep_finished_jobs(late, MOST)?;
        unit.sweep_messages(late, MOST)
    });
    assert_eq!(left.await, removed(1), "nothing holds a message of theirs");
}
