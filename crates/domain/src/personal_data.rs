//! What the registry holds about a person, as they may see it. Nothing here is a secret: no value of a token, no endpoint beyond
//! its origin, no key, code or hash.

use crate::code::Purpose;
use crate::push_token::TokenKind;
use crate::store::{ForSession, Found, PhoneState, TrailLine};
use crate::text::{AppName, Text};
use crate::web_push::Subscription;
use crate::{
    AuditId, Caller, Device, DeviceUid, Provider, Session, SessionId, SubscriptionId, Timestamp, TokenId,
    User, UserId,
};

/// How many rows of a kind an export has at most: the newest.
pub const MOST: u32 = 10_000;

/// The newest of a list, and whether there are more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Whether older ones were left out.
    pub more: bool,
}

impl<T> Newest<T> {
    /// The first `most` of what was asked for with one beyond them.
    pub fn of(mut items: Vec<T>, most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = items.len() > most;
        items.truncate(most);
        Self { items, more }
    }
}

/// A push token, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    /// The row's identity.
    pub id: TokenId,
    /// The device that it rings.
    pub device: DeviceUid,
    /// The session under which it was last registered.
    pub session: SessionId,
    /// Who carries it.
    pub provider: Provider,
    /// The application it was issued for.
    pub app: AppName,
    /// What it may be used for.
    pub kind: TokenKind,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it was last registered.
    pub updated_at: Timestamp,
}

/// A Web Push subscription, without what opens its mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSubscription {
    /// The row's identity.
    pub id: SubscriptionId,
    /// Its device.
    pub device: DeviceUid,
    /// The session under which it was last registered.
    pub session: SessionId,
    /// The push service's scheme, host and port.
    pub origin: String,
    /// The person's name for the browser.
    pub device_name: Option<Text>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<Text>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it was last registered or rung.
    pub last_used_at: Timestamp,
}

impl From<Subscription> for HeldSubscription {
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id,
            device: subscription.device,
            session: subscription.session,
            origin: subscription.endpoint.origin(),
            device_name: subscription.device_name,
            user_agent: subscription.user_agent,
            created_at: subscription.created_at,
            last_used_at: subscription.last_used_at,
        }
    }
}

/// What became of a one-time code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentCode {
    /// What it was for.
    pub purpose: Purpose,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it died at the latest.
    pub expires_at: Timestamp,
    /// How many guesses were compared with it.
    pub attempts: u32,
    /// When it signed somebody in.
    pub used_at: Option<Timestamp>,
    /// When the next one took its place.
    pub superseded_at: Option<Timestamp>,
}

/// Everything held about one person, at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The account.
    pub user: User,
    /// Sessions, live, expired and ended.
    pub sessions: Newest<Session>,
    /// Devices, newest first, revoked ones too.
    pub devices: Vec<Device>,
    /// Push tokens, suspended ones too.
    pub tokens: Newest<HeldToken>,
    /// Subscriptions, newest first, suspended ones too.
    pub subscriptions: Vec<HeldSubscription>,
    /// Codes that were asked for with the person's number.
    pub codes: Newest<SentCode>,
    /// When that number was last sent one, and how often in a row one was guessed wrong.
    pub number: PhoneState,
    /// The trail.
    pub events: Newest<TrailLine>,
}

/// Reading what is held about one person.
pub trait PersonalData {
    /// The user's lines of the trail, newest first, at most `limit`; those older than the line `before`, whether or not that is
    /// still there.
    fn activity(&mut self, user: UserId, before: Option<AuditId>, limit: u32) -> Found<Vec<TrailLine>>;

    /// Everything about the caller as it was at one instant, at most `most` rows of a kind, and the session that asked, not yet
    /// judged. `None` where the session or its user is unknown.
    fn export(&mut self, caller: Caller, most: u32) -> Found<Option<ForSession<Export>>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_beyond_the_most_says_that_there_are_more() {
        let of = |count: u32| Newest::of((0..count).collect(), 2);
        assert_eq!((of(2).items, of(2).more), (vec![0, 1], false));
        assert_eq!((of(3).items, of(3).more), (vec![0, 1], true));
        assert!(!of(0).more);
    }
}
