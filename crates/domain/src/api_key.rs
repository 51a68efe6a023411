//! Keys by which a back end sends messages.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::secret::Secret;
pub use crate::text::ApiKeyName;
use crate::{ApiKeyId, Entropy, Timestamp};

/// What every key begins with, so that a leaked one is recognised for what it is.
const PREFIX: &str = "dbk_";

/// SHA-256 of a key. Unkeyed and unsalted, since a key is 32 random bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    /// The hash of a key's text; `None` for what is no key's text.
    pub fn of(text: &str) -> Option<Self> {
        let random = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (random.len() == 32).then(|| Self(Sha256::digest(text.as_bytes()).into()))
    }

    /// A hash read from a row.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash([redacted])")
    }
}

/// Draws a new key: its text, to be shown once, and its hash, to be kept.
pub fn draw(entropy: &dyn Entropy) -> (Secret, ApiKeyHash) {
    let random: [u8; 32] = entropy.bytes();
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let hash = ApiKeyHash(Sha256::digest(text.as_bytes()).into());
    (Secret::new(text), hash)
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The row's identity.
    pub id: ApiKeyId,
    /// What its operator calls it.
    pub name: ApiKeyName,
    /// What its holder is known by.
    pub hash: ApiKeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xab);
        }
    }

    #[test]
    fn a_key_is_known_by_its_hash_and_never_printed() {
        let (text, hash) = draw(&Fixed);
        assert_eq!(ApiKeyHash::of(text.expose()), Some(hash));
        assert!(text.expose().starts_with("dbk_") && text.expose().len() == 47);
        assert_eq!(format!("{text:?} {hash:?}"), "[redacted] ApiKeyHash([redacted])");
    }

    #[test]
    fn what_is_no_key_has_no_hash() {
        let (text, _) = draw(&Fixed);
        let text = text.expose();
        let shorter = &text[..46];
        for other in [
            "",
            "dbk_",
            "eyJhbGciOiJFZERTQSJ9.e30.AA",
            &text[4..],
            shorter,
            &format!("{text}A"),
        ] {
            assert_eq!(ApiKeyHash::of(other), None, "{other}");
        }
    }
}
