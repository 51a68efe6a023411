//! Idempotency keys: a request that is repeated is not done twice.

use sha2::{Digest, Sha256};
use time::Duration;

pub use crate::text::IdempotencyKey;

/// How long a key is remembered.
pub const KEPT: Duration = Duration::days(7);

/// SHA-256 of a request's body, by which the same request is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHash([u8; 32]);

impl RequestHash {
    /// The hash of a body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
