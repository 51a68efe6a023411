//! Messages that take the place of earlier ones with their collapse key.

use std::sync::Arc;

use doorbell_domain::job::{FinalState, Finished, LEASE, Reason};
use doorbell_domain::message::{Audience, CollapseKey, Message};
use doorbell_domain::store::Store;
use doorbell_domain::{ApiKeyId, Caller, Clock, MessageId, Timestamp, UserId};
use time::Duration;
use uuid::Uuid;

use crate::Scene;
use crate::scene::Sent;

fn back_end(n: u128) -> ApiKeyId {
    ApiKeyId::from_uuid(Uuid::from_u128(n))
}

async fn take_back(scene: &Scene, id: MessageId, now: Timestamp) {
    let known = scene.write(move |unit| unit.cancel_message(id, now)).await;
    assert!(known.is_some());
}

/// A message to all that can be rung, of that back end and with that collapse key.
async fn collapsing(scene: &Scene, to: UserId, by: ApiKeyId, name: &str, send_at: Timestamp) -> Sent {
    let message = Message {
        api_key: Some(by),
        collapse_key: Some(CollapseKey::parse(name.to_owned()).expect("short")),
        send_at,
        ..scene.message()
    };
    let targets = scene.reachable(Audience::of(to)).await;
    scene.accept(message, targets).await
}

/// Claims what is due at `now`; of which messages that is, and whether they were replaced, in their order.
async fn replaced(scene: &Scene, now: Timestamp) -> Vec<(MessageId, bool)> {
    let mut claimed: Vec<_> = scene
        .claim(now, 20)
        .await
        .iter()
        .map(|job| (job.job.message, job.replaced))
        .collect();
    claimed.sort_unstable();
    claimed
}

/// Of the same back end, on the same credential, and once it is due itself.
pub async fn a_later_message_takes_the_place_of_one_with_its_collapse_key(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    scene.browser(caller, "box").await;
    scene.browser(other, "theirs").await;
    let (shop, news) = (back_end(1), back_end(2));
    let now = scene.clock.now() + Duration::minutes(1);
    let send = async |to: Caller, by, name: &'static str, send_at| {
        let sent = collapsing(&scene, to.user, by, name, send_at).await;
        sent.message.id
    };
    let first = send(caller, shop, "order", now).await;
    let second = send(caller, shop, "order", now).await;
    let another = send(caller, shop, "Order", now).await;
    let of_another = send(caller, news, "order", now).await;
    let to_another = send(other, shop, "order", now).await;
    let later = now + Duration::hours(1);
    let scheduled = send(caller, shop, "order", later).await;
    let expected = [
        (first, true),
        (second, false),
        (another, false),
        (of_another, false),
        (to_another, false),
    ];
    assert_eq!(replaced(&scene, now).await, expected);
    // When the last one is due it takes the place of both.
    let seen = replaced(&scene, later).await;
    let of = |id| {
        seen.iter()
            .find(|(seen, _)| *seen == id)
            .map(|(_, replaced)| *replaced)
    };
    assert_eq!(
        (of(first), of(second), of(scheduled)),
        (Some(true), Some(true), Some(false))
    );
    assert_eq!(
        (of(another), of(of_another), of(to_another)),
        (Some(false), Some(false), Some(false))
    );
}

/// One that was delivered did, and one that was taken back or given up did not.
pub async fn a_later_message_that_rang_nobody_takes_no_place(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let shop = back_end(1);
    for (n, end, takes_its_place) in [
        (1, Some(FinalState::Delivered), true),
        (2, Some(FinalState::Expired), false),
        (3, Some(FinalState::Dead), false),
        (4, None, false),
    ] {
        let caller = scene.person(n).await;
        scene.browser(caller, "box").await;
        let now = scene.clock.now() + Duration::minutes(1);
        let first = collapsing(&scene, caller.user, shop, "order", now)
            .await
            .message
            .id;
        let second = collapsing(&scene, caller.user, shop, "order", now)
            .await
            .message
            .id;
        let mut claimed = scene.claim(now, 10).await;
        claimed.retain(|job| job.job.message == second);
        match end {
            Some(end) => {
                let over = claimed.iter().map(|job| Finished::by_attempt(job, end, None));
                scene.finish(over.collect(), now).await;
            }
            None => {
                take_back(&scene, second, now).await;
            }
        }
        let again = replaced(&scene, now + LEASE).await;
        let of_first = again.iter().find(|(id, _)| *id == first);
        assert_eq!(of_first, Some(&(first, takes_its_place)), "{end:?}");
        // Nobody is left for the next ones.
        take_back(&scene, first, now).await;
        let left = scene.claim(now + LEASE + LEASE, 10).await;
        let over = left
            .iter()
            .map(|job| Finished::unattempted(job, FinalState::Cancelled, Reason::TakenBack));
        scene.finish(over.collect(), now).await;
    }
}
