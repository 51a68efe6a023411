//! The key pairs by which this service names itself to push services (RFC 8292).
//!
//! A browser subscribes under one of them, and its push service then takes messages that this one has signed and no others
//! (§4.2). So a key is never replaced for the subscriptions that were made under it: a new one is for new subscriptions,
//! and the old ones go on signing.

use thiserror::Error;
use time::Duration;
use uuid::Uuid;

use crate::signing_key::{HasLife, KeyLife, KnownKey};
use crate::{Timestamp, web_push};

/// How long a new key is there before browsers are given it. Servers look for new keys every ten seconds: by then all of them
/// know it, so that whichever a browser's subscription is sent to can tell its key, and all change over at the same moment.
pub const NOTICE: Duration = Duration::minutes(1);

/// What others see of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VapidKeyName {
    /// What subscriptions remember it by: the text of its row's id.
    pub id: String,
    /// Its public half, an uncompressed point on P-256 (SEC 1 §2.3.3).
    pub public: [u8; 65],
}

/// A text that is no public half of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be base64url of 65 bytes")]
pub struct NoPublicKey;

/// Reads a public half as browsers have it: base64url, with or without padding, of 65 octets. Whether it is a key of this service is
/// known to [`VapidKeys`](crate::ports::VapidKeys).
pub fn read_public(text: &str) -> Result<[u8; 65], NoPublicKey> {
    web_push::decode(text).ok_or(NoPublicKey)
}

/// Why no key is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VapidRotationRefused {
    /// One was added just now.
    #[error("the VAPID key {id} was added already and is not yet given to browsers")]
    Pending {
        /// It.
        id: Uuid,
        /// When it is.
        starts_at: Timestamp,
    },
    /// There is no key yet: the first server that starts makes one.
    #[error("this database has no VAPID key yet; a server that starts makes one")]
    NoKey,
}

/// The life of a key that is added at `now` to `keys`. None of theirs ends.
///
/// It is refused while an earlier addition waits for its start: two that are asked for at once add one key.
pub fn add(keys: &[KnownKey], now: Timestamp) -> Result<KeyLife, VapidRotationRefused> {
    if keys.is_empty() {
        return Err(VapidRotationRefused::NoKey);
    }
    match keys.iter().find(|key| key.life().is_pending(now)) {
        Some(KnownKey { id, life }) => Err(VapidRotationRefused::Pending {
            id: *id,
            starts_at: life.starts_at,
        }),
        None => Ok(KeyLife::since(now + NOTICE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn key(n: u128, starts: i64) -> KnownKey {
        KnownKey {
            id: Uuid::from_u128(n),
            life: KeyLife::since(at(starts)),
        }
    }

    #[test]
    fn a_key_is_added_with_notice_and_one_at_a_time() {
        let added = add(&[key(1, 0)], at(100)).expect("added");
        assert_eq!(added, KeyLife::since(at(160)));
        let keys = [key(2, 160), key(1, 0)];
        let refused = VapidRotationRefused::Pending {
            id: Uuid::from_u128(2),
            starts_at: at(160),
        };
        assert_eq!(add(&keys, at(159)), Err(refused));
        assert_eq!(add(&keys, at(160)), Ok(KeyLife::since(at(220))));
        assert_eq!(add(&[], at(0)), Err(VapidRotationRefused::NoKey));
    }
}
