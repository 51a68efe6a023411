//! The key pairs by which this service names itself to push services (RFC 8292).

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use doorbell_domain::ports::{KeyFailure, VapidKeys};
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::vapid::VapidKeyName;
use doorbell_domain::{Entropy, Timestamp};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::shared::Shared;

/// A key pair on P-256, named by the id of its row.
pub struct VapidKey {
    name: VapidKeyName,
    life: KeyLife,
    pair: EcdsaKeyPair,
}

impl VapidKey {
    /// A private scalar for a new key pair: 32 octets, drawn again in the one case of 2³² where they are no number
    /// from 1 to the curve's order (FIPS 186-5 A.2.2).
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Zeroizing<[u8; 32]>, KeyFailure> {
        // A source that gives four of those in a row is no source.
        for _ in 0..4 {
            let scalar = Zeroizing::new(entropy.bytes());
            if public_of(&scalar).is_ok() {
                return Ok(scalar);
            }
        }
        Err(KeyFailure("no P-256 scalar was drawn"))
    }

    /// The key pair of `scalar`, under the name `id`, in its times.
    pub fn restore(id: Uuid, life: KeyLife, scalar: &[u8; 32]) -> Result<Self, KeyFailure> {
        let public = public_of(scalar)?;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, scalar, &public);
        let id = id.as_hyphenated().to_string();
        Ok(Self {
            name: VapidKeyName { id, public },
            life,
            pair: pair.map_err(|_| KeyFailure("P-256 key pair"))?,
        })
    }
}

fn public_of(scalar: &[u8; 32]) -> Result<[u8; 65], KeyFailure> {
    let private = PrivateKey::from_private_key(&ECDH_P256, scalar).map_err(|_| KeyFailure("P-256 scalar"))?;
    let public = private
        .compute_public_key()
        .map_err(|_| KeyFailure("P-256 key"))?;
    public.as_ref().try_into().map_err(|_| KeyFailure("P-256 point"))
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VapidKey({})", self.name.id)
    }
}

/// All VAPID keys of a database: each signs for the subscriptions that were made under it, the newest is given to browsers.
#[derive(Debug)]
pub struct VapidKeySet {
    newest: VapidKey,
    /// Newest first.
    older: Vec<VapidKey>,
}

impl VapidKeySet {
    /// Keys in their order, newest first; `None` without any.
    pub fn new(keys: impl IntoIterator<Item = VapidKey>) -> Option<Self> {
        let mut keys = keys.into_iter();
        Some(Self {
            newest: keys.next()?,
            older: keys.collect(),
        })
    }

    fn all(&self) -> impl Iterator<Item = &VapidKey> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    fn named(&self, id: &str) -> Option<&VapidKey> {
        self.all().find(|key| key.name.id == id)
    }
}

impl VapidKeys for VapidKeySet {
    /// The newest that has begun; for a clock that is behind all starts the oldest.
    fn offered(&self, now: Timestamp) -> VapidKeyName {
        let begun = self.all().find(|key| !key.life.is_pending(now));
        let oldest = self.older.last().unwrap_or(&self.newest);
        begun.unwrap_or(oldest).name.clone()
    }

    fn public(&self, id: &str) -> Option<[u8; 65]> {
        self.named(id).map(|key| key.name.public)
    }

    fn id_of(&self, public: &[u8; 65]) -> Option<String> {
        let key = self.all().find(|key| key.name.public == *public);
        key.map(|key| key.name.id.clone())
    }

    fn sign(&self, id: &str, message: &[u8]) -> Result<[u8; 64], KeyFailure> {
        let key = self.named(id).ok_or(KeyFailure("no VAPID key has that name"))?;
        // The library takes its own randomness, whatever source it is given.
        let signature = key
            .pair
            .sign(&SystemRandom::new(), message)
            .map_err(|_| KeyFailure("signing by a VAPID key"))?;
        let octets = signature.as_ref().try_into();
        octets.map_err(|_| KeyFailure("a signature by a VAPID key"))
    }
}

/// The VAPID keys of a running server.
pub type SharedVapidKeys = Shared<VapidKeySet>;

impl VapidKeys for SharedVapidKeys {
    fn offered(&self, now: Timestamp) -> VapidKeyName {
        self.current().offered(now)
    }

    fn public(&self, id: &str) -> Option<[u8; 65]> {
        self.current().public(id)
    }

    fn id_of(&self, public: &[u8; 65]) -> Option<String> {
        self.current().id_of(public)
    }

    fn sign(&self, id: &str, message: &[u8]) -> Result<[u8; 64], KeyFailure> {
        self.current().sign(id, message)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    /// The application server's scalar and point of RFC 8291, Appendix A.
    const SCALAR: [u8; 32] = [
        0xc9, 0xf5, 0x8f, 0x89, 0x81, 0x3e, 0x9f, 0x8e, 0x87, 0x2e, 0x71, 0xf4, 0x2a, 0xa6, 0x4e, 0x17, 0x57,
        0xc9, 0x25, 0x4d, 0xcc, 0x62, 0xb7, 0x2d, 0xdc, 0x01, 0x0b, 0xb4, 0x04, 0x3e, 0xa1, 0x1c,
    ];
    const POINT: [u8; 65] = [
        0x04, 0xfe, 0x33, 0xf4, 0xab, 0x0d, 0xea, 0x71, 0x91, 0x4d, 0xb5, 0x58, 0x23, 0xf7, 0x3b, 0x54, 0x94,
        0x8f, 0x41, 0x30, 0x6d, 0x92, 0x07, 0x32, 0xdb, 0xb9, 0xa5, 0x9a, 0x53, 0x28, 0x64, 0x82, 0x20, 0x0e,
        0x59, 0x7a, 0x7b, 0x7b, 0xc2, 0x60, 0xba, 0x1c, 0x22, 0x79, 0x98, 0x58, 0x09, 0x92, 0xe9, 0x39, 0x73,
        0x00, 0x2f, 0x30, 0x12, 0xa2, 0x8a, 0xe8, 0xf0, 0x6b, 0xbb, 0x78, 0xe5, 0xec, 0x0f,
    ];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn key(n: u128, starts: i64, scalar: &[u8; 32]) -> VapidKey {
        VapidKey::restore(Uuid::from_u128(n), KeyLife::since(at(starts)), scalar).expect("a scalar")
    }

    fn id(n: u128) -> String {
        Uuid::from_u128(n).to_string()
    }

    fn vapid(keys: impl IntoIterator<Item = VapidKey>) -> VapidKeySet {
        VapidKeySet::new(keys).expect("some")
    }

    #[test]
    fn the_public_half_is_the_standards() {
        let vapid = vapid([key(7, 0, &SCALAR)]);
        let offered = vapid.offered(at(0));
        assert_eq!((offered.id, offered.public), (id(7), POINT));
        assert_eq!(vapid.public(&id(7)), Some(POINT));
        assert_eq!(vapid.id_of(&POINT), Some(id(7)));
        assert_eq!(
            (vapid.public(&id(8)), vapid.id_of(&[4; 65])),
            (None, None),
            "unknown to it"
        );
    }

    #[test]
    fn the_newest_that_has_begun_is_offered_and_all_sign() {
        let vapid = vapid([
            key(3, 300, &[3; 32]),
            key(2, 200, &[2; 32]),
            key(1, 100, &[1; 32]),
        ]);
        for (now, n) in [
            (0, 1),
            (100, 1),
            (199, 1),
            (200, 2),
            (299, 2),
            (300, 3),
            (9_000, 3),
        ] {
            assert_eq!(vapid.offered(at(now)).id, id(n), "at {now}");
        }
        for n in 1..=3 {
            let signature = vapid.sign(&id(n), b"a message").expect("signs");
            for other in 1..=3 {
                let public = vapid.public(&id(other)).expect("known");
                let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
                let taken = public.verify(b"a message", &signature).is_ok();
                assert_eq!(taken, n == other, "signed by {n}, read by {other}");
            }
        }
        assert!(vapid.sign(&id(4), b"a message").is_err());
        assert!(VapidKeySet::new([]).is_none());
    }

    /// Gives its draws in order, then repeats the last.
    struct Draws(Mutex<Vec<[u8; 32]>>);

    impl Entropy for Draws {
        fn fill(&self, bytes: &mut [u8]) {
            let mut draws = self.0.lock().expect("not poisoned");
            let draw = if draws.len() > 1 {
                draws.remove(0)
            } else {
                draws[0]
            };
            bytes.copy_from_slice(&draw);
        }
    }

    #[test]
    fn a_draw_that_is_no_scalar_is_drawn_again_but_not_for_ever() {
        let draws = Draws(Mutex::new(vec![[0; 32], [0xff; 32], SCALAR]));
        assert_eq!(VapidKey::draw(&draws).as_deref(), Ok(&SCALAR));
        let broken = Draws(Mutex::new(vec![[0; 32]]));
        assert!(VapidKey::draw(&broken).is_err());
    }
}
