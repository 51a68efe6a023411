//! Whether what was claimed may still be rung.

use super::{Claimed, CredentialId, FinalState, Lane, MOST_RECEIVES, Reason};
use crate::push_token::Token;
use crate::web_push::Subscription;
use crate::{DeviceUid, Timestamp, UserId, suspicion};

/// What a job rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A phone.
    Token(Token),
    /// A browser.
    Subscription(Subscription),
}

impl Target {
    /// Its row.
    pub const fn credential(&self) -> CredentialId {
        match self {
            Self::Token(token) => CredentialId::restore(token.provider, token.id.uuid()),
            Self::Subscription(subscription) => CredentialId::WebPush(subscription.id),
        }
    }

    /// Which device it rings.
    pub const fn device(&self) -> DeviceUid {
        match self {
            Self::Token(token) => token.device,
            Self::Subscription(subscription) => subscription.device,
        }
    }

    /// Where its jobs queue.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Token(token) => Lane::of_token(token),
            Self::Subscription(subscription) => Lane::of_endpoint(&subscription.endpoint),
        }
    }

    /// Whose it is.
    pub const fn user(&self) -> UserId {
        match self {
            Self::Token(token) => token.user,
            Self::Subscription(subscription) => subscription.user,
        }
    }

    /// Whether the session that it was registered under has ended.
    pub const fn session_ended(&self) -> bool {
        match self {
            Self::Token(token) => token.session_ended,
            Self::Subscription(subscription) => subscription.session_ended,
        }
    }

    /// Since when it is suspected to be dead.
    pub const fn suspect_at(&self) -> Option<Timestamp> {
        match self {
            Self::Token(_) => None,
            Self::Subscription(subscription) => subscription.suspect_at,
        }
    }
}

/// A credential as it was found when its job was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The credential.
    pub target: Target,
    /// Whether its device was revoked.
    pub device_revoked: bool,
}

/// Judges a claimed job at `now`: `Err` with its end, if it must not or need not be sent.
///
/// A session's expiry is not an end: the phone of somebody who was away still rings.
pub fn admit(claimed: &Claimed, now: Timestamp) -> Result<(), (FinalState, Reason)> {
    use FinalState::{Cancelled, Expired, Failed, Superseded};
    if claimed.taken_back {
        return Err((Cancelled, Reason::TakenBack));
    }
    if claimed.schedule.receives > MOST_RECEIVES {
        return Err((Failed, Reason::SetAside));
    }
    if now >= claimed.job.expires_at {
        return Err((Expired, Reason::TimeOver));
    }
    if claimed.message.is_none() {
        return Err((Failed, Reason::Unreadable));
    }
    let Some(held) = &claimed.held else {
        return Err((Superseded, Reason::Removed));
    };
    if held.target.user() != claimed.job.user {
        return Err((Superseded, Reason::Moved));
    }
    if held.device_revoked {
        return Err((Superseded, Reason::DeviceRevoked));
    }
    if held.target.session_ended() {
        return Err((Superseded, Reason::SessionEnded));
    }
    if held
        .target
        .suspect_at()
        .is_some_and(|since| !suspicion::may_probe(since, now))
    {
        return Err((Superseded, Reason::Suspect));
    }
    Ok(())
}
