//! The domain's types from the parts that rows hold, and the other way round.
//!
//! A part that no row can have is a [`StoreError::Inconsistent`] that names its table and column, never its content.

mod delivery;

use doorbell_domain::code::Purpose;
use doorbell_domain::limits::Scope;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{Found, KeyUse, StoreError};
use doorbell_domain::text::{ActivityId, StreamId};
use doorbell_domain::user::{Deletion, DeletionStatus};
use doorbell_domain::{Language, PhoneNumber, Timestamp, TokenKind, ValueHash};

pub use delivery::{
    api_key_hash, api_key_name, collapse_key, credential, event_kind, final_state, provider, reason, ttl,
    urgency,
};

/// The error of a row that says what no row can say.
pub fn inconsistent(table: &'static str, column: &str) -> StoreError {
    StoreError::Inconsistent {
        table,
        detail: column.to_owned(),
    }
}

/// Turns a part that did not parse into the error that names its column.
pub trait OrInconsistent<T> {
    /// The value, or [`StoreError::Inconsistent`] in that table's column.
    fn or_inconsistent(self, table: &'static str, column: &str) -> Found<T>;
}

impl<T> OrInconsistent<T> for Option<T> {
    fn or_inconsistent(self, table: &'static str, column: &str) -> Found<T> {
        self.ok_or_else(|| inconsistent(table, column))
    }
}

impl<T, E> OrInconsistent<T> for Result<T, E> {
    fn or_inconsistent(self, table: &'static str, column: &str) -> Found<T> {
        // The error itself may speak of the content.
        self.map_err(|_| inconsistent(table, column))
    }
}

/// A bounded text that may be absent, read by its type's own `parse`.
pub fn optional<T, E>(
    text: Option<String>,
    parse: impl FnOnce(String) -> Result<T, E>,
    table: &'static str,
    column: &str,
) -> Found<Option<T>> {
    text.map(parse).transpose().or_inconsistent(table, column)
}

/// A count that rows keep as a signed number.
pub fn count(stored: i64, table: &'static str, column: &str) -> Found<u32> {
    u32::try_from(stored).or_inconsistent(table, column)
}

/// A phone number from its E.164 text and its country code.
pub fn phone(e164: &str, country_code: i32, table: &'static str) -> Found<PhoneNumber> {
    u16::try_from(country_code)
        .ok()
        .and_then(|code| PhoneNumber::from_e164(e164, code))
        .or_inconsistent(table, "phone")
}

/// A 32-byte hash.
pub fn value_hash(bytes: &[u8], table: &'static str, column: &str) -> Found<ValueHash> {
    bytes
        .try_into()
        .map(ValueHash::from_bytes)
        .or_inconsistent(table, column)
}

/// What a code is for, by its name.
pub fn purpose(name: &str, table: &'static str) -> Found<Purpose> {
    (name == Purpose::SignIn.name())
        .then_some(Purpose::SignIn)
        .or_inconsistent(table, "purpose")
}

/// What a counter counts, by its name.
pub fn scope(name: &str, table: &'static str) -> Found<Scope> {
    Scope::from_name(name).or_inconsistent(table, "scope")
}

/// A language, by its name.
pub fn language(name: &str, table: &'static str) -> Found<Language> {
    Language::from_name(name).or_inconsistent(table, "language")
}

/// What a key is for, by its name.
pub fn key_use(name: &str, table: &'static str) -> Found<KeyUse> {
    [KeyUse::AccessToken, KeyUse::Vapid]
        .into_iter()
        .find(|usage| usage.name() == name)
        .or_inconsistent(table, "usage")
}

/// When and why a session ended.
pub fn ended(at: Option<Timestamp>, reason: Option<&str>) -> Found<Option<(Timestamp, EndReason)>> {
    match (at, reason) {
        (None, None) => Ok(None),
        (Some(at), Some(reason)) => {
            let reason = EndReason::from_name(reason).or_inconsistent("sessions", "end_reason")?;
            Ok(Some((at, reason)))
        }
        _ => Err(inconsistent("sessions", "ended_at")),
    }
}

/// The columns of an account's last deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletionParts {
    /// The name of its status.
    pub status: Option<String>,
    /// When it was asked for.
    pub requested_at: Option<Timestamp>,
    /// When it is due.
    pub scheduled_for: Option<Timestamp>,
    /// When it was taken back.
    pub cancelled_at: Option<Timestamp>,
    /// When it was carried out.
    pub finalized_at: Option<Timestamp>,
}

impl DeletionParts {
    /// The columns of `deletion`, all empty where there is none.
    pub fn of(deletion: Option<&Deletion>) -> Self {
        deletion.map_or_else(Self::default, |deletion| Self {
            status: Some(deletion.status.name().to_owned()),
            requested_at: Some(deletion.requested_at),
            scheduled_for: Some(deletion.scheduled_for),
            cancelled_at: deletion.cancelled_at,
            finalized_at: deletion.finalized_at,
        })
    }

    /// The deletion that the columns hold.
    pub fn read(self) -> Found<Option<Deletion>> {
        let Some(status) = self.status else {
            return Ok(None);
        };
        Ok(Some(Deletion {
            status: DeletionStatus::from_name(&status).or_inconsistent("users", "deletion_status")?,
            requested_at: self
                .requested_at
                .or_inconsistent("users", "deletion_requested_at")?,
            scheduled_for: self
                .scheduled_for
                .or_inconsistent("users", "deletion_scheduled_for")?,
            cancelled_at: self.cancelled_at,
            finalized_at: self.finalized_at,
        }))
    }
}

/// The activity that a token's row names: empty unless it is a Live Activity's, since a column that may be
/// null cannot make the place unique.
pub fn activity_of(kind: &TokenKind) -> &str {
    kind.activity().map_or("", ActivityId::as_str)
}

/// The stream that a token's row names.
pub fn stream_of(kind: &TokenKind) -> Option<&str> {
    match kind {
        TokenKind::LiveActivity { stream, .. } => Some(stream.as_str()),
        TokenKind::Alert | TokenKind::PushToStart => None,
    }
}

/// What a token may be used for, from its row's three columns.
pub fn token_kind(name: &str, activity: String, stream: Option<String>) -> Found<TokenKind> {
    const TABLE: &str = "push_tokens";
    match name {
        "alert" => Ok(TokenKind::Alert),
        "push_to_start" => Ok(TokenKind::PushToStart),
        "live_activity" => Ok(TokenKind::LiveActivity {
            activity: ActivityId::parse(activity).or_inconsistent(TABLE, "activity_id")?,
            stream: stream
                .and_then(|stream| StreamId::parse(stream).ok())
                .or_inconsistent(TABLE, "stream_id")?,
        }),
        _ => Err(inconsistent(TABLE, "kind")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_token_reads_back_from_its_columns() {
        let kinds = [
            TokenKind::Alert,
            TokenKind::PushToStart,
            TokenKind::LiveActivity {
                activity: ActivityId::parse("activity").expect("text"),
                stream: StreamId::parse("stream").expect("text"),
            },
        ];
        for kind in kinds {
            let stream = stream_of(&kind).map(str::to_owned);
            assert_eq!(
                token_kind(kind.name(), activity_of(&kind).to_owned(), stream),
                Ok(kind)
            );
        }
        assert_eq!(
            token_kind("live_activity", "activity".to_owned(), None),
            Err(inconsistent("push_tokens", "stream_id"))
        );
        assert_eq!(
            token_kind("pager", String::new(), None),
            Err(inconsistent("push_tokens", "kind"))
        );
    }

    #[test]
    fn half_an_end_is_no_end() {
        let at = Timestamp::from_micros(7);
        assert_eq!(ended(Some(at), Some("logout")), Ok(Some((at, EndReason::Logout))));
        assert_eq!(ended(None, None), Ok(None));
        assert_eq!(ended(Some(at), None), Err(inconsistent("sessions", "ended_at")));
        assert_eq!(
            ended(Some(at), Some("boredom")),
            Err(inconsistent("sessions", "end_reason"))
        );
    }

    #[test]
    fn a_deletion_reads_back_and_half_of_one_does_not() {
        let at = Timestamp::from_micros(7);
        let deletion = Deletion {
            status: DeletionStatus::Cancelled,
            requested_at: at,
            scheduled_for: Timestamp::from_micros(8),
            cancelled_at: Some(at),
            finalized_at: None,
        };
        assert_eq!(DeletionParts::of(Some(&deletion)).read(), Ok(Some(deletion)));
        assert_eq!(DeletionParts::of(None).read(), Ok(None));
        let half = DeletionParts {
            requested_at: None,
            ..DeletionParts::of(Some(&deletion))
        };
        assert_eq!(half.read(), Err(inconsistent("users", "deletion_requested_at")));
    }
}
