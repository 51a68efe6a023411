//! What a service of the operator's is told, as it happens: ids and fixed words, never a token.
//!
//! Events wait in an outbox from the transaction in which what they tell of happens, and are posted to one address until it
//! takes them: at least once, in no promised order, by claims as [`code_delivery`](crate::code_delivery) has them.

use time::Duration;
use uuid::Uuid;

use crate::audit::{AuditAction, AuditEvent};
use crate::code_delivery::{SendOutcome, Settlement};
use crate::{DeviceUid, MessageId, SessionId, Timestamp, UserId};

/// How long a claim on an event holds. Far more than an attempt takes, with the store.
pub const LEASE: Duration = Duration::seconds(60);

/// How long after it happened an event is posted again and again before it is given up.
pub const WORTH: Duration = Duration::days(3);

/// The wait after the first failure; each one after it is three times as long.
const FIRST_BACKOFF: Duration = Duration::seconds(5);

/// The longest wait, also of those that a receiver asks for.
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
    /// Under which session.
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

/// The wait after the attempt that failed as the `failures + 1`st: tripling, and of that between half and all, by `roll`.
fn backoff(failures: u32, roll: u16) -> Duration {
    let tripled = FIRST_BACKOFF * 3_u32.pow(failures.min(8));
    let whole = tripled.min(LONGEST_BACKOFF);
    whole - whole * u32::from(roll) / 131_072_u32
}

/// Decides what becomes of an event of `at` whose attempt ended so at `now`, after `failures` before it. A receiver that asked to
/// be left alone is, up to [`LONGEST_BACKOFF`]; one that refuses an event is not told of it again.
pub fn settle(outcome: SendOutcome, at: Timestamp, failures: u32, now: Timestamp, roll: u16) -> Settlement {
    match outcome {
        SendOutcome::Accepted => Settlement::Delivered,
        SendOutcome::Refused(failure) => Settlement::Refused(failure),
        SendOutcome::Failed { failure, retry_after } => {
            let asked = retry_after.unwrap_or_default().min(LONGEST_BACKOFF);
            let due_at = now + backoff(failures, roll).max(asked);
            if due_at < at + WORTH {
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
    use crate::AuditId;
    use crate::code_delivery::SendFailure;

    const FAILURE: SendFailure = SendFailure::Answered(500);

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

    fn failed(retry_after: Option<Duration>) -> SendOutcome {
        SendOutcome::Failed {
            failure: FAILURE,
            retry_after,
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
    fn an_event_is_posted_again_with_growing_waits_for_three_days() {
        let wait = |failures, asked| match settle(failed(asked), at(0), failures, at(0), 0) {
            Settlement::Again {
                due_at,
                failure: FAILURE,
            } => due_at.since(at(0)),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(0, None), Duration::seconds(5));
        assert_eq!(wait(2, None), Duration::seconds(45));
        assert_eq!(wait(u32::MAX, None), Duration::hours(6));
        assert_eq!(wait(0, Some(Duration::minutes(2))), Duration::minutes(2));
        assert_eq!(wait(0, Some(Duration::days(9))), Duration::hours(6));
        let last = at(3 * 86_400 - 5);
        assert_eq!(
            settle(failed(None), at(0), 0, last, 0),
            Settlement::TooLate(FAILURE)
        );
    }

    #[test]
    fn what_is_taken_or_refused_is_not_posted_again() {
        let settled = |outcome| settle(outcome, at(0), 0, at(0), 0);
        assert_eq!(settled(SendOutcome::Accepted), Settlement::Delivered);
        assert_eq!(
            settled(SendOutcome::Refused(FAILURE)),
            Settlement::Refused(FAILURE)
        );
    }

    proptest! {
        #[test]
        fn the_next_attempt_is_later_than_now_and_within_what_an_event_is_worth(
            failures in 0_u32..40,
            asked in prop::option::of(-10_i64..1_000_000),
            age in 0_i64..300_000,
            roll in any::<u16>(),
        ) {
            let now = at(age);
            match settle(failed(asked.map(Duration::seconds)), at(0), failures, now, roll) {
                Settlement::Again { due_at, .. } => {
                    prop_assert!(due_at > now && due_at <= now + LONGEST_BACKOFF && due_at < at(0) + WORTH);
                    let asked = Duration::seconds(asked.unwrap_or(0)).min(LONGEST_BACKOFF);
                    prop_assert!(due_at >= now + asked);
                }
                other => {
                    prop_assert_eq!(other, Settlement::TooLate(FAILURE));
                    prop_assert!(now + LONGEST_BACKOFF >= at(0) + WORTH);
                }
            }
        }
    }
}
