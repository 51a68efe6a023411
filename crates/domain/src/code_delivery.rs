//! Delivery of one-time codes: who may attempt it, when, and when no more.
//!
//! A code waits in an outbox from the transaction that issues it until a sender accepts it, all of them refuse it, a newer
//! code supersedes it or it expires. Whoever attempts it *claims* it first: for a lease, under a fence that grows with
//! every claim. So these hold, whatever crashes and whoever wakes late:
//!
//! - a code whose attempt ended nobody knows how is attempted again, but not before the lease ran out, which is at
//!   least as long as the cool-down: within it no phone gets the same code twice;
//! - a code whose attempt is known to have failed is attempted again after its backoff;
//! - a worker whose claim is no longer the latest changes nothing.

use thiserror::Error;
use time::Duration;

use crate::code::{Code, CodePolicy, Purpose};
use crate::language::Language;
use crate::{OtpSessionId, PhoneNumber, Timestamp};

/// The shortest time that a claim holds. Far more than an attempt takes, all its senders and the store together.
pub const SHORTEST_LEASE: Duration = Duration::seconds(60);

/// The wait after the first failure; each one after it is twice as long.
pub const FIRST_BACKOFF: Duration = Duration::seconds(1);

/// The longest wait that failures alone lead to.
pub const LONGEST_BACKOFF: Duration = Duration::seconds(30);

/// The longest wait that a sender may ask for: a code does not live long enough for more.
pub const LONGEST_ASKED: Duration = Duration::seconds(60);

/// A one-time code on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeDelivery {
    /// The code's own id, and the message's at every attempt.
    pub id: OtpSessionId,
    /// Where to.
    pub phone: PhoneNumber,
    /// What for.
    pub purpose: Purpose,
    /// In which language.
    pub language: Language,
    /// What.
    pub code: Code,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it is worth anything.
    pub expires_at: Timestamp,
}

/// Which claim of a code it is: 0 before the first one, and one more with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub u32);

/// What an outbox row says of the attempts at its code. Both databases keep it in columns; a store claims and postpones
/// exactly as the methods here would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// How many attempts are known to have failed.
    pub failures: u32,
    /// Until when the latest claim holds.
    pub leased_until: Option<Timestamp>,
    /// Which claim was the latest.
    pub fence: Fence,
    /// When the code dies.
    pub expires_at: Timestamp,
}

impl Schedule {
    /// The schedule of a code that was issued just now: due at once.
    pub const fn of_new(delivery: &CodeDelivery) -> Self {
        Self {
            due_at: delivery.created_at,
            failures: 0,
            leased_until: None,
            fence: Fence(0),
            expires_at: delivery.expires_at,
        }
    }

    /// Whether anybody may claim the code at `now`.
    pub fn is_claimable(&self, now: Timestamp) -> bool {
        now >= self.due_at && now < self.expires_at && self.leased_until.is_none_or(|until| until <= now)
    }

    /// Claims the code for `lease` from `now`, if it may be claimed.
    #[must_use]
    pub fn claimed(&self, now: Timestamp, lease: Duration) -> Option<Self> {
        self.is_claimable(now).then(|| Self {
            leased_until: Some(now + lease),
            fence: Fence(self.fence.0.saturating_add(1)),
            ..*self
        })
    }

    /// Ends the claim `fence` with a known failure and makes the code due at `due_at`; `None` if that claim is not the
    /// latest.
    #[must_use]
    pub fn postponed(&self, fence: Fence, due_at: Timestamp) -> Option<Self> {
        (fence == self.fence).then(|| Self {
            due_at,
            failures: self.failures.saturating_add(1),
            leased_until: None,
            ..*self
        })
    }
}

/// How long a claim holds: as long as a phone waits for its next code, and at least [`SHORTEST_LEASE`].
pub fn lease(policy: &CodePolicy) -> Duration {
    policy.cooldown.max(SHORTEST_LEASE)
}

/// The wait after the attempt that failed as the `failures + 1`st: doubling, and of that between half and all, by `roll`,
/// so that those who failed together do not come back together.
pub fn backoff(failures: u32, roll: u16) -> Duration {
    let doubled = FIRST_BACKOFF * (1_u32 << failures.min(5));
    let whole = doubled.min(LONGEST_BACKOFF);
    whole - whole * u32::from(roll) / 131_072_u32
}

/// Why a sender did not take a code, or a receiver an [event](crate::event). Never holds a phone, a code or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendFailure {
    /// It was answered with this HTTP status.
    #[error("it answered {0}")]
    Answered(u16),
    /// There was no answer in time.
    #[error("it did not answer in time")]
    TooSlow,
    /// No connection could be made, or it broke.
    #[error("it cannot be reached")]
    Unreachable,
    /// The message cannot be handed over.
    #[error("{0}")]
    Impossible(&'static str),
}

/// How an attempt to deliver a code, or an [event](crate::event), ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// It was taken.
    Accepted,
    /// It will not be taken, however often it is tried.
    Refused(SendFailure),
    /// It was not taken this time.
    Failed {
        /// Why not.
        failure: SendFailure,
        /// How long the sender asked to be left alone.
        retry_after: Option<Duration>,
    },
}

/// What becomes of a code, or of an [event](crate::event), after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is on its way, and leaves the outbox.
    Delivered,
    /// Nobody takes it: it leaves the outbox.
    Refused(SendFailure),
    /// It would be dead before the next attempt: it leaves the outbox.
    TooLate(SendFailure),
    /// It is attempted again.
    Again {
        /// When.
        due_at: Timestamp,
        /// Why.
        failure: SendFailure,
    },
}

/// Decides what becomes of a code whose attempt ended so at `now`, after `failures` before it. A sender that asked to be
/// left alone is, up to [`LONGEST_ASKED`].
pub fn settle(
    outcome: SendOutcome,
    failures: u32,
    now: Timestamp,
    expires_at: Timestamp,
    roll: u16,
) -> Settlement {
    match outcome {
        SendOutcome::Accepted => Settlement::Delivered,
        SendOutcome::Refused(failure) => Settlement::Refused(failure),
        SendOutcome::Failed { failure, retry_after } => {
            let asked = retry_after.unwrap_or_default().min(LONGEST_ASKED);
            let due_at = now + backoff(failures, roll).max(asked);
            if due_at < expires_at {
                Settlement::Again { due_at, failure }
            } else {
                Settlement::TooLate(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::CodeLength;

    const FAILURE: SendFailure = SendFailure::Answered(500);

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn schedule(expires_at: i64) -> Schedule {
        Schedule {
            due_at: at(0),
            failures: 0,
            leased_until: None,
            fence: Fence(0),
            expires_at: at(expires_at),
        }
    }

    fn failed(retry_after: Option<Duration>) -> SendOutcome {
        SendOutcome::Failed {
            failure: FAILURE,
            retry_after,
        }
    }

    #[test]
    fn a_lease_is_no_shorter_than_the_cool_down() {
        let policy = |seconds| CodePolicy {
            length: CodeLength::new(6).expect("in range"),
            ttl: Duration::minutes(5),
            attempts: 5,
            cooldown: Duration::seconds(seconds),
        };
        assert_eq!(lease(&policy(0)), Duration::seconds(60));
        assert_eq!(lease(&policy(60)), Duration::seconds(60));
        assert_eq!(lease(&policy(90)), Duration::seconds(90));
    }

    #[test]
    fn waits_double_from_a_second_to_half_a_minute() {
        let longest: Vec<i64> = (0..8).map(|n| backoff(n, 0).whole_seconds()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff(u32::MAX, 0), LONGEST_BACKOFF);
        assert!(backoff(0, u16::MAX) >= Duration::milliseconds(500));
    }

    #[test]
    fn a_claim_holds_until_its_lease_ends_and_no_later() {
        let lease = Duration::seconds(60);
        let first = schedule(i64::MAX).claimed(at(0), lease).expect("due");
        assert_eq!(
            (first.fence, first.leased_until),
            (Fence(1), Some(at(60_000_000)))
        );
        assert!(!first.is_claimable(at(59_999_999)));
        let second = first.claimed(at(60_000_000), lease).expect("its lease ran out");
        assert_eq!(second.fence, Fence(2));
        // The first worker wakes up.
        assert_eq!(second.postponed(Fence(1), at(0)), None);
    }

    #[test]
    fn an_accepted_or_refused_code_is_done_with() {
        let settled = |outcome| settle(outcome, 0, at(0), at(1), 0);
        assert_eq!(settled(SendOutcome::Accepted), Settlement::Delivered);
        assert_eq!(
            settled(SendOutcome::Refused(FAILURE)),
            Settlement::Refused(FAILURE)
        );
    }

    #[test]
    fn a_code_that_would_be_dead_by_then_is_given_up() {
        let settled = |expires_at| settle(failed(None), 0, at(0), at(expires_at), 0);
        assert_eq!(settled(1_000_000), Settlement::TooLate(FAILURE));
        let again = Settlement::Again {
            due_at: at(1_000_000),
            failure: FAILURE,
        };
        assert_eq!(settled(1_000_001), again);
    }

    /// What happens to a row, at a moment that is some microseconds after the one before.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        /// Somebody who looks for work finds the row, if it is there to be claimed.
        Look,
        /// The worker of that claim learns that its attempt failed.
        Fail(u32),
    }

    fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
        let event = prop_oneof![Just(Event::Look), (0_u32..6).prop_map(Event::Fail)];
        prop::collection::vec((0_i64..40_000_000, event), 0..60)
    }

    proptest! {
        #[test]
        fn what_may_have_been_sent_is_not_sent_again_within_the_lease(
            events in events(),
            lease in 60_i64..120,
        ) {
            let lease = Duration::seconds(lease);
            let mut row = schedule(600_000_000);
            let mut now = at(0);
            let mut attempt: Option<Timestamp> = None;
            for (pause, event) in events {
                now = now + Duration::microseconds(pause);
                match event {
                    Event::Look => {
                        let Some(claimed) = row.claimed(now, lease) else {
                            // Nothing is lost: unless it expires, there is a moment when it can be claimed.
                            let next = row.leased_until.map_or(row.due_at, |until| until.max(row.due_at));
                            prop_assert!(now >= row.expires_at || now < next);
                            prop_assert!(next >= row.expires_at || row.is_claimable(next));
                            continue;
                        };
                        prop_assert!(now < row.expires_at);
                        prop_assert!(claimed.fence > row.fence);
                        if let Some(before) = attempt {
                            prop_assert!(now.since(before) >= lease, "sent at {before:?} and {now:?}");
                        }
                        attempt = Some(now);
                        row = claimed;
                    }
                    Event::Fail(fence) => {
                        let wait = backoff(row.failures, 0);
                        if let Some(postponed) = row.postponed(Fence(fence), now + wait) {
                            prop_assert_eq!(Fence(fence), row.fence);
                            // That it was not sent is known.
                            attempt = None;
                            row = postponed;
                        } else {
                            prop_assert_ne!(Fence(fence), row.fence);
                        }
                    }
                }
            }
        }

        #[test]
        fn waits_spread_over_half_of_their_length(failures in 0_u32..40, roll in any::<u16>()) {
            let (most, drawn) = (backoff(failures, 0), backoff(failures, roll));
            prop_assert!(drawn <= most && drawn * 2_u32 >= most && most <= LONGEST_BACKOFF);
        }

        #[test]
        fn the_next_attempt_is_within_the_codes_life_and_not_before_it_was_asked_for(
            failures in 0_u32..10,
            asked in prop::option::of(0_i64..200),
            life in 0_i64..600,
            roll in any::<u16>(),
        ) {
            let (now, expires_at) = (at(7), at(7) + Duration::seconds(life));
            let outcome = failed(asked.map(Duration::seconds));
            match settle(outcome, failures, now, expires_at, roll) {
                Settlement::Again { due_at, .. } => {
                    prop_assert!(due_at < expires_at && due_at > now);
                    let asked = Duration::seconds(asked.unwrap_or(0)).min(LONGEST_ASKED);
                    prop_assert!(due_at >= now + asked);
                    prop_assert!(due_at <= now + LONGEST_ASKED.max(LONGEST_BACKOFF));
                }
                other => prop_assert_eq!(other, Settlement::TooLate(FAILURE)),
            }
        }
    }
}
