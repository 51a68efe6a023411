//! One-time codes.

use std::sync::Arc;

use doorbell_domain::code::Purpose;
use doorbell_domain::store::{PhoneState, Store};
use doorbell_domain::{Clock, OtpSession, Timestamp};
use time::Duration;

use crate::Scene;
use crate::build::{code_policy, otp_session, phone};

async fn issue(scene: &Scene, n: u32) -> OtpSession {
    let code = otp_session(scene.id(), phone(n), scene.clock.now());
    let issued = code.clone();
    scene
        .write(move |unit| {
            unit.lock_phone(&issued.phone)?;
            unit.issue_code(&issued)
        })
        .await;
    code
}

async fn guess(scene: &Scene, n: u32, now: Timestamp) -> Option<OtpSession> {
    scene
        .write(move |unit| unit.count_guess(&phone(n), Purpose::SignIn, now, &code_policy()))
        .await
}

/// Locking makes the row, with nothing in it.
pub async fn a_new_phone_was_never_sent_anything(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    for _ in 0..2 {
        let state = scene.write(|unit| unit.lock_phone(&phone(1))).await;
        assert_eq!(state, PhoneState::default());
    }
}

/// Every field comes back, to the microsecond.
pub async fn a_code_is_kept_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let code = issue(&scene, 1).await;
    assert_eq!(scene.current_code(phone(1)).await, Some(code));
}

/// Only the newest code lives.
pub async fn issuing_notes_the_send_and_supersedes_the_code_before(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = issue(&scene, 1).await;
    let second = issue(&scene, 1).await;
    assert_ne!(first.id, second.id);
    assert_eq!(scene.current_code(phone(1)).await, Some(second.clone()));
    let state = scene.write(|unit| unit.lock_phone(&phone(1))).await;
    assert_eq!(state.last_sent_at, Some(second.created_at));
    let guessed = guess(&scene, 1, scene.clock.now()).await.expect("a current code");
    assert_eq!((guessed.id, guessed.attempts), (second.id, 1));
}

/// The statement and [`OtpSession::admits_guess`] agree at every edge.
pub async fn a_guess_counts_exactly_when_the_rules_admit_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let policy = code_policy();
    let micro = Duration::microseconds(1);
    for (n, used, attempts) in [
        (1, false, 0),
        (2, false, 4),
        (3, false, 5),
        (4, true, 0),
        (5, true, 5),
    ] {
        for (m, offset) in [-micro, Duration::ZERO, micro].into_iter().enumerate() {
            let n = n * 10 + u32::try_from(m).unwrap_or(0);
            let code = issue(&scene, n).await;
            for _ in 0..attempts {
                guess(&scene, n, code.created_at).await;
            }
            if used {
                let (code, now) = (code.clone(), scene.clock.now());
                scene.write(move |unit| unit.use_code(&code, now)).await;
            }
            let before = scene.current_code(phone(n)).await.expect("a current code");
            assert_eq!(before.attempts, attempts);
            let now = code.expires_at + offset;
            let admitted = before.admits_guess(now, policy.attempts).is_ok();
            let counted = guess(&scene, n, now).await;
            let after = OtpSession {
                attempts: attempts + u32::from(admitted),
                ..before
            };
            assert_eq!(
                counted,
                admitted.then(|| after.clone()),
                "used {used}, {attempts} attempts, {offset} from its end"
            );
            assert_eq!(scene.current_code(phone(n)).await, Some(after));
        }
    }
}

/// Nothing is not an error.
pub async fn an_unknown_phone_has_no_code_to_guess(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    assert_eq!(guess(&scene, 1, scene.clock.now()).await, None);
    assert_eq!(scene.current_code(phone(1)).await, None);
}

/// A used code remains the current one, with the instant of its use.
pub async fn a_used_code_stays_used(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let code = issue(&scene, 1).await;
    let used_at = scene.tick() + Duration::microseconds(1);
    let used = code.clone();
    scene.write(move |unit| unit.use_code(&used, used_at)).await;
    let expected = OtpSession {
        used_at: Some(used_at),
        ..code
    };
    assert_eq!(scene.current_code(phone(1)).await, Some(expected));
}

/// A guess at one phone's code costs no other phone anything.
pub async fn phones_do_not_touch_each_other(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = issue(&scene, 1).await;
    let second = issue(&scene, 2).await;
    guess(&scene, 2, scene.clock.now()).await;
    assert_eq!(scene.current_code(phone(1)).await, Some(first));
    let guessed = OtpSession {
        attempts: 1,
        ..second
    };
    assert_eq!(scene.current_code(phone(2)).await, Some(guessed));
}
