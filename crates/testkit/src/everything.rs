//! Everything that a store can be asked, for tests that look at how it answers.

mod messages;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::code::Purpose;
use doorbell_domain::code_delivery::SHORTEST_LEASE;
use doorbell_domain::event::LEASE;
use doorbell_domain::limits::{LimitPolicy, Network, counters};
use doorbell_domain::sealed::SealedColumn;
use doorbell_domain::session::EndReason;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::store::{DeviceKey, KeyUse, Page, Resealed, StoredKey};
use doorbell_domain::{AuditId, Caller, Clock, Platform};

use crate::Scene;
use crate::build::{
    activity, alert, code_delivery, code_policy, device_id, endpoint, fingerprint, full_profile,
    live_activity, otp_session, phone, web_push,
};

/// Asks a store everything that it can be asked, in a scene without people 1 and 2.
pub async fn everything(scene: &Scene) {
    let one = scene.person(1).await;
    let other = scene.person(2).await;
    codes(scene).await;
    deliveries(scene).await;
    registrations(scene, one, other).await;
    messages::messages(scene, one).await;
    let now = scene.tick();
    scene
        .write(move |unit| {
            let page = Page { offset: 0, limit: 10 };
            unit.session(one)?;
            unit.session_user(one)?;
            unit.sessions_of(one, now)?;
            let devices = unit.devices(one, page)?.expect("known").found.devices;
            let uid = devices.first().expect("a device").device.id;
            unit.device(one, &DeviceKey::Uid(uid))?;
            unit.device(one, &DeviceKey::DeviceId(device_id("phone")))?;
            unit.subscriptions(one)?;
            unit.trail(one.user, 10)?;
            unit.remove_live_activity(one.user, &activity("ride"))?;
            unit.remove_subscription(one.user, endpoint("box").address().hash)?;
            let mut user = unit.lock_user(one.user)?.expect("known");
            user.profile = full_profile("Zeynep");
            unit.save_user(&user)
        })
        .await;
    scene.remove_tokens(one.user, "token").await;
    events(scene, one).await;
    let mut session = scene.session(one).await;
    let key = StoredKey {
        id: scene.id(),
        usage: KeyUse::Vapid,
        sealed: vec![1],
        created_at: now,
        life: KeyLife::since(now),
    };
    keys(scene).await;
    scene
        .write(move |unit| {
            session.counter += 1;
            unit.rotate_session(&session)?;
            unit.lock_session(one.session)?;
            unit.pin_fingerprint(other.session, &fingerprint("print"))?;
            unit.end_session(other.session, now, EndReason::Logout)?;
            unit.end_sessions_of(one.user, None, now, EndReason::Logout)?;
            unit.insert_first_key(&key)
        })
        .await;
}

async fn keys(scene: &Scene) {
    let now = scene.clock.now();
    let (usage, id) = (KeyUse::AccessToken, scene.id());
    let key = StoredKey {
        id,
        usage,
        sealed: vec![1],
        created_at: now,
        life: KeyLife::since(now),
    };
    scene
        .write(move |unit| {
            unit.lock_keys(usage)?;
            unit.insert_key(&key)?;
            unit.retire_key(id, now)?;
            for column in SealedColumn::ALL {
                let values = unit.sealed_values(column, Some(id), 10)?;
                let same = values.into_iter().map(|value| Resealed {
                    row: value.row,
                    old: value.sealed.clone(),
                    new: value.sealed,
                });
                unit.replace_sealed(column, &same.collect::<Vec<_>>())?;
                let nothing = Resealed {
                    row: id,
                    old: vec![2],
                    new: vec![3],
                };
                unit.replace_sealed(column, &[nothing])?;
            }
            unit.remove_key(id)
        })
        .await;
}

/// What no client's request asks at every turn: what a person may see of their data, and every sweep, in a scene without people
/// 3 to 6.
pub async fn rarities(scene: &Scene) {
    let (suspended, away, idle, leaving) = (
        scene.person(3).await,
        scene.person(4).await,
        scene.person(5).await,
        scene.person(6).await,
    );
    codes(scene).await;
    for (n, caller) in [suspended, away, leaving].into_iter().enumerate() {
        let name = format!("rare {n}");
        scene.register(scene.draft(caller).with(alert(&name))).await;
        let browser = scene.draft(caller).on_holder(Platform::Web);
        scene.register(browser.with(web_push(&name))).await;
    }
    // On the connection that writes, since that is the one that is watched.
    scene
        .write(move |unit| {
            unit.export(away, 10)?;
            let newest = unit.activity(away.user, None, 10)?;
            unit.activity(away.user, newest.first().map(|line| line.id), 10)
        })
        .await;
    messages::rarities(scene, away, leaving).await;
    scene.log_out(suspended).await;
    let now = scene.tick();
    scene
        .write(move |unit| {
            unit.due_deletions(now, 10)?;
            let user = unit.claim_user(leaving.user)?.expect("known");
            unit.erase_user(leaving.user, user.phone.as_ref(), now)
        })
        .await;
    let late = scene.session(idle).await.expires_at;
    scene
        .write(move |unit| {
            unit.sweep_expired_sessions(late, late, 100)?;
            unit.sweep_ended_sessions(now, 100)?;
            unit.sweep_tokens(now, 100)?;
            unit.sweep_codes(late, 100)?;
            unit.sweep_phones(late, 100)?;
            unit.sweep_failed_phones(late, late, 100)?;
            unit.sweep_counters(late, 100)?;
            unit.sweep_finished_jobs(late, 100)?;
            unit.sweep_messages(late, 100)?;
            unit.sweep_idempotency_keys(late, 100)?;
            unit.sweep_unreached(late, 100)?;
            unit.sweep_resting_lanes(late, 100)?;
            unit.sweep_suspects(late, 100)?;
            unit.sweep_event_outbox(late, 100)?;
            unit.sweep_audit(late, 100)
        })
        .await;
}

async fn codes(scene: &Scene) {
    let now = scene.clock.now();
    let code = otp_session(scene.id(), phone(1), now);
    let claims = LimitPolicy::STANDARD.verify_claims(Some(Network::of([203, 0, 113, 1].into())));
    let places = counters::places(&claims, 0, now);
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(1))?;
            unit.issue_code(&code)?;
            unit.find_phone(&phone(1))?;
            unit.note_failures(&phone(1), 1, Some(now))?;
            unit.sends_since(&phone(1), now, 10)?;
            unit.count(&places, now)?;
            unit.counters(&claims)?;
            unit.count_guess(&phone(1), Purpose::SignIn, now, &code_policy())?;
            unit.use_code(&code, now)
        })
        .await;
}

async fn deliveries(scene: &Scene) {
    let now = scene.clock.now();
    let (first, second) = (
        code_delivery(scene.id(), phone(1), now),
        code_delivery(scene.id(), phone(2), now),
    );
    scene
        .write(move |unit| {
            unit.enqueue_code(&first)?;
            unit.enqueue_code(&second)?;
            for claimed in unit.claim_codes(now, SHORTEST_LEASE, 10)? {
                unit.postpone_code(claimed.id, claimed.fence, now)?;
            }
            for claimed in unit.claim_codes(now, SHORTEST_LEASE, 1)? {
                unit.finish_code(claimed.id, claimed.fence)?;
            }
            unit.drop_expired_codes(first.expires_at)
        })
        .await;
}

/// What is asked of an event, in a scene where something moved.
async fn events(scene: &Scene, caller: Caller) {
    let now = scene.clock.now();
    let line = AuditEvent {
        id: AuditId::from_uuid(scene.id()),
        user: caller.user,
        at: now,
        action: AuditAction::SessionEnded,
        session: Some(caller.session),
        device: None,
        reason: None,
    };
    scene
        .write(move |unit| {
            unit.record(&[line])?;
            for claimed in unit.claim_events(now, LEASE, 10)? {
                unit.postpone_event(claimed.id, claimed.fence, now)?;
            }
            for claimed in unit.claim_events(now, LEASE, 1)? {
                unit.finish_event(claimed.id, claimed.fence)?;
            }
            Ok(())
        })
        .await;
}

async fn registrations(scene: &Scene, one: Caller, other: Caller) {
    let registered = scene
        .register(
            scene
                .draft(one)
                .with(alert("token"))
                .with(live_activity("ride", "s", "ride"))
                .zone("Europe/Istanbul")
                .fingerprint("print"),
        )
        .await;
    let uid = registered.view.device.id;
    scene
        .register(scene.draft(one).on_uid(uid).with(alert("another")))
        .await;
    for caller in [one, other] {
        let browser = scene.draft(caller).on_holder(Platform::Web).with(web_push("box"));
        scene.register(browser).await;
        scene.register(scene.draft(caller).with(alert("token"))).await;
    }
    scene
        .register(scene.draft(one).on_holder(Platform::Web).with(web_push("box")))
        .await;
    scene
        .register(scene.draft(one).on("tablet", Platform::Ios).with(alert("token")))
        .await;
}
