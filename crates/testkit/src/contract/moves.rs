//! Addresses that change hands: nobody's phone rings for its earlier user.

use std::sync::Arc;

use doorbell_domain::store::Store;
use doorbell_domain::{Caller, Platform, Provider};

use crate::Scene;
use crate::build::{Draft, alert, alert_of, web_push};

fn browser(scene: &Scene, caller: Caller) -> Draft {
    scene.draft(caller).on_holder(Platform::Web).with(web_push("box"))
}

/// The value rings its newest user only, and both trails say so.
pub async fn a_token_moves_to_the_next_user_with_all_its_apps(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (earlier, later) = (scene.person(1).await, scene.person(2).await);
    let of = |app: &str| alert_of(Provider::Fcm, app, "token");
    let device = scene
        .register(scene.draft(earlier).with(of("one")).with(of("two")))
        .await
        .view
        .device;
    scene.register(scene.draft(later).with(of("three"))).await;
    assert_eq!(scene.shown(earlier).await, [None]);
    assert_eq!(scene.shown(later).await, [Some("token".to_owned())]);
    assert_eq!(scene.remove_tokens(earlier.user, "token").await, []);

    let lost = scene
        .trail(earlier.user)
        .await
        .into_iter()
        .next()
        .expect("a line");
    assert_eq!(
        (lost.action.as_str(), lost.reason.as_deref()),
        ("address_lost", Some("fcm"))
    );
    assert_eq!((lost.device, lost.session), (Some(device.id), None));
    assert_eq!(lost.at, scene.trail(later.user).await.first().expect("a line").at);
    let gained = scene
        .trail(later.user)
        .await
        .into_iter()
        .find(|line| line.action == "address_gained")
        .expect("a line");
    assert_eq!(
        (gained.reason.as_deref(), gained.session),
        (Some("fcm"), Some(later.session))
    );
    assert_eq!(
        scene.history(earlier.user).await,
        ["device_added", "address_lost"]
    );
}

/// A browser's device is the browser's user's.
pub async fn a_subscription_moves_with_its_device(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (earlier, later) = (scene.person(1).await, scene.person(2).await);
    let before = scene.register(browser(&scene, earlier)).await;
    let after = scene.register(browser(&scene, later)).await;
    assert_ne!(after.view.device.id, before.view.device.id);
    assert_eq!(scene.subscriptions(earlier).await, []);
    assert_eq!(scene.page(earlier, 0, 10).await.total, 0);
    assert_eq!(scene.subscriptions(later).await.len(), 1);
    assert_eq!(scene.page(later, 0, 10).await.total, 1);
    assert_eq!(
        scene.history(earlier.user).await,
        ["device_added", "address_lost"]
    );
}

/// Whatever else was put on that device goes, and is free.
pub async fn a_token_on_a_subscriptions_device_leaves_with_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (earlier, later) = (scene.person(1).await, scene.person(2).await);
    let device = scene.register(browser(&scene, earlier)).await.view.device;
    scene
        .register(scene.draft(earlier).on_uid(device.id).with(alert("token")))
        .await;
    scene.register(browser(&scene, later)).await;
    assert_eq!(scene.page(earlier, 0, 10).await.total, 0);
    assert_eq!(scene.remove_tokens(earlier.user, "token").await, []);
    scene.register(scene.draft(later).with(alert("token"))).await;
    let lost = scene.history(earlier.user).await;
    assert_eq!(lost.iter().filter(|action| *action == "address_lost").count(), 1);
}

/// There and back, as phones are lent.
pub async fn a_moved_token_can_move_back(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    for (owner, loser) in [(one, other), (other, one), (one, other), (other, one)] {
        scene.register(scene.draft(owner).with(alert("token"))).await;
        assert_eq!(scene.shown(owner).await, [Some("token".to_owned())]);
        assert!(scene.shown(loser).await.iter().all(Option::is_none));
    }
    assert_eq!(
        scene.history(one.user).await,
        ["device_added", "address_lost", "address_gained", "address_lost"]
    );
}

/// The last of a batch has it, and it is one batch's worth of writes.
pub async fn a_batch_can_pass_one_token_around(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut people = Vec::new();
    for n in 0..3 {
        people.push(scene.person(n).await);
    }
    let turns = [0, 1, 2, 1, 0, 2, 1];
    let drafts: Vec<_> = turns
        .iter()
        .filter_map(|turn| people.get(*turn))
        .map(|caller| scene.draft(*caller).with(alert("token")).on_holder(Platform::Ios))
        .collect();
    let answers = scene.register_all(drafts).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let mut owners = Vec::new();
    for caller in &people {
        let shown = scene.shown(*caller).await;
        owners.push(shown.into_iter().flatten().count());
    }
    assert_eq!(owners, [0, 1, 0]);
}

/// However crossing registrations are put into batches, each value ends where its last registration put it.
pub async fn crossing_registrations_may_be_batched_in_any_way(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    for round in 0_u32..32 {
        let (left, right) = if round % 2 == 0 {
            ("left", "right")
        } else {
            ("right", "left")
        };
        let drafts = [
            scene.draft(one).with(alert(left)).on("phone", Platform::Ios),
            scene.draft(other).with(alert(right)).on("phone", Platform::Ios),
            scene.draft(one).with(alert(right)).on("tablet", Platform::Ios),
            scene.draft(other).with(alert(left)).on("tablet", Platform::Ios),
        ];
        // Each bit that is set parts two neighbours; all parted first, so that every device is there.
        let cuts = 7 - round / 4 % 8;
        let mut batch = Vec::new();
        for (n, draft) in drafts.into_iter().enumerate() {
            batch.push(draft);
            if n == 3 || cuts >> n & 1 == 1 {
                let answers = scene.register_all(std::mem::take(&mut batch)).await;
                assert!(
                    answers.iter().all(Result::is_ok),
                    "parted as {cuts:03b}: {answers:?}"
                );
            }
        }
        for (caller, value) in [(one, right), (other, left)] {
            let shown = scene.shown(caller).await;
            assert_eq!(shown, [Some(value.to_owned()), None], "parted as {cuts:03b}");
        }
    }
}

/// Two providers may give the same value to two people.
pub async fn a_value_at_another_provider_is_another_address(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    scene
        .register(
            scene
                .draft(one)
                .with(alert_of(Provider::Apns, "default", "token")),
        )
        .await;
    scene
        .register(
            scene
                .draft(other)
                .with(alert_of(Provider::Fcm, "default", "token")),
        )
        .await;
    assert_eq!(scene.shown(one).await, [Some("token".to_owned())]);
    assert_eq!(scene.shown(other).await, [Some("token".to_owned())]);
}
