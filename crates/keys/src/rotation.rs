//! Adding a signing key, and giving the others their end.

use std::sync::Arc;

use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::signing_key::{
    KeyLife, KeyRotation, KnownKey, RotationPolicy, RotationRefused, Urgency,
};
use doorbell_domain::store::{Found, KeyUse, Keys, Store, StoreError, StoredKey, transact};
use doorbell_domain::{Clock, Entropy, FreshIds};
use thiserror::Error;
use uuid::Uuid;

use crate::key_ring::{KeyRingError, open_signing, place};
use crate::signing::SigningKey;

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The new key's row, and the text of it the `kid`.
    pub id: Uuid,
    /// What was decided.
    pub rotation: KeyRotation,
}

/// Why no key was added. Nothing was written.
#[derive(Debug, Error)]
pub enum RotateError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] RotationRefused),
    /// The keys that are there cannot be used: with this secret a new one would be of no use to anybody else either.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
    /// None could be made.
    #[error(transparent)]
    Making(#[from] KeyFailure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a signing key to the store, decides when it signs and when the others retire, and removes those that have.
pub async fn rotate(
    store: &dyn Store,
    sealer: &Arc<dyn Sealer>,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
    urgency: Urgency,
) -> Result<Rotated, RotateError> {
    let now = clock.now();
    let id = FreshIds::draw(now, entropy).take();
    let draft = StoredKey {
        id,
        usage: KeyUse::AccessToken,
        sealed: sealer.seal(place(id), SigningKey::draw(entropy).as_slice())?,
        created_at: now,
        // Until it is decided.
        life: KeyLife::since(now),
    };
    let sealer = Arc::clone(sealer);
    transact(store, move |unit| add(unit, sealer.as_ref(), &draft, urgency)).await?
}

/// A refusal is a value: nothing has been written by then.
fn add<K: Keys + ?Sized>(
    keys: &mut K,
    sealer: &dyn Sealer,
    draft: &StoredKey,
    urgency: Urgency,
) -> Found<Result<Rotated, RotateError>> {
    keys.lock_keys(draft.usage)?;
    let rows = keys.keys(draft.usage)?;
    let decided = decide(&rows, sealer, draft, urgency);
    if let Ok(rotation) = &decided {
        keys.insert_key(&StoredKey {
            life: KeyLife::since(rotation.starts_at),
            ..draft.clone()
        })?;
        for (id, at) in &rotation.retire {
            keys.retire_key(*id, *at)?;
        }
        for id in &rotation.remove {
            keys.remove_key(*id)?;
        }
    }
    Ok(decided.map(|rotation| Rotated {
        id: draft.id,
        rotation,
    }))
}

fn decide(
    rows: &[StoredKey],
    sealer: &dyn Sealer,
    draft: &StoredKey,
    urgency: Urgency,
) -> Result<KeyRotation, RotateError> {
    let known: Vec<_> = rows
        .iter()
        .map(|row| KnownKey {
            id: row.id,
            life: row.life,
        })
        .collect();
    let rotation = KeyRotation::decide(&known, draft.created_at, urgency, &RotationPolicy::STANDARD)?;
    // With another secret than the servers', the new key would open for none of them, and none would start again.
    open_signing(sealer, rows)?;
    Ok(rotation)
}

#[cfg(test)]
mod tests {
    use doorbell_domain::Timestamp;
    use time::Duration;

    use super::*;
    use crate::rows::Rows;
    use crate::{Sealing, Secrets, SystemEntropy};

    const SECRET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn sealing(list: &str) -> Sealing {
        let secrets = Secrets::parse(list).expect("well-formed");
        Sealing::new(&secrets, Arc::new(SystemEntropy)).expect("keys derive")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn draft(sealer: &Sealing, now: Timestamp) -> StoredKey {
        let id = FreshIds::draw(now, &SystemEntropy).take();
        StoredKey {
            id,
            usage: KeyUse::AccessToken,
            sealed: sealer.seal(place(id), &[7; 32]).expect("seals"),
            created_at: now,
            life: KeyLife::since(now),
        }
    }

    #[test]
    fn a_rotation_writes_what_was_decided() {
        let sealer = sealing(SECRET);
        let mut rows = Rows {
            rows: vec![draft(&sealer, at(0))],
            ..Rows::default()
        };
        let first = rows.rows[0].id;
        let planned = add(&mut rows, &sealer, &draft(&sealer, at(1_000)), Urgency::Planned);
        let planned = planned.expect("no failure").expect("rotates");
        let starts = at(1_000) + RotationPolicy::STANDARD.notice;
        let ends = starts + Duration::minutes(70);
        let lives: Vec<_> = rows.rows.iter().map(|row| (row.id, row.life)).collect();
        let retiring = KeyLife {
            starts_at: at(0),
            retires_at: Some(ends),
        };
        assert_eq!(lives, [(planned.id, KeyLife::since(starts)), (first, retiring)]);
        // The next one takes the retired one's row away.
        add(&mut rows, &sealer, &draft(&sealer, ends), Urgency::Planned)
            .expect("no failure")
            .expect("rotates");
        assert_eq!(rows.rows.len(), 2);
        assert!(rows.rows.iter().all(|row| row.id != first));
    }

    #[test]
    fn what_is_refused_writes_nothing() {
        let (sealer, other) = (sealing(SECRET), sealing(OTHER));
        let mut rows = Rows::default();
        let refused = add(&mut rows, &sealer, &draft(&sealer, at(0)), Urgency::Revoke).expect("no failure");
        assert!(matches!(
            refused,
            Err(RotateError::Refused(RotationRefused::NoKey))
        ));
        rows.rows.push(draft(&sealer, at(0)));
        let before = rows.rows.clone();
        let refused = add(&mut rows, &other, &draft(&other, at(9)), Urgency::Now).expect("no failure");
        assert!(matches!(
            refused,
            Err(RotateError::Ring(KeyRingError::WrongSecret { .. }))
        ));
        assert_eq!(rows.rows, before);
    }
}
