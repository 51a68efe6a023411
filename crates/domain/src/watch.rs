//! What those who watch a server count: how much waits in its store, and how sign-ins come out.
//!
//! Nothing here holds a client's value: what is counted is one of these closed sets.

use crate::Provider;
use crate::job::{Answer, FinalState};

/// Something of a store that there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Connections to the database that the pool may hold.
    ConnectionsAllowed,
    /// Connections at work.
    ConnectionsInUse,
    /// Units of work that wait for a connection.
    ConnectionsAwaited,
    /// Units of work that wait for the one thread that writes.
    WritesQueued,
    /// Registrations that wait to be combined.
    RegistrationsQueued,
}

/// A store, to those who watch it.
pub trait Watched: Send + Sync {
    /// How much there is of each at this moment: always of the same gauges, in the same order.
    fn gauges(&self) -> Vec<(Gauge, u64)>;
}

/// What became of a request for a one-time code. What becomes of the code itself is a [`DeliveryOutcome`], later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeOutcome {
    /// It was made, and waits for a sender.
    Accepted,
    /// It was asked for too soon or too often.
    Limited,
    /// A rule will not have it sent.
    Refused,
    /// The store failed.
    Failed,
}

impl CodeOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Limited, Self::Refused, Self::Failed];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Limited => "limited",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What became of a guess at a one-time code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessOutcome {
    /// It was the code.
    Right,
    /// It was not.
    Wrong,
    /// No code lives for that number.
    Absent,
    /// The code was used before.
    Used,
    /// The code's attempts were spent before.
    Spent,
    /// Guessed too often: it was not compared.
    Limited,
}

impl GuessOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Right,
        Self::Wrong,
        Self::Absent,
        Self::Used,
        Self::Spent,
        Self::Limited,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Absent => "absent",
            Self::Used => "used",
            Self::Spent => "spent",
            Self::Limited => "limited",
        }
    }
}

/// What became of an attempt to deliver a one-time code, or to tell of an [event](crate::event).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// A sender took it.
    Accepted,
    /// No sender took it this time: it is attempted again.
    Again,
    /// Every sender refused it for good.
    Refused,
    /// No sender took it, and it dies before the next attempt.
    TooLate,
    /// Its row could not be read.
    Unreadable,
    /// A newer code or a later claim came first.
    Overtaken,
    /// How it ended could not be written down, so that it may be attempted again.
    Unrecorded,
}

impl DeliveryOutcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Again,
        Self::Refused,
        Self::TooLate,
        Self::Unreadable,
        Self::Overtaken,
        Self::Unrecorded,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Again => "again",
            Self::Refused => "refused",
            Self::TooLate => "too_late",
            Self::Unreadable => "unreadable",
            Self::Overtaken => "overtaken",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// What became of an attempt to ring a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// The provider took the message.
    Accepted,
    /// The provider says that the credential is gone.
    Gone,
    /// The provider takes that message never.
    Refused,
    /// The provider does not believe this server: somebody has to look.
    Misconfigured,
    /// It was not taken this time.
    Failed,
}

impl PushOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Gone,
        Self::Refused,
        Self::Misconfigured,
        Self::Failed,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
            Self::Failed => "failed",
        }
    }
}

impl From<Answer> for PushOutcome {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Accepted => Self::Accepted,
            Answer::Gone => Self::Gone,
            Answer::Refused(_) => Self::Refused,
            Answer::Misconfigured => Self::Misconfigured,
            Answer::Failed { .. } => Self::Failed,
        }
    }
}

/// Keeps count of what becomes of messages. Never waits, never fails.
pub trait PushTally: Send + Sync {
    /// Counts an attempt.
    fn attempt(&self, provider: Provider, outcome: PushOutcome);

    /// Counts a job that is over.
    fn end(&self, provider: Provider, end: FinalState);

    /// Notes whether credentials are held for dead at all.
    fn pruning(&self, stopped: bool);
}

/// Keeps count of what becomes of sign-ins. Never waits, never fails.
pub trait Tally: Send + Sync {
    /// Counts a code that was asked for.
    fn code(&self, outcome: CodeOutcome);

    /// Counts an attempt to deliver a code.
    fn delivery(&self, outcome: DeliveryOutcome);

    /// Counts an attempt to tell of an event.
    fn event(&self, outcome: DeliveryOutcome);

    /// Counts a guess.
    fn guess(&self, outcome: GuessOutcome);
}
