//! Jobs: the delivery of one message to one credential, from its acceptance to its end.
//!
//! A job waits in a hot table until whoever delivers *claims* it: for a lease, under a fence that grows with every claim. A claim
//! moves `due_at` to the lease's end, so one instant says when a job may be claimed, whatever happened before. These hold:
//!
//! - every job ends in exactly one [`FinalState`]: what is claimed and never settled is claimed again when its lease ends, and set
//!   aside after [`MOST_RECEIVES`] such claims in a row, so that no job can break workers for ever;
//! - a worker whose claim is no longer the latest changes nothing;
//! - what may not be rung any more is seen when it is claimed, in the transaction that claims it ([`admit`]).

mod admission;
mod settlement;

use std::sync::Arc;

use time::Duration;
use uuid::Uuid;

pub use admission::{Held, Target, admit, is_fresh};
pub use settlement::{Answer, BACKOFF, CredentialFate, Fate, LONGEST_ASKED, Settled, pause, settle};

use crate::address::Provider;
use crate::message::Message;
use crate::outbox::Fence;
use crate::push_token::Token;
use crate::web_push::WebPushEndpoint;
use crate::{DeviceUid, JobId, MessageId, SubscriptionId, Timestamp, TokenId, UserId};

/// How long a claim holds: far more than an attempt takes with the store before and after it.
pub const LEASE: Duration = Duration::seconds(60);

/// How many claims in a row may end nobody knows how.
pub const MOST_RECEIVES: u32 = 5;

/// The row that holds what a job rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A push token of APNs.
    Apns(TokenId),
    /// A push token of FCM.
    Fcm(TokenId),
    /// A browser's subscription.
    WebPush(SubscriptionId),
}

impl CredentialId {
    /// The credential of that provider in that row.
    pub const fn restore(provider: Provider, row: Uuid) -> Self {
        match provider {
            Provider::Apns => Self::Apns(TokenId::from_uuid(row)),
            Provider::Fcm => Self::Fcm(TokenId::from_uuid(row)),
            Provider::WebPush => Self::WebPush(SubscriptionId::from_uuid(row)),
        }
    }

    /// Who carries it.
    pub const fn provider(self) -> Provider {
        match self {
            Self::Apns(_) => Provider::Apns,
            Self::Fcm(_) => Provider::Fcm,
            Self::WebPush(_) => Provider::WebPush,
        }
    }

    /// The row.
    pub const fn row(self) -> Uuid {
        match self {
            Self::Apns(id) | Self::Fcm(id) => id.uuid(),
            Self::WebPush(id) => id.uuid(),
        }
    }
}

/// What jobs queue up for: the host of a browser's push service with its port, or a provider that has one address for all. Jobs
/// of one lane wait for each other and for nobody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(Arc<str>);

impl Lane {
    /// The lane of a browser's push service.
    pub fn of_endpoint(endpoint: &WebPushEndpoint) -> Self {
        let origin = endpoint.origin();
        Self(
            origin
                .split_once("://")
                .map_or(origin.as_str(), |(_, host)| host)
                .into(),
        )
    }

    /// The lane of a token.
    pub fn of_token(token: &Token) -> Self {
        Self(token.provider.name().into())
    }

    /// A lane read from a row.
    pub fn restore(name: &str) -> Self {
        Self(name.into())
    }

    /// Its name: no secret, and few enough of them to be told apart in metrics.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// The delivery of one message to one credential: what of it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its identity.
    pub id: JobId,
    /// What is delivered.
    pub message: MessageId,
    /// Whom to: the credential's owner when the message was accepted.
    pub user: UserId,
    /// Which of their devices.
    pub device: DeviceUid,
    /// By what.
    pub credential: CredentialId,
    /// Where it queues.
    pub lane: Lane,
    /// When it is worth no further attempt.
    pub expires_at: Timestamp,
}

/// Where a job stands while it is not over. Both databases keep it in columns; a store claims and postpones exactly as the methods
/// here would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When it may be claimed: the next attempt's time, or the end of the latest claim's lease.
    pub due_at: Timestamp,
    /// Whether the latest claim has not ended yet.
    pub claimed: bool,
    /// Which claim was the latest.
    pub fence: Fence,
    /// How many attempts are known to have failed.
    pub failures: u32,
    /// How many claims in a row have ended nobody knows how, the present one included.
    pub receives: u32,
}

impl Schedule {
    /// The schedule of a job that nobody has claimed.
    pub const fn of_new(message: &Message) -> Self {
        Self {
            due_at: message.send_at,
            claimed: false,
            fence: Fence(0),
            failures: 0,
            receives: 0,
        }
    }

    /// Claims the job for `lease` from `now`, if it is due. One whose time is over is claimed too, to be told so.
    #[must_use]
    pub fn claimed(&self, now: Timestamp, lease: Duration) -> Option<Self> {
        (now >= self.due_at).then(|| Self {
            due_at: now + lease,
            claimed: true,
            fence: Fence(self.fence.0.saturating_add(1)),
            failures: self.failures,
            receives: self.receives.saturating_add(1),
        })
    }

    /// Ends the claim `fence` with a known failure and makes the job due at `due_at`; `None` if that claim is not the latest.
    #[must_use]
    pub fn postponed(&self, fence: Fence, due_at: Timestamp) -> Option<Self> {
        (fence == self.fence).then(|| Self {
            due_at,
            claimed: false,
            failures: self.failures.saturating_add(1),
            receives: 0,
            ..*self
        })
    }

    /// What a job that is not over is said to be doing.
    pub const fn state(&self) -> State {
        State::of_open(self.claimed, self.failures)
    }
}

/// What a job is said to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It waits for its first attempt.
    Pending,
    /// It is being attempted.
    Sending,
    /// An attempt failed, and it waits for the next.
    Retrying,
    /// It is over.
    Over(FinalState),
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Sending,
        Self::Retrying,
        Self::Over(FinalState::Delivered),
        Self::Over(FinalState::Dead),
        Self::Over(FinalState::Failed),
        Self::Over(FinalState::Expired),
        Self::Over(FinalState::Cancelled),
        Self::Over(FinalState::Superseded),
    ];

    /// What a job is doing that is not over, by whether it is claimed and how many of its attempts failed.
    pub const fn of_open(claimed: bool, failures: u32) -> Self {
        if claimed {
            Self::Sending
        } else if failures > 0 {
            Self::Retrying
        } else {
            Self::Pending
        }
    }

    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Over(end) => end.name(),
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FinalState {
    /// Its provider took the message.
    Delivered,
    /// Its provider says that the credential rings nobody any more.
    Dead,
    /// It will not be taken, however often it is tried.
    Failed,
    /// It was not taken before its time was over.
    Expired,
    /// Its sender took it back.
    Cancelled,
    /// What it was for may not be rung by it any more: logged out, moved, revoked.
    Superseded,
}

impl FinalState {
    /// Every end.
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Dead,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }

    /// The end of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a job was postponed, or ended as it did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in answers and rows.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The reason of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.name() == name)
            }
        }
    };
}

reasons! {
    /// The provider answered that the credential is gone (404, 410).
    Gone = "gone",
    /// The provider takes no message of that size (413).
    TooLarge = "too_large",
    /// The provider refused this message for good.
    Refused = "refused",
    /// The provider does not believe this server (400, 401, 403): something is wrong here, not there.
    Misconfigured = "misconfigured",
    /// The provider asked to be left alone for a while (429).
    Throttled = "throttled",
    /// The provider failed (5xx).
    ProviderFailed = "provider_failed",
    /// The provider did not answer in time.
    TooSlow = "too_slow",
    /// No connection to the provider could be made or kept.
    Unreachable = "unreachable",
    /// The provider's name leads to an address that no provider has.
    ForbiddenAddress = "forbidden_address",
    /// This server delivers by that provider no more, or not yet.
    ProviderOff = "provider_off",
    /// It was claimed over and over, and nobody came back from it.
    SetAside = "set_aside",
    /// Its message or its credential cannot be read: sealed with a secret that is gone.
    Unreadable = "unreadable",
    /// The session that the credential was registered under has ended.
    SessionEnded = "session_ended",
    /// The credential belongs to somebody else.
    Moved = "moved",
    /// The credential was removed.
    Removed = "removed",
    /// The device was revoked.
    DeviceRevoked = "device_revoked",
    /// The credential is suspected to be dead.
    Suspect = "suspect",
    /// The message's time is over.
    TimeOver = "time_over",
    /// The message was taken back.
    TakenBack = "taken_back",
    /// A later message with the same collapse key took its place.
    Replaced = "replaced",
}

/// A job that a worker holds a claim on, and what the transaction that claimed it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The job.
    pub job: Job,
    /// Where it stands, claimed.
    pub schedule: Schedule,
    /// Whether its message was taken back meanwhile.
    pub taken_back: bool,
    /// Whether a later message has taken its message's place on this credential.
    pub replaced: bool,
    /// What it rings, as it is now; `None` where that is gone.
    pub held: Option<Held>,
    /// What it says; `None` where that, or what it rings, cannot be read. Jobs of one message share it.
    pub message: Option<Arc<Message>>,
}

/// A job's end, to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Which job.
    pub id: JobId,
    /// By which claim.
    pub fence: Fence,
    /// How it ended.
    pub end: FinalState,
    /// Why.
    pub reason: Option<Reason>,
    /// How many attempts there were, the one that ended it included.
    pub attempts: u32,
}

impl Finished {
    /// The end of a job whose attempt, made under this claim, decided it.
    pub const fn by_attempt(claimed: &Claimed, end: FinalState, reason: Option<Reason>) -> Self {
        Self {
            id: claimed.job.id,
            fence: claimed.schedule.fence,
            end,
            reason,
            attempts: claimed.schedule.failures.saturating_add(1),
        }
    }

    /// The end of a job that was claimed and not attempted, since it must not or need not be sent ([`admit`]).
    pub const fn unattempted(claimed: &Claimed, end: FinalState, reason: Reason) -> Self {
        Self {
            id: claimed.job.id,
            fence: claimed.schedule.fence,
            end,
            reason: Some(reason),
            attempts: claimed.schedule.failures,
        }
    }
}

/// A job's next attempt, to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Postponed {
    /// Which job.
    pub id: JobId,
    /// By which claim.
    pub fence: Fence,
    /// When it is due again.
    pub due_at: Timestamp,
    /// Why.
    pub reason: Reason,
}

#[cfg(test)]
mod laws;
