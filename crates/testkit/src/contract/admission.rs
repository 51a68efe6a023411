//! What a claim finds of the credential that it is to ring.

use std::sync::Arc;

use doorbell_domain::job::{FinalState, Reason, Target, admit};
use doorbell_domain::message::Audience;
use doorbell_domain::sealed::SealedColumn;
use doorbell_domain::store::{Resealed, Store};
use doorbell_domain::{Caller, Clock, Platform, ValueHash};
use time::Duration;

use crate::Scene;
use crate::build::{alert, endpoint};

/// A message to the caller's telephone and browser, which nobody has claimed yet.
async fn sent(scene: &Scene) -> Caller {
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.browser(caller, "box").await;
    let sent = scene.send(caller.user).await;
    assert_eq!(sent.jobs.len(), 2);
    caller
}

/// Claims both jobs: how each would end, or that it is rung.
async fn judged(scene: &Scene) -> Vec<Result<(), (FinalState, Reason)>> {
    let now = scene.clock.now();
    let mut claimed = scene.claim(now, 10).await;
    claimed.sort_by_key(|claimed| claimed.job.id);
    claimed.iter().map(|claimed| admit(claimed, now)).collect()
}

/// Every job of a phone that its user has logged out of is superseded.
pub async fn a_logout_between_acceptance_and_claim_is_seen(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = sent(&scene).await;
    scene.log_out(caller).await;
    let end = Err((FinalState::Superseded, Reason::SessionEnded));
    assert_eq!(judged(&scene).await, [end; 2]);
}

/// The phone of somebody who was away still rings.
pub async fn the_expiry_of_a_session_is_no_end(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let expired = scene.session(caller).await.absolute_expires_at + Duration::days(1);
    scene.clock.set(expired);
    scene.send(caller.user).await;
    assert_eq!(judged(&scene).await, [Ok(())]);
}

/// A revoked device is not rung; one that was revived is.
pub async fn a_revoked_device_is_seen(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = sent(&scene).await;
    let devices = scene.page(caller, 0, 10).await.devices;
    for view in devices {
        scene.revoke(caller, view.device.id).await;
    }
    let end = Err((FinalState::Superseded, Reason::DeviceRevoked));
    assert_eq!(judged(&scene).await, [end; 2]);
}

/// The new owner is never rung with what was the old one's.
pub async fn what_moved_to_somebody_else_is_seen(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    sent(&scene).await;
    let other = scene.person(2).await;
    scene.telephone(other, "phone").await;
    scene.browser(other, "box").await;
    for end in judged(&scene).await {
        let Err((FinalState::Superseded, Reason::Moved | Reason::Removed)) = end else {
            panic!("{end:?}")
        };
    }
    assert_eq!(scene.reachable(Audience::of(other.user)).await.len(), 2);
}

/// Nothing is held where there is nothing.
pub async fn what_was_removed_is_seen(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = sent(&scene).await;
    let mailbox = endpoint("box").address().hash;
    scene
        .write(move |unit| {
            unit.remove_tokens(caller.user, ValueHash::of("phone"))?;
            unit.remove_subscription(caller.user, mailbox)
        })
        .await;
    let end = Err((FinalState::Superseded, Reason::Removed));
    assert_eq!(judged(&scene).await, [end; 2]);
}

/// A phone that has a new token is rung by it, under its new session too.
pub async fn a_credential_that_was_registered_again_is_rung_as_it_is_now(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.send(caller.user).await;
    scene.log_out(caller).await;
    let again = scene.sign_in(caller.user).await;
    let phone = scene.draft(again).on("phone", Platform::Ios);
    scene.register(phone.with(alert("newer"))).await;
    let now = scene.clock.now();
    let claimed = scene.claim_one(now).await;
    assert_eq!(admit(&claimed, now), Ok(()));
    let Some(Target::Token(token)) = claimed.held.map(|held| held.target) else {
        panic!("a token")
    };
    assert_eq!((token.value.expose(), token.session), ("newer", again.session));
}

/// Replaces the oldest value of a column by one that opens nowhere.
async fn spoil(scene: &Scene, column: SealedColumn) {
    let spoilt = scene
        .write(move |unit| {
            let values = unit.sealed_values(column, None, 1)?;
            let values = values.into_iter().map(|value| Resealed {
                row: value.row,
                old: value.sealed,
                new: vec![0; 8],
            });
            unit.replace_sealed(column, &values.collect::<Vec<_>>())
        })
        .await;
    assert_eq!(spoilt, 1, "{}", column.name());
}

/// Sealed with a secret that is gone, say. The other messages of the batch are claimed as ever.
pub async fn a_message_that_cannot_be_read_holds_nobody_up(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = sent(&scene).await;
    let readable = scene.send(caller.user).await;
    spoil(&scene, SealedColumn::Messages).await;
    let now = scene.clock.now();
    let claimed = scene.claim(now, 10).await;
    assert_eq!(claimed.len(), 4);
    for job in &claimed {
        assert!(job.held.is_some() && !job.taken_back);
        if job.job.message == readable.message.id {
            assert_eq!(admit(job, now), Ok(()));
        } else {
            assert_eq!(admit(job, now), Err((FinalState::Failed, Reason::Unreadable)));
        }
    }
}

/// Nor does a credential, neither of those who are rung with it nor of who sends to it.
pub async fn a_credential_that_cannot_be_read_holds_nobody_up(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = sent(&scene).await;
    let other = scene.person(2).await;
    scene.telephone(other, "other").await;
    scene.browser(other, "other").await;
    scene.send(other.user).await;
    spoil(&scene, SealedColumn::PushTokens).await;
    spoil(&scene, SealedColumn::SubscriptionEndpoints).await;
    let now = scene.clock.now();
    let claimed = scene.claim(now, 10).await;
    assert_eq!(claimed.len(), 4);
    for job in &claimed {
        if job.job.user == other.user {
            assert_eq!(admit(job, now), Ok(()));
        } else {
            assert_eq!((&job.held, &job.message), (&None, &None));
            assert_eq!(admit(job, now), Err((FinalState::Failed, Reason::Unreadable)));
        }
    }
    assert_eq!(scene.reachable(Audience::of(caller.user)).await, []);
}

/// Who may be rung is judged by the credential alone, whatever else lies on its device.
pub async fn a_browser_is_rung_by_its_own_row(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let device = scene.browser(caller, "box").await;
    let other = scene.sign_in(caller.user).await;
    let beside = scene.draft(other).on_uid(device).with(alert("token"));
    scene.register(beside).await;
    scene.send(caller.user).await;
    scene.log_out(other).await;
    let mut ends = judged(&scene).await;
    ends.sort_unstable();
    let end = Err((FinalState::Superseded, Reason::SessionEnded));
    assert_eq!(ends, [Ok(()), end]);
}
