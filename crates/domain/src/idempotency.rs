//! Idempotency keys: a request that is repeated is not done twice.

use sha2::{Digest, Sha256};
use time::Duration;

use crate::text::{TextError, check};

/// How long a key is remembered.
pub const KEPT: Duration = Duration::days(7);

/// What a client calls a request, the same each time it repeats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in bytes.
    pub const MAX: usize = 255;

    /// Accepts 1 to [`Self::MAX`] bytes without NUL.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        check(&text, Self::MAX)?;
        Ok(Self(text))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
