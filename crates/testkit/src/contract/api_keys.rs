//! Keys by which back ends send.

use std::sync::Arc;

use doorbell_domain::api_key::{ApiKey, ApiKeyHash};
use doorbell_domain::store::Store;
use doorbell_domain::{ApiKeyId, Clock, Timestamp};
use tokio::task::JoinSet;

use crate::Scene;
use crate::build::{api_key, api_key_name};

async fn insert(scene: &Scene, key: &ApiKey) -> bool {
    let key = key.clone();
    scene.write(move |unit| unit.insert_api_key(&key)).await
}

async fn revoke(scene: &Scene, name: &'static str, at: Timestamp) -> bool {
    scene
        .write(move |unit| unit.revoke_api_key(&api_key_name(name), at))
        .await
}

async fn known(scene: &Scene, hash: ApiKeyHash) -> Option<ApiKeyId> {
    scene.read(move |reads| reads.api_key(&hash)).await
}

async fn all(scene: &Scene) -> Vec<ApiKey> {
    scene.read(|reads| reads.api_keys()).await
}

fn new(scene: &Scene, name: &str) -> ApiKey {
    api_key(scene.id(), name, scene.clock.now())
}

/// Its holder is known by its hash alone.
pub async fn an_api_key_is_found_by_its_hash_until_it_is_revoked(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, two) = (new(&scene, "one"), new(&scene, "two 😀"));
    assert_eq!(all(&scene).await, []);
    assert!(insert(&scene, &one).await && insert(&scene, &two).await);
    assert_eq!(known(&scene, one.hash).await, Some(one.id));
    assert_eq!(known(&scene, two.hash).await, Some(two.id));
    assert_eq!(known(&scene, ApiKeyHash::from_bytes([7; 32])).await, None);
    assert_eq!(all(&scene).await, [one.clone(), two.clone()]);

    let at = scene.tick();
    assert!(revoke(&scene, "one", at).await);
    assert!(
        !revoke(&scene, "one", scene.tick()).await,
        "it is revoked already"
    );
    assert!(!revoke(&scene, "three", at).await);
    assert_eq!(known(&scene, one.hash).await, None);
    assert_eq!(known(&scene, two.hash).await, Some(two.id));
    let revoked = ApiKey {
        revoked_at: Some(at),
        ..one
    };
    assert_eq!(all(&scene).await, [revoked, two]);
}

/// A name is one key's at a time.
pub async fn the_name_of_a_revoked_key_can_be_used_again(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (first, second, third) = (new(&scene, "name"), new(&scene, "name"), new(&scene, "name"));
    assert!(insert(&scene, &first).await);
    assert!(!insert(&scene, &second).await);
    assert_eq!(known(&scene, second.hash).await, None);
    assert!(revoke(&scene, "name", scene.tick()).await);
    assert!(insert(&scene, &third).await);
    assert_eq!(known(&scene, third.hash).await, Some(third.id));
    assert_eq!(known(&scene, first.hash).await, None);
    assert!(revoke(&scene, "name", scene.tick()).await);
    assert_eq!(all(&scene).await.len(), 2);
}

/// Two operators with the same idea.
pub async fn of_parallel_keys_of_one_name_one_is_written(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut operators = JoinSet::new();
    for _ in 0..16 {
        let scene = scene.clone();
        operators.spawn(async move { insert(&scene, &new(&scene, "name")).await });
    }
    let written = operators.join_all().await;
    assert_eq!(written.into_iter().filter(|written| *written).count(), 1);
    assert_eq!(all(&scene).await.len(), 1);
}
