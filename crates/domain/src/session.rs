//! Sign-in sessions: how long they live, how their refresh tokens rotate, and what ends them.

use std::net::IpAddr;

use thiserror::Error;
use time::Duration;

use crate::text::{DeviceId, Fingerprint, Text};
use crate::{SessionId, Timestamp, UserId};

/// Who speaks: what a verified access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's `sub`.
    pub user: UserId,
    /// The token's `sid`.
    pub session: SessionId,
    /// The token's `exp`.
    pub expires_at: Timestamp,
}

/// How long sessions and their tokens live.
#[derive(Clone, Copy, Debug)]
pub struct SessionPolicy {
    /// An access token's life.
    pub access: Duration,
    /// How long a session lives without a refresh.
    pub idle: Duration,
    /// How long it lives at all.
    pub absolute: Duration,
    /// How long the immediate predecessor of a refresh token is still answered.
    pub grace: Duration,
}

impl SessionPolicy {
    /// One hour, 30 days, 180 days, 30 seconds.
    pub const STANDARD: Self = Self {
        access: Duration::hours(1),
        idle: Duration::days(30),
        absolute: Duration::days(180),
        grace: Duration::seconds(30),
    };

    /// The instant at which a session refreshed at `now` dies of idleness, never past its absolute end.
    pub fn idle_end(&self, now: Timestamp, absolute_end: Timestamp) -> Timestamp {
        (now + self.idle).min(absolute_end)
    }
}

/// Why a session ended. Every one of them suspends the credentials registered under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndReason {
    /// Its user logged out everywhere.
    Logout,
    /// Its user ended this one session.
    Revoked,
    /// An old refresh token of it came back.
    Reuse,
    /// Its user asked for the account's deletion from another session, or the deletion was carried out.
    AccountDeletion,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Logout, Self::Revoked, Self::Reuse, Self::AccountDeletion];

    /// The name that rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::Reuse => "reuse",
            Self::AccountDeletion => "account_deletion",
        }
    }

    /// The reason of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// A session's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The row's identity, kept over refreshes.
    pub id: SessionId,
    /// Whose sign-in it is.
    pub user: UserId,
    /// The counter of the newest refresh token.
    pub counter: u32,
    /// What its refresh tokens' MACs are salted with.
    pub salt: [u8; 16],
    /// When the counter last moved; the sign-in at first.
    pub rotated_at: Timestamp,
    /// The first fingerprint that it showed.
    pub fingerprint: Option<Fingerprint>,
    /// The device that last registered under it.
    pub device_id: Option<DeviceId>,
    /// The client's `User-Agent` at sign-in.
    pub user_agent: Option<Text>,
    /// The address it signed in from.
    pub ip: Option<IpAddr>,
    /// When it signed in.
    pub created_at: Timestamp,
    /// Its last sign-in or refresh.
    pub last_used_at: Timestamp,
    /// When it dies without a refresh.
    pub expires_at: Timestamp,
    /// When it dies at the latest.
    pub absolute_expires_at: Timestamp,
    /// When and why it was ended; mere expiry ends nothing.
    pub ended: Option<(Timestamp, EndReason)>,
}

/// The session gives no access: unknown, another user's, ended or expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the session is over")]
pub struct SessionOver;

/// What a session says to the fingerprint that it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintVerdict {
    /// It is the one it knows.
    Known,
    /// It is the first: to be pinned.
    First,
    /// It is another one.
    Foreign,
}

impl Session {
    /// Whether it lets `user` in at `now`.
    ///
    /// A refresh extends only [`Self::expires_at`], so an access token never outlives the session.
    pub fn admits(&self, user: UserId, now: Timestamp) -> Result<(), SessionOver> {
        let lives = self.user == user && self.is_live(now);
        lives.then_some(()).ok_or(SessionOver)
    }

    /// Whether it has neither ended nor expired at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.expires_at && now < self.absolute_expires_at
    }

    /// Judges the fingerprint that a request of this session shows.
    pub fn judge(&self, shown: &Fingerprint) -> FingerprintVerdict {
        match &self.fingerprint {
            None => FingerprintVerdict::First,
            Some(pinned) if pinned == shown => FingerprintVerdict::Known,
            Some(_) => FingerprintVerdict::Foreign,
        }
    }

    /// Decides what becomes of a refresh token of this session whose MAC is right.
    pub fn rotation(&self, presented: u32, now: Timestamp, policy: &SessionPolicy) -> Rotation {
        if !self.is_live(now) {
            return Rotation::Over;
        }
        if presented == self.counter {
            // 2^32 refreshes outlast any absolute end; should one come, the session is over, never wrapped.
            return match self.counter.checked_add(1) {
                Some(next) => Rotation::Rotate { next },
                None => Rotation::Over,
            };
        }
        let is_predecessor = presented.checked_add(1) == Some(self.counter);
        // A server whose clock is ahead may have rotated it; that must not stretch the grace.
        let in_grace = now.since(self.rotated_at) <= policy.grace && self.rotated_at <= now + policy.grace;
        if is_predecessor && in_grace {
            Rotation::Replay {
                current: self.counter,
            }
        } else if presented < self.counter {
            Rotation::Reuse
        } else {
            Rotation::Over
        }
    }
}

/// What becomes of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It is the newest: its successor has counter `next`.
    Rotate {
        /// The successor's counter.
        next: u32,
    },
    /// It is the immediate predecessor, and its answer may have been lost: the same successor again.
    Replay {
        /// The successor's counter.
        current: u32,
    },
    /// It is older than that: somebody else has it. The session ends.
    Reuse,
    /// The session is over.
    Over,
}

/// A refresh token's parts: derived from the session and its secret, so nothing of it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshClaim {
    /// Which session.
    pub session: SessionId,
    /// Which of its tokens.
    pub counter: u32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const POLICY: SessionPolicy = SessionPolicy::STANDARD;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(0) + Duration::seconds(seconds)
    }

    fn session() -> Session {
        Session {
            id: SessionId::from_uuid(Uuid::nil()),
            user: UserId::from_uuid(Uuid::nil()),
            counter: 0,
            salt: [0; 16],
            rotated_at: at(0),
            fingerprint: None,
            device_id: None,
            user_agent: None,
            ip: None,
            created_at: at(0),
            last_used_at: at(0),
            expires_at: at(0) + POLICY.idle,
            absolute_expires_at: at(0) + POLICY.absolute,
            ended: None,
        }
    }

    fn rotate(session: &mut Session, now: Timestamp, next: u32) {
        session.counter = next;
        session.rotated_at = now;
        session.expires_at = POLICY.idle_end(now, session.absolute_expires_at);
    }

    #[test]
    fn the_immediate_predecessor_is_answered_for_thirty_seconds() {
        let mut session = session();
        assert_eq!(session.rotation(0, at(5), &POLICY), Rotation::Rotate { next: 1 });
        rotate(&mut session, at(5), 1);
        assert_eq!(
            session.rotation(0, at(35), &POLICY),
            Rotation::Replay { current: 1 }
        );
        assert_eq!(session.rotation(0, at(36), &POLICY), Rotation::Reuse);
    }

    #[test]
    fn a_rotation_by_a_clock_that_is_far_ahead_has_no_grace() {
        let mut session = session();
        rotate(&mut session, at(3600), 1);
        assert_eq!(session.rotation(0, at(3569), &POLICY), Rotation::Reuse);
        assert_eq!(
            session.rotation(0, at(3570), &POLICY),
            Rotation::Replay { current: 1 }
        );
    }

    #[test]
    fn the_grandparent_is_reuse_even_at_once() {
        let mut session = session();
        rotate(&mut session, at(1), 1);
        rotate(&mut session, at(2), 2);
        assert_eq!(session.rotation(0, at(2), &POLICY), Rotation::Reuse);
    }

    #[test]
    fn a_session_refreshed_daily_still_ends_after_180_days() {
        let mut session = session();
        let mut day = 0;
        while let Rotation::Rotate { next } = session.rotation(session.counter, at(day * 86_400), &POLICY) {
            rotate(&mut session, at(day * 86_400), next);
            day += 1;
        }
        assert_eq!(day, 180);
    }

    #[test]
    fn an_unused_session_ends_after_30_days() {
        let session = session();
        assert_eq!(
            session.rotation(0, at(30 * 86_400 - 1), &POLICY),
            Rotation::Rotate { next: 1 }
        );
        assert_eq!(session.rotation(0, at(30 * 86_400), &POLICY), Rotation::Over);
    }

    #[test]
    fn the_first_fingerprint_is_the_sessions_own() {
        let mut session = session();
        let (a, b) = (
            Fingerprint::parse("a").expect("text"),
            Fingerprint::parse("b").expect("text"),
        );
        assert_eq!(session.judge(&a), FingerprintVerdict::First);
        session.fingerprint = Some(a.clone());
        assert_eq!(session.judge(&a), FingerprintVerdict::Known);
        assert_eq!(session.judge(&b), FingerprintVerdict::Foreign);
    }

    proptest! {
        #[test]
        fn only_the_newest_token_ever_rotates(counter in 0_u32..50, presented in 0_u32..60, after in 0_i64..100) {
            let mut session = session();
            rotate(&mut session, at(0), counter);
            match session.rotation(presented, at(after), &POLICY) {
                Rotation::Rotate { next } => prop_assert_eq!((presented, next), (counter, counter + 1)),
                Rotation::Replay { current } => {
                    prop_assert_eq!((presented + 1, current), (counter, counter));
                    prop_assert!(after <= 30);
                }
                Rotation::Reuse => prop_assert!(presented < counter),
                Rotation::Over => prop_assert!(presented > counter),
            }
        }
    }
}
