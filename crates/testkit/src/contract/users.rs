//! Accounts.

use std::sync::Arc;

use doorbell_domain::profile::Profile;
use doorbell_domain::store::{Conflict, Store, StoreError};
use doorbell_domain::{Clock, User, UserId};

use crate::Scene;
use crate::build::{full_user, phone, username};

async fn account(scene: &Scene, n: u32) -> User {
    let id = UserId::from_uuid(scene.id());
    let user = User::sign_up(id, phone(n), None, None, scene.clock.now());
    scene.write(move |unit| unit.find_or_insert_user(&user)).await
}

fn called(user: &User, name: &str) -> User {
    let mut user = user.clone();
    user.profile = Profile {
        username: Some(username(name)),
        ..Profile::default()
    };
    user
}

/// A second sign-up of a phone finds the account that is there.
pub async fn the_first_account_of_a_phone_stays(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = account(&scene, 1).await;
    let again = account(&scene, 1).await;
    assert_eq!(again, first);
    let other = account(&scene, 2).await;
    assert_ne!(other.id, first.id);
    let found = scene.write(|unit| unit.user_by_phone(&phone(1))).await;
    assert_eq!(found, Some(first));
}

/// All of it, in 4-byte UTF-8 too, both when inserted and when saved.
pub async fn every_field_of_an_account_is_kept(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let inserted = full_user(
        UserId::from_uuid(scene.id()),
        phone(1),
        "Z.Yilmaz_1",
        scene.tick(),
    );
    let user = inserted.clone();
    let found = scene.write(move |unit| unit.find_or_insert_user(&user)).await;
    assert_eq!(found, inserted);

    let plain = account(&scene, 2).await;
    let saved = full_user(plain.id, phone(2), "Other_1", scene.tick());
    let user = saved.clone();
    scene.write(move |unit| unit.save_user(&user)).await;
    let id = saved.id;
    assert_eq!(
        scene.write(move |unit| unit.lock_user(id)).await,
        Some(saved.clone())
    );
    let caller = scene.sign_in(id).await;
    assert_eq!(scene.user(caller).await, saved);
}

/// What is cleared is cleared, and no column remembers it.
pub async fn an_account_can_lose_everything_again(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let full = full_user(
        UserId::from_uuid(scene.id()),
        phone(1),
        "Z.Yilmaz_1",
        scene.tick(),
    );
    let bare = User {
        phone: None,
        profile: Profile::default(),
        username_changed_at: None,
        signup_source: None,
        signup_campaign: None,
        timezone: None,
        deletion: None,
        ..full.clone()
    };
    let saved = bare.clone();
    let found = scene
        .write(move |unit| {
            unit.find_or_insert_user(&full)?;
            unit.save_user(&saved)?;
            unit.lock_user(saved.id)
        })
        .await;
    assert_eq!(found, Some(bare));
}

/// A name in other case is the same name, and its taker's transaction can be abandoned.
pub async fn a_user_name_is_unique_without_regard_to_case(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (first, second) = (account(&scene, 1).await, account(&scene, 2).await);
    let owner = called(&first, "Zeynep");
    scene.write(move |unit| unit.save_user(&owner)).await;
    let taker = called(&second, "zEYNEP");
    let refused = scene.try_write(move |unit| unit.save_user(&taker)).await;
    assert_eq!(refused, Err(StoreError::Conflict(Conflict::Username)));
    let id = second.id;
    assert_eq!(scene.write(move |unit| unit.lock_user(id)).await, Some(second));
    let rewritten = called(&first, "ZEYNEP");
    let saved = rewritten.clone();
    scene.write(move |unit| unit.save_user(&saved)).await;
    let id = first.id;
    assert_eq!(scene.write(move |unit| unit.lock_user(id)).await, Some(rewritten));
}

/// Names are not reserved for those who left them.
pub async fn a_user_name_that_was_given_up_can_be_taken(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (first, second) = (account(&scene, 1).await, account(&scene, 2).await);
    let taken = called(&second, "zeynep");
    let saved = taken.clone();
    let found = scene
        .write(move |unit| {
            unit.save_user(&called(&first, "Zeynep"))?;
            unit.save_user(&called(&first, "Ayse"))?;
            unit.save_user(&saved)?;
            unit.lock_user(saved.id)
        })
        .await;
    assert_eq!(found, Some(taken));
}

/// A deleted account keeps its row without its phone.
pub async fn a_phone_that_was_given_up_can_sign_up_again(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let first = account(&scene, 1).await;
    let gone = User {
        phone: None,
        ..first.clone()
    };
    scene.write(move |unit| unit.save_user(&gone)).await;
    assert_eq!(scene.write(|unit| unit.user_by_phone(&phone(1))).await, None);
    let second = account(&scene, 1).await;
    assert_ne!(second.id, first.id);
}

/// Nothing is not an error.
pub async fn unknown_accounts_are_none(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let id = UserId::from_uuid(scene.id());
    assert_eq!(scene.write(|unit| unit.user_by_phone(&phone(1))).await, None);
    assert_eq!(scene.write(move |unit| unit.lock_user(id)).await, None);
}
