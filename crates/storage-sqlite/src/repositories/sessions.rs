//! Sign-in sessions.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{Found, Sessions};
use doorbell_domain::text::Fingerprint;
use doorbell_domain::{Session, SessionId, Timestamp, UserId};

use super::Repositories;
use crate::rows::SessionRow;
use crate::schema::sessions;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "sessions";

statement! {
    /// Moves the counter on from its predecessor.
    struct Rotate<'a> {
        id: Id, before: i64, counter: i64, rotated_at: Instant, last_used_at: Instant, expires_at: Instant,
    }
    "UPDATE sessions SET counter = ?, rotated_at = ?, last_used_at = ?, expires_at = ? WHERE id = ? AND counter = ?"
    [
        BigInt = counter, BigInt = rotated_at, BigInt = last_used_at, BigInt = expires_at,
        Binary = id, BigInt = before,
    ]
}

statement! {
    /// Pins a first fingerprint.
    struct Pin<'a> { id: Id, fingerprint: str }
    "UPDATE sessions SET fingerprint = ? WHERE id = ? AND fingerprint IS NULL"
    [Text = fingerprint, Binary = id]
}

statement! {
    /// Ends a session that has not ended.
    struct End<'a> { id: Id, at: Instant, reason: &'static str }
    "UPDATE sessions SET ended_at = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL"
    [BigInt = at, Text = reason, Binary = id]
}

impl Sessions for Repositories<'_> {
    fn insert_session(&mut self, session: &Session) -> Found<()> {
        diesel::insert_into(sessions::table)
            .values(&SessionRow::from(session))
            .execute(self.connection)
            .around(TABLE)
            .map(drop)
    }

    fn lock_session(&mut self, id: SessionId) -> Found<Option<Session>> {
        let row: Option<SessionRow> = sessions::table
            .find(Id::from(id))
            .select(SessionRow::as_select())
            .first(self.connection)
            .optional()
            .around(TABLE)?;
        row.map(Session::try_from).transpose()
    }

    fn rotate_session(&mut self, session: &Session) -> Found<bool> {
        let counter = i64::from(session.counter);
        let rotate = Rotate {
            id: &session.id.into(),
            before: &(counter - 1),
            counter: &counter,
            rotated_at: &session.rotated_at.into(),
            last_used_at: &session.last_used_at.into(),
            expires_at: &session.expires_at.into(),
        };
        rotate.execute(self.connection).around(TABLE).map(|rows| rows > 0)
    }

    fn pin_fingerprint(&mut self, id: SessionId, fingerprint: &Fingerprint) -> Found<bool> {
        let pin = Pin {
            id: &id.into(),
            fingerprint: fingerprint.as_str(),
        };
        pin.execute(self.connection).around(TABLE).map(|rows| rows > 0)
    }

    fn end_session(&mut self, id: SessionId, at: Timestamp, reason: EndReason) -> Found<bool> {
        let end = End {
            id: &id.into(),
            at: &at.into(),
            reason: &reason.name(),
        };
        end.execute(self.connection).around(TABLE).map(|rows| rows > 0)
    }

    fn end_sessions_of(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        at: Timestamp,
        reason: EndReason,
    ) -> Found<Vec<SessionId>> {
        let alive: Vec<Id> = sessions::table
            .filter(sessions::user_id.eq(Id::from(user)))
            .filter(sessions::ended_at.is_null())
            .order(sessions::id)
            .select(sessions::id)
            .load(self.connection)
            .around(TABLE)?;
        let ended: Vec<SessionId> = alive
            .into_iter()
            .map(SessionId::from)
            .filter(|id| Some(*id) != except)
            .collect();
        for id in &ended {
            self.end_session(*id, at, reason)?;
        }
        Ok(ended)
    }
}
