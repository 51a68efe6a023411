//! What a team's own service is told, as it happens: ids and fixed words, never a token.
//!
//! Events wait in an outbox from the transaction in which what they tell of happens, and are posted to one address until it takes
//! them, at least once, in no promised order.

use time::Duration;
use uuid::Uuid;

use crate::audit::{AuditAction, AuditEvent};
use crate::code_delivery::Fence;
use crate::{DeviceUid, MessageId, SessionId, Timestamp, UserId};

/// How long a claim on an event holds.
pub const LEASE: Duration = Duration::seconds(60);

/// How long an event is posted again and again before it is given up.
pub const WORTH: Duration = Duration::days(3);

/// The wait after the first failure; each one after it is three times as long.
const FIRST_BACKOFF: Duration = Duration::seconds(5);

/// The longest wait.
const LONGEST_BACKOFF: Duration = Duration::hours(6);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum EventKind { $($(#[$doc])* $name,)* }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in rows and on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The kind of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    /// Credentials ring no more for now: their session ended, their device was revoked, or their provider says they are gone.
    CredentialSuspended = "credential.suspended",
    /// A credential was removed, because its provider said twice that it is gone.
    CredentialDead = "credential.dead",
    /// A credential left a user for another.
    CredentialMoved = "credential.moved",
    /// Every job of a message is over.
    MessageFinished = "message.finished",
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its identity, the same at every attempt.
    pub id: Uuid,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub user: Option<UserId>,
    /// Which device.
    pub device: Option<DeviceUid>,
    /// Which session.
    pub session: Option<SessionId>,
    /// Which message.
    pub message: Option<MessageId>,
    /// Why: the fixed word that the trail has.
    pub reason: Option<String>,
}

impl Event {
    /// The event that a line of the audit trail is to others, if it is any. It has the line's id.
    pub fn of_audit(line: &AuditEvent) -> Option<Self> {
        let kind = match line.action {
            AuditAction::SessionEnded | AuditAction::DeviceRevoked | AuditAction::CredentialSuspect => {
                EventKind::CredentialSuspended
            }
            AuditAction::CredentialDead => EventKind::CredentialDead,
            AuditAction::AddressLost => EventKind::CredentialMoved,
            _ => return None,
        };
        Some(Self {
            id: line.id.uuid(),
            kind,
            at: line.at,
            user: Some(line.user),
            device: line.device,
            session: line.session,
            message: None,
            reason: line.reason.map(str::to_owned),
        })
    }

    /// The event that every job of `message` is over. It has the message's id, since that happens once.
    pub const fn of_message(message: MessageId, at: Timestamp) -> Self {
        Self {
            id: message.uuid(),
            kind: EventKind::MessageFinished,
            at,
            user: None,
            device: None,
            session: None,
            message: Some(message),
            reason: None,
        }
    }

    /// From when on it is posted no more.
    pub fn expires_at(&self) -> Timestamp {
        self.at + WORTH
    }
}

/// An event that a worker holds a claim on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedEvent {
    /// The event.
    pub event: Event,
    /// Which claim this is.
    pub fence: Fence,
    /// How many attempts are known to have failed.
    pub failures: u32,
}

/// How posting an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was taken.
    Taken,
    /// It was not taken this time.
    Failed {
        /// How long the receiver asked to be left alone.
        retry_after: Option<Duration>,
    },
}

/// When an event that was not taken at `now` is posted again, after `failures` before; `None` where it is given up.
pub fn again(
    event: &Event,
    failures: u32,
    retry_after: Option<Duration>,
    now: Timestamp,
    roll: u16,
) -> Option<Timestamp> {
    let grown = FIRST_BACKOFF * 3_u32.pow(failures.min(8));
    let whole = grown.min(LONGEST_BACKOFF);
    let wait = whole - whole * u32::from(roll) / 131_072_u32;
    let due_at = now + wait.max(retry_after.unwrap_or_default().min(LONGEST_BACKOFF));
    (due_at < event.expires_at()).then_some(due_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuditId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn line(action: AuditAction) -> AuditEvent {
        AuditEvent {
            id: AuditId::from_uuid(Uuid::from_u128(1)),
            user: UserId::from_uuid(Uuid::from_u128(2)),
            at: at(0),
            action,
            session: None,
            device: None,
            reason: Some("logout"),
        }
    }

    #[test]
    fn others_are_told_what_became_of_credentials_and_nothing_else_of_the_trail() {
        let told = |action| Event::of_audit(&line(action)).map(|event| event.kind.name());
        assert_eq!(told(AuditAction::SessionEnded), Some("credential.suspended"));
        assert_eq!(told(AuditAction::DeviceRevoked), Some("credential.suspended"));
        assert_eq!(told(AuditAction::CredentialSuspect), Some("credential.suspended"));
        assert_eq!(told(AuditAction::CredentialDead), Some("credential.dead"));
        assert_eq!(told(AuditAction::AddressLost), Some("credential.moved"));
        assert_eq!(told(AuditAction::SignedIn), None);
        assert_eq!(told(AuditAction::AddressGained), None);
    }

    #[test]
    fn an_event_is_posted_again_with_growing_waits_for_three_days() {
        let event = Event::of_message(MessageId::from_uuid(Uuid::nil()), at(0));
        let wait = |failures, asked| again(&event, failures, asked, at(0), 0).map(|due| due.since(at(0)));
        assert_eq!(wait(0, None), Some(Duration::seconds(5)));
        assert_eq!(wait(2, None), Some(Duration::seconds(45)));
        assert_eq!(wait(u32::MAX, None), Some(Duration::hours(6)));
        assert_eq!(wait(0, Some(Duration::minutes(2))), Some(Duration::minutes(2)));
        assert_eq!(wait(0, Some(Duration::days(9))), Some(Duration::hours(6)));
        assert_eq!(again(&event, 9, None, at(3 * 86_400 - 60), 0), None);
    }
}
