//! What people do with their devices, told one at a time.

use time::Duration;

use super::laws::{registration, session, session_id, user};
use super::*;
use crate::audit::AuditAction;
use crate::session::EndReason;

const ANN: u8 = 0;
const BOB: u8 = 1;
/// Ann's second sign-in.
const ANN_AGAIN: u8 = 3;

fn registry() -> State {
    let users = [ANN, BOB].map(|n| (user(n), UserSlice::default()));
    let sessions = [ANN, BOB, ANN_AGAIN].map(|n| (session_id(n), session(n)));
    State {
        users: users.into(),
        sessions: sessions.into(),
        ..State::default()
    }
}

fn phone() -> DeviceId {
    DeviceId::parse("iphone-14-pro").expect("text")
}

fn named(name: DeviceId) -> Target {
    Target::Named {
        device_id: name,
        when_missing: WhenMissing::Make(Platform::Ios),
    }
}

fn value(text: &str) -> PushToken {
    PushToken::parse(text).expect("text")
}

fn alert(text: &str) -> Credential {
    Credential::Alert {
        provider: None,
        app: AppName::default_app(),
        value: value(text),
    }
}

fn alert_of(app: &str, text: &str) -> Credential {
    let app = AppName::parse(app).expect("text");
    Credential::Alert {
        provider: Some(Provider::Apns),
        app,
        value: value(text),
    }
}

fn mailbox(path: &str) -> Credential {
    Credential::WebPush {
        endpoint: WebPushEndpoint::restore(format!("https://push.example.com/{path}")),
        keys: SubscriptionKeys::restore([4; 65], [1; 16]),
        vapid_key: MadeUnder::Presumed("1".to_owned()),
        device_name: None,
        user_agent: None,
    }
}

fn shown(registered: &Registered) -> Option<&str> {
    registered.view.push_token.as_ref().map(PushToken::expose)
}

fn browser() -> Target {
    Target::Holder {
        platform: Platform::Web,
    }
}

#[test]
fn a_new_value_replaces_the_old_in_its_row() {
    let mut registry = registry();
    let first = registry
        .register(&registration(1, ANN, named(phone()), vec![alert("old")]))
        .expect("accepted");
    let second = registry
        .register(&registration(2, ANN, named(phone()), vec![alert("new")]))
        .expect("accepted");
    let (first_row, second_row) = (first.token.expect("a row"), second.token.clone().expect("a row"));
    assert_eq!(
        (second_row.id, second_row.created_at),
        (first_row.id, first_row.created_at)
    );
    assert!(second_row.updated_at > first_row.updated_at);
    assert_eq!(shown(&second), Some("new"));
    assert_eq!((registry.devices.len(), registry.tokens.len()), (1, 1));
}

#[test]
fn a_device_sold_to_somebody_else_leaves_its_first_owner_at_once() {
    let mut registry = registry();
    let both = vec![alert_of("chat", "token"), alert_of("default", "token")];
    let anns = registry
        .register(&registration(1, ANN, named(phone()), both))
        .expect("accepted");
    let bobs = registry
        .register(&registration(2, BOB, named(phone()), vec![alert("token")]))
        .expect("accepted");
    assert!(
        registry.tokens.values().all(|token| token.user == user(BOB)),
        "whatever the app"
    );
    assert_ne!(
        bobs.token.map(|t| t.id),
        anns.token.map(|t| t.id),
        "nothing is inherited"
    );
    assert!(
        registry.devices.contains_key(&anns.view.device.id),
        "the first owner's device stays, without it"
    );
    let moves: Vec<_> = registry
        .audit
        .iter()
        .filter(|e| e.reason == Some("apns"))
        .map(|e| (e.user, e.action))
        .collect();
    assert_eq!(
        moves,
        [
            (user(ANN), AuditAction::AddressLost),
            (user(BOB), AuditAction::AddressGained)
        ]
    );
    let lost = registry
        .audit
        .iter()
        .find(|event| event.action == AuditAction::AddressLost)
        .expect("recorded");
    assert_eq!(
        lost.session, None,
        "the first owner is not told whose session took it"
    );
}

#[test]
fn what_is_not_told_is_left_as_it_is() {
    let mut registry = registry();
    let mut full = registration(
        1,
        ANN,
        named(phone()),
        vec![alert("t"), Credential::PushToStart { value: value("p") }],
    );
    full.change.timezone = Some(TimeZoneName::known("Europe/Istanbul"));
    registry.register(&full).expect("accepted");
    let before: Vec<_> = registry.tokens.values().cloned().collect();
    let silent = registry
        .register(&registration(2, ANN, named(phone()), vec![]))
        .expect("accepted");
    assert_eq!(registry.tokens.values().cloned().collect::<Vec<_>>(), before);
    assert_eq!(
        silent.view.device.timezone,
        Some(TimeZoneName::known("Europe/Istanbul"))
    );
    assert_eq!(
        registry.users[&user(ANN)].timezone,
        Some(TimeZoneName::known("Europe/Istanbul"))
    );
}

#[test]
fn settings_are_learnt_one_by_one() {
    let text = |text: &str| Text::parse(text).ok();
    let mut registry = registry();
    let mut first = registration(1, ANN, named(phone()), vec![]);
    first.change.mobile = Some(MobileSettings {
        app_version: text("3.2.1"),
        device_model: text("iPhone 14 Pro"),
        ..MobileSettings::default()
    });
    first.change.web = Some(WebSettings {
        user_agent: text("Firefox"),
        ip_address: text("10.0.0.45"),
    });
    registry.register(&first).expect("accepted");
    let mut second = registration(2, ANN, named(phone()), vec![]);
    second.change.mobile = Some(MobileSettings {
        app_version: text("3.3.0"),
        ..MobileSettings::default()
    });
    second.change.web = Some(WebSettings::default());
    let device = registry.register(&second).expect("accepted").view.device;
    let mobile = (device.mobile.app_version, device.mobile.device_model);
    assert_eq!(mobile, (text("3.3.0"), text("iPhone 14 Pro")));
    let web = (device.web.user_agent, device.web.ip_address);
    assert_eq!(web, (text("Firefox"), text("10.0.0.45")));
}

#[test]
fn logging_out_hides_a_token_and_registering_again_revives_its_row() {
    let mut registry = registry();
    let first = registry
        .register(&registration(1, ANN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let row = first.token.expect("a row");
    registry.sessions.get_mut(&session_id(ANN)).expect("known").ended =
        Some((row.created_at, EndReason::Logout));
    registry
        .tokens
        .values_mut()
        .for_each(|token| token.session_ended = true);

    let refused = registry.register(&registration(2, ANN, named(phone()), vec![alert("t")]));
    assert_eq!(refused, Err(Refusal::SessionOver));
    let only_zone = registry
        .register(&registration(3, ANN_AGAIN, named(phone()), vec![]))
        .expect("accepted");
    assert_eq!(shown(&only_zone), None, "nothing revives without a token");
    let revived = registry
        .register(&registration(4, ANN_AGAIN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let again = revived.token.clone().expect("a row");
    assert_eq!(
        (again.id, again.created_at, again.session),
        (row.id, row.created_at, session_id(ANN_AGAIN))
    );
    assert_eq!(shown(&revived), Some("t"));
    registry
        .register(&registration(5, ANN_AGAIN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let lines: Vec<_> = registry
        .audit
        .iter()
        .filter(|line| line.action == AuditAction::CredentialRevived)
        .map(|line| (line.user, line.device, line.reason))
        .collect();
    let once = (user(ANN), Some(revived.view.device.id), Some("apns"));
    assert_eq!(lines, [once], "and says so, once");
}

#[test]
fn a_value_without_a_device_lands_where_it_is_held_and_else_on_a_device_of_its_own() {
    let mut registry = registry();
    registry
        .register(&registration(1, ANN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let holder = Target::Holder {
        platform: Platform::Ios,
    };
    let found = registry
        .register(&registration(
            2,
            ANN,
            holder.clone(),
            vec![alert_of("MyApp", "t")],
        ))
        .expect("accepted");
    assert_eq!(found.view.device.device_id, phone());
    let made = registry
        .register(&registration(3, ANN, holder, vec![alert_of("MyApp", "u")]))
        .expect("accepted");
    let row = made.token.expect("a row");
    assert_eq!(made.view.device.device_id.as_str(), row.id.to_string());
}

#[test]
fn a_value_registered_on_another_of_ones_devices_moves_there_with_its_row() {
    let mut registry = registry();
    let first = registry
        .register(&registration(1, ANN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let tablet = DeviceId::parse("tablet").expect("text");
    let moved = registry
        .register(&registration(2, ANN, named(tablet), vec![alert("t")]))
        .expect("accepted");
    assert_eq!(moved.token.map(|t| t.id), first.token.map(|t| t.id));
    assert_eq!(registry.tokens.len(), 1);
}

#[test]
fn a_revoked_device_stays_silent_until_it_is_added_again() {
    let mut registry = registry();
    let first = registry
        .register(&registration(1, ANN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let uid = first.view.device.id;
    let mut revoke = registration(2, ANN, Target::Uid(uid), vec![]);
    revoke.when_revoked = WhenRevoked::KeepRevoked;
    revoke.change.status = Some(DeviceStatus::Revoked);
    assert_eq!(shown(&registry.register(&revoke).expect("accepted")), None);

    let again = registration(3, ANN, named(phone()), vec![alert("t")]);
    assert_eq!(registry.register(&again), Err(Refusal::RevokedDevice));
    let mut token_only = registration(4, ANN, Target::Uid(uid), vec![alert("u")]);
    token_only.when_revoked = WhenRevoked::KeepRevoked;
    assert_eq!(registry.register(&token_only), Err(Refusal::RevokedDevice));
    let mut add = registration(5, ANN, named(phone()), vec![alert("t")]);
    add.when_revoked = WhenRevoked::Revive;
    let revived = registry.register(&add).expect("accepted");
    assert_eq!((revived.view.device.id, shown(&revived)), (uid, Some("t")));
}

#[test]
fn a_subscription_leaves_with_its_device_when_the_browser_changes_hands() {
    let mut registry = registry();
    let anns = registry
        .register(&registration(1, ANN, browser(), vec![mailbox("a")]))
        .expect("accepted");
    let again = registry
        .register(&registration(2, ANN, browser(), vec![mailbox("a")]))
        .expect("accepted");
    let (first, second) = (
        anns.subscription.expect("a row"),
        again.subscription.expect("a row"),
    );
    assert_eq!((first.id, first.created_at), (second.id, second.created_at));
    assert!(second.last_used_at > first.last_used_at);
    assert_eq!(anns.view.device.device_id.as_str(), first.id.to_string());

    let bobs = registry
        .register(&registration(3, BOB, browser(), vec![mailbox("a")]))
        .expect("accepted");
    assert_ne!(bobs.subscription.map(|s| s.id), Some(first.id));
    assert!(!registry.devices.contains_key(&first.device), "removed with it");
    assert_eq!(registry.users[&user(ANN)].devices, 0);
}

#[test]
fn a_subscription_stays_with_the_key_that_it_was_made_under() {
    let mut registry = registry();
    let mut subscribed = |n, who, under: MadeUnder| {
        let mut credential = mailbox("a");
        if let Credential::WebPush { vapid_key, .. } = &mut credential {
            *vapid_key = under;
        }
        let registered = registry.register(&registration(n, who, browser(), vec![credential]));
        let subscription = registered.expect("accepted").subscription;
        subscription.expect("a row").vapid_key
    };
    let presumed = |key: &str| MadeUnder::Presumed(key.to_owned());
    assert_eq!(subscribed(1, ANN, presumed("old")), "old");
    assert_eq!(subscribed(2, ANN, presumed("new")), "old");
    // The browser is the same, whoever signs in there.
    assert_eq!(subscribed(3, BOB, presumed("new")), "old");
    // It knows best.
    assert_eq!(subscribed(4, BOB, MadeUnder::Said("new".to_owned())), "new");
    assert_eq!(subscribed(5, ANN, presumed("newer")), "new");
}

#[test]
fn a_foreign_fingerprint_is_refused_and_recorded_and_changes_nothing_else() {
    let mut registry = registry();
    let mut pinned = registration(1, ANN, named(phone()), vec![alert("t")]);
    pinned.fingerprint = Fingerprint::parse("mine").ok();
    registry.register(&pinned).expect("accepted");
    let before = registry.clone();
    let mut foreign = registration(2, ANN, named(phone()), vec![alert("u")]);
    foreign.fingerprint = Fingerprint::parse("theirs").ok();
    assert_eq!(registry.register(&foreign), Err(Refusal::ForeignFingerprint));
    let event = registry.audit.pop().expect("recorded");
    assert_eq!(
        (event.user, event.action),
        (user(ANN), AuditAction::ForeignFingerprint)
    );
    assert_eq!(registry, before);
}

#[test]
fn a_user_has_at_most_so_many_devices() {
    let mut registry = registry();
    for n in 0..5 {
        let name = DeviceId::parse(format!("device-{n}")).expect("text");
        registry
            .register(&registration(n, ANN, named(name), vec![]))
            .expect("accepted");
    }
    let before = registry.clone();
    let one_more = registration(9, ANN, named(phone()), vec![alert("t")]);
    assert_eq!(registry.register(&one_more), Err(Refusal::TooManyDevices));
    assert_eq!(registry, before, "nothing is written");
}

#[test]
fn a_device_holds_at_most_so_many_tokens() {
    let mut registry = registry();
    let show = |registry: &mut State, n: u16, app: &str, token: &str| {
        let shown = vec![alert_of(app, token)];
        registry.register(&registration(n, ANN, named(phone()), shown))
    };
    for n in 0..u16::try_from(MAX_TOKENS).expect("few") {
        show(&mut registry, n, &format!("app {n}"), &format!("token {n}")).expect("accepted");
    }
    let before = registry.clone();
    assert_eq!(
        show(&mut registry, 200, "one more", "t"),
        Err(Refusal::TooManyTokens)
    );
    assert_eq!(registry, before, "nothing is written");
    show(&mut registry, 201, "app 7", "another").expect("a place that is taken needs no room");
    assert_eq!(registry.tokens.len(), MAX_TOKENS);

    // Live Activities have room of their own, and the oldest makes more.
    let activities = |registry: &State| {
        let activities = registry.tokens.values().filter_map(|token| token.kind.activity());
        activities.cloned().collect::<Vec<_>>()
    };
    for n in 0..=u16::try_from(MAX_TOKENS).expect("few") {
        let ride = Credential::LiveActivity {
            activity: ActivityId::parse(format!("ride {n}")).expect("text"),
            stream: StreamId::parse("stream").expect("text"),
            value: value(&format!("ride {n}")),
        };
        let shown = registration(300 + n, ANN, named(phone()), vec![ride]);
        registry.register(&shown).expect("accepted");
    }
    let first = ActivityId::parse("ride 0").expect("text");
    assert_eq!(activities(&registry).len(), MAX_TOKENS);
    assert!(!activities(&registry).contains(&first));
}

#[test]
fn a_revoked_devices_apps_stay_silent_when_one_of_them_shows_the_value_elsewhere() {
    let mut registry = registry();
    let phone_and = |app: &str| registration(1, ANN, named(phone()), vec![alert_of(app, "one value")]);
    registry.register(&phone_and("bell")).expect("accepted");
    registry
        .register(&Registration {
            ids: registration(2, ANN, named(phone()), vec![]).ids,
            ..phone_and("chat")
        })
        .expect("accepted");
    let mut revoke = registration(3, ANN, named(phone()), vec![]);
    revoke.change.status = Some(DeviceStatus::Revoked);
    revoke.when_revoked = WhenRevoked::KeepRevoked;
    registry.register(&revoke).expect("accepted");

    let holder = Target::Holder {
        platform: Platform::Ios,
    };
    let shown = registry
        .register(&registration(4, ANN, holder, vec![alert_of("bell", "one value")]))
        .expect("accepted");
    let token = shown.token.expect("placed");
    assert_eq!(shown.view.device.device_id, DeviceId::of_row(token.id.uuid()));
    assert_eq!(registry.tokens.into_values().collect::<Vec<_>>(), [token]);
}

#[test]
fn an_expired_session_registers_nothing_but_suspends_nothing() {
    let mut registry = registry();
    registry
        .register(&registration(1, ANN, named(phone()), vec![alert("t")]))
        .expect("accepted");
    let mut late = registration(2, ANN, named(phone()), vec![alert("t")]);
    late.at = late.at + Duration::days(31);
    assert_eq!(registry.register(&late), Err(Refusal::SessionOver));
    assert!(
        registry.tokens.values().all(|token| !token.session_ended),
        "the phone of somebody away still rings"
    );
}

#[test]
fn a_live_activity_is_one_row_wherever_it_is_shown() {
    let mut registry = registry();
    let activity = |device: &str, token: &str| {
        let credential = Credential::LiveActivity {
            activity: ActivityId::parse("match-7").expect("text"),
            stream: StreamId::parse("stream").expect("text"),
            value: value(token),
        };
        let target = Target::Named {
            device_id: DeviceId::parse(device).expect("text"),
            when_missing: WhenMissing::Refuse,
        };
        (target, vec![credential])
    };
    for (n, name) in [(8, "phone"), (9, "tablet")] {
        registry
            .register(&registration(
                n,
                ANN,
                named(DeviceId::parse(name).expect("text")),
                vec![],
            ))
            .expect("accepted");
    }
    let (target, shown) = activity("phone", "a");
    let first = registry
        .register(&registration(2, ANN, target, shown))
        .expect("accepted");
    let (target, shown) = activity("tablet", "b");
    let second = registry
        .register(&registration(3, ANN, target, shown))
        .expect("accepted");
    assert_eq!(first.token.map(|t| t.id), second.token.as_ref().map(|t| t.id));
    assert_eq!(registry.tokens.len(), 1);
    let (target, shown) = activity("unknown", "c");
    assert_eq!(
        registry.register(&registration(4, ANN, target, shown)),
        Err(Refusal::UnknownDevice)
    );
}
