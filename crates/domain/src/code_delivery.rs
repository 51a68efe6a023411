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

use time::Duration;

use crate::code::{Code, CodePolicy, Purpose};
use crate::language::Language;
use crate::outbox::{Backoff, Fence, Patience};
use crate::{OtpSessionId, PhoneNumber, Timestamp};

/// The shortest time that a claim holds. Far more than an attempt takes, all its senders and the store together.
pub const SHORTEST_LEASE: Duration = Duration::seconds(60);

/// How patient senders are met. A code does not live long enough for more.
pub const PATIENCE: Patience = Patience {
    backoff: Backoff {
        first: Duration::seconds(1),
        factor: 2,
        longest: Duration::seconds(30),
    },
    longest_asked: Duration::seconds(60),
};

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::CodeLength;

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
        let longest: Vec<i64> = (0..8)
            .map(|n| PATIENCE.backoff.wait(n, 0).whole_seconds())
            .collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 30, 30, 30]);
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
                        let wait = PATIENCE.backoff.wait(row.failures, 0);
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
    }
}
