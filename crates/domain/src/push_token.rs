//! Push tokens of APNs and FCM.

use std::fmt;

use thiserror::Error;

use crate::address::{Address, Provider, ValueHash};
use crate::secret::Secret;
use crate::text::{self, ActivityId, AppName, StreamId, TextError};
use crate::{DeviceUid, SessionId, Timestamp, TokenId, UserId};

/// A token's value as a provider gave it to an application: 1 to 4,096 bytes without NUL, otherwise opaque.
#[derive(Clone, PartialEq, Eq)]
pub struct PushToken {
    value: Secret,
    /// Reckoned once: a plan compares every token of its batch by it.
    hash: ValueHash,
}

/// The value is no push token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(transparent)]
pub struct PushTokenError(#[from] pub TextError);

impl PushToken {
    /// The longest value, in bytes.
    pub const MAX: usize = 4096;

    /// Accepts 1 to [`Self::MAX`] bytes without NUL.
    pub fn parse(value: impl Into<String>) -> Result<Self, PushTokenError> {
        let value = value.into();
        text::check(&value, Self::MAX)?;
        Ok(Self {
            hash: ValueHash::of(&value),
            value: Secret::new(value),
        })
    }

    /// The value, for its provider and for its owner.
    pub fn expose(&self) -> &str {
        self.value.expose()
    }

    /// The value's hash.
    pub const fn hash(&self) -> ValueHash {
        self.hash
    }
}

impl fmt::Debug for PushToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PushToken({:?})", self.hash())
    }
}

/// What a token may be used for. A device holds one alert token and one push-to-start token per
/// (provider, app), and one token per Live Activity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenKind {
    /// Ordinary notifications.
    Alert,
    /// Starts Live Activities.
    PushToStart,
    /// Updates one Live Activity.
    LiveActivity {
        /// The activity's identity, unique within its user.
        activity: ActivityId,
        /// The stream that it shows.
        stream: StreamId,
    },
}

impl TokenKind {
    /// The name that rows carry.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::PushToStart => "push_to_start",
            Self::LiveActivity { .. } => "live_activity",
        }
    }

    /// The activity of a Live Activity's token.
    pub fn activity(&self) -> Option<&ActivityId> {
        match self {
            Self::LiveActivity { activity, .. } => Some(activity),
            Self::Alert | Self::PushToStart => None,
        }
    }

    /// Whether `self` and `other` stand in the same place of a device: a new value there replaces the old.
    pub fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::LiveActivity { activity: a, .. }, Self::LiveActivity { activity: b, .. }) => a == b,
            (Self::Alert, Self::Alert) | (Self::PushToStart, Self::PushToStart) => true,
            _ => false,
        }
    }
}

/// A push token's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The row's identity, kept when its value changes.
    pub id: TokenId,
    /// The owner; always the address's owner and the device's user.
    pub user: UserId,
    /// The device that it rings.
    pub device: DeviceUid,
    /// The session under which it was last registered.
    pub session: SessionId,
    /// Whether that session has ended, which suspends the token. Derived when read, never stored.
    pub session_ended: bool,
    /// Who carries it.
    pub provider: Provider,
    /// The application it belongs to.
    pub app: AppName,
    /// What it may be used for.
    pub kind: TokenKind,
    /// Its value.
    pub value: PushToken,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it was last registered.
    pub updated_at: Timestamp,
}

impl Token {
    /// Where it rings.
    pub const fn address(&self) -> Address {
        Address {
            provider: self.provider,
            hash: self.value.hash(),
        }
    }
}
