//! Keys that servers share.

use std::sync::Arc;

use doorbell_domain::Clock;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::store::{KeyUse, Store, StoredKey};
use time::Duration;
use tokio::task::JoinSet;

use crate::Scene;

fn key(scene: &Scene, usage: KeyUse) -> StoredKey {
    let id = scene.id();
    let now = scene.clock.now();
    StoredKey {
        id,
        usage,
        sealed: id.as_bytes().repeat(5),
        created_at: now,
        life: KeyLife::since(now),
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

/// Those that retired too, until they are removed; reading needs no transaction that writes.
pub async fn a_key_is_kept_with_its_times(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let usage = KeyUse::AccessToken;
    let first = key(&scene, usage);
    insert_first(&scene, &first).await;
    let mut second = key(&scene, usage);
    second.life.starts_at = scene.clock.now() + Duration::minutes(6);
    let added = second.clone();
    let retires_at = scene.clock.now() + Duration::microseconds(1);
    let retired = first.id;
    scene
        .write(move |unit| {
            unit.lock_keys(usage)?;
            unit.insert_key(&added)?;
            unit.retire_key(retired, retires_at)
        })
        .await;
    let mut ended = first.clone();
    ended.life.retires_at = Some(retires_at);
    let kept = scene.read(move |reads| reads.keys(usage)).await;
    assert_eq!(kept, [second.clone(), ended]);

    scene
        .write(move |unit| {
            unit.lock_keys(usage)?;
            // The second removal finds nothing.
            unit.remove_key(retired)?;
            unit.remove_key(retired)
        })
        .await;
    assert_eq!(scene.read(move |reads| reads.keys(usage)).await, [second]);
}

/// Each sees what the one before it wrote.
pub async fn who_changes_keys_is_waited_for(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let usage = KeyUse::AccessToken;
    insert_first(&scene, &key(&scene, usage)).await;
    let mut rotations = JoinSet::new();
    for _ in 0..16 {
        let scene = scene.clone();
        rotations.spawn(async move {
            let own = key(&scene, usage);
            scene
                .write(move |unit| {
                    unit.lock_keys(usage)?;
                    let alone = unit.keys(usage)?.len() == 1;
                    if alone {
                        unit.insert_key(&own)?;
                    }
                    Ok(alone)
                })
                .await
        });
    }
    let added = rotations.join_all().await;
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    assert_eq!(scene.read(move |reads| reads.keys(usage)).await.len(), 2);
}
