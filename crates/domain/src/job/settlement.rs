//! What becomes of a job after an attempt.

use time::Duration;

use super::{FinalState, Reason, Schedule};
use crate::outbox::Backoff;
use crate::{Timestamp, suspicion};

/// The waits after failures.
pub const BACKOFF: Backoff = Backoff {
    first: Duration::seconds(2),
    factor: 2,
    longest: Duration::minutes(15),
};

/// The longest wait that a provider may ask for.
pub const LONGEST_ASKED: Duration = Duration::hours(1);

/// How long a job waits at least whose provider does not believe this server.
const SHORTEST_PAUSE: Duration = Duration::minutes(1);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The provider took the message.
    Accepted,
    /// The provider says that the credential rings nobody any more.
    Gone,
    /// The message will not be taken, however often it is tried.
    Refused(Reason),
    /// The provider does not believe this server, or not for this credential: if that holds of others too, nothing that goes its way
    /// will be taken until somebody mends that.
    Misconfigured,
    /// It was not taken this time.
    Failed {
        /// Why not.
        reason: Reason,
        /// How long the provider asked to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Answer {
    /// Whether the provider did not answer in time.
    pub const fn was_too_slow(self) -> bool {
        matches!(
            self,
            Self::Failed {
                reason: Reason::TooSlow,
                ..
            }
        )
    }

    /// Whether the provider said anything: what never reached it, or was not answered in time, says nothing about others.
    pub const fn was_given(self) -> bool {
        !matches!(
            self,
            Self::Refused(Reason::ForbiddenAddress)
                | Self::Failed {
                    reason: Reason::TooSlow | Reason::Unreachable | Reason::Misconfigured,
                    ..
                }
        )
    }
}

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is over.
    Over(FinalState, Option<Reason>),
    /// It is attempted again.
    Again {
        /// When.
        due_at: Timestamp,
        /// Why.
        reason: Reason,
    },
}

/// What becomes of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialFate {
    /// Nothing.
    Keep,
    /// It rang: it is in use, and no suspect.
    Rang,
    /// It is suspected to be dead, and rung no more but to find out.
    Suspect,
    /// It is dead, and removed.
    Remove,
}

/// What an attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// For the job.
    pub fate: Fate,
    /// For its credential.
    pub credential: CredentialFate,
}

/// How long a job waits whose provider did not believe this server, after `failures` of its own; its lane may rest too
/// ([`crate::disbelief`]).
pub fn pause(failures: u32) -> Duration {
    BACKOFF.wait(failures.saturating_add(5), 0).max(SHORTEST_PAUSE)
}

/// Decides what an attempt leads to that ended with `answer` at `now`. `schedule` is the job's as it was claimed, `expires_at` the end
/// of its time, `suspect_at` since when its credential is suspect. A provider that asked to be left alone is, up to
/// [`LONGEST_ASKED`].
pub fn settle(
    answer: Answer,
    schedule: &Schedule,
    expires_at: Timestamp,
    suspect_at: Option<Timestamp>,
    now: Timestamp,
    roll: u16,
) -> Settled {
    let wait = BACKOFF.wait(schedule.failures, roll);
    let again = |wait: Duration, reason| {
        let due_at = now + wait;
        if due_at < expires_at {
            Fate::Again { due_at, reason }
        } else {
            Fate::Over(FinalState::Expired, Some(reason))
        }
    };
    let settled = |fate, credential| Settled { fate, credential };
    match answer {
        Answer::Accepted => settled(Fate::Over(FinalState::Delivered, None), CredentialFate::Rang),
        Answer::Gone => settled(
            Fate::Over(FinalState::Dead, Some(Reason::Gone)),
            suspicion::gone(suspect_at, now),
        ),
        Answer::Refused(reason) => {
            settled(Fate::Over(FinalState::Failed, Some(reason)), CredentialFate::Keep)
        }
        Answer::Misconfigured => settled(
            again(pause(schedule.failures), Reason::Misconfigured),
            CredentialFate::Keep,
        ),
        Answer::Failed { reason, retry_after } => {
            let asked = retry_after.unwrap_or_default().min(LONGEST_ASKED);
            settled(again(wait.max(asked), reason), CredentialFate::Keep)
        }
    }
}
