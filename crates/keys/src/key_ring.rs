//! The key pairs that all servers of one database share.

use std::sync::Arc;

use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::sealed::{SealedColumn, SealedPlace};
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::store::{KeyUse, Keys, Store, StoreError, StoredKey, transact};
use doorbell_domain::{Clock, Entropy, FreshIds, Timestamp};
use thiserror::Error;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use crate::following::{Followed, Follower};
use crate::signing::{SharedKeys, SigningKey, SigningKeys};
use crate::vapid::{SharedVapidKeys, VapidKey, VapidKeySet};

/// The database's key pairs, opened.
///
/// The first server that finds none makes them; whoever starts at the same time waits and takes the same.
#[derive(Debug)]
pub struct KeyRing {
    signing: Followed<SigningKeys>,
    vapid: Followed<VapidKeySet>,
}

/// Why the key pairs cannot be used.
#[derive(Debug, Error)]
pub enum KeyRingError {
    /// The store did not give them.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They were sealed under another secret than this server was given.
    #[error(
        "DOORBELL_SECRET does not open the {usage} key {id} of this database ({reason}): \
         give this server the secret that the database's first server was given",
        usage = .usage.name()
    )]
    WrongSecret {
        /// What the key is for.
        usage: KeyUse,
        /// Its row.
        id: Uuid,
        /// What went wrong.
        reason: KeyFailure,
    },
    /// It opens, and is no private key.
    #[error("the {usage} key {id} of this database is broken: {reason}", usage = .usage.name())]
    Broken {
        /// What the key is for.
        usage: KeyUse,
        /// Its row.
        id: Uuid,
        /// What went wrong.
        reason: KeyFailure,
    },
    /// None could be made.
    #[error(transparent)]
    Making(KeyFailure),
}

impl KeyRing {
    /// Opens the store's key pairs with `sealer`; makes them if there are none.
    pub async fn load_or_create(
        store: &dyn Store,
        sealer: &dyn Sealer,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Self, KeyRingError> {
        let [signing, vapid] = candidates(sealer, entropy, clock.now()).map_err(KeyRingError::Making)?;
        let (signing, vapid) = transact(store, move |unit| {
            Ok((existing_or(unit, &signing)?, existing_or(unit, &vapid)?))
        })
        .await?;
        Self::open(sealer, signing, vapid)
    }

    /// Opens the key pairs of each use, newest first.
    fn open(
        sealer: &dyn Sealer,
        signing: Vec<StoredKey>,
        vapid: Vec<StoredKey>,
    ) -> Result<Self, KeyRingError> {
        Ok(Self {
            signing: Followed::open(sealer, signing, open_signing)?,
            vapid: Followed::open(sealer, vapid, open_vapid)?,
        })
    }

    /// What access tokens are signed with.
    pub fn signing(&self) -> Arc<SharedKeys> {
        self.signing.keys()
    }

    /// This service's names at push services.
    pub fn vapid(&self) -> Arc<SharedVapidKeys> {
        self.vapid.keys()
    }

    /// Who keeps both up with the store.
    pub fn follower(&self) -> Follower {
        Follower::new(self.signing.clone(), self.vapid.clone())
    }
}

/// The keys of the candidate's use; if there are none, the one that now is first, be it the candidate or another
/// server's.
fn existing_or<K: Keys + ?Sized>(keys: &mut K, candidate: &StoredKey) -> Result<Vec<StoredKey>, StoreError> {
    let existing = keys.keys(candidate.usage)?;
    if existing.is_empty() {
        return Ok(vec![keys.insert_first_key(candidate)?]);
    }
    Ok(existing)
}

/// A key pair of each use, in case the store has none.
fn candidates(
    sealer: &dyn Sealer,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<[StoredKey; 2], KeyFailure> {
    let mut ids = FreshIds::draw(now, entropy);
    let mut sealed = |usage, private: &[u8; 32]| {
        let id = ids.take();
        Ok(StoredKey {
            id,
            usage,
            sealed: sealer.seal(place(id), private)?,
            created_at: now,
            life: KeyLife::since(now),
        })
    };
    Ok([
        sealed(KeyUse::AccessToken, &SigningKey::draw(entropy))?,
        sealed(KeyUse::Vapid, &*VapidKey::draw(entropy)?)?,
    ])
}

/// Where the private half of a key lies.
pub(crate) const fn place(row: Uuid) -> SealedPlace {
    SealedPlace {
        column: SealedColumn::Keys,
        row,
    }
}

fn missing() -> KeyRingError {
    KeyRingError::Making(KeyFailure("the store gave no key"))
}

/// Opens signing keys, newest first.
pub(crate) fn open_signing(sealer: &dyn Sealer, rows: &[StoredKey]) -> Result<SigningKeys, KeyRingError> {
    let restore = |row: &StoredKey, seed: &[u8; 32]| SigningKey::restore(row.id, row.life, seed);
    SigningKeys::new(open_all(sealer, rows, restore)?).ok_or_else(missing)
}

/// Opens VAPID keys, newest first.
pub fn open_vapid(sealer: &dyn Sealer, rows: &[StoredKey]) -> Result<VapidKeySet, KeyRingError> {
    let restore = |row: &StoredKey, scalar: &[u8; 32]| VapidKey::restore(row.id, row.life, scalar);
    VapidKeySet::new(open_all(sealer, rows, restore)?).ok_or_else(missing)
}

fn open_all<T>(
    sealer: &dyn Sealer,
    stored: &[StoredKey],
    restore: impl Fn(&StoredKey, &[u8; 32]) -> Result<T, KeyFailure>,
) -> Result<Vec<T>, KeyRingError> {
    let open = |key: &StoredKey| {
        let (usage, id) = (key.usage, key.id);
        let mut opened = sealer
            .open(place(id), &key.sealed)
            .map_err(|reason| KeyRingError::WrongSecret { usage, id, reason })?;
        let private = <[u8; 32]>::try_from(&opened[..]).map(Zeroizing::new);
        opened.zeroize();
        private
            .map_err(|_| KeyFailure("not 32 octets"))
            .and_then(|private| restore(key, &private))
            .map_err(|reason| KeyRingError::Broken { usage, id, reason })
    };
    stored.iter().map(open).collect()
}

#[cfg(test)]
mod tests {
    use doorbell_domain::ports::VapidKeys;

    use super::*;
    use crate::rows::Rows;
    use crate::{Sealing, Secrets, SystemEntropy};

    const SECRET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn sealing(list: &str) -> Sealing {
        let secrets = Secrets::parse(list).expect("well-formed");
        Sealing::new(&secrets, Arc::new(SystemEntropy)).expect("keys derive")
    }

    fn drawn(sealer: &Sealing) -> [StoredKey; 2] {
        candidates(sealer, &SystemEntropy, Timestamp::from_micros(1)).expect("keys are made")
    }

    fn start(rows: &mut Rows, sealer: &Sealing) -> Result<KeyRing, KeyRingError> {
        let [signing, vapid] = drawn(sealer);
        let signing = existing_or(rows, &signing)?;
        let vapid = existing_or(rows, &vapid)?;
        KeyRing::open(sealer, signing, vapid)
    }

    fn names(ring: &KeyRing) -> (Vec<String>, Vec<u8>) {
        let keys = ring.signing().current();
        let kids = keys
            .good(Timestamp::from_micros(1))
            .map(|key| key.kid().to_owned());
        (
            kids.collect(),
            ring.vapid().offered(Timestamp::from_micros(1)).public.to_vec(),
        )
    }

    #[test]
    fn the_first_server_makes_the_keys_and_the_next_ones_find_them() {
        let (mut rows, sealer) = (Rows::default(), sealing(SECRET));
        let first = start(&mut rows, &sealer).expect("starts");
        let second = start(&mut rows, &sealer).expect("starts");
        assert_eq!(names(&first), names(&second));
        assert_eq!(rows.rows.len(), 2);
        let kids = names(&first).0;
        assert_eq!(kids, [rows.rows[0].id.to_string()]);
        assert_eq!(
            first.vapid().offered(Timestamp::from_micros(1)).id,
            rows.rows[1].id.to_string()
        );
    }

    #[test]
    fn a_server_that_comes_second_by_a_moment_takes_the_others_keys() {
        let sealer = sealing(SECRET);
        let mut rows = Rows {
            rivals: drawn(&sealer).into(),
            ..Rows::default()
        };
        let rivals = rows.rivals.clone();
        let ring = start(&mut rows, &sealer).expect("starts");
        assert_eq!(rows.rows, rivals);
        assert_eq!(names(&ring).0, [rivals[0].id.to_string()]);
    }

    #[test]
    fn a_server_with_another_secret_refuses_to_start_and_says_why() {
        let mut rows = Rows::default();
        start(&mut rows, &sealing(SECRET)).expect("starts");
        let refused = start(&mut rows, &sealing(OTHER)).expect_err("another secret");
        assert!(matches!(
            refused,
            KeyRingError::WrongSecret {
                usage: KeyUse::AccessToken,
                ..
            }
        ));
        let said = refused.to_string();
        assert!(
            said.starts_with("DOORBELL_SECRET does not open the access_token key"),
            "{said}"
        );
        assert_eq!(rows.rows.len(), 2, "nothing was added");
        // With the old secret beside the new one it starts.
        let both = sealing(&format!("new:{OTHER},{SECRET}"));
        start(&mut rows, &both).expect("starts");
    }

    #[test]
    fn a_row_moved_or_emptied_is_told_apart_from_a_wrong_secret() {
        let (mut rows, sealer) = (Rows::default(), sealing(SECRET));
        start(&mut rows, &sealer).expect("starts");
        let mut moved = rows.rows.clone();
        moved[0].id = Uuid::from_u128(1);
        let opened = KeyRing::open(&sealer, moved[..1].to_vec(), moved[1..].to_vec());
        assert!(matches!(opened, Err(KeyRingError::WrongSecret { .. })));
        let mut short = rows.rows.clone();
        short[1].sealed = sealer.seal(place(short[1].id), &[1; 31]).expect("seals");
        let opened = KeyRing::open(&sealer, short[..1].to_vec(), short[1..].to_vec());
        assert!(matches!(
            opened,
            Err(KeyRingError::Broken {
                usage: KeyUse::Vapid,
                ..
            })
        ));
    }

    #[test]
    fn several_signing_keys_open_in_their_order() {
        let sealer = sealing(SECRET);
        let ([old, vapid], [new, _]) = (drawn(&sealer), drawn(&sealer));
        let ring = KeyRing::open(&sealer, vec![new.clone(), old.clone()], vec![vapid]).expect("opens");
        assert_eq!(names(&ring).0, [new.id.to_string(), old.id.to_string()]);
    }
}
