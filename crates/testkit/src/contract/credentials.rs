//! Credentials of one user: tokens and subscriptions.

use std::sync::Arc;

use doorbell_domain::push_token::Token;
use doorbell_domain::store::Store;
use doorbell_domain::text::{DeviceId, StreamId};
use doorbell_domain::{Caller, Clock, Platform, Provider, Subscription, TokenKind};

use crate::Scene;
use crate::build::{activity, alert, alert_of, endpoint, live_activity, push_to_start, web_push};

/// What a second registration finds is what the first one wrote.
pub async fn every_kind_of_token_is_kept_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let running = |stream: &str| TokenKind::LiveActivity {
        activity: activity("ride"),
        stream: StreamId::parse(stream).expect("a stream"),
    };
    let tokens = [
        (alert("token-1"), Provider::Apns, "default", TokenKind::Alert),
        (
            alert_of(Provider::Fcm, "uygulama 😀", "token-2"),
            Provider::Fcm,
            "uygulama 😀",
            TokenKind::Alert,
        ),
        (
            push_to_start("token-3"),
            Provider::Apns,
            "default",
            TokenKind::PushToStart,
        ),
        (
            live_activity("ride", "stream", "token-4"),
            Provider::Apns,
            "default",
            running("stream"),
        ),
    ];
    let mut rows = Vec::new();
    for (credential, provider, app, kind) in tokens {
        let registered = scene.register(scene.draft(caller).with(credential.clone())).await;
        let at = scene.clock.now();
        let token = registered.token.expect("a token");
        let expected = Token {
            id: token.id,
            user: caller.user,
            device: registered.view.device.id,
            session: caller.session,
            session_ended: false,
            provider,
            app: doorbell_domain::text::AppName::parse(app).expect("an app"),
            kind,
            value: token.value.clone(),
            created_at: at,
            updated_at: at,
        };
        assert_eq!(token, expected);
        rows.push((credential, token));
    }
    for (credential, before) in rows {
        let registered = scene.register(scene.draft(caller).with(credential)).await;
        let after = registered.token.expect("a token");
        let expected = Token {
            updated_at: scene.clock.now(),
            ..before
        };
        assert_eq!(after, expected);
    }
}

/// The row keeps its identity; there is one of it.
pub async fn a_new_value_replaces_the_old_one_in_its_row(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let old = scene
        .register(scene.draft(caller).with(alert("old")))
        .await
        .token
        .expect("a token");
    let new = scene
        .register(scene.draft(caller).with(alert("new")))
        .await
        .token
        .expect("a token");
    assert_eq!((new.id, new.created_at), (old.id, old.created_at));
    assert_eq!(scene.shown(caller).await, [Some("new".to_owned())]);
    assert_eq!(scene.remove_tokens(caller.user, "old").await, []);
    assert_eq!(scene.remove_tokens(caller.user, "new").await, [new.device]);

    let start = scene
        .register(scene.draft(caller).with(live_activity("ride", "one", "v1")))
        .await
        .token
        .expect("a token");
    let later = scene
        .register(scene.draft(caller).with(live_activity("ride", "two", "v2")))
        .await
        .token
        .expect("a token");
    assert_eq!(later.id, start.id);
    assert_ne!(later.kind, start.kind);
}

/// A value that its owner no longer uses is free, and taking it robs nobody.
pub async fn a_replaced_value_belongs_to_nobody(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    scene.register(scene.draft(one).with(alert("first"))).await;
    scene.register(scene.draft(one).with(alert("second"))).await;
    scene.register(scene.draft(other).with(alert("first"))).await;
    assert_eq!(scene.shown(one).await, [Some("second".to_owned())]);
    assert_eq!(scene.shown(other).await, [Some("first".to_owned())]);
    assert_eq!(scene.history(one.user).await, ["device_added"]);
    assert_eq!(scene.history(other.user).await, ["device_added"]);
    // And its first owner can come back to the place it left.
    scene.register(scene.draft(other).with(alert("third"))).await;
    scene.register(scene.draft(one).with(alert("first"))).await;
    assert_eq!(scene.shown(one).await, [Some("first".to_owned())]);
}

/// With its keys, and with a device that bears its name.
pub async fn a_subscription_is_kept_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let registered = scene
        .register(scene.draft(caller).on_holder(Platform::Web).with(web_push("box")))
        .await;
    let at = scene.clock.now();
    let written = registered.subscription.expect("a subscription");
    let doorbell_domain::registration::Credential::WebPush {
        endpoint,
        keys,
        vapid_key,
        device_name,
        user_agent,
    } = web_push("box")
    else {
        panic!("a subscription");
    };
    let expected = Subscription {
        id: written.id,
        user: caller.user,
        device: registered.view.device.id,
        session: caller.session,
        session_ended: false,
        endpoint,
        keys,
        vapid_key: vapid_key.resolve(None),
        device_name,
        user_agent,
        created_at: at,
        last_used_at: at,
        suspect_at: None,
    };
    assert_eq!(written, expected);
    assert_eq!(scene.subscriptions(caller).await, [expected]);
    let device = registered.view.device;
    assert_eq!(device.platform, Platform::Web);
    assert_eq!(device.device_id, DeviceId::of_row(written.id.uuid()));
}

/// A browser that subscribes again is the same browser, and the newest first of several.
pub async fn a_subscription_registered_again_keeps_its_row_and_device(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = scene.person(1).await;
    let web = |caller: Caller, name: &str| scene.draft(caller).on_holder(Platform::Web).with(web_push(name));
    let before = scene
        .register(web(first, "box"))
        .await
        .subscription
        .expect("a subscription");
    let second = scene.sign_in(first.user).await;
    let after = scene
        .register(web(second, "box"))
        .await
        .subscription
        .expect("a subscription");
    let expected = Subscription {
        session: second.session,
        last_used_at: scene.clock.now(),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(scene.subscriptions(first).await, std::slice::from_ref(&expected));
    let newest = scene
        .register(web(second, "another"))
        .await
        .subscription
        .expect("a subscription");
    assert_eq!(scene.subscriptions(first).await, [newest, expected]);
    assert_eq!(scene.page(first, 0, 10).await.total, 2);
}

/// A dialect that names no device finds it by what it shows.
pub async fn a_holder_is_found_again_by_its_token(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let show = |app: &str| {
        let credential = alert_of(Provider::Fcm, app, "token");
        scene.draft(caller).on_holder(Platform::Android).with(credential)
    };
    let first = scene.register(show("one")).await;
    let again = scene.register(show("one")).await;
    let third = scene.register(show("two")).await;
    let id = first.view.device.id;
    assert_eq!((again.view.device.id, third.view.device.id), (id, id));
    let row = first.token.expect("a token").id;
    assert_eq!(first.view.device.device_id, DeviceId::of_row(row.uuid()));
    assert_eq!(again.token.map(|token| token.id), Some(row));
    assert_ne!(third.token.map(|token| token.id), Some(row));
    assert_eq!(scene.page(caller, 0, 10).await.total, 1);
}

/// A value rings one device.
pub async fn a_value_on_the_users_other_device_is_gathered(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let old = scene
        .register(
            scene
                .draft(caller)
                .with(alert("token"))
                .with(push_to_start("token")),
        )
        .await;
    let new = scene
        .register(
            scene
                .draft(caller)
                .on("tablet", Platform::Ios)
                .with(alert("token")),
        )
        .await;
    assert_eq!(scene.shown(caller).await, [Some("token".to_owned()), None]);
    // The row came over whole, and so did the other kind of the same value.
    assert_eq!(new.token.map(|token| token.id), old.token.map(|token| token.id));
    let tablet = new.view.device.id;
    assert_eq!(scene.remove_tokens(caller.user, "token").await, [tablet, tablet]);
}

/// An activity is unique in its user.
pub async fn a_live_activity_moves_with_its_user(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene
        .register(scene.draft(caller).with(live_activity("ride", "s", "v1")))
        .await;
    let moved = scene
        .register(
            scene
                .draft(caller)
                .on("tablet", Platform::Ios)
                .with(live_activity("ride", "s", "v2")),
        )
        .await;
    let remove = || scene.write(move |unit| unit.remove_live_activity(caller.user, &activity("ride")));
    assert_eq!(remove().await, Some(moved.view.device.id));
    assert_eq!(remove().await, None);
}

/// The row stays, and rings again once the device registers under a live session.
pub async fn tokens_revive_under_a_new_session(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = scene.person(1).await;
    let before = scene
        .register(scene.draft(first).with(alert("token")))
        .await
        .token
        .expect("a token");
    scene.log_out(first).await;
    let second = scene.sign_in(first.user).await;
    assert_eq!(scene.shown(second).await, [None]);
    let bare = scene.register(scene.draft(second)).await;
    assert_eq!(bare.view.push_token, None, "the device alone revives nothing");
    let after = scene
        .register(scene.draft(second).with(alert("token")))
        .await
        .token
        .expect("a token");
    let expected = Token {
        session: second.session,
        updated_at: scene.clock.now(),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(scene.shown(second).await, [Some("token".to_owned())]);
    let newest = scene.trail(first.user).await.into_iter().next().expect("a line");
    assert_eq!(newest.action, "credential_revived");
    assert_eq!(
        (newest.device, newest.session),
        (Some(after.device), Some(second.session))
    );
}

/// One token stands for a device that has several.
pub async fn the_shown_token_is_the_default_apps_or_else_the_newest(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let steps = [
        (push_to_start("start"), None),
        (live_activity("ride", "s", "ride"), None),
        (alert_of(Provider::Fcm, "b", "b1"), Some("b1")),
        (alert_of(Provider::Fcm, "a", "a1"), Some("a1")),
        (alert_of(Provider::Fcm, "b", "b2"), Some("b2")),
        (alert_of(Provider::Fcm, "default", "d1"), Some("d1")),
        (alert_of(Provider::Fcm, "a", "a2"), Some("d1")),
    ];
    for (credential, shown) in steps {
        let registered = scene.register(scene.draft(caller).with(credential)).await;
        let shown = shown.map(str::to_owned);
        assert_eq!(registered.view.push_token.map(|t| t.expose().to_owned()), shown);
        assert_eq!(scene.shown(caller).await, [shown]);
    }
    assert_eq!(scene.subscriptions(caller).await, []);
    let own = endpoint("box").address().hash;
    let removed = scene
        .write(move |unit| unit.remove_subscription(caller.user, own))
        .await;
    assert_eq!(removed, None);
}
