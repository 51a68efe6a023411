//! What is kept and what is not.

use std::sync::Arc;

use doorbell_domain::code::Purpose;
use doorbell_domain::store::{Store, StoreError};
use doorbell_domain::{Clock, User, UserId};

use crate::Scene;
use crate::build::{code_policy, otp_session, phone};

fn newcomer(scene: &Scene, n: u32) -> User {
    let id = UserId::from_uuid(scene.id());
    User::sign_up(id, phone(n), None, None, scene.clock.now())
}

/// `Ok` commits.
pub async fn what_a_transaction_wrote_is_there_after_its_ok(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let user = newcomer(&scene, 1);
    let written = user.clone();
    scene.write(move |unit| unit.find_or_insert_user(&written)).await;
    let found = scene.write(|unit| unit.user_by_phone(&phone(1))).await;
    assert_eq!(found, Some(user));
}

/// An error leaves nothing, and comes out as it went in.
pub async fn a_store_error_rolls_everything_back(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let user = newcomer(&scene, 1);
    let abandoned = StoreError::Failed("abandoned".to_owned());
    let error = abandoned.clone();
    let result = scene
        .try_write(move |unit| {
            unit.find_or_insert_user(&user)?;
            assert!(unit.user_by_phone(&phone(1))?.is_some());
            Err::<(), _>(error)
        })
        .await;
    assert_eq!(result, Err(abandoned));
    assert_eq!(scene.write(|unit| unit.user_by_phone(&phone(1))).await, None);
}

/// A wrong guess is refused and counted all the same.
pub async fn a_refusal_that_is_a_value_is_remembered(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let code = otp_session(scene.id(), phone(1), scene.clock.now());
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(1))?;
            unit.issue_code(&code)
        })
        .await;
    let now = scene.tick();
    let refused: Result<(), &str> = scene
        .write(move |unit| {
            unit.count_guess(&phone(1), Purpose::SignIn, now, &code_policy())?;
            Ok(Err("wrong code"))
        })
        .await;
    assert_eq!(refused, Err("wrong code"));
    let current = scene.current_code(phone(1)).await.expect("a current code");
    assert_eq!(current.attempts, 1);
}

/// A bug in one use case takes nothing else with it.
pub async fn a_panic_is_a_failure_and_the_store_goes_on(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let user = newcomer(&scene, 1);
    let result = scene
        .try_write(move |unit| {
            unit.find_or_insert_user(&user)?;
            assert_eq!(unit.user_by_phone(&phone(1))?, None, "a bug");
            Ok(())
        })
        .await;
    assert!(matches!(result, Err(StoreError::Failed(_))), "{result:?}");
    assert_eq!(scene.write(|unit| unit.user_by_phone(&phone(1))).await, None);
    let caller = scene.person(1).await;
    assert_eq!(scene.user(caller).await.id, caller.user);
}

/// The reads of a writing transaction are not behind its writes.
pub async fn a_transaction_reads_its_own_writes(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let at = scene.tick();
    let (before, after) = scene
        .write(move |unit| {
            let before = unit.session(caller)?;
            let reason = doorbell_domain::session::EndReason::Revoked;
            unit.end_session(caller.session, at, reason)?;
            Ok((before, unit.session(caller)?))
        })
        .await;
    assert_eq!(before.expect("known").ended, None);
    assert!(after.expect("known").ended.is_some());
}

/// Nothing lingers between a commit and the next read.
pub async fn a_reading_transaction_sees_what_was_committed(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for round in 0..20 {
        let name = format!("device-{round}");
        scene
            .register(scene.draft(caller).on(&name, doorbell_domain::Platform::Ios))
            .await;
        assert!(scene.device(caller, &name).await.is_some(), "{name}");
    }
}

/// A store that has just been opened answers.
pub async fn the_store_is_ready(store: Arc<dyn Store>) {
    assert_eq!(store.ready().await, Ok(()));
}
