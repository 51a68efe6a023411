//! What goes when it is over, and what of it is still needed.

use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::store::{Found, Store, Unit};
use doorbell_domain::sweeps::{SessionSweep, Sweep};
use doorbell_domain::{AuditId, Caller, Clock, FreshIds, Platform, Provider, Timestamp};
use time::Duration;

use crate::Scene;
use crate::build::{alert, alert_of, otp_session, phone, web_push};

/// More than any of these stories has.
const MOST: u32 = 100;

const MOMENT: Duration = Duration::microseconds(1);

fn removed(count: usize) -> Sweep {
    Sweep {
        removed: count,
        full: false,
    }
}

/// Sends the `n`th person a code; when.
async fn send(scene: &Scene, n: u32) -> Timestamp {
    let at = scene.tick();
    let code = otp_session(scene.id(), phone(n), at);
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(n))?;
            unit.issue_code(&code)
        })
        .await;
    at
}

/// What `work` does in a transaction of its own.
async fn swept<F>(scene: &Scene, work: F) -> Sweep
where
    F: FnOnce(&mut dyn Unit) -> Found<Sweep> + Send + 'static,
{
    scene.write(work).await
}

async fn ended(scene: &Scene, until: Timestamp, limit: u32) -> SessionSweep {
    scene
        .write(move |unit| unit.sweep_ended_sessions(until, limit))
        .await
}

/// Ends the caller's session; when.
async fn log_out(scene: &Scene, caller: Caller) -> Timestamp {
    scene.log_out(caller).await;
    scene.clock.now()
}

async fn is_there(scene: &Scene, caller: Caller) -> bool {
    scene.read(move |reads| reads.session(caller)).await.is_some()
}

/// Whether nobody had the value before: its new owner gains nothing from another.
async fn is_free(scene: &Scene, value: &str) -> bool {
    let stranger = scene.person(99).await;
    let before = scene.history(stranger.user).await.len();
    scene.register(scene.draft(stranger).with(alert(value))).await;
    let lines = scene.history(stranger.user).await;
    let gained = lines.iter().skip(before).any(|line| line == "address_gained");
    scene.remove_tokens(stranger.user, value).await;
    !gained
}

/// To the microsecond.
pub async fn codes_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    send(&scene, 1).await;
    let expiry = scene.current_code(phone(1)).await.expect("sent").expires_at;
    let sweep = |until| swept(&scene, move |unit| unit.sweep_codes(until, MOST));
    assert_eq!(sweep(expiry - MOMENT).await, removed(0));
    assert!(scene.current_code(phone(1)).await.is_some());
    assert_eq!(sweep(expiry).await, removed(1));
    assert_eq!(scene.current_code(phone(1)).await, None);
    assert_eq!(sweep(expiry + MOMENT).await, removed(0));
}

/// And a phone that is locked again begins anew.
pub async fn phones_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = send(&scene, 1).await;
    let last_sent = || scene.write(|unit| Ok(unit.lock_phone(&phone(1))?.last_sent_at));
    let sweep = |until| swept(&scene, move |unit| unit.sweep_phones(until, MOST));
    assert_eq!(sweep(sent - MOMENT).await, removed(0));
    assert_eq!(last_sent().await, Some(sent));
    assert_eq!(sweep(sent).await, removed(1));
    assert_eq!(last_sent().await, None);
    // The code itself is another matter.
    assert!(scene.current_code(phone(1)).await.is_some());
}

/// What somebody guessed at outlives what nobody did, until both edges have passed.
pub async fn a_phone_that_was_guessed_at_goes_from_its_later_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = send(&scene, 1).await;
    let failed = scene.tick();
    assert!(failed > sent);
    let note = |failures, at| scene.write(move |unit| unit.note_failures(&phone(1), failures, at));
    note(3, Some(failed)).await;
    let failures = || scene.write(|unit| Ok(unit.find_phone(&phone(1))?.map(|phone| phone.failures)));
    let sweep = |until, failed| swept(&scene, move |unit| unit.sweep_failed_phones(until, failed, MOST));
    assert_eq!(
        swept(&scene, move |unit| unit.sweep_phones(failed, MOST)).await,
        removed(0)
    );
    for (until, failed_until) in [(sent, failed - MOMENT), (sent - MOMENT, failed)] {
        assert_eq!(sweep(until, failed_until).await, removed(0));
        assert_eq!(failures().await, Some(3));
    }
    assert_eq!(sweep(sent, failed).await, removed(1));
    assert_eq!(failures().await, None);

    // Who has signed in since goes as everybody does.
    let sent = send(&scene, 1).await;
    note(1, Some(failed)).await;
    note(0, None).await;
    assert_eq!(sweep(sent, sent).await, removed(0));
    assert_eq!(
        swept(&scene, move |unit| unit.sweep_phones(sent, MOST)).await,
        removed(1)
    );
}

/// Though ids know milliseconds only.
pub async fn lines_of_the_trail_go_from_their_edge_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let edge = scene.tick();
    let line = |at: Timestamp| AuditEvent {
        id: AuditId::from_uuid(FreshIds::draw(at, &*scene.entropy).take()),
        user: caller.user,
        at,
        action: AuditAction::SignedIn,
        session: None,
        device: None,
        reason: None,
    };
    let lines = [line(edge - MOMENT), line(edge), line(edge + MOMENT)];
    scene.write(move |unit| unit.record(&lines)).await;
    let sweep = |until| swept(&scene, move |unit| unit.sweep_audit(until, MOST));
    assert_eq!(sweep(edge - MOMENT * 2).await, removed(0));
    assert_eq!(sweep(edge).await, removed(2));
    let left: Vec<_> = scene
        .trail(caller.user)
        .await
        .iter()
        .map(|line| line.at)
        .collect();
    assert_eq!(left, [edge + MOMENT]);
}

/// An address goes with the last row that has it; the device stays.
pub async fn unseen_tokens_go_and_with_the_last_one_their_address(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let of = |app| scene.draft(caller).with(alert_of(Provider::Apns, app, "token"));
    scene.register(of("one")).await;
    let first = scene.clock.now();
    scene.register(of("two")).await;
    let second = scene.clock.now();
    let sweep = |until| swept(&scene, move |unit| unit.sweep_tokens(until, MOST));
    assert_eq!(sweep(first - MOMENT).await, removed(0));
    assert_eq!(sweep(first).await, removed(1));
    assert_eq!(sweep(second - MOMENT).await, removed(0));
    assert_eq!(scene.shown(caller).await, [Some("token".to_owned())]);
    assert_eq!(sweep(second).await, removed(1));
    assert_eq!(scene.shown(caller).await, [None]);
    assert!(is_free(&scene, "token").await);
}

/// One that is shown again is seen.
pub async fn a_token_that_was_registered_again_stays(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.register(scene.draft(caller).with(alert("token"))).await;
    let first = scene.clock.now();
    scene.register(scene.draft(caller).with(alert("token"))).await;
    assert_eq!(
        swept(&scene, move |unit| unit.sweep_tokens(first, MOST)).await,
        removed(0)
    );
    assert_eq!(scene.shown(caller).await, [Some("token".to_owned())]);
}

/// A browser's device goes with its subscription, a telephone stays without its token.
pub async fn an_ended_session_takes_along_what_it_suspended(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.register(scene.draft(caller).with(alert("gone"))).await;
    scene
        .register(scene.draft(caller).on_holder(Platform::Web).with(web_push("box")))
        .await;
    let other = scene.sign_in(caller.user).await;
    let tablet = scene.draft(other).on("tablet", Platform::Ios).with(alert("kept"));
    scene.register(tablet).await;
    let end = log_out(&scene, caller).await;

    assert_eq!(ended(&scene, end - MOMENT, MOST).await, SessionSweep::default());
    assert!(is_there(&scene, caller).await);
    let all = SessionSweep {
        sessions: 1,
        tokens: 1,
        subscriptions: 1,
        full: false,
    };
    assert_eq!(ended(&scene, end, MOST).await, all);
    assert!(!is_there(&scene, caller).await && is_there(&scene, other).await);
    assert_eq!(scene.shown(other).await, [Some("kept".to_owned()), None]);
    assert_eq!(scene.subscriptions(other).await, []);
    assert!(is_free(&scene, "gone").await);
    let stranger = scene.person(98).await;
    let browser = scene.draft(stranger).on_holder(Platform::Web);
    scene.register(browser.with(web_push("box"))).await;
    let history = scene.history(stranger.user).await;
    assert!(!history.contains(&"address_gained".to_owned()), "{history:?}");
}

/// What was registered again hangs on another session.
pub async fn a_revived_credential_outlives_its_first_session(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.register(scene.draft(caller).with(alert("token"))).await;
    let browser = |caller| scene.draft(caller).on_holder(Platform::Web).with(web_push("box"));
    scene.register(browser(caller)).await;
    let end = log_out(&scene, caller).await;
    let again = scene.sign_in(caller.user).await;
    scene.register(scene.draft(again).with(alert("token"))).await;
    scene.register(browser(again)).await;
    let alone = SessionSweep {
        sessions: 1,
        ..SessionSweep::default()
    };
    assert_eq!(ended(&scene, end, MOST).await, alone);
    assert_eq!(scene.subscriptions(again).await.len(), 1);
    assert_eq!(scene.shown(again).await, [None, Some("token".to_owned())]);
}

/// A token on a browser's device that another session registered rings on.
pub async fn a_browsers_device_stays_while_anything_lies_on_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let browser = scene.draft(caller).on_holder(Platform::Web).with(web_push("box"));
    let device = scene.register(browser).await.view.device.id;
    let other = scene.sign_in(caller.user).await;
    scene
        .register(scene.draft(other).on_uid(device).with(alert("token")))
        .await;
    let end = log_out(&scene, caller).await;
    let swept = ended(&scene, end, MOST).await;
    assert_eq!((swept.sessions, swept.tokens, swept.subscriptions), (1, 0, 1));
    assert_eq!(scene.shown(other).await, [Some("token".to_owned())]);
}

/// Mere expiry suspends nothing, so nothing that rings may go with it.
pub async fn an_expired_session_stays_while_anything_rings_under_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let away = scene.person(1).await;
    scene.register(scene.draft(away).with(alert("token"))).await;
    let idle = scene.sign_in(away.user).await;
    let expiry = scene.session(idle).await.expires_at;
    let again = expiry + Duration::days(30);
    let sweep = |until: Timestamp| {
        swept(&scene, move |unit| {
            unit.sweep_expired_sessions(until, again, MOST)
        })
    };
    assert_eq!(sweep(expiry - MOMENT).await, removed(0));
    assert!(is_there(&scene, idle).await);
    assert_eq!(sweep(expiry).await, removed(1));
    assert!(!is_there(&scene, idle).await && is_there(&scene, away).await);
    assert_eq!(scene.shown(away).await, [Some("token".to_owned())]);

    // It is looked at again when that is due, and goes once nothing is left.
    scene.remove_tokens(away.user, "token").await;
    assert_eq!(sweep(again - MOMENT).await, removed(0));
    assert!(is_there(&scene, away).await);
    assert_eq!(sweep(again).await, removed(1));
    assert!(!is_there(&scene, away).await);
}

/// One that was ended before it expired is the other sweep's.
pub async fn an_ended_session_does_not_go_by_its_expiry(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let long_after = scene.session(caller).await.expires_at + Duration::days(400);
    log_out(&scene, caller).await;
    let sweep = swept(&scene, move |unit| {
        unit.sweep_expired_sessions(long_after, long_after, MOST)
    });
    assert_eq!(sweep.await, removed(0));
    assert!(is_there(&scene, caller).await);
}

/// And says so, so that whoever sweeps can go on at once.
pub async fn a_sweep_does_at_most_its_limit_oldest_first(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut people = Vec::new();
    for n in 1..=3 {
        send(&scene, n).await;
        let caller = scene.person(n).await;
        scene
            .register(scene.draft(caller).with(alert(&format!("token {n}"))))
            .await;
        people.push(caller);
    }
    let late = scene.clock.now() + Duration::days(1);
    let two = Sweep {
        removed: 2,
        full: true,
    };
    let codes = || swept(&scene, move |unit| unit.sweep_codes(late, 2));
    assert_eq!(codes().await, two);
    assert_eq!(scene.current_code(phone(2)).await, None);
    assert!(scene.current_code(phone(3)).await.is_some());
    assert_eq!(codes().await, removed(1));
    let phones = || swept(&scene, move |unit| unit.sweep_phones(late, 2));
    assert_eq!(phones().await, two);
    assert_eq!(phones().await, removed(1));

    let mut rings = Vec::new();
    let tokens = || swept(&scene, move |unit| unit.sweep_tokens(late, 2));
    assert_eq!(tokens().await, two);
    for caller in &people {
        rings.push(scene.shown(*caller).await);
    }
    assert_eq!(rings, [vec![None], vec![None], vec![Some("token 3".to_owned())]]);
    assert_eq!(tokens().await, removed(1));

    for caller in people.iter().rev() {
        scene.log_out(*caller).await;
    }
    let first = ended(&scene, late, 2).await;
    assert_eq!((first.sessions, first.full), (2, true));
    // The last of them logged out first.
    let mut there = Vec::new();
    for caller in &people {
        there.push(is_there(&scene, *caller).await);
    }
    assert_eq!(there, [true, false, false]);
    let rest = ended(&scene, late, 2).await;
    assert_eq!((rest.sessions, rest.full), (1, false));
}

/// A session stays until the last of what it suspended has gone.
pub async fn a_session_with_much_under_it_goes_piece_by_piece(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let draft = ["one", "two", "three"]
        .into_iter()
        .fold(scene.draft(caller), |draft, app| {
            draft.with(alert_of(Provider::Apns, app, app))
        });
    scene.register(draft).await;
    let end = log_out(&scene, caller).await;
    let first = ended(&scene, end, 2).await;
    assert_eq!((first.sessions, first.tokens, first.full), (0, 2, true));
    assert!(is_there(&scene, caller).await);
    let rest = ended(&scene, end, 2).await;
    assert_eq!((rest.sessions, rest.tokens, rest.full), (1, 1, false));
}

/// Of servers that sweep at once, each row is one's.
pub async fn sweeps_at_once_share_what_is_to_be_done(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    for n in 0..40 {
        send(&scene, n).await;
    }
    let late = scene.clock.now() + Duration::days(1);
    let sweep = || {
        let scene = scene.clone();
        async move { scene.write(move |unit| unit.sweep_codes(late, 15)).await }
    };
    let (one, two, three) = tokio::join!(
        tokio::spawn(sweep()),
        tokio::spawn(sweep()),
        tokio::spawn(sweep())
    );
    let mut sum = 0;
    for sweep in [one, two, three] {
        sum += sweep.expect("no panic").removed;
    }
    let rest = swept(&scene, move |unit| unit.sweep_codes(late, MOST)).await;
    assert_eq!(sum + rest.removed, 40);
}
