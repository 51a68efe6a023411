//! Sealed values as such: read in pages, and replaced where they are still what was read.

use std::sync::Arc;

use doorbell_domain::sealed::SealedColumn;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::store::{KeyUse, Resealed, SealedValue, Store, StoredKey};
use doorbell_domain::{Clock, Platform};
use uuid::Uuid;

use crate::Scene;
use crate::build::{alert, code_delivery, phone, web_push};

/// Three rows with sealed values of every column.
async fn filled(store: Arc<dyn Store>) -> Scene {
    let scene = Scene::new(store);
    for n in 1..=3 {
        let person = scene.person(n).await;
        scene
            .register(scene.draft(person).with(alert(&format!("token {n}"))))
            .await;
        let browser = scene.draft(person).on_holder(Platform::Web);
        scene.register(browser.with(web_push(&format!("box {n}")))).await;
        let key = StoredKey {
            id: scene.id(),
            usage: KeyUse::AccessToken,
            sealed: vec![7; 40],
            created_at: scene.clock.now(),
            life: KeyLife::since(scene.clock.now()),
        };
        let code = code_delivery(scene.id(), phone(n), scene.clock.now());
        scene
            .write(move |unit| {
                unit.lock_keys(key.usage)?;
                unit.insert_key(&key)?;
                unit.enqueue_code(&code)
            })
            .await;
        scene.send(person.user).await;
    }
    scene
}

async fn page(scene: &Scene, column: SealedColumn, after: Option<Uuid>, limit: u32) -> Vec<SealedValue> {
    scene
        .write(move |unit| unit.sealed_values(column, after, limit))
        .await
}

async fn replace(scene: &Scene, column: SealedColumn, values: Vec<Resealed>) -> u32 {
    scene
        .write(move |unit| unit.replace_sealed(column, &values))
        .await
}

/// The three values of a column.
async fn three(scene: &Scene, column: SealedColumn) -> [SealedValue; 3] {
    let values = page(scene, column, None, 10).await;
    values.try_into().expect("three values")
}

/// None is left out and none comes twice.
pub async fn sealed_values_come_in_pages_in_order(store: Arc<dyn Store>) {
    let empty = Scene::new(Arc::clone(&store));
    for column in SealedColumn::ALL {
        assert_eq!(page(&empty, column, None, 10).await, [], "{}", column.name());
    }
    let scene = filled(store).await;
    for column in SealedColumn::ALL {
        let [one, two, three] = three(&scene, column).await;
        assert!(one.row < two.row && two.row < three.row, "{}", column.name());
        let (second, last) = (two.row, three.row);
        assert_eq!(page(&scene, column, None, 2).await, [one, two]);
        assert_eq!(page(&scene, column, Some(second), 2).await, [three]);
        assert_eq!(page(&scene, column, Some(last), 2).await, []);
    }
}

/// Every column by itself.
pub async fn a_sealed_value_is_replaced_only_where_it_is_what_was_read(store: Arc<dyn Store>) {
    let scene = filled(store).await;
    for column in SealedColumn::ALL {
        let [one, two, last] = three(&scene, column).await;
        let values = vec![
            Resealed {
                row: one.row,
                old: one.sealed.clone(),
                new: vec![1; 50],
            },
            // Somebody has written it since.
            Resealed {
                row: two.row,
                old: b"what it was before".to_vec(),
                new: vec![2; 50],
            },
            Resealed {
                row: last.row,
                old: last.sealed,
                new: vec![3; 50],
            },
            // Somebody has removed it since.
            Resealed {
                row: Uuid::from_u128(1),
                old: one.sealed,
                new: vec![4; 50],
            },
        ];
        assert_eq!(replace(&scene, column, values).await, 2, "{}", column.name());
        let after = three(&scene, column).await.map(|value| value.sealed);
        assert_eq!(after, [vec![1; 50], two.sealed, vec![3; 50]]);
    }
    assert_eq!(replace(&scene, SealedColumn::Keys, Vec::new()).await, 0);
}

/// What is sealed again opens as before.
pub async fn a_credential_that_was_sealed_again_reads_as_before(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let person = scene.person(1).await;
    scene.register(scene.draft(person).with(alert("token"))).await;
    let [value]: [SealedValue; 1] = page(&scene, SealedColumn::PushTokens, None, 10)
        .await
        .try_into()
        .expect("one token");
    let (nothing, again) = (
        Resealed {
            row: value.row,
            old: value.sealed.clone(),
            new: Vec::new(),
        },
        Resealed {
            row: value.row,
            old: Vec::new(),
            new: value.sealed,
        },
    );
    assert_eq!(replace(&scene, SealedColumn::PushTokens, vec![nothing]).await, 1);
    assert_eq!(replace(&scene, SealedColumn::PushTokens, vec![again]).await, 1);
    assert_eq!(scene.shown(person).await, [Some("token".to_owned())]);
}
