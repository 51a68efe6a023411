//! Removal of credentials by their user.

use std::sync::Arc;

use doorbell_domain::store::Store;
use doorbell_domain::{Platform, Provider};

use crate::Scene;
use crate::build::{activity, alert, alert_of, endpoint, live_activity, push_to_start, web_push};

/// One entry a removed row.
pub async fn tokens_leave_by_value_whatever_their_app_and_kind(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let draft = scene
        .draft(caller)
        .with(alert_of(Provider::Apns, "one", "token"))
        .with(alert_of(Provider::Apns, "two", "token"))
        .with(alert_of(Provider::Fcm, "one", "token"))
        .with(push_to_start("token"))
        .with(alert_of(Provider::Fcm, "two", "another"));
    let device = scene.register(draft).await.view.device.id;
    assert_eq!(scene.remove_tokens(caller.user, "token").await, [device; 4]);
    assert_eq!(scene.remove_tokens(caller.user, "token").await, []);
    assert_eq!(scene.shown(caller).await, [Some("another".to_owned())]);
}

/// A logout hides a token; its user can still remove it.
pub async fn suspended_tokens_leave_too(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let device = scene
        .register(scene.draft(caller).with(alert("token")))
        .await
        .view
        .device
        .id;
    scene.log_out(caller).await;
    assert_eq!(scene.remove_tokens(caller.user, "token").await, [device]);
}

/// Knowing a value removes nothing.
pub async fn another_users_token_stays(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (owner, stranger) = (scene.person(1).await, scene.person(2).await);
    scene
        .register(
            scene
                .draft(owner)
                .with(alert("token"))
                .with(live_activity("ride", "s", "ride")),
        )
        .await;
    scene
        .register(scene.draft(owner).on_holder(Platform::Web).with(web_push("box")))
        .await;
    assert_eq!(scene.remove_tokens(stranger.user, "token").await, []);
    let (own, user) = (endpoint("box").address().hash, stranger.user);
    let removed = scene
        .write(move |unit| {
            let activity = unit.remove_live_activity(user, &activity("ride"))?;
            Ok((activity, unit.remove_subscription(user, own)?))
        })
        .await;
    assert_eq!(removed, (None, None));
    assert_eq!(scene.shown(owner).await, [None, Some("token".to_owned())]);
    assert_eq!(scene.subscriptions(owner).await.len(), 1);
}

/// By anybody, and it robs nobody.
pub async fn a_removed_value_can_be_registered_again(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    scene.register(scene.draft(one).with(alert("token"))).await;
    scene.remove_tokens(one.user, "token").await;
    scene.register(scene.draft(other).with(alert("token"))).await;
    assert_eq!(scene.shown(other).await, [Some("token".to_owned())]);
    assert_eq!(scene.history(one.user).await, ["device_added"]);
    scene.remove_tokens(other.user, "token").await;
    scene.register(scene.draft(one).with(alert("token"))).await;
    assert_eq!(scene.shown(one).await, [Some("token".to_owned())]);
}

/// The device and its other tokens stay, even those of the same value.
pub async fn a_live_activitys_token_leaves_alone(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let draft = scene
        .draft(caller)
        .with(alert("token"))
        .with(live_activity("ride", "s", "token"))
        .with(live_activity("match", "s", "match"));
    let device = scene.register(draft).await.view.device.id;
    scene.log_out(caller).await;
    let caller = scene.sign_in(caller.user).await;
    let remove =
        |name: &'static str| scene.write(move |unit| unit.remove_live_activity(caller.user, &activity(name)));
    assert_eq!(remove("ride").await, Some(device));
    assert_eq!(remove("ride").await, None);
    assert_eq!(scene.remove_tokens(caller.user, "token").await, [device]);
    assert_eq!(remove("match").await, Some(device));
    assert_eq!(scene.page(caller, 0, 10).await.total, 1);
}

/// And what else lies on it, suspended as it may be.
pub async fn a_subscription_leaves_with_its_device(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    let device = scene
        .register(scene.draft(caller).on_holder(Platform::Web).with(web_push("box")))
        .await
        .view
        .device
        .id;
    scene
        .register(scene.draft(caller).on_uid(device).with(alert("token")))
        .await;
    scene
        .register(
            scene
                .draft(caller)
                .on_holder(Platform::Web)
                .with(web_push("kept")),
        )
        .await;
    scene.log_out(caller).await;
    let caller = scene.sign_in(caller.user).await;
    let own = endpoint("box").address().hash;
    let remove = || scene.write(move |unit| unit.remove_subscription(caller.user, own));
    assert_eq!(remove().await, Some(device));
    assert_eq!(remove().await, None);
    assert_eq!(scene.page(caller, 0, 10).await.total, 1);
    assert_eq!(scene.remove_tokens(caller.user, "token").await, []);
    // Both addresses are free again.
    scene.register(scene.draft(other).with(alert("token"))).await;
    scene
        .register(scene.draft(other).on_holder(Platform::Web).with(web_push("box")))
        .await;
    let history = scene.history(caller.user).await;
    assert!(!history.contains(&"address_lost".to_owned()), "{history:?}");
}

/// Nothing is not an error.
pub async fn unknown_credentials_are_none(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    assert_eq!(scene.remove_tokens(caller.user, "token").await, []);
    let own = endpoint("box").address().hash;
    let removed = scene
        .write(move |unit| {
            let activity = unit.remove_live_activity(caller.user, &activity("ride"))?;
            Ok((activity, unit.remove_subscription(caller.user, own)?))
        })
        .await;
    assert_eq!(removed, (None, None));
}
