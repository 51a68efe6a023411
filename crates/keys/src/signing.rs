//! The key pairs that access tokens are signed with.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use doorbell_domain::ports::KeyFailure;
use doorbell_domain::signing_key::{HasLife, KeyLife, signer};
use doorbell_domain::{Entropy, Timestamp};
use jsonwebtoken::EncodingKey;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::shared::Shared;

/// An Ed25519 key pair (RFC 8032), named by the id of its row.
pub struct SigningKey {
    kid: String,
    life: KeyLife,
    public: [u8; 32],
    pair: Ed25519KeyPair,
    sign: EncodingKey,
}

impl SigningKey {
    /// A seed for a new key pair: any 32 octets are one (RFC 8032 §5.1.5).
    pub(crate) fn draw(entropy: &dyn Entropy) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(entropy.bytes())
    }

    /// The key pair of `seed`, under the name `id`, in its times.
    pub fn restore(id: Uuid, life: KeyLife, seed: &[u8; 32]) -> Result<Self, KeyFailure> {
        let broken = |_| KeyFailure("Ed25519 key");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyFailure("Ed25519 seed"))?;
        let pkcs8 = pair.to_pkcs8v1().map_err(broken)?;
        let public = pair.public_key().as_ref().try_into();
        Ok(Self {
            kid: id.as_hyphenated().to_string(),
            life,
            public: public.map_err(|_| KeyFailure("Ed25519 public key"))?,
            sign: EncodingKey::from_ed_der(pkcs8.as_ref()),
            pair,
        })
    }

    /// Its name in tokens and in the published set.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(crate) const fn encoding(&self) -> &EncodingKey {
        &self.sign
    }

    /// Whether this key made `signature` of `message`: by making it again, which takes a third of the time that the public half takes
    /// to check one. A key gives a message one signature (RFC 8032 §5.1.6), so that nothing else than this very one is ours.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        verify_slices_are_equal(self.pair.sign(message).as_ref(), signature).is_ok()
    }
}

impl HasLife for SigningKey {
    fn life(&self) -> KeyLife {
        self.life
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// The key pairs that sign access tokens, each in its times.
#[derive(Debug)]
pub struct SigningKeys(Vec<SigningKey>);

impl SigningKeys {
    /// Keys in their order, newest first; `None` without any.
    pub fn new(keys: impl IntoIterator<Item = SigningKey>) -> Option<Self> {
        let keys: Vec<_> = keys.into_iter().collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The key that signs at `now`; `None` where all are retired.
    pub(crate) fn signer(&self, now: Timestamp) -> Option<&SigningKey> {
        signer(&self.0, now)
    }

    /// The key of that name, if its tokens are good at `now`.
    pub(crate) fn named(&self, kid: &str, now: Timestamp) -> Option<&SigningKey> {
        self.good(now).find(|key| key.kid == kid)
    }

    /// The keys whose tokens are good at `now`, newest first.
    pub fn good(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        self.0.iter().filter(move |key| key.life.is_good(now))
    }
}

/// The signing keys of a running server.
pub type SharedKeys = Shared<SigningKeys>;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 1.
    #[test]
    fn the_public_half_is_the_standards() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let key = SigningKey::restore(Uuid::nil(), KeyLife::since(Timestamp::from_micros(0)), &seed)
            .expect("a seed");
        let public = [
            0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
            0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
        ];
        assert_eq!(key.public(), &public);
        assert_eq!(key.kid(), "00000000-0000-0000-0000-000000000000");
        assert!(!format!("{key:?}").contains("9d"));
    }
}
