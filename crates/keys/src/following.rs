//! A running server's keys, kept up with the store.

use std::sync::Arc;

use doorbell_domain::ports::Sealer;
use doorbell_domain::store::{KeyUse, Store, StoredKey, read};

use crate::key_ring::KeyRingError;
use crate::shared::Shared;
use crate::signing::SigningKeys;
use crate::vapid::VapidKeySet;

/// Opens the keys of one use, newest first.
type Open<T> = fn(&dyn Sealer, &[StoredKey]) -> Result<T, KeyRingError>;

/// The keys of one use.
#[derive(Debug)]
pub(crate) struct Followed<T> {
    keys: Arc<Shared<T>>,
    /// The rows that the keys in use were opened from.
    seen: Vec<StoredKey>,
    open: Open<T>,
}

impl<T> Followed<T> {
    pub(crate) fn open(
        sealer: &dyn Sealer,
        rows: Vec<StoredKey>,
        open: Open<T>,
    ) -> Result<Self, KeyRingError> {
        Ok(Self {
            keys: Arc::new(Shared::new(open(sealer, &rows)?)),
            seen: rows,
            open,
        })
    }

    pub(crate) fn keys(&self) -> Arc<Shared<T>> {
        Arc::clone(&self.keys)
    }

    /// Puts `rows` into use; whether they are others than before.
    fn take(&mut self, rows: Vec<StoredKey>, sealer: &dyn Sealer) -> Result<bool, KeyRingError> {
        if rows == self.seen {
            return Ok(false);
        }
        self.keys.replace((self.open)(sealer, &rows)?);
        self.seen = rows;
        Ok(true)
    }
}

impl<T> Clone for Followed<T> {
    fn clone(&self) -> Self {
        Self {
            keys: self.keys(),
            seen: self.seen.clone(),
            open: self.open,
        }
    }
}

/// Reads the keys anew, and puts what changed into use.
#[derive(Debug)]
pub struct Follower {
    signing: Followed<SigningKeys>,
    vapid: Followed<VapidKeySet>,
}

impl Follower {
    pub(crate) const fn new(signing: Followed<SigningKeys>, vapid: Followed<VapidKeySet>) -> Self {
        Self { signing, vapid }
    }

    /// Looks once, by one statement a use; whether anything changed. Where the store does not answer, or has a key that does not
    /// open, the keys of that use stay as they are.
    pub async fn look(&mut self, store: &dyn Store, sealer: &dyn Sealer) -> Result<bool, KeyRingError> {
        let (signing, vapid) = read(store, |reads| {
            Ok((reads.keys(KeyUse::AccessToken)?, reads.keys(KeyUse::Vapid)?))
        })
        .await?;
        // A broken key of one use must not keep the other behind.
        let signing = self.signing.take(signing, sealer);
        let vapid = self.vapid.take(vapid, sealer);
        Ok(signing? | vapid?)
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::signing_key::KeyLife;
    use doorbell_domain::{Entropy, FreshIds, Timestamp};

    use super::*;
    use crate::key_ring::{open_signing, place};
    use crate::signing::SharedKeys;
    use crate::{Sealing, Secrets, SystemEntropy};

    const SECRET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const OTHER: &str = "new:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn sealing(list: &str) -> Sealing {
        let secrets = Secrets::parse(list).expect("well-formed");
        Sealing::new(&secrets, Arc::new(SystemEntropy)).expect("keys derive")
    }

    fn row(sealer: &Sealing) -> StoredKey {
        let entropy: &dyn Entropy = &SystemEntropy;
        let id = FreshIds::draw(NOW, entropy).take();
        StoredKey {
            id,
            usage: KeyUse::AccessToken,
            sealed: sealer.seal(place(id), &entropy.bytes::<32>()).expect("seals"),
            created_at: NOW,
            life: KeyLife::since(NOW),
        }
    }

    fn good(keys: &SharedKeys) -> Vec<String> {
        let keys = keys.current();
        keys.good(NOW).map(|key| key.kid().to_owned()).collect()
    }

    #[test]
    fn what_changed_is_put_into_use_and_what_cannot_be_used_changes_nothing() {
        let sealer = sealing(SECRET);
        let first = row(&sealer);
        let mut followed = Followed::open(&sealer, vec![first.clone()], open_signing).expect("opens");
        let keys = followed.keys();
        assert!(!followed.take(vec![first.clone()], &sealer).expect("nothing new"));

        let second = row(&sealer);
        let both = vec![second.clone(), first.clone()];
        assert!(followed.take(both.clone(), &sealer).expect("a new key"));
        assert_eq!(good(&keys), [second.id.to_string(), first.id.to_string()]);

        // A retirement is news as well.
        let mut retired = both.clone();
        retired[1].life.retires_at = Some(NOW);
        assert!(followed.take(retired.clone(), &sealer).expect("a retirement"));
        assert_eq!(good(&keys), [second.id.to_string()]);

        // A key under a secret that this server was not given, and no key at all.
        let mut foreign = retired.clone();
        foreign.insert(0, row(&sealing(OTHER)));
        assert!(followed.take(foreign, &sealer).is_err());
        assert!(followed.take(Vec::new(), &sealer).is_err());
        assert_eq!(good(&keys), [second.id.to_string()]);
        assert!(followed.take(both, &sealer).expect("as it was"));
    }
}
