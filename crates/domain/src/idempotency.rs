//! Idempotency keys: a request that is repeated is not done twice.

use sha2::{Digest, Sha256};
use time::Duration;

pub use crate::text::IdempotencyKey;

/// How long a key is remembered.
pub const KEPT: Duration = Duration::days(7);

/// SHA-256 of the API key that a request was sent by and of its body, by which the same request is known again. With the key, which
/// is nowhere in the database: a body often has so few unknown digits that its own hash would tell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHash([u8; 32]);

impl RequestHash {
    /// The hash of a body that was sent by `api_key`, in the key's text.
    pub fn of(api_key: &str, body: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(api_key)
            .chain_update([0])
            .chain_update(body);
        Self(digest.finalize().into())
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_again_by_its_body_and_only_with_the_key_that_it_was_sent_by() {
        let hash = RequestHash::of("dbk_one", b"body");
        assert_eq!(hash, RequestHash::of("dbk_one", b"body"));
        assert_ne!(hash, RequestHash::of("dbk_one", b"another body"));
        assert_ne!(hash, RequestHash::of("dbk_two", b"body"));
        let unkeyed: [u8; 32] = Sha256::digest(b"body").into();
        assert_ne!(hash.as_bytes(), &unkeyed);
    }
}
