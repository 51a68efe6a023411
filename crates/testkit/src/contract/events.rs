//! Events on their way to a service of the operator's, in a store that was opened to announce them.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::event::{Event, EventKind, LEASE};
use doorbell_domain::job::{Claimed, FinalState, Finished, Reason};
use doorbell_domain::message::Audience;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedEvent, Store, StoreError};
use doorbell_domain::sweeps::Sweep;
use doorbell_domain::{AuditId, Caller, Clock, MessageId, SessionId, Timestamp, UserId};
use time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Scene;
use crate::build::alert;

const MICRO: Duration = Duration::microseconds(1);

async fn claim(scene: &Scene, now: Timestamp, most: u32) -> Vec<ClaimedEvent> {
    scene.write(move |unit| unit.claim_events(now, LEASE, most)).await
}

async fn finish(scene: &Scene, id: Uuid, fence: Fence) -> bool {
    scene.write(move |unit| unit.finish_event(id, fence)).await
}

async fn postpone(scene: &Scene, id: Uuid, fence: Fence, due_at: Timestamp) -> bool {
    scene
        .write(move |unit| unit.postpone_event(id, fence, due_at))
        .await
}

/// The only event that is due at `now`, claimed.
async fn claim_one(scene: &Scene, now: Timestamp) -> ClaimedEvent {
    let mut claimed = claim(scene, now, 10).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

/// What is to be told by now, and is then told.
async fn told(scene: &Scene) -> Vec<Event> {
    let mut told = Vec::new();
    for claimed in claim(scene, scene.clock.now(), 100).await {
        assert!(finish(scene, claimed.id, claimed.fence).await);
        let event = claimed.event.expect("a row that can be read");
        assert_eq!((claimed.id, claimed.at), (event.id, event.at));
        told.push(event);
    }
    told.sort_unstable_by_key(|event| event.id);
    told
}

fn ids(claimed: &[ClaimedEvent]) -> BTreeSet<Uuid> {
    claimed.iter().map(|event| event.id).collect()
}

/// A line of the trail about the end of a session.
fn line(scene: &Scene, user: UserId) -> AuditEvent {
    AuditEvent {
        id: AuditId::from_uuid(scene.id()),
        user,
        at: scene.clock.now(),
        action: AuditAction::SessionEnded,
        session: Some(SessionId::from_uuid(scene.id())),
        device: None,
        reason: Some("logout"),
    }
}

/// Writes such a line; the event that it is.
async fn ended(scene: &Scene, user: UserId) -> Event {
    let line = line(scene, user);
    let event = Event::of_audit(&line).expect("an event");
    scene.write(move |unit| unit.record(&[line])).await;
    event
}

/// Every field comes back, under the first claim's fence, and what is nobody else's business never comes.
pub async fn a_line_of_the_trail_is_an_event_with_its_id(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let device = scene.telephone(caller, "phone").await;
    let lines: Vec<AuditEvent> = AuditAction::ALL
        .iter()
        .map(|action| AuditEvent {
            action: *action,
            device: Some(device),
            ..line(&scene, caller.user)
        })
        .collect();
    let expected: Vec<Event> = lines.iter().filter_map(Event::of_audit).collect();
    assert_eq!(expected.len(), 5);
    scene.write(move |unit| unit.record(&lines)).await;
    let claimed = claim(&scene, scene.clock.now(), 100).await;
    assert!(
        claimed
            .iter()
            .all(|event| event.fence == Fence(1) && event.failures == 0)
    );
    scene.clock.advance(LEASE);
    assert_eq!(told(&scene).await, expected);
    assert_eq!(told(&scene).await, []);
}

/// A line that is written again, since nobody knows whether it was, is one event.
pub async fn a_line_that_is_written_again_is_one_event(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let line = line(&scene, caller.user);
    for _ in 0..2 {
        let line = line.clone();
        scene.write(move |unit| unit.record(&[line])).await;
    }
    assert_eq!(told(&scene).await, [Event::of_audit(&line).expect("an event")]);
}

/// The earlier owner's back end is told, from the registration's own transaction, and nobody of what changed no owner.
pub async fn a_token_that_moves_is_an_event(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (earlier, later) = (scene.person(1).await, scene.person(2).await);
    let device = scene.telephone(earlier, "token").await;
    scene.telephone(earlier, "token").await;
    assert_eq!(told(&scene).await, []);
    scene.register(scene.draft(later).with(alert("token"))).await;
    let moved = told(&scene).await;
    let [moved] = &moved[..] else { panic!("{moved:?}") };
    assert_eq!(moved.kind, EventKind::CredentialMoved);
    assert_eq!((moved.user, moved.device), (Some(earlier.user), Some(device)));
    assert_eq!(moved.reason.as_deref(), Some("apns"));
    let trail = scene.trail(earlier.user).await;
    assert_eq!(trail.first().map(|line| line.id.uuid()), Some(moved.id));
}

/// A revoked device falls silent in the same transaction.
pub async fn a_device_that_is_revoked_is_an_event(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let device = scene.telephone(caller, "token").await;
    scene.revoke(caller, device).await;
    let told = told(&scene).await;
    let kinds: Vec<_> = told.iter().map(|event| (event.kind, event.device)).collect();
    assert_eq!(kinds, [(EventKind::CredentialSuspended, Some(device))]);
}

/// What was not committed did not happen.
pub async fn what_was_not_committed_is_no_event(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let line = line(&scene, caller.user);
    let failed = scene
        .try_write(move |unit| {
            unit.record(&[line])?;
            Err::<(), _>(StoreError::Failed("abandoned".to_owned()))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(told(&scene).await, []);
}

/// Ends those of the claimed jobs that `which` says.
async fn end(scene: &Scene, user: UserId, now: Timestamp, claimed: &[Claimed]) {
    let of_user = claimed.iter().filter(|claimed| claimed.job.user == user);
    let ends = of_user.map(|claimed| Finished::unattempted(claimed, FinalState::Failed, Reason::SetAside));
    let ended = scene.finish(ends.collect(), now).await;
    assert_eq!(ended.jobs.len(), 1);
}

/// Two people with a telephone each, and a message to both.
async fn both_are_sent(scene: &Scene) -> (Caller, Caller, MessageId) {
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    scene.telephone(one, "one").await;
    scene.telephone(other, "other").await;
    let both = Audience::new(vec![one.user, other.user], vec![], vec![]).expect("two");
    let targets = scene.reachable(both).await;
    let sent = scene.accept(scene.message(), targets).await;
    assert_eq!(sent.jobs.len(), 2);
    (one, other, sent.message.id)
}

/// Not before, and should its jobs be put back and end again, it is the same event again.
pub async fn a_message_is_an_event_once_its_last_job_is_over(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other, message) = both_are_sent(&scene).await;
    let now = scene.tick();
    let claimed = scene.claim(now, 10).await;
    end(&scene, one.user, now, &claimed).await;
    assert_eq!(told(&scene).await, []);
    let now = scene.tick();
    end(&scene, other.user, now, &claimed).await;
    assert_eq!(told(&scene).await, [Event::of_message(message, now)]);

    let now = scene.tick();
    assert_eq!(scene.write(move |unit| unit.redrive_jobs(now, 1)).await, 1);
    assert_eq!(told(&scene).await, []);
    let claimed = scene.claim_one(now).await;
    let again = Finished::by_attempt(&claimed, FinalState::Delivered, None);
    scene.finish(vec![again], now).await;
    assert_eq!(told(&scene).await, [Event::of_message(message, now)]);
}

/// Whoever takes it back ends it.
pub async fn a_message_that_is_taken_back_whole_is_an_event(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (.., message) = both_are_sent(&scene).await;
    let now = scene.tick();
    for _ in 0..2 {
        scene.write(move |unit| unit.cancel_message(message, now)).await;
    }
    assert_eq!(told(&scene).await, [Event::of_message(message, now)]);
}

/// What two servers claim at once, only one of them has.
pub async fn of_parallel_claims_each_event_is_in_one(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let mut waiting = BTreeSet::new();
    for _ in 0..40 {
        waiting.insert(ended(&scene, caller.user).await.id);
    }
    let now = scene.tick();
    let mut workers = JoinSet::new();
    for _ in 0..8 {
        let scene = scene.clone();
        workers.spawn(async move { claim(&scene, now, 5).await });
    }
    let mut claimed = workers.join_all().await.concat();
    assert!(claimed.len() <= 40);
    // Whoever met another may have passed over what that one looked at.
    claimed.extend(claim(&scene, now, 40).await);
    assert_eq!(claimed.len(), 40, "one claim an event");
    assert_eq!(ids(&claimed), waiting);
}

/// No claim is larger than it was to be, and what has waited longest goes first.
pub async fn a_claim_takes_what_is_due_first_and_no_more_than_it_may(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(ended(&scene, caller.user).await);
    }
    let oldest = waiting.first().expect("five").at;
    assert_eq!(claim(&scene, oldest - MICRO, 10).await, []);
    let now = scene.tick();
    let first = claim(&scene, now, 2).await;
    assert_eq!(
        ids(&first),
        waiting.iter().take(2).map(|event| event.id).collect()
    );
    let rest = claim(&scene, now, 10).await;
    assert_eq!(ids(&rest), waiting.iter().skip(2).map(|event| event.id).collect());
    assert_eq!(claim(&scene, now, 10).await, []);
}

/// The worker that held it wakes up late, and changes nothing.
pub async fn a_lease_that_ran_out_is_claimed_again_under_a_higher_fence(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let event = ended(&scene, caller.user).await;
    let now = scene.clock.now();
    let first = claim_one(&scene, now).await;
    assert_eq!(claim(&scene, now + LEASE - MICRO, 10).await, []);
    let second = claim_one(&scene, now + LEASE).await;
    assert_eq!((first.fence, second.fence), (Fence(1), Fence(2)));
    assert_eq!(second.failures, 0, "nobody knows that it failed");
    assert!(!finish(&scene, event.id, first.fence).await);
    assert!(!postpone(&scene, event.id, first.fence, now).await);
    assert_eq!(claim(&scene, now + LEASE + MICRO, 10).await, []);
    assert!(finish(&scene, event.id, second.fence).await);
    assert!(!finish(&scene, event.id, second.fence).await, "it has gone");
    assert_eq!(claim(&scene, now + LEASE + LEASE, 10).await, []);
}

/// A failure that is known ends the claim at once.
pub async fn a_postponed_event_is_due_at_its_time(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let event = ended(&scene, caller.user).await;
    let mut now = scene.clock.now();
    for failures in 0..3 {
        let claimed = claim_one(&scene, now).await;
        assert_eq!((claimed.failures, claimed.fence), (failures, Fence(failures + 1)));
        assert_eq!(claimed.event.as_ref(), Ok(&event));
        let due_at = now + Duration::seconds(2);
        assert!(postpone(&scene, event.id, claimed.fence, due_at).await);
        assert_eq!(claim(&scene, due_at - MICRO, 10).await, []);
        now = due_at;
    }
}

/// Nobody is told of them any more, but that messages ended with them.
pub async fn an_erased_account_takes_its_events_along(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (leaving, other, shared) = both_are_sent(&scene).await;
    let theirs = scene.send(leaving.user).await.message.id;
    ended(&scene, leaving.user).await;
    let stays = ended(&scene, other.user).await;
    let claimed = claim(&scene, scene.clock.now(), 1).await;
    let now = scene.tick();
    scene
        .write(move |unit| {
            unit.claim_user(leaving.user)?;
            unit.erase_user(leaving.user, None, now)
        })
        .await;
    // Who was about to tell of it writes nothing down.
    let [claimed] = &claimed[..] else {
        panic!("{claimed:?}")
    };
    assert!(!finish(&scene, claimed.id, claimed.fence).await);
    let mut expected = vec![stays, Event::of_message(theirs, now)];
    expected.sort_unstable_by_key(|event| event.id);
    assert_eq!(told(&scene).await, expected, "{shared} has a job left");
}

/// Where no server is told any more whom to tell; what is claimed now and then stays.
pub async fn events_that_nobody_claims_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let first = ended(&scene, caller.user).await;
    claim_one(&scene, first.at).await;
    let mut untold = Vec::new();
    for _ in 0..3 {
        untold.push(ended(&scene, caller.user).await.at);
    }
    let sweep = async |until, limit| {
        scene
            .write(move |unit| unit.sweep_event_outbox(until, limit))
            .await
    };
    let removed = |removed, full| Sweep { removed, full };
    let oldest = *untold.first().expect("three");
    assert_eq!(sweep(oldest - MICRO, 10).await, removed(0, false));
    assert_eq!(sweep(oldest, 10).await, removed(1, false));
    let newest = *untold.last().expect("three");
    assert_eq!(sweep(newest, 1).await, removed(1, true));
    assert_eq!(sweep(newest, 10).await, removed(1, false));
    let left = claim_one(&scene, first.at + LEASE).await;
    assert_eq!(left.id, first.id);
}
