//! Where a push goes: the address that belongs to one user at a time.

use std::fmt;

use sha2::{Digest, Sha256};

/// Who carries a push to its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Apple Push Notification service.
    Apns,
    /// Firebase Cloud Messaging.
    Fcm,
    /// A browser's push service (RFC 8030); its value is the subscription's endpoint.
    WebPush,
}

impl Provider {
    /// All providers, in the order of their names.
    pub const ALL: [Self; 3] = [Self::Apns, Self::Fcm, Self::WebPush];

    /// The name that rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apns => "apns",
            Self::Fcm => "fcm",
            Self::WebPush => "webpush",
        }
    }

    /// The provider of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// SHA-256 of a push token or endpoint. Unkeyed, since its input has entropy: a change of secret must not
/// let one address have two owners.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueHash([u8; 32]);

impl ValueHash {
    /// The hash of a value.
    pub fn of(value: &str) -> Self {
        Self(Sha256::digest(value.as_bytes()).into())
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

impl fmt::Debug for ValueHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "sha256:{a:02x}{b:02x}{c:02x}{d:02x}…")
    }
}

/// What belongs to one user at a time, whatever the app: a value at a provider.
///
/// Their order is the order in which every writer locks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Who carries the push.
    pub provider: Provider,
    /// The hash of the token or endpoint.
    pub hash: ValueHash,
}
