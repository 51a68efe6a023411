//! A running server's signing keys, kept up with the store.

use std::sync::Arc;

use doorbell_domain::ports::Sealer;
use doorbell_domain::store::{KeyUse, Store, StoredKey, read};

use crate::key_ring::{KeyRingError, open_signing};
use crate::signing::SharedKeys;

/// Reads the signing keys anew, and puts what changed into use.
#[derive(Debug)]
pub struct Follower {
    keys: Arc<SharedKeys>,
    /// The rows that the keys in use were opened from.
    seen: Vec<StoredKey>,
}

impl Follower {
    pub(crate) const fn new(keys: Arc<SharedKeys>, seen: Vec<StoredKey>) -> Self {
        Self { keys, seen }
    }

    /// Looks once, by one statement; whether anything changed. Where the store does not answer, or has a key that does not open,
    /// the keys stay as they are.
    pub async fn look(&mut self, store: &dyn Store, sealer: &dyn Sealer) -> Result<bool, KeyRingError> {
        let rows = read(store, |reads| reads.keys(KeyUse::AccessToken)).await?;
        self.take(rows, sealer)
    }

    fn take(&mut self, rows: Vec<StoredKey>, sealer: &dyn Sealer) -> Result<bool, KeyRingError> {
        if rows == self.seen {
            return Ok(false);
        }
        self.keys.replace(open_signing(sealer, &rows)?);
        self.seen = rows;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::signing_key::KeyLife;
    use doorbell_domain::{Entropy, FreshIds, Timestamp};

    use super::*;
    use crate::key_ring::place;
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
        let opened = open_signing(&sealer, std::slice::from_ref(&first)).expect("opens");
        let keys = Arc::new(SharedKeys::new(opened));
        let mut follower = Follower::new(Arc::clone(&keys), vec![first.clone()]);
        assert!(!follower.take(vec![first.clone()], &sealer).expect("nothing new"));

        let second = row(&sealer);
        let both = vec![second.clone(), first.clone()];
        assert!(follower.take(both.clone(), &sealer).expect("a new key"));
        assert_eq!(good(&keys), [second.id.to_string(), first.id.to_string()]);

        // A retirement is news as well.
        let mut retired = both.clone();
        retired[1].life.retires_at = Some(NOW);
        assert!(follower.take(retired.clone(), &sealer).expect("a retirement"));
        assert_eq!(good(&keys), [second.id.to_string()]);

        // A key under a secret that this server was not given, and no key at all.
        let mut foreign = retired.clone();
        foreign.insert(0, row(&sealing(OTHER)));
        assert!(follower.take(foreign, &sealer).is_err());
        assert!(follower.take(Vec::new(), &sealer).is_err());
        assert_eq!(good(&keys), [second.id.to_string()]);
        assert!(follower.take(both, &sealer).expect("as it was"));
    }
}
