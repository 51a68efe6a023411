//! One-time codes on their way.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorbell_domain::code_delivery::{CodeDelivery, Schedule};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedCode, Store};
use doorbell_domain::{Clock, Language, OtpSessionId, Timestamp};
use time::Duration;
use tokio::task::JoinSet;

use crate::Scene;
use crate::build::{code_delivery, phone};

const LEASE: Duration = Duration::seconds(60);

const MICRO: Duration = Duration::microseconds(1);

async fn enqueue(scene: &Scene, n: u32) -> CodeDelivery {
    let delivery = code_delivery(scene.id(), phone(n), scene.clock.now());
    let queued = delivery.clone();
    scene
        .write(move |unit| {
            unit.lock_phone(&queued.phone)?;
            unit.enqueue_code(&queued)
        })
        .await;
    delivery
}

async fn claim(scene: &Scene, now: Timestamp, most: u32) -> Vec<ClaimedCode> {
    scene.write(move |unit| unit.claim_codes(now, LEASE, most)).await
}

async fn finish(scene: &Scene, id: OtpSessionId, fence: Fence) -> bool {
    scene.write(move |unit| unit.finish_code(id, fence)).await
}

async fn postpone(scene: &Scene, id: OtpSessionId, fence: Fence, due_at: Timestamp) -> bool {
    scene
        .write(move |unit| unit.postpone_code(id, fence, due_at))
        .await
}

/// The only code in the outbox, claimed.
async fn claim_one(scene: &Scene, now: Timestamp) -> ClaimedCode {
    let mut claimed = claim(scene, now, 10).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

fn ids(claimed: &[ClaimedCode]) -> BTreeSet<OtpSessionId> {
    claimed.iter().map(|code| code.id).collect()
}

/// Every field comes back, the sealed code too, and the first claim's fence is 1.
pub async fn a_queued_code_is_kept_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    for (n, language) in [(1, Language::Turkish), (2, Language::English)] {
        let delivery = CodeDelivery {
            language,
            ..code_delivery(scene.id(), phone(n), scene.clock.now())
        };
        let queued = delivery.clone();
        scene.write(move |unit| unit.enqueue_code(&queued)).await;
        let claimed = claim_one(&scene, scene.clock.now()).await;
        let expected = ClaimedCode {
            id: delivery.id,
            fence: Fence(1),
            failures: 0,
            delivery: Ok(delivery),
        };
        assert_eq!(claimed, expected);
        assert!(finish(&scene, claimed.id, claimed.fence).await);
    }
}

/// A superseded code is never sent, not even by who was about to.
pub async fn a_newer_code_takes_the_place_of_the_one_before(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let older = enqueue(&scene, 1).await;
    let claimed = claim_one(&scene, scene.clock.now()).await;
    assert_eq!(claimed.id, older.id);
    let neighbour = enqueue(&scene, 2).await;
    let newer = enqueue(&scene, 1).await;
    let now = scene.tick();
    assert!(!finish(&scene, older.id, claimed.fence).await);
    assert!(!postpone(&scene, older.id, claimed.fence, now).await);
    let expected = BTreeSet::from([neighbour.id, newer.id]);
    assert_eq!(ids(&claim(&scene, now + LEASE, 10).await), expected);
}

/// What two workers claim at once, only one of them has.
pub async fn of_parallel_claims_each_code_is_in_one(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut queued = BTreeSet::new();
    for n in 0..40 {
        queued.insert(enqueue(&scene, n).await.id);
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
    assert_eq!(claimed.len(), 40, "one claim a code");
    assert_eq!(ids(&claimed), queued);
    assert!(claimed.iter().all(|code| code.fence == Fence(1)));
}

/// No claim is larger than it was to be, and what has waited longest goes first.
pub async fn a_claim_takes_what_is_due_first_and_no_more_than_it_may(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut queued = Vec::new();
    for n in 0..5 {
        queued.push(enqueue(&scene, n).await.id);
    }
    let now = scene.tick();
    let first = claim(&scene, now, 2).await;
    assert_eq!(ids(&first), queued.iter().take(2).copied().collect());
    let rest = claim(&scene, now, 10).await;
    assert_eq!(ids(&rest), queued.iter().skip(2).copied().collect());
    assert_eq!(claim(&scene, now, 10).await, []);
}

/// The worker that held it wakes up late, and changes nothing.
pub async fn a_lease_that_ran_out_is_claimed_again_under_a_higher_fence(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let delivery = enqueue(&scene, 1).await;
    let now = scene.clock.now();
    let first = claim_one(&scene, now).await;
    assert_eq!(claim(&scene, now + LEASE - MICRO, 10).await, []);
    let second = claim_one(&scene, now + LEASE).await;
    assert_eq!((first.fence, second.fence), (Fence(1), Fence(2)));
    assert_eq!(second.failures, 0, "nobody knows that it failed");
    assert!(!finish(&scene, delivery.id, first.fence).await);
    assert!(!postpone(&scene, delivery.id, first.fence, now).await);
    assert_eq!(claim(&scene, now + LEASE + MICRO, 10).await, []);
    assert!(finish(&scene, delivery.id, second.fence).await);
    assert!(!finish(&scene, delivery.id, second.fence).await, "it has gone");
    assert_eq!(claim(&scene, now + LEASE + LEASE, 10).await, []);
}

/// A failure that is known ends the claim at once.
pub async fn a_postponed_code_is_due_at_its_time(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let delivery = enqueue(&scene, 1).await;
    let mut now = scene.clock.now();
    for failures in 0..3 {
        let claimed = claim_one(&scene, now).await;
        assert_eq!((claimed.failures, claimed.fence), (failures, Fence(failures + 1)));
        let due_at = now + Duration::seconds(2);
        assert!(postpone(&scene, delivery.id, claimed.fence, due_at).await);
        assert_eq!(claim(&scene, due_at - MICRO, 10).await, []);
        now = due_at;
    }
}

/// The statement and [`Schedule::is_claimable`] agree at every edge.
pub async fn a_code_is_claimed_exactly_when_the_rules_admit_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut n = 0;
    for (leased, postponed) in [(false, false), (true, false), (true, true)] {
        for edge in ["due", "lease", "expiry"] {
            for offset in [-MICRO, Duration::ZERO, MICRO] {
                n += 1;
                let delivery = enqueue(&scene, n).await;
                let began = delivery.created_at;
                let mut schedule = Schedule::of_new(&delivery);
                if leased {
                    let claimed = claim_one(&scene, began).await;
                    schedule = schedule.claimed(began, LEASE).expect("due");
                    if postponed {
                        let due_at = began + Duration::seconds(70);
                        assert!(postpone(&scene, delivery.id, claimed.fence, due_at).await);
                        schedule = schedule.postponed(claimed.fence, due_at).expect("the latest");
                    }
                }
                let at_edge = match edge {
                    "due" => schedule.due_at,
                    "lease" => schedule.leased_until.unwrap_or(began),
                    _ => schedule.expires_at,
                };
                let now = at_edge + offset;
                let claimed = claim(&scene, now, 10).await;
                assert_eq!(
                    claimed.len(),
                    usize::from(schedule.is_claimable(now)),
                    "leased {leased}, postponed {postponed}, {offset} from its {edge}"
                );
                // Out of the next one's way.
                let after = delivery.expires_at;
                scene.write(move |unit| unit.drop_expired_codes(after)).await;
            }
        }
    }
}

/// What has expired goes, and nothing else.
pub async fn an_expired_code_is_dropped(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = enqueue(&scene, 1).await;
    let second = enqueue(&scene, 2).await;
    assert!(first.expires_at < second.expires_at);
    let drop_at = async |now| scene.write(move |unit| unit.drop_expired_codes(now)).await;
    assert_eq!(drop_at(first.expires_at - MICRO).await, 0);
    assert_eq!(drop_at(first.expires_at).await, 1);
    assert_eq!(drop_at(first.expires_at).await, 0);
    let left = claim_one(&scene, scene.clock.now()).await;
    assert_eq!(left.id, second.id);
}

/// A transaction that fails leaves no code to be sent.
pub async fn a_code_that_was_not_committed_is_not_sent(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let delivery = code_delivery(scene.id(), phone(1), scene.clock.now());
    let failed = scene
        .try_write(move |unit| {
            unit.enqueue_code(&delivery)?;
            Err::<(), _>(doorbell_domain::store::StoreError::Failed("abandoned".to_owned()))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(claim(&scene, scene.tick(), 10).await, []);
}
