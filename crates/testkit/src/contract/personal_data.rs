//! What is held about one person, as that person sees it.

use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::personal_data::Export;
use doorbell_domain::store::{PhoneState, Store, TrailLine};
use doorbell_domain::{AuditId, Caller, Clock, Platform, Provider, SessionId, TokenKind, UserId};

use crate::Scene;
use crate::build::{
    activity, alert, alert_of, code_policy, full_profile, live_activity, otp_session, phone, session,
    web_push,
};

/// Puts a line on a trail, a second after the last.
async fn note(scene: &Scene, user: UserId) -> AuditId {
    let id = AuditId::from_uuid(scene.id());
    let event = AuditEvent {
        id,
        user,
        at: scene.clock.now(),
        action: AuditAction::SignedIn,
        session: None,
        device: None,
        reason: None,
    };
    scene.write(move |unit| unit.record(&[event])).await;
    id
}

async fn page(scene: &Scene, user: UserId, before: Option<AuditId>, limit: u32) -> Vec<AuditId> {
    let lines: Vec<TrailLine> = scene.read(move |reads| reads.activity(user, before, limit)).await;
    lines.iter().map(|line| line.id).collect()
}

async fn export(scene: &Scene, caller: Caller, most: u32) -> Export {
    let found = scene.read(move |reads| reads.export(caller, most)).await;
    let found = found.expect("a known session");
    assert_eq!(found.session.id, caller.session);
    found.found
}

/// Each page begins where the one before ended.
pub async fn a_trail_is_paged_newest_first_without_gap_or_repeat(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    let mut noted = Vec::new();
    for _ in 0..5 {
        noted.insert(0, note(&scene, one.user).await);
        note(&scene, other.user).await;
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let lines = page(&scene, one.user, before, 2).await;
        let Some(last) = lines.last() else { break };
        before = Some(*last);
        seen.extend(lines);
    }
    assert_eq!(seen, noted);
    assert_eq!(page(&scene, one.user, None, 100).await, noted);
    // What happens meanwhile comes before, and moves no page.
    note(&scene, one.user).await;
    assert_eq!(
        page(&scene, one.user, noted.get(1).copied(), 2).await,
        noted.get(2..4).expect("five lines")
    );
}

/// Every table, and nobody else's rows.
pub async fn an_export_holds_everything_of_its_user_alone(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    let (older, newer) = (
        otp_session(scene.id(), phone(1), scene.tick()),
        otp_session(scene.id(), phone(1), scene.tick()),
    );
    let (sent, now) = ([older.clone(), newer.clone()], scene.tick());
    scene
        .write(move |unit| {
            let mut user = unit.lock_user(caller.user)?.expect("known");
            user.profile = full_profile("Zeynep");
            unit.save_user(&user)?;
            unit.lock_phone(&phone(1))?;
            for code in &sent {
                unit.issue_code(code)?;
            }
            let purpose = doorbell_domain::code::Purpose::SignIn;
            unit.count_guess(&phone(1), purpose, now, &code_policy())?;
            unit.note_failures(&phone(1), 1, Some(now))
        })
        .await;
    let ended = scene.sign_in(caller.user).await;
    let tablet = scene.draft(ended).on("tablet", Platform::Ios);
    let quiet = tablet.with(alert_of(Provider::Apns, "app", "quiet"));
    scene.register(quiet).await;
    scene.log_out(ended).await;
    let telephone = scene.draft(caller).everything(Platform::Ios);
    let ride = live_activity("ride", "s", "ride");
    scene.register(telephone.with(alert("token")).with(ride)).await;
    for caller in [caller, other] {
        let name = format!("box-{}", caller.user);
        let browser = scene.draft(caller).on_holder(Platform::Web);
        scene.register(browser.with(web_push(&name))).await;
    }
    scene.register(scene.draft(other).with(alert("others"))).await;

    let held = export(&scene, caller, 100).await;
    assert_eq!(held.user, scene.user(caller).await);
    let sessions: Vec<SessionId> = held.sessions.items.iter().map(|session| session.id).collect();
    assert_eq!(sessions, [ended.session, caller.session]);
    assert!(
        held.sessions
            .items
            .first()
            .is_some_and(|session| session.ended.is_some())
    );
    let devices = scene.page(caller, 0, 10).await.devices;
    let devices: Vec<_> = devices.into_iter().map(|view| view.device).collect();
    assert_eq!((held.devices.len(), &held.devices), (3, &devices));

    let mut tokens: Vec<_> = held
        .tokens
        .items
        .iter()
        .map(|token| (token.app.as_str(), token.provider, token.session))
        .collect();
    tokens.sort_unstable();
    let own = caller.session;
    assert_eq!(
        tokens,
        [
            ("app", Provider::Apns, ended.session),
            ("default", Provider::Apns, own),
            ("default", Provider::Apns, own)
        ]
    );
    let mut kinds = held.tokens.items.iter().map(|token| &token.kind);
    assert!(
        kinds.any(
            |kind| matches!(kind, TokenKind::LiveActivity { activity: of, .. } if *of == activity("ride"))
        )
    );
    let origins: Vec<_> = held
        .subscriptions
        .iter()
        .map(|held| held.origin.as_str())
        .collect();
    assert_eq!(origins, ["https://push.example.com"]);

    let codes: Vec<_> = held
        .codes
        .items
        .iter()
        .map(|code| (code.created_at, code.attempts, code.superseded_at))
        .collect();
    assert_eq!(
        codes,
        [
            (newer.created_at, 1, None),
            (older.created_at, 0, Some(newer.created_at))
        ]
    );
    let number = PhoneState {
        last_sent_at: Some(newer.created_at),
        failures: 1,
        failed_at: Some(now),
    };
    assert_eq!(held.number, number);
    assert_eq!(held.events.items, scene.trail(caller.user).await);
    assert!(!held.events.items.is_empty() && !held.events.more);
}

/// The newest of them, and that there are more.
pub async fn an_export_is_cut_at_its_most(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let mut last = note(&scene, caller.user).await;
    for held in [false, true] {
        let cut = export(&scene, caller, 1).await;
        assert_eq!((cut.events.more, cut.sessions.more), (held, held));
        let shown: Vec<_> = cut.events.items.iter().map(|line| line.id).collect();
        assert_eq!(shown, [last]);
        last = note(&scene, caller.user).await;
        scene.sign_in(caller.user).await;
    }
}

/// Who is not known is told nothing.
pub async fn an_unknown_session_or_a_foreign_user_exports_nothing(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, other) = (scene.person(1).await, scene.person(2).await);
    let unknown = crate::build::caller(&session(
        SessionId::from_uuid(scene.id()),
        one.user,
        scene.clock.now(),
    ));
    let crossed = Caller {
        session: other.session,
        ..one
    };
    for caller in [unknown, crossed] {
        assert_eq!(scene.read(move |reads| reads.export(caller, 10)).await, None);
    }
}
