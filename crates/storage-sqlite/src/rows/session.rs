//! `sessions`.

use diesel::prelude::*;
use doorbell_domain::Session;
use doorbell_domain::store::{Found, StoreError};
use doorbell_domain::text::{DeviceId, Fingerprint, Text};
use doorbell_storage::{OrInconsistent, parts};

use crate::schema::sessions;
use crate::values::{Id, Instant};

/// Its fields stand in the order of the table's columns, so that it can be read from an alias of the table too.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct SessionRow {
    id: Id,
    user_id: Id,
    counter: i64,
    salt: Vec<u8>,
    rotated_at: Instant,
    fingerprint: Option<String>,
    device_id: Option<String>,
    user_agent: Option<String>,
    ip: Option<String>,
    created_at: Instant,
    last_used_at: Instant,
    expires_at: Instant,
    absolute_expires_at: Instant,
    ended_at: Option<Instant>,
    end_reason: Option<String>,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.into(),
            user_id: session.user.into(),
            counter: session.counter.into(),
            salt: session.salt.to_vec(),
            rotated_at: session.rotated_at.into(),
            fingerprint: session.fingerprint.as_ref().map(|f| f.as_str().to_owned()),
            device_id: session.device_id.as_ref().map(|d| d.as_str().to_owned()),
            user_agent: session.user_agent.as_ref().map(|u| u.as_str().to_owned()),
            ip: session.ip.map(|ip| ip.to_string()),
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
            expires_at: session.expires_at.into(),
            absolute_expires_at: session.absolute_expires_at.into(),
            ended_at: session.ended.map(|(at, _)| at.into()),
            end_reason: session.ended.map(|(_, reason)| reason.name().to_owned()),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Found<Self> {
        const TABLE: &str = "sessions";
        Ok(Self {
            id: row.id.into(),
            user: row.user_id.into(),
            counter: parts::count(row.counter, TABLE, "counter")?,
            salt: row.salt.try_into().or_inconsistent(TABLE, "salt")?,
            rotated_at: row.rotated_at.into(),
            fingerprint: parts::optional(row.fingerprint, Fingerprint::parse, TABLE, "fingerprint")?,
            device_id: parts::optional(row.device_id, DeviceId::parse, TABLE, "device_id")?,
            user_agent: parts::optional(row.user_agent, Text::parse, TABLE, "user_agent")?,
            ip: parts::optional(row.ip, |ip| ip.parse(), TABLE, "ip")?,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.into(),
            expires_at: row.expires_at.into(),
            absolute_expires_at: row.absolute_expires_at.into(),
            ended: parts::ended(row.ended_at.map(Into::into), row.end_reason.as_deref())?,
        })
    }
}
