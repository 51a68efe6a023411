//! The audit trail.

use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::store::{Store, TrailLine};
use doorbell_domain::{AuditId, Clock, DeviceUid, UserId};

use crate::Scene;

fn event(scene: &Scene, user: UserId, action: AuditAction) -> AuditEvent {
    AuditEvent {
        id: AuditId::from_uuid(scene.id()),
        user,
        at: scene.clock.now(),
        action,
        session: None,
        device: None,
        reason: None,
    }
}

/// Every field, and only as many lines as were asked for.
pub async fn the_trail_is_newest_first_and_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let full = AuditEvent {
        session: Some(caller.session),
        device: Some(DeviceUid::from_uuid(scene.id())),
        reason: Some("logout"),
        ..event(&scene, caller.user, AuditAction::SessionEnded)
    };
    let refused = event(&scene, caller.user, AuditAction::CodeRefused);
    let signed_in = event(&scene, caller.user, AuditAction::SignedIn);
    let last = event(&scene, caller.user, AuditAction::DeletionRequested);
    // The order in which they are handed over says nothing.
    let recorded = [signed_in, full.clone(), refused];
    scene
        .write(move |unit| {
            unit.record(&[last])?;
            unit.record(&recorded)
        })
        .await;
    let trail = scene.trail(caller.user).await;
    let actions: Vec<_> = trail.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(
        actions,
        ["deletion_requested", "signed_in", "code_refused", "session_ended"]
    );
    let line = trail.iter().find(|line| line.action == "session_ended");
    let whole = TrailLine {
        id: full.id,
        at: full.at,
        action: full.action.name().to_owned(),
        session: full.session,
        device: full.device,
        reason: Some("logout".to_owned()),
    };
    assert_eq!(line, Some(&whole));
    let two = scene.write(move |unit| unit.trail(caller.user, 2)).await;
    assert_eq!(trail.get(..2), Some(two.as_slice()));
}

/// Nobody reads another's.
pub async fn a_trail_is_its_users_alone(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    let events = [event(&scene, one.user, AuditAction::SignedIn)];
    scene.write(move |unit| unit.record(&events)).await;
    assert_eq!(scene.history(one.user).await, ["signed_in"]);
    assert_eq!(scene.trail(other.user).await, []);
}

/// No lines, no statement, no error.
pub async fn nothing_to_record_is_nothing(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.write(|unit| unit.record(&[])).await;
    assert_eq!(scene.trail(caller.user).await, []);
}
