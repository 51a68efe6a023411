//! Encryption of stored columns.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use doorbell_domain::Entropy;
use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::sealed::SealedPlace;

use crate::key_set::KeySet;
use crate::secrets::{Purpose, Secrets};

/// AES-256-GCM under a key derived from a secret, bound to the column and the row.
///
/// A sealed value is `2`, the length of the secret's id, the id, a nonce of 12 octets, the ciphertext and its tag
/// of 16. Each place has an AES key of its own, an HMAC of its binding: nonces are random, and GCM allows at most 2³²
/// random nonces a key (NIST SP 800-38D §8.3), which a busy registry writes in weeks but no single row ever. The binding
/// is the additional data too (§5.2.1.1), so that no value opens in another row or another column of its own.
pub struct Sealing {
    keys: KeySet<hmac::Key>,
    entropy: Arc<dyn Entropy>,
}

/// The layout above.
const VERSION: u8 = 2;

impl Sealing {
    /// Sealing under `secrets`, with nonces from `entropy`.
    pub fn new(secrets: &Secrets, entropy: Arc<dyn Entropy>) -> Result<Self, KeyFailure> {
        let keys = secrets.derive(Purpose::Seal, |key| Ok(hmac::Key::new(hmac::HMAC_SHA256, key)))?;
        Ok(Self { keys, entropy })
    }
}

fn key_of(key: &hmac::Key, binding: &[u8]) -> Result<LessSafeKey, KeyFailure> {
    let derived = hmac::sign(key, binding);
    let unbound = UnboundKey::new(&AES_256_GCM, derived.as_ref());
    unbound.map(LessSafeKey::new).map_err(|_| KeyFailure("AES key"))
}

impl Sealer for Sealing {
    fn seal(&self, place: SealedPlace, plain: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let (id, key) = self.keys.newest();
        let binding = place.binding();
        let nonce: [u8; NONCE_LEN] = self.entropy.bytes();
        let mut cipher = plain.to_vec();
        key_of(key, &binding)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&binding),
                &mut cipher,
            )
            .map_err(|_| KeyFailure("sealing"))?;
        let id_length = u8::try_from(id.len()).map_err(|_| KeyFailure("the secret's id is too long"))?;
        let mut sealed = Vec::with_capacity(2 + id.len() + nonce.len() + cipher.len());
        sealed.extend([VERSION, id_length]);
        sealed.extend(id.as_bytes());
        sealed.extend(nonce);
        sealed.extend(cipher);
        Ok(sealed)
    }

    fn open(&self, place: SealedPlace, sealed: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let Sealed { id, nonce, cipher } = Sealed::read(sealed).ok_or(KeyFailure("no sealed value"))?;
        let key = self
            .keys
            .named(id)
            .ok_or(KeyFailure("sealed under a secret that is not given"))?;
        let binding = place.binding();
        let mut plain = cipher.to_vec();
        let length = key_of(key, &binding)?
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&binding),
                &mut plain,
            )
            .map_err(|_| KeyFailure("a sealed value does not open"))?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    fn is_current(&self, sealed: &[u8]) -> bool {
        let (newest, _) = self.keys.newest();
        Sealed::read(sealed).is_some_and(|sealed| sealed.id == newest)
    }
}

struct Sealed<'a> {
    id: &'a str,
    nonce: [u8; NONCE_LEN],
    cipher: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn read(sealed: &'a [u8]) -> Option<Self> {
        let (&[VERSION, id_length], rest) = sealed.split_first_chunk::<2>()? else {
            return None;
        };
        let (id, rest) = rest.split_at_checked(usize::from(id_length))?;
        let (nonce, cipher) = rest.split_first_chunk::<NONCE_LEN>()?;
        Some(Self {
            id: str::from_utf8(id).ok()?,
            nonce: *nonce,
            cipher,
        })
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use doorbell_domain::sealed::SealedColumn;
    use uuid::Uuid;

    use super::*;
    use crate::SystemEntropy;

    const OLD: &str = "a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NEW: &str = "b:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const PLACE: SealedPlace = SealedPlace {
        column: SealedColumn::PushTokens,
        row: Uuid::from_u128(7),
    };

    fn sealing(list: &str) -> Sealing {
        let secrets = Secrets::parse(list).expect("well-formed");
        Sealing::new(&secrets, Arc::new(SystemEntropy)).expect("keys derive")
    }

    #[test]
    fn a_change_of_one_bit_anywhere_or_a_lost_octet_does_not_open() {
        let sealing = sealing(&format!("{OLD},{NEW}"));
        let sealed = sealing.seal(PLACE, b"a push token").expect("seals");
        assert_eq!(sealing.open(PLACE, &sealed).as_deref(), Ok(&b"a push token"[..]));
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut tampered = sealed.clone();
                tampered[at] ^= 1 << bit;
                assert!(sealing.open(PLACE, &tampered).is_err(), "octet {at}, bit {bit}");
            }
            assert!(sealing.open(PLACE, &sealed[..at]).is_err(), "cut to {at}");
        }
        let longer = [&sealed[..], &[0]].concat();
        assert!(sealing.open(PLACE, &longer).is_err());
    }

    #[test]
    fn a_value_moved_to_another_row_or_another_column_does_not_open() {
        let sealing = sealing(OLD);
        let sealed = sealing.seal(PLACE, b"x").expect("seals");
        let row = Uuid::from_u128(8);
        assert!(sealing.open(SealedPlace { row, ..PLACE }, &sealed).is_err());
        for column in SealedColumn::ALL {
            let opened = sealing.open(SealedPlace { column, ..PLACE }, &sealed);
            assert_eq!(opened.is_ok(), column == PLACE.column, "{column:?}");
        }
    }

    #[test]
    fn the_same_value_never_looks_the_same() {
        let sealing = sealing(OLD);
        let seal = || sealing.seal(PLACE, b"x").expect("seals");
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_new_secret_seals_and_the_old_one_still_opens() {
        let before = sealing(OLD);
        let during = sealing(&format!("{NEW},{OLD}"));
        let after = sealing(NEW);
        let old = before.seal(PLACE, b"old").expect("seals");
        let new = during.seal(PLACE, b"new").expect("seals");
        assert_eq!(during.open(PLACE, &old).as_deref(), Ok(&b"old"[..]));
        assert_eq!(after.open(PLACE, &new).as_deref(), Ok(&b"new"[..]));
        assert_eq!(
            after.open(PLACE, &old),
            Err(KeyFailure("sealed under a secret that is not given"))
        );
        assert!(before.open(PLACE, &new).is_err());
        assert_eq!((during.is_current(&old), during.is_current(&new)), (false, true));
        assert!(before.is_current(&old) && !before.is_current(b"no sealed value"));
        // The same name with another text is another key.
        let impostor = sealing("a:cccccccccccccccccccccccccccccccc");
        assert_eq!(
            impostor.open(PLACE, &old),
            Err(KeyFailure("a sealed value does not open"))
        );
    }

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, value) in bytes.iter_mut().zip(0..) {
                *byte = value;
            }
        }
    }

    /// Computed apart from this program (Python's `cryptography`), so that a stored value opens for ever.
    #[test]
    fn the_layout_never_changes() {
        let secrets = Secrets::parse(OLD).expect("well-formed");
        let sealing = Sealing::new(&secrets, Arc::new(Counting)).expect("keys derive");
        let sealed = sealing.seal(PLACE, b"a push token").expect("seals");
        assert_eq!(
            URL_SAFE_NO_PAD.encode(sealed),
            "AgFhAAECAwQFBgcICQoLBFxQP1pfVQ94LUc5LlNn6eYcPUzOv9h1S3sCZw"
        );
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_and_garbage_never_panics(
            plain in prop::collection::vec(any::<u8>(), 0..300),
            garbage in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let sealing = sealing(OLD);
            let sealed = sealing.seal(PLACE, &plain).expect("seals");
            prop_assert_eq!(sealing.open(PLACE, &sealed), Ok(plain));
            prop_assert!(sealing.open(PLACE, &garbage).is_err());
        }
    }
}
