//! Sign-in sessions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use doorbell_domain::session::EndReason;
use doorbell_domain::store::Store;
use doorbell_domain::{Clock, Session, SessionId};
use time::Duration;

use crate::Scene;
use crate::build::{caller, device_id, fingerprint, session, text};

/// All of it, for both kinds of address and every reason to end.
pub async fn every_field_of_a_session_is_kept(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let user = scene.person(1).await.user;
    let addresses = [
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)),
    ];
    for (reason, ip) in EndReason::ALL.into_iter().zip(addresses.into_iter().cycle()) {
        let plain = session(SessionId::from_uuid(scene.id()), user, scene.clock.now());
        let micro = |n| plain.created_at + Duration::microseconds(n);
        let full = Session {
            counter: u32::MAX,
            rotated_at: micro(1),
            fingerprint: Some(fingerprint("print 😀")),
            device_id: Some(device_id("device 😀")),
            user_agent: Some(text("Mozilla/5.0 (😀)")),
            ip: Some(ip),
            last_used_at: micro(2),
            expires_at: micro(3),
            absolute_expires_at: micro(4),
            ended: Some((micro(5), reason)),
            ..plain.clone()
        };
        for session in [
            plain,
            Session {
                id: SessionId::from_uuid(scene.id()),
                ..full
            },
        ] {
            let written = session.clone();
            scene.write(move |unit| unit.insert_session(&written)).await;
            assert_eq!(scene.session(caller(&session)).await, session);
        }
    }
}

/// Whoever comes second finds it moved.
pub async fn the_counter_moves_only_from_its_predecessor(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let who = scene.person(1).await;
    let before = scene.session(who).await;
    let now = scene.tick();
    let next = Session {
        counter: 1,
        rotated_at: now,
        last_used_at: now + Duration::microseconds(1),
        expires_at: now + Duration::microseconds(2),
        // These do not belong to a rotation.
        user_agent: Some(text("another")),
        salt: [9; 16],
        ..before.clone()
    };
    let rotated = next.clone();
    let moved = scene.write(move |unit| unit.rotate_session(&rotated)).await;
    assert!(moved);
    let expected = Session {
        user_agent: None,
        salt: before.salt,
        ..next.clone()
    };
    assert_eq!(scene.session(who).await, expected);
    for counter in [1, 3, 0] {
        let stale = Session {
            counter,
            last_used_at: now + Duration::days(1),
            ..next.clone()
        };
        let moved = scene.write(move |unit| unit.rotate_session(&stale)).await;
        assert!(!moved, "to {counter}");
    }
    assert_eq!(scene.session(who).await, expected);
}

/// A pin is set once.
pub async fn the_first_fingerprint_wins(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let who = scene.person(1).await;
    let pin =
        |name: &'static str| scene.write(move |unit| unit.pin_fingerprint(who.session, &fingerprint(name)));
    assert!(pin("first").await);
    assert!(!pin("second").await);
    assert!(!pin("first").await);
    assert_eq!(scene.session(who).await.fingerprint, Some(fingerprint("first")));
}

/// The first end is the one that is remembered.
pub async fn a_session_ends_once(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let who = scene.person(1).await;
    let (first, second) = (scene.tick(), scene.tick());
    let end = |at, reason| scene.write(move |unit| unit.end_session(who.session, at, reason));
    assert!(end(first, EndReason::Reuse).await);
    assert!(!end(second, EndReason::Logout).await);
    assert_eq!(scene.session(who).await.ended, Some((first, EndReason::Reuse)));
    let unknown = SessionId::from_uuid(scene.id());
    let ended = scene
        .write(move |unit| unit.end_session(unknown, second, EndReason::Logout))
        .await;
    assert!(!ended);
}

/// It gives the ids of those it ended, in order, and of no others.
pub async fn ending_all_sessions_spares_the_exception_and_everybody_else(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = scene.person(1).await;
    let user = first.user;
    let over = scene.sign_in(user).await;
    scene.log_out(over).await;
    let kept = scene.sign_in(user).await;
    let last = scene.sign_in(user).await;
    let stranger = scene.person(2).await;

    let at = scene.tick();
    let end =
        |except| scene.write(move |unit| unit.end_sessions_of(user, except, at, EndReason::AccountDeletion));
    assert_eq!(end(Some(kept.session)).await, [first.session, last.session]);
    assert_eq!(
        scene.session(last).await.ended,
        Some((at, EndReason::AccountDeletion))
    );
    assert_eq!(scene.session(kept).await.ended, None);
    assert_eq!(
        scene.session(over).await.ended.map(|(_, reason)| reason),
        Some(EndReason::Logout)
    );
    assert_eq!(end(None).await, [kept.session]);
    assert_eq!(end(None).await, []);
    assert_eq!(scene.session(stranger).await.ended, None);
}

/// Locking reads the same row.
pub async fn a_locked_session_is_read_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let who = scene.person(1).await;
    let locked = scene.write(move |unit| unit.lock_session(who.session)).await;
    assert_eq!(locked, Some(scene.session(who).await));
    let unknown = SessionId::from_uuid(scene.id());
    assert_eq!(scene.write(move |unit| unit.lock_session(unknown)).await, None);
}
