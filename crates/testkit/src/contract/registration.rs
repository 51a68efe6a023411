//! Registration: of devices, and what is refused.

use std::sync::Arc;

use doorbell_domain::device::{Device, MobileSettings, WebSettings};
use doorbell_domain::registration::{Refusal, WhenRevoked};
use doorbell_domain::store::{DeviceKey, RegisterError, Store};
use doorbell_domain::text::Environment;
use doorbell_domain::{Caller, Clock, DeviceStatus, Platform, SessionId, TimeZoneName};

use crate::Scene;
use crate::build::{alert, device_id, fingerprint, mobile_settings, push_to_start, web_settings};

fn refused<T>(refusal: Refusal) -> Result<T, RegisterError> {
    Err(RegisterError::Refused(refusal))
}

/// Of a bare device and of one about which everything is told.
pub async fn every_field_of_a_device_is_kept(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let bare = scene.register(scene.draft(caller)).await.view;
    let at = scene.clock.now();
    let expected = Device {
        id: bare.device.id,
        user: caller.user,
        device_id: device_id("phone"),
        platform: Platform::Ios,
        environment: Environment::production(),
        status: DeviceStatus::Active,
        timezone: None,
        mobile: MobileSettings::default(),
        web: WebSettings::default(),
        created_at: at,
        updated_at: at,
        last_seen_at: at,
        last_used_at: at,
    };
    assert_eq!(bare.device, expected);
    assert_eq!(scene.device(caller, "phone").await, Some(bare));

    let told = scene
        .draft(caller)
        .on("gerät 😀", Platform::Ios)
        .everything(Platform::Web);
    let full = scene.register(told).await.view;
    let at = scene.clock.now();
    let expected = Device {
        id: full.device.id,
        device_id: device_id("gerät 😀"),
        platform: Platform::Web,
        environment: Environment::parse("sandbox").expect("an environment"),
        timezone: Some(TimeZoneName::known("Asia/Tokyo")),
        mobile: mobile_settings(),
        web: web_settings(),
        created_at: at,
        updated_at: at,
        last_seen_at: at,
        last_used_at: at,
        ..expected
    };
    assert_eq!(full.device, expected);
    assert_eq!(scene.device(caller, "gerät 😀").await, Some(full));
}

/// Nothing is ever cleared by a registration.
pub async fn a_device_registered_again_keeps_its_identity_and_what_was_not_sent(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let first = scene
        .register(scene.draft(caller).everything(Platform::Android))
        .await
        .view
        .device;
    let again = scene
        .register(scene.draft(caller).zone("Europe/Berlin"))
        .await
        .view
        .device;
    let at = scene.clock.now();
    let expected = Device {
        timezone: Some(TimeZoneName::known("Europe/Berlin")),
        updated_at: at,
        last_seen_at: at,
        last_used_at: at,
        ..first
    };
    assert_eq!(again, expected);
    let view = scene.device(caller, "phone").await.expect("a device");
    assert_eq!(view.device, expected);
}

/// By ours, and only by its user.
pub async fn a_device_can_be_named_by_its_id(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (owner, stranger) = (scene.person(1).await, scene.person(2).await);
    let device = scene.register(scene.draft(owner)).await.view.device;
    let again = scene
        .register(scene.draft(owner).on_uid(device.id).with(alert("token")))
        .await;
    assert_eq!(again.view.device.id, device.id);
    assert_eq!(scene.shown(owner).await, [Some("token".to_owned())]);
    let theirs = scene.try_register(scene.draft(stranger).on_uid(device.id)).await;
    assert_eq!(theirs, refused(Refusal::UnknownDevice));
}

/// Off and on again.
pub async fn a_revoked_device_hides_its_token_and_shows_it_when_revived(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.register(scene.draft(caller).with(alert("token"))).await;
    let set = |status| {
        scene
            .draft(caller)
            .on_known("phone")
            .when_revoked(WhenRevoked::KeepRevoked)
            .status(status)
    };
    let revoked = scene.register(set(DeviceStatus::Revoked)).await;
    assert_eq!(revoked.view.push_token, None);
    assert_eq!(scene.device(caller, "phone").await, Some(revoked.view));
    assert_eq!(scene.shown(caller).await, [None]);
    let ringing = scene.try_register(scene.draft(caller).with(alert("token"))).await;
    assert_eq!(ringing, refused(Refusal::RevokedDevice));
    scene.register(set(DeviceStatus::Active)).await;
    assert_eq!(scene.shown(caller).await, [Some("token".to_owned())]);
    assert_eq!(
        scene.history(caller.user).await,
        ["device_added", "device_revoked", "device_revived"]
    );
}

/// Where the dialect asks for one that is there.
pub async fn an_unknown_device_is_refused(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let answer = scene
        .try_register(scene.draft(caller).on_known("phone").with(alert("token")))
        .await;
    assert_eq!(answer, refused(Refusal::UnknownDevice));
    assert_eq!(scene.page(caller, 0, 10).await.total, 0);
    assert_eq!(scene.remove_tokens(caller.user, "token").await, []);
    assert_eq!(scene.history(caller.user).await, [""; 0]);
}

/// Ended, expired, unknown or another user's: at once, whatever the token says.
pub async fn a_session_that_is_over_registers_nothing(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (ended, other) = (scene.person(1).await, scene.person(2).await);
    scene.log_out(ended).await;
    let unknown = Caller {
        session: SessionId::from_uuid(scene.id()),
        ..other
    };
    let borrowed = Caller {
        user: ended.user,
        ..other
    };
    for caller in [ended, unknown, borrowed] {
        let answer = scene.try_register(scene.draft(caller).with(alert("token"))).await;
        assert_eq!(answer, refused(Refusal::SessionOver));
    }
    let end = scene.session(other).await.expires_at;
    let late = scene.draft(other).at(end);
    assert_eq!(scene.try_register(late).await, refused(Refusal::SessionOver));
    assert_eq!(scene.page(other, 0, 10).await.total, 0);
}

/// The refusal is on record though nothing else is.
pub async fn a_foreign_fingerprint_is_refused_and_remembered(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let before = scene
        .register(scene.draft(caller).fingerprint("known"))
        .await
        .view;
    let foreign = scene.draft(caller).fingerprint("foreign").with(alert("token"));
    // Sent twice as it is, it is one event.
    for draft in [foreign.clone(), foreign] {
        let answer = scene.try_register(draft).await;
        assert_eq!(answer, refused(Refusal::ForeignFingerprint));
    }
    assert_eq!(
        scene.history(caller.user).await,
        ["device_added", "foreign_fingerprint"]
    );
    let trail = scene.trail(caller.user).await;
    let line = trail.first().expect("a line");
    assert_eq!((line.session, line.at), (Some(caller.session), scene.clock.now()));
    assert_eq!(scene.device(caller, "phone").await, Some(before));
    assert_eq!(
        scene.session(caller).await.fingerprint,
        Some(fingerprint("known"))
    );
}

/// Its device, and its first fingerprint.
pub async fn a_registration_leaves_its_mark_on_the_session(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let bystander = scene.sign_in(caller.user).await;
    scene.register(scene.draft(caller)).await;
    let session = scene.session(caller).await;
    assert_eq!(session.device_id, Some(device_id("phone")));
    assert_eq!(session.fingerprint, None);
    scene
        .register(
            scene
                .draft(caller)
                .on("tablet", Platform::Ios)
                .fingerprint("print"),
        )
        .await;
    let session = scene.session(caller).await;
    assert_eq!(session.device_id, Some(device_id("tablet")));
    assert_eq!(session.fingerprint, Some(fingerprint("print")));
    assert_eq!(scene.session(bystander).await.device_id, None);
}

/// The last one sent wins, and saying nothing keeps it.
pub async fn the_users_zone_follows_the_device(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    assert_eq!(scene.user(caller).await.timezone, None);
    for zone in ["Europe/Istanbul", "America/New_York"] {
        scene.register(scene.draft(caller).zone(zone)).await;
        assert_eq!(scene.user(caller).await.timezone, Some(TimeZoneName::known(zone)));
    }
    scene.register(scene.draft(caller)).await;
    assert_eq!(
        scene.user(caller).await.timezone,
        Some(TimeZoneName::known("America/New_York"))
    );
}

/// Those that are there may still register.
pub async fn a_user_has_at_most_so_many_devices(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let draft = |name: &str| scene.draft(caller).on(name, Platform::Ios).max_devices(2);
    scene.register(draft("one")).await;
    scene.register(draft("two")).await;
    assert_eq!(
        scene.try_register(draft("three")).await,
        refused(Refusal::TooManyDevices)
    );
    scene.register(draft("one")).await;
    assert_eq!(scene.page(caller, 0, 10).await.total, 2);
    // In one batch, too.
    let other = scene.person(2).await;
    let drafts =
        ["one", "two", "three"].map(|name| scene.draft(other).on(name, Platform::Ios).max_devices(2));
    let answers = scene.register_all(drafts).await;
    let made: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(made, [true, true, false]);
}

/// Refusals among them.
pub async fn a_batch_is_answered_in_its_order(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(scene.person(n).await);
    }
    // Not in the order of their ids.
    people.reverse();
    let mut drafts = Vec::new();
    for (n, caller) in people.iter().enumerate() {
        let draft = scene.draft(*caller).with(alert(&format!("token-{n}")));
        drafts.push(if n % 3 == 1 {
            draft.on_known("nothing")
        } else {
            draft
        });
    }
    let answers = scene.register_all(drafts).await;
    assert_eq!(answers.len(), people.len());
    for (n, (answer, caller)) in answers.into_iter().zip(people).enumerate() {
        if n % 3 == 1 {
            assert_eq!(answer, refused(Refusal::UnknownDevice));
            assert_eq!(scene.page(caller, 0, 1).await.total, 0);
        } else {
            let registered = answer.expect("admitted");
            assert_eq!(registered.view.device.user, caller.user);
            assert_eq!(scene.device(caller, "phone").await, Some(registered.view));
            assert_eq!(scene.shown(caller).await, [Some(format!("token-{n}"))]);
        }
    }
}

/// As if they had come one after the other.
pub async fn a_batch_sees_its_own_earlier_members(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let drafts = ["v1", "v2"].map(|value| scene.draft(caller).with(alert(value)).fingerprint("print"));
    let answers = scene.register_all(drafts).await;
    let answers: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect("admitted"))
        .collect();
    let ids: Vec<_> = answers
        .iter()
        .map(|a| (a.view.device.id, a.token.as_ref().map(|t| t.id)))
        .collect();
    assert_eq!(ids.first(), ids.last());
    assert_eq!(scene.shown(caller).await, [Some("v2".to_owned())]);
    assert_eq!(scene.remove_tokens(caller.user, "v1").await, []);
    assert_eq!(scene.history(caller.user).await, ["device_added"]);
}

/// Nothing in, nothing out.
pub async fn an_empty_batch_has_no_answers(store: Arc<dyn Store>) {
    assert_eq!(store.register(Vec::new()).await, []);
}

/// A batch whose answer was lost can be sent again as it is.
pub async fn registering_the_same_again_changes_nothing_but_times(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let draft = scene
        .draft(caller)
        .with(alert("token"))
        .with(push_to_start("start"))
        .zone("Europe/Berlin")
        .fingerprint("print");
    let first = scene.register(draft.clone()).await;
    let again = scene.register(draft).await;
    assert_eq!(again, first);
    assert_eq!(scene.page(caller, 0, 10).await.total, 1);
    assert_eq!(scene.history(caller.user).await, ["device_added"]);
    assert_eq!(scene.remove_tokens(caller.user, "token").await.len(), 1);
    let key = DeviceKey::Uid(first.view.device.id);
    let found = scene.read(move |reads| reads.device(caller, &key)).await;
    let view = found.expect("a known session").found.expect("a device");
    assert_eq!(view.device, first.view.device);
}
