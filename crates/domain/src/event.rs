//! What a service of the operator's is told, as it happens: ids and fixed words, never a token.
//!
//! Events wait in an outbox from the transaction in which what they tell of happens, and are posted to one address until it
//! takes them: at least once, in no promised order, by claims as every [outbox](crate::outbox) has them.

use time::Duration;
use uuid::Uuid;

use crate::audit::{AuditAction, AuditEvent};
use crate::outbox::{Backoff, Patience};
use crate::{DeviceUid, MessageId, SessionId, Timestamp, UserId};

/// How long a claim on an event holds. Far more than an attempt takes, with the store.
pub const LEASE: Duration = Duration::seconds(60);

/// How long after it happened an event is posted again and again before it is given up.
pub const WORTH: Duration = Duration::days(3);

/// The longest wait, also of those that a receiver asks for.
const LONGEST_WAIT: Duration = Duration::hours(6);

/// How patient a receiver is met.
pub const PATIENCE: Patience = Patience {
    backoff: Backoff {
        first: Duration::seconds(5),
        factor: 3,
        longest: LONGEST_WAIT,
    },
    longest_asked: LONGEST_WAIT,
};

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
    /// A credential was removed, because its provider said twice that it is gone, or once and nobody tried it for 30 days.
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
    /// To which device.
    pub device: Option<DeviceUid>,
    /// Which session ended.
    pub session: Option<SessionId>,
    /// To which message.
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
        // A session here is one that ended, not the one from which somebody revoked a device.
        let ended = line.action == AuditAction::SessionEnded;
        Some(Self {
            id: line.id.uuid(),
            kind,
            at: line.at,
            user: Some(line.user),
            device: line.device,
            session: line.session.filter(|_| ended),
            message: None,
            reason: line.reason.map(str::to_owned),
        })
    }

    /// The event that every job of `message` is over. It has the message's id: should jobs be put back, their end is the same
    /// event again.
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
            at: at(3),
            action,
            session: Some(SessionId::from_uuid(Uuid::from_u128(4))),
            device: Some(DeviceUid::from_uuid(Uuid::from_u128(5))),
            reason: Some("logout"),
        }
    }

    #[test]
    fn others_are_told_what_became_of_credentials_and_nothing_else_of_the_trail() {
        let told: Vec<_> = AuditAction::ALL
            .iter()
            .filter_map(|action| {
                let event = Event::of_audit(&line(*action))?;
                Some((action.name(), event.kind.name()))
            })
            .collect();
        let expected = [
            ("session_ended", "credential.suspended"),
            ("device_revoked", "credential.suspended"),
            ("address_lost", "credential.moved"),
            ("credential_suspect", "credential.suspended"),
            ("credential_dead", "credential.dead"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_event_has_the_id_and_the_facts_of_what_it_tells_of() {
        let line = line(AuditAction::SessionEnded);
        let event = Event::of_audit(&line).expect("told");
        assert_eq!((event.id, event.at), (line.id.uuid(), line.at));
        assert_eq!((event.user, event.session), (Some(line.user), line.session));
        assert_eq!(
            (event.device, event.reason.as_deref()),
            (line.device, line.reason)
        );
        let revoked = self::line(AuditAction::DeviceRevoked);
        let event = Event::of_audit(&revoked).expect("told");
        assert_eq!((event.device, event.session), (revoked.device, None));
        let message = MessageId::from_uuid(Uuid::from_u128(6));
        let event = Event::of_message(message, at(7));
        assert_eq!(
            (event.id, event.at, event.message),
            (message.uuid(), at(7), Some(message))
        );
        assert_eq!(event.user, None);
    }

    #[test]
    fn a_kind_is_known_by_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(EventKind::from_name("credential.lost"), None);
    }

    #[test]
    fn waits_triple_from_five_seconds_to_six_hours() {
        let waits: Vec<i64> = (0..10)
            .map(|n| PATIENCE.backoff.wait(n, 0).whole_seconds())
            .collect();
        assert_eq!(waits, [5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 21_600, 21_600]);
    }
}
