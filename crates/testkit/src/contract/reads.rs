//! Reads that start at the caller's session.

use std::sync::Arc;

use doorbell_domain::registration::WhenRevoked;
use doorbell_domain::session::SessionPolicy;
use doorbell_domain::store::{DeviceKey, Page, Store};
use doorbell_domain::{Caller, Clock, DeviceStatus, Platform, SessionId, UserId};
use time::Duration;

use crate::Scene;
use crate::build::{alert, device_id, session, web_push};

/// A token that names what is not there opens nothing.
pub async fn an_unknown_session_or_a_foreign_user_reads_nothing(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    scene.register(scene.draft(other).with(alert("token"))).await;
    let strangers = [
        Caller {
            session: SessionId::from_uuid(scene.id()),
            ..other
        },
        Caller {
            user: UserId::from_uuid(scene.id()),
            ..other
        },
        Caller {
            session: one.session,
            ..other
        },
    ];
    let now = scene.clock.now();
    for caller in strangers {
        let nothing = scene
            .read(move |reads| {
                let page = Page { offset: 0, limit: 10 };
                let key = DeviceKey::DeviceId(device_id("phone"));
                Ok([
                    reads.session(caller)?.is_none(),
                    reads.session_user(caller)?.is_none(),
                    reads.sessions_of(caller, now)?.is_none(),
                    reads.devices(caller, page)?.is_none(),
                    reads.device(caller, &key)?.is_none(),
                    reads.subscriptions(caller)?.is_none(),
                ])
            })
            .await;
        assert_eq!(nothing, [true; 6]);
    }
}

/// Every read gives the caller's own session, as it is.
pub async fn an_ended_session_is_read_and_left_to_be_judged(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let other = scene.sign_in(caller.user).await;
    scene.log_out(caller).await;
    let session = scene.session(caller).await;
    assert!(session.ended.is_some());
    let now = scene.clock.now();
    let seen = scene
        .read(move |reads| {
            let page = Page { offset: 0, limit: 10 };
            let key = DeviceKey::DeviceId(device_id("phone"));
            Ok([
                reads.session_user(caller)?.map(|found| found.session),
                reads.sessions_of(caller, now)?.map(|found| found.session),
                reads.devices(caller, page)?.map(|found| found.session),
                reads.device(caller, &key)?.map(|found| found.session),
                reads.subscriptions(caller)?.map(|found| found.session),
            ])
        })
        .await;
    for found in seen {
        assert_eq!(found, Some(session.clone()));
    }
    let found = scene
        .read(move |reads| reads.sessions_of(caller, now))
        .await
        .expect("known");
    assert_eq!(found.found, [scene.session(other).await]);
}

/// Pages follow each other without gap or overlap, though all were made in one instant.
pub async fn devices_come_newest_first_with_ties_by_id(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    let at = scene.tick();
    let drafts: Vec<_> = (0..7)
        .map(|n| {
            scene
                .draft(caller)
                .at(at)
                .on(&format!("tie-{n}"), Platform::Android)
        })
        .collect();
    scene.register_all(drafts).await;
    let newest = scene
        .register(scene.draft(caller).on("newest", Platform::Ios).with(alert("n")))
        .await;
    scene.register(scene.draft(other)).await;
    // A later change makes a device no newer.
    scene
        .register(scene.draft(caller).on_known("tie-3").with(alert("t")))
        .await;

    let all = scene.page(caller, 0, 100).await;
    assert_eq!(all.total, 8);
    assert_eq!(all.devices.first(), Some(&newest.view));
    let order: Vec<_> = all
        .devices
        .iter()
        .map(|v| (v.device.created_at, v.device.id))
        .collect();
    let mut expected = order.clone();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    expected.dedup();
    assert_eq!(order, expected);
    let mut paged = Vec::new();
    for offset in [0, 3, 6] {
        let page = scene.page(caller, offset, 3).await;
        assert_eq!(page.total, 8);
        paged.extend(page.devices);
    }
    assert_eq!(paged, all.devices);
    let shown = all
        .devices
        .iter()
        .filter(|view| view.push_token.is_some())
        .count();
    assert_eq!(shown, 2);
}

/// A client that pages too far learns how far it can.
pub async fn a_page_past_the_end_still_tells_the_total(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for n in 0..3 {
        scene
            .register(scene.draft(caller).on(&format!("device-{n}"), Platform::Web))
            .await;
    }
    for offset in [3, 4, u64::from(u32::MAX)] {
        let page = scene.page(caller, offset, 2).await;
        assert_eq!((page.devices.len(), page.total), (0, 3), "{offset}");
    }
    let page = scene.page(caller, 2, 2).await;
    assert_eq!((page.devices.len(), page.total), (1, 3));
}

/// The session is known though nothing hangs on it.
pub async fn a_user_without_devices_has_an_empty_page(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    scene
        .register(scene.draft(other).on_holder(Platform::Web).with(web_push("box")))
        .await;
    let page = scene.page(caller, 0, 10).await;
    assert_eq!((page.devices, page.total), (Vec::new(), 0));
    assert_eq!(scene.device(caller, "phone").await, None);
    assert_eq!(scene.subscriptions(caller).await, []);
}

/// Names belong to their users; ids are asked by theirs alone.
pub async fn a_device_is_found_by_id_and_by_name_and_only_by_its_user(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    let first = scene.register(scene.draft(one).with(alert("one"))).await.view;
    let second = scene.register(scene.draft(other).with(alert("other"))).await.view;
    assert_ne!(first.device.id, second.device.id);
    for (caller, view) in [(one, &first), (other, &second)] {
        assert_eq!(scene.device(caller, "phone").await.as_ref(), Some(view));
        for asked in [&first, &second] {
            let key = DeviceKey::Uid(asked.device.id);
            let found = scene.read(move |reads| reads.device(caller, &key)).await;
            let found = found.expect("a known session").found;
            assert_eq!(found.as_ref(), (asked == view).then_some(view));
        }
        assert_eq!(scene.device(caller, "Phone").await, None, "names are bytes");
    }
}

/// By the end of their session, not by another's.
pub async fn suspended_tokens_are_not_shown(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = scene.person(1).await;
    let second = scene.sign_in(first.user).await;
    scene
        .register(scene.draft(first).on("one", Platform::Ios).with(alert("one")))
        .await;
    scene
        .register(scene.draft(second).on("two", Platform::Ios).with(alert("two")))
        .await;
    let both = [Some("two".to_owned()), Some("one".to_owned())];
    assert_eq!(scene.shown(second).await, both);
    scene.log_out(first).await;
    assert_eq!(scene.shown(second).await, [Some("two".to_owned()), None]);
    let view = scene.device(second, "one").await.expect("a device");
    assert_eq!(view.push_token, None);
}

/// Neither by an ended session nor on a revoked device.
pub async fn suspended_subscriptions_are_not_listed(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = scene.person(1).await;
    let second = scene.sign_in(first.user).await;
    let mut subscriptions = Vec::new();
    for (caller, name) in [(first, "a"), (second, "b"), (second, "c")] {
        let draft = scene.draft(caller).on_holder(Platform::Web).with(web_push(name));
        subscriptions.push(scene.register(draft).await.subscription.expect("a subscription"));
    }
    let names = |caller| {
        let listed = scene.subscriptions(caller);
        async move { listed.await.into_iter().map(|s| s.id).collect::<Vec<_>>() }
    };
    let [a, b, c] = [0, 1, 2].map(|n: usize| subscriptions.get(n).expect("three"));
    assert_eq!(names(second).await, [c.id, b.id, a.id]);
    scene.log_out(first).await;
    assert_eq!(names(second).await, [c.id, b.id]);
    let revoke = scene
        .draft(second)
        .on_uid(c.device)
        .when_revoked(WhenRevoked::KeepRevoked)
        .status(DeviceStatus::Revoked);
    scene.register(revoke).await;
    assert_eq!(names(second).await, [b.id]);
}

/// Neither those that ended nor those that expired, to the microsecond.
pub async fn sessions_come_newest_first_without_the_dead(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let user = caller.user;
    scene.person(2).await;
    let over = scene.sign_in(user).await;
    scene.log_out(over).await;
    let now = scene.tick();
    let micro = Duration::microseconds(1);
    let ends = [
        (now, now + micro),
        (now + micro, now),
        (now + micro, now + micro),
        (
            now + SessionPolicy::STANDARD.idle,
            now + SessionPolicy::STANDARD.absolute,
        ),
    ];
    let mut alive = vec![scene.session(caller).await];
    for (expires_at, absolute_expires_at) in ends {
        let mut made = session(SessionId::from_uuid(scene.id()), user, scene.clock.now());
        made.expires_at = expires_at;
        made.absolute_expires_at = absolute_expires_at;
        let written = made.clone();
        scene.write(move |unit| unit.insert_session(&written)).await;
        if made.is_live(now) {
            alive.push(made);
        }
    }
    alive.reverse();
    assert_eq!(alive.len(), 3);
    let found = scene.read(move |reads| reads.sessions_of(caller, now)).await;
    assert_eq!(found.expect("a known session").found, alive);
}
