//! Adding a VAPID key.

use std::sync::Arc;

use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::signing_key::{KeyLife, KnownKey};
use doorbell_domain::store::{Found, KeyUse, Keys, Store, StoreError, StoredKey, transact};
use doorbell_domain::vapid::{VapidRotationRefused, add};
use doorbell_domain::{Clock, Entropy, FreshIds};
use thiserror::Error;

use crate::key_ring::{KeyRingError, open_vapid, place};
use crate::vapid::VapidKey;

/// Why no key was added. Nothing was written.
#[derive(Debug, Error)]
pub enum AddVapidError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] VapidRotationRefused),
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

/// Adds a VAPID key to the store, and gives its row. The others go on signing for the subscriptions that are theirs.
pub async fn add_vapid_key(
    store: &dyn Store,
    sealer: &Arc<dyn Sealer>,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<StoredKey, AddVapidError> {
    let now = clock.now();
    let id = FreshIds::draw(now, entropy).take();
    let draft = StoredKey {
        id,
        usage: KeyUse::Vapid,
        sealed: sealer.seal(place(id), VapidKey::draw(entropy)?.as_slice())?,
        created_at: now,
        // Until it is decided.
        life: KeyLife::since(now),
    };
    let sealer = Arc::clone(sealer);
    transact(store, move |unit| write(unit, sealer.as_ref(), draft)).await?
}

/// A refusal is a value: nothing has been written by then.
fn write<K: Keys + ?Sized>(
    keys: &mut K,
    sealer: &dyn Sealer,
    draft: StoredKey,
) -> Found<Result<StoredKey, AddVapidError>> {
    keys.lock_keys(draft.usage)?;
    let rows = keys.keys(draft.usage)?;
    let life = match decide(&rows, sealer, &draft) {
        Ok(life) => life,
        Err(refused) => return Ok(Err(refused)),
    };
    let key = StoredKey { life, ..draft };
    keys.insert_key(&key)?;
    Ok(Ok(key))
}

fn decide(rows: &[StoredKey], sealer: &dyn Sealer, draft: &StoredKey) -> Result<KeyLife, AddVapidError> {
    let known = rows.iter().map(|row| KnownKey {
        id: row.id,
        life: row.life,
    });
    let life = add(&known.collect::<Vec<_>>(), draft.created_at)?;
    // With another secret than the servers', the new key would open for none of them, and none would start again.
    open_vapid(sealer, rows)?;
    Ok(life)
}

#[cfg(test)]
mod tests {
    use doorbell_domain::Timestamp;
    use doorbell_domain::vapid::NOTICE;

    use super::*;
    use crate::rows::Rows;
    use crate::{Sealing, Secrets, SystemEntropy};

    fn sealing(text: &str) -> Sealing {
        let secrets = Secrets::parse(&text.repeat(32)).expect("well-formed");
        Sealing::new(&secrets, Arc::new(SystemEntropy)).expect("keys derive")
    }

    fn draft(sealer: &Sealing, now: Timestamp) -> StoredKey {
        let id = FreshIds::draw(now, &SystemEntropy).take();
        let scalar = VapidKey::draw(&SystemEntropy).expect("a scalar");
        StoredKey {
            id,
            usage: KeyUse::Vapid,
            sealed: sealer.seal(place(id), scalar.as_slice()).expect("seals"),
            created_at: now,
            life: KeyLife::since(now),
        }
    }

    #[test]
    fn a_key_is_added_beside_the_others_and_what_is_refused_writes_nothing() {
        let (sealer, stranger) = (sealing("a"), sealing("b"));
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut rows = Rows::default();
        let mut write =
            |sealer: &Sealing, now| write(&mut rows, sealer, draft(sealer, now)).expect("no failure");
        assert!(matches!(
            write(&sealer, at(0)),
            Err(AddVapidError::Refused(VapidRotationRefused::NoKey))
        ));
        rows.rows.push(draft(&sealer, at(0)));
        let first = rows.rows[0].clone();

        let mut write =
            |sealer: &Sealing, now| super::write(&mut rows, sealer, draft(sealer, now)).expect("no failure");
        assert!(matches!(
            write(&stranger, at(9)),
            Err(AddVapidError::Ring(KeyRingError::WrongSecret { .. }))
        ));
        let added = write(&sealer, at(10)).expect("added");
        assert_eq!(added.life, KeyLife::since(at(10) + NOTICE));
        assert!(matches!(
            write(&sealer, at(11)),
            Err(AddVapidError::Refused(VapidRotationRefused::Pending { .. }))
        ));
        assert_eq!(rows.rows, [added, first]);
    }
}
