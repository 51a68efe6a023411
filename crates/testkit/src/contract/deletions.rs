//! Accounts at their end.

use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{Found, Store, Unit};
use doorbell_domain::user::DeletionStatus;
use doorbell_domain::{AuditId, Caller, Clock, Platform, Timestamp, User, UserId};
use time::Duration;
use uuid::Uuid;

use crate::Scene;
use crate::build::{
    alert, code_delivery, full_profile, live_activity, otp_session, phone, push_to_start, text, web_push,
};

const GRACE: Duration = Duration::days(30);

/// Asks for the deletion of the caller's account; when it is due.
pub(super) async fn ask(scene: &Scene, caller: Caller) -> Timestamp {
    let now = scene.tick();
    scene
        .write(move |unit| {
            let mut user = unit.lock_user(caller.user)?.expect("known");
            let deletion = user.request_deletion(now, GRACE).expect("none pending");
            unit.save_user(&user)?;
            Ok(deletion.scheduled_for)
        })
        .await
}

/// Takes the deletion back, if that is still possible.
fn cancel(unit: &mut dyn Unit, id: UserId, now: Timestamp) -> Found<bool> {
    let mut user = unit.lock_user(id)?.expect("known");
    if user.cancel_deletion(now).is_err() {
        return Ok(false);
    }
    unit.save_user(&user)?;
    Ok(true)
}

/// Carries the deletion out, if it is due and nobody else holds the account.
pub(super) fn finalize(unit: &mut dyn Unit, id: UserId, now: Timestamp, line: Uuid) -> Found<bool> {
    let Some(mut user) = unit.claim_user(id)? else {
        return Ok(false);
    };
    let Ok(number) = user.finalize_deletion(now) else {
        return Ok(false);
    };
    unit.end_sessions_of(id, None, now, EndReason::AccountDeletion)?;
    unit.erase_user(id, number.as_ref(), now)?;
    unit.save_user(&user)?;
    unit.record(&[AuditEvent {
        id: AuditId::from_uuid(line),
        user: id,
        at: now,
        action: AuditAction::DeletionFinalized,
        session: None,
        device: None,
        reason: None,
    }])?;
    Ok(true)
}

async fn account(scene: &Scene, id: UserId) -> User {
    let found = scene.write(move |unit| unit.lock_user(id)).await;
    found.expect("the row stays")
}

/// Soonest due first, and only what is pending.
pub async fn a_deletion_is_due_from_its_instant_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, two, three) = (
        scene.person(1).await,
        scene.person(2).await,
        scene.person(3).await,
    );
    let sooner = ask(&scene, two).await;
    let later = ask(&scene, one).await;
    ask(&scene, three).await;
    let now = scene.tick();
    assert!(scene.write(move |unit| cancel(unit, three.user, now)).await);

    let due = |at: Timestamp, limit| scene.write(move |unit| unit.due_deletions(at, limit));
    let moment = Duration::microseconds(1);
    assert_eq!(due(sooner - moment, 10).await, []);
    assert_eq!(due(sooner, 10).await, [two.user]);
    assert_eq!(due(later - moment, 10).await, [two.user]);
    assert_eq!(due(later, 10).await, [two.user, one.user]);
    assert_eq!(due(later + GRACE, 1).await, [two.user]);

    let line = scene.id();
    assert!(
        scene
            .write(move |unit| finalize(unit, two.user, later, line))
            .await
    );
    assert_eq!(due(later, 10).await, [one.user]);
}

/// And the row says only that there was somebody.
pub async fn an_erased_account_leaves_its_trail_and_an_empty_row(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    let code = otp_session(scene.id(), phone(1), scene.clock.now());
    scene
        .write(move |unit| {
            let mut user = unit.lock_user(caller.user)?.expect("known");
            user.profile = full_profile("Zeynep");
            user.signup_source = Some(text("poster"));
            unit.save_user(&user)?;
            unit.lock_phone(&phone(1))?;
            unit.issue_code(&code)
        })
        .await;
    let telephone = scene
        .draft(caller)
        .with(alert("token"))
        .with(push_to_start("start"))
        .with(live_activity("ride", "s", "ride"))
        .zone("Europe/Istanbul");
    scene.register(telephone).await;
    let browser = |caller| scene.draft(caller).on_holder(Platform::Web).with(web_push("box"));
    scene.register(browser(caller)).await;
    scene.register(scene.draft(other).with(alert("others"))).await;
    let suspended = scene.sign_in(caller.user).await;
    let tablet = scene
        .draft(suspended)
        .on("tablet", Platform::Ios)
        .with(alert("quiet"));
    scene.register(tablet).await;
    scene.log_out(suspended).await;

    let due = ask(&scene, caller).await;
    let line = scene.id();
    assert!(
        scene
            .write(move |unit| finalize(unit, caller.user, due, line))
            .await
    );
    let User {
        phone: number,
        profile,
        signup_source,
        timezone,
        deletion,
        ..
    } = account(&scene, caller.user).await;
    assert_eq!((number, signup_source, timezone), (None, None, None));
    assert_eq!(profile, doorbell_domain::profile::Profile::default());
    let deletion = deletion.expect("it says that it was deleted");
    assert_eq!(
        (deletion.status, deletion.finalized_at),
        (DeletionStatus::Finalized, Some(due))
    );
    for gone in [caller, suspended] {
        assert_eq!(scene.read(move |reads| reads.session(gone)).await, None);
    }
    assert_eq!(scene.current_code(phone(1)).await, None);
    let sent = scene.write(|unit| unit.lock_phone(&phone(1))).await;
    assert_eq!(sent.last_sent_at, None);
    let history = scene.history(caller.user).await;
    assert_eq!(history.first().map(String::as_str), Some("device_added"));
    assert!(history.contains(&"deletion_finalized".to_owned()), "{history:?}");

    // The number signs somebody else up, who may have all that this account had.
    let next = scene.person(1).await;
    assert_ne!(next.user, caller.user);
    scene
        .write(move |unit| {
            let mut user = unit.lock_user(next.user)?.expect("known");
            user.profile = full_profile("Zeynep");
            unit.save_user(&user)
        })
        .await;
    scene
        .register(
            scene
                .draft(next)
                .with(alert("token"))
                .with(push_to_start("start")),
        )
        .await;
    scene
        .register(scene.draft(next).on("tablet", Platform::Ios).with(alert("quiet")))
        .await;
    scene.register(browser(next)).await;
    let history = scene.history(next.user).await;
    assert_eq!(history, ["device_added"; 3], "nothing came from anybody");
    assert_eq!(scene.shown(other).await, [Some("others".to_owned())]);
}

/// A code that waits for a sender is as much the account's as one that was sent, whoever has claimed it.
pub async fn an_erased_accounts_codes_are_sent_no_more(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, claimed_from) = (scene.person(1).await, scene.person(2).await);
    let due = ask(&scene, caller).await.max(ask(&scene, claimed_from).await);
    let mut waiting = Vec::new();
    for (n, before) in [(2, 2), (1, 1), (3, 0)] {
        let delivery = code_delivery(scene.id(), phone(n), due - Duration::microseconds(before));
        waiting.push(delivery.id);
        scene.write(move |unit| unit.enqueue_code(&delivery)).await;
    }
    let claim = |at, most| scene.write(move |unit| unit.claim_codes(at, Duration::minutes(1), most));
    let claimed = claim(due, 1).await;
    assert_eq!(claimed.len(), 1);
    for gone in [caller, claimed_from] {
        let line = scene.id();
        assert!(
            scene
                .write(move |unit| finalize(unit, gone.user, due, line))
                .await
        );
    }
    let left = claim(due + Duration::minutes(2), 10).await;
    let left: Vec<_> = left.into_iter().map(|code| code.id).collect();
    assert_eq!(left, waiting.split_off(2), "somebody else's");
    for code in claimed {
        assert!(
            !scene
                .write(move |unit| unit.finish_code(code.id, code.fence))
                .await
        );
    }
}

/// Either the deletion is taken back and all is there, or it is carried out and nothing is.
pub async fn a_cancel_and_a_finalisation_that_meet_leave_one_of_them(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    for n in 1..=20 {
        let caller = scene.person(n).await;
        let token = format!("token {n}");
        scene.register(scene.draft(caller).with(alert(&token))).await;
        let due = ask(&scene, caller).await;
        let line = scene.id();
        let (first, second) = (scene.clone(), scene.clone());
        let (finalized, cancelled) = tokio::join!(
            tokio::spawn(async move {
                first
                    .write(move |unit| finalize(unit, caller.user, due, line))
                    .await
            }),
            tokio::spawn(async move { second.write(move |unit| cancel(unit, caller.user, due)).await })
        );
        let (finalized, cancelled) = (finalized.expect("no panic"), cancelled.expect("no panic"));
        assert!(finalized != cancelled, "round {n}: {finalized}");
        let user = account(&scene, caller.user).await;
        let status = user.deletion.map(|deletion| deletion.status);
        let session = scene.read(move |reads| reads.session(caller)).await;
        if finalized {
            assert_eq!((status, user.phone), (Some(DeletionStatus::Finalized), None));
            assert_eq!(session, None);
        } else {
            assert_eq!(
                (status, user.phone),
                (Some(DeletionStatus::Cancelled), Some(phone(n)))
            );
            assert_eq!(scene.shown(caller).await, [Some(token)]);
        }
    }
}

/// Whoever is at it twice does it once.
pub async fn of_parallel_finalisations_one_does_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let due = ask(&scene, caller).await;
    let mut servers = Vec::new();
    for _ in 0..8 {
        let (scene, line) = (scene.clone(), scene.id());
        servers.push(tokio::spawn(async move {
            scene
                .write(move |unit| finalize(unit, caller.user, due, line))
                .await
        }));
    }
    let mut done = 0;
    for server in servers {
        done += usize::from(server.await.expect("no panic"));
    }
    assert_eq!(done, 1);
    assert_eq!(scene.history(caller.user).await, ["deletion_finalized"]);
}
