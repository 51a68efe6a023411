//! Everything that a store can be asked, for tests that look at how it answers.

use doorbell_domain::code::Purpose;
use doorbell_domain::code_delivery::SHORTEST_LEASE;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{DeviceKey, KeyUse, Page, StoredKey};
use doorbell_domain::{Caller, Clock, Platform};

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
    let mut session = scene.session(one).await;
    let key = StoredKey {
        id: scene.id(),
        usage: KeyUse::Vapid,
        sealed: vec![1],
        created_at: now,
    };
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

async fn codes(scene: &Scene) {
    let now = scene.clock.now();
    let code = otp_session(scene.id(), phone(1), now);
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(1))?;
            unit.issue_code(&code)?;
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
