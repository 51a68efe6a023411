//! Counters of accepted requests, and a phone's failures.

use std::sync::Arc;

use doorbell_domain::limits::{Claim, Counter, LimitPolicy, Network, counters};
use doorbell_domain::store::{Conflict, PhoneState, Store, StoreError, transact};
use doorbell_domain::{Clock, Timestamp};
use time::Duration;

use crate::Scene;
use crate::build::{otp_session, phone};

/// A network's guesses: `most` an hour.
fn guesses(last: u8, most: u32) -> Vec<Claim> {
    let mut policy = LimitPolicy::STANDARD;
    policy.network_verifies.most = most;
    policy.verify_claims(Some(Network::of([203, 0, 113, last].into())))
}

async fn count(scene: &Scene, claims: &[Claim], now: Timestamp) -> bool {
    let places = counters::places(claims, 0, now);
    scene.write(move |unit| unit.count(&places, now)).await
}

async fn counted(scene: &Scene, claims: &[Claim]) -> Vec<Counter> {
    let asked = claims.to_vec();
    scene.read(move |reads| reads.counters(&asked)).await
}

/// The statement and [`Counter::admits`] agree at every edge of count and time.
pub async fn a_counter_counts_exactly_when_it_has_room(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let claims = guesses(1, 2);
    let began = scene.clock.now();
    assert_eq!(counted(&scene, &claims).await, []);
    assert!(count(&scene, &claims, began).await);
    assert!(count(&scene, &claims, began).await);
    let ends_at = began + Duration::hours(1);
    let micro = Duration::microseconds(1);
    assert!(!count(&scene, &claims, ends_at - micro).await);
    let [full] = &counted(&scene, &claims).await[..] else {
        panic!("one key has one counter here")
    };
    assert_eq!((full.count, full.ends_at), (2, ends_at));
    assert!(count(&scene, &claims, ends_at).await, "the next window begins");
    let [next] = &counted(&scene, &claims).await[..] else {
        panic!("one key has one counter here")
    };
    assert_eq!((next.count, next.ends_at), (1, ends_at + Duration::hours(1)));
}

/// A limit that is lowered holds at once, for windows that have begun too.
pub async fn a_lowered_limit_holds_at_once(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let now = scene.clock.now();
    for _ in 0..3 {
        assert!(count(&scene, &guesses(1, 9), now).await);
    }
    assert!(!count(&scene, &guesses(1, 3), now).await);
    assert!(count(&scene, &guesses(1, 4), now).await);
}

/// Networks, and what is counted of them, do not touch each other.
pub async fn each_key_has_its_own_counter(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let now = scene.clock.now();
    assert!(count(&scene, &guesses(1, 1), now).await);
    assert!(!count(&scene, &guesses(1, 1), now).await);
    assert!(count(&scene, &guesses(2, 1), now).await);
    let refreshes = LimitPolicy::STANDARD.refresh_claims(Some(Network::of([203, 0, 113, 1].into())));
    assert!(count(&scene, &refreshes, now).await);
    assert_eq!(counted(&scene, &guesses(1, 1)).await.len(), 1);
}

/// Work that gives up because one of several counters is full has counted in none.
pub async fn what_gives_up_has_counted_nothing(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let now = scene.clock.now();
    let (roomy, full) = (guesses(1, 9), guesses(2, 1));
    assert!(count(&scene, &full, now).await);
    let both = [roomy.clone(), full].concat();
    let places = counters::places(&both, 0, now);
    let given_up = transact(scene.store.as_ref(), move |unit| {
        if unit.count(&places, now)? {
            return Ok(());
        }
        Err(StoreError::Conflict(Conflict::LimitReached))
    })
    .await;
    assert_eq!(given_up, Err(StoreError::Conflict(Conflict::LimitReached)));
    assert_eq!(counted(&scene, &roomy).await, []);
}

/// Of many that count at once exactly as many are accepted as the limit says.
pub async fn of_parallel_requests_the_limit_is_accepted(store: Arc<dyn Store>) {
    let scene = Arc::new(Scene::new(store));
    let now = scene.clock.now();
    let tasks: Vec<_> = (0..24)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { count(&scene, &guesses(1, 7), now).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        accepted += u32::from(task.await.expect("no panic"));
    }
    assert_eq!(accepted, 7);
}

/// Failures belong to the phone: a new code leaves them.
pub async fn a_phones_failures_outlive_its_codes(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    assert_eq!(scene.write(|unit| unit.find_phone(&phone(1))).await, None);
    let at = scene.clock.now();
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(1))?;
            unit.note_failures(&phone(1), 21, Some(at))
        })
        .await;
    let code = otp_session(scene.id(), phone(1), at);
    scene.write(move |unit| unit.issue_code(&code)).await;
    let expected = PhoneState {
        last_sent_at: Some(at),
        failures: 21,
        failed_at: Some(at),
    };
    assert_eq!(
        scene.write(|unit| unit.find_phone(&phone(1))).await,
        Some(expected)
    );
    scene.write(|unit| unit.note_failures(&phone(1), 0, None)).await;
    let cleared = scene.write(|unit| unit.lock_phone(&phone(1))).await;
    assert_eq!((cleared.failures, cleared.failed_at), (0, None));
}

/// What a phone was sent lately: newest first, the oldest it is asked for left out.
pub async fn a_phones_sends_are_remembered(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut sent = Vec::new();
    for _ in 0..4 {
        let at = scene.tick();
        let code = otp_session(scene.id(), phone(1), at);
        scene
            .write(move |unit| {
                unit.lock_phone(&phone(1))?;
                unit.issue_code(&code)
            })
            .await;
        sent.insert(0, at);
    }
    let oldest = sent.pop().expect("four were sent");
    let ages = oldest - Duration::days(1);
    let asked = scene
        .write(move |unit| unit.sends_since(&phone(1), ages, 3))
        .await;
    assert_eq!(asked, sent);
    let asked = scene
        .write(move |unit| unit.sends_since(&phone(1), oldest, 9))
        .await;
    assert_eq!(asked, sent, "what was sent just then is not after it");
    let asked = scene
        .write(move |unit| unit.sends_since(&phone(2), ages, 9))
        .await;
    assert_eq!(asked, []);
}
