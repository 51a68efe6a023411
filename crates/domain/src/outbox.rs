//! What waits in a database for somebody outside, and how patient whoever carries it is.
//!
//! [Codes](crate::code_delivery), [events](crate::event) and [jobs](crate::job) are *claimed* before each attempt: for a lease, under
//! a fence that grows with every claim, so that a worker whose claim is no longer the latest changes nothing.

use thiserror::Error;
use time::Duration;

use crate::Timestamp;

/// Which claim it is: 0 before the first one, and one more with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub u32);

/// How long to wait after each failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first one.
    pub first: Duration,
    /// How many times as long as the one before each wait is.
    pub factor: u32,
    /// The longest wait.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after the attempt that failed as the `failures + 1`st: between half and all of its length, by `roll`, so that those
    /// who failed together do not come back together.
    pub fn wait(&self, failures: u32, roll: u16) -> Duration {
        let times = i32::try_from(self.factor.saturating_pow(failures)).unwrap_or(i32::MAX);
        let whole = self.first.saturating_mul(times).min(self.longest);
        whole - whole * u32::from(roll) / 131_072_u32
    }
}

/// Why somebody did not take what was carried to them. Never holds a phone, a code or an address.
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

/// How an attempt ended.
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
        /// How long whoever was asked wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// What becomes of it after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is on its way, and leaves the outbox.
    Delivered,
    /// Nobody takes it: it leaves the outbox.
    Refused(SendFailure),
    /// It would be worth nothing by the next attempt: it leaves the outbox.
    TooLate(SendFailure),
    /// It is attempted again.
    Again {
        /// When.
        due_at: Timestamp,
        /// Why.
        failure: SendFailure,
    },
}

/// How patient whoever carries something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After failures.
    pub backoff: Backoff,
    /// The longest wait that anybody may ask for.
    pub longest_asked: Duration,
}

impl Patience {
    /// Decides what becomes of what is worth something until `worthless_at`, and whose attempt ended so at `now`, after `failures`
    /// before it.
    pub fn settle(
        &self,
        outcome: SendOutcome,
        failures: u32,
        now: Timestamp,
        worthless_at: Timestamp,
        roll: u16,
    ) -> Settlement {
        match outcome {
            SendOutcome::Accepted => Settlement::Delivered,
            SendOutcome::Refused(failure) => Settlement::Refused(failure),
            SendOutcome::Failed { failure, retry_after } => {
                let asked = retry_after.unwrap_or_default().min(self.longest_asked);
                let due_at = now + self.backoff.wait(failures, roll).max(asked);
                if due_at < worthless_at {
                    Settlement::Again { due_at, failure }
                } else {
                    Settlement::TooLate(failure)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FAILURE: SendFailure = SendFailure::Answered(500);

    const PATIENCE: Patience = Patience {
        backoff: Backoff {
            first: Duration::seconds(2),
            factor: 3,
            longest: Duration::seconds(60),
        },
        longest_asked: Duration::seconds(90),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn failed(retry_after: Option<Duration>) -> SendOutcome {
        SendOutcome::Failed {
            failure: FAILURE,
            retry_after,
        }
    }

    #[test]
    fn waits_grow_from_the_first_to_the_longest() {
        let waits: Vec<i64> = (0..6)
            .map(|n| PATIENCE.backoff.wait(n, 0).whole_seconds())
            .collect();
        assert_eq!(waits, [2, 6, 18, 54, 60, 60]);
        assert_eq!(PATIENCE.backoff.wait(u32::MAX, 0), Duration::seconds(60));
        assert!(PATIENCE.backoff.wait(0, u16::MAX) >= Duration::seconds(1));
    }

    #[test]
    fn what_is_taken_or_refused_is_done_with() {
        let settled = |outcome| PATIENCE.settle(outcome, 0, at(0), at(1), 0);
        assert_eq!(settled(SendOutcome::Accepted), Settlement::Delivered);
        assert_eq!(
            settled(SendOutcome::Refused(FAILURE)),
            Settlement::Refused(FAILURE)
        );
    }

    #[test]
    fn what_would_be_worth_nothing_by_then_is_given_up() {
        let settled = |worthless_at| PATIENCE.settle(failed(None), 0, at(0), worthless_at, 0);
        assert_eq!(settled(at(2)), Settlement::TooLate(FAILURE));
        let again = Settlement::Again {
            due_at: at(2),
            failure: FAILURE,
        };
        assert_eq!(settled(at(2) + Duration::microseconds(1)), again);
    }

    proptest! {
        #[test]
        fn waits_spread_over_half_of_their_length(failures in any::<u32>(), roll in any::<u16>()) {
            let backoff = PATIENCE.backoff;
            let (most, drawn) = (backoff.wait(failures, 0), backoff.wait(failures, roll));
            prop_assert!(drawn <= most && drawn * 2_u32 >= most && most <= backoff.longest);
        }

        #[test]
        fn the_next_attempt_is_while_it_is_worth_something_and_not_before_it_was_asked_for(
            failures in 0_u32..40,
            asked in prop::option::of(-10_i64..200),
            left in 0_i64..600,
            roll in any::<u16>(),
        ) {
            let (now, worthless_at) = (at(7), at(7 + left));
            let longest = PATIENCE.longest_asked.max(PATIENCE.backoff.longest);
            match PATIENCE.settle(failed(asked.map(Duration::seconds)), failures, now, worthless_at, roll) {
                Settlement::Again { due_at, .. } => {
                    prop_assert!(now < due_at && due_at < worthless_at && due_at <= now + longest);
                    let asked = Duration::seconds(asked.unwrap_or(0)).min(PATIENCE.longest_asked);
                    prop_assert!(due_at >= now + asked);
                }
                other => {
                    prop_assert_eq!(other, Settlement::TooLate(FAILURE));
                    prop_assert!(now + longest >= worthless_at);
                }
            }
        }
    }
}
