//! Keys that servers share.

use std::sync::Arc;

use doorbell_domain::Clock;
use doorbell_domain::store::{KeyUse, Store, StoredKey};
use tokio::task::JoinSet;

use crate::Scene;

fn key(scene: &Scene, usage: KeyUse) -> StoredKey {
    let id = scene.id();
    StoredKey {
        id,
        usage,
        sealed: id.as_bytes().repeat(5),
        created_at: scene.clock.now(),
    }
}

async fn insert_first(scene: &Scene, key: &StoredKey) -> StoredKey {
    let key = key.clone();
    scene.write(move |unit| unit.insert_first_key(&key)).await
}

/// Each use has its own.
pub async fn the_first_key_stays(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    for usage in [KeyUse::AccessToken, KeyUse::Vapid] {
        let (first, second) = (key(&scene, usage), key(&scene, usage));
        assert_eq!(insert_first(&scene, &first).await, first);
        assert_eq!(insert_first(&scene, &second).await, first);
        assert_eq!(scene.write(move |unit| unit.keys(usage)).await, [first]);
    }
}

/// None of another use among them.
pub async fn keys_of_one_use_come_newest_first(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    assert_eq!(scene.write(|unit| unit.keys(KeyUse::Vapid)).await, []);
    let access = key(&scene, KeyUse::AccessToken);
    insert_first(&scene, &access).await;
    assert_eq!(scene.write(|unit| unit.keys(KeyUse::Vapid)).await, []);
    assert_eq!(scene.write(|unit| unit.keys(KeyUse::AccessToken)).await, [access]);
}

/// All of them sign with the same key.
pub async fn servers_that_start_at_once_agree_on_one_key(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let mut servers = JoinSet::new();
    for _ in 0..16 {
        let scene = scene.clone();
        servers.spawn(async move {
            let own = key(&scene, KeyUse::AccessToken);
            insert_first(&scene, &own).await
        });
    }
    let mut agreed = servers.join_all().await;
    agreed.dedup();
    assert_eq!(agreed.len(), 1, "{agreed:?}");
    assert_eq!(scene.write(|unit| unit.keys(KeyUse::AccessToken)).await, agreed);
}
