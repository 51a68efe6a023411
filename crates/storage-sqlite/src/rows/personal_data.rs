//! What an export shows of `push_tokens` and `otp_sessions`, without what is sealed or hashed in them.

use diesel::prelude::*;
use doorbell_domain::Provider;
use doorbell_domain::personal_data::{HeldToken, SentCode};
use doorbell_domain::store::{Found, StoreError};
use doorbell_domain::text::AppName;
use doorbell_storage::{OrInconsistent, parts};

use crate::schema::{otp_sessions, push_tokens};
use crate::values::{Id, Instant};

#[derive(Queryable, Selectable)]
#[diesel(table_name = push_tokens)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct HeldTokenRow {
    id: Id,
    device_id: Id,
    session_id: Id,
    provider: String,
    app: String,
    kind: String,
    activity_id: String,
    stream_id: Option<String>,
    created_at: Instant,
    updated_at: Instant,
}

impl TryFrom<HeldTokenRow> for HeldToken {
    type Error = StoreError;

    fn try_from(row: HeldTokenRow) -> Found<Self> {
        const TABLE: &str = "push_tokens";
        Ok(Self {
            id: row.id.into(),
            device: row.device_id.into(),
            session: row.session_id.into(),
            provider: Provider::from_name(&row.provider).or_inconsistent(TABLE, "provider")?,
            app: AppName::parse(row.app).or_inconsistent(TABLE, "app")?,
            kind: parts::token_kind(&row.kind, row.activity_id, row.stream_id)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = otp_sessions)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct SentCodeRow {
    purpose: String,
    created_at: Instant,
    expires_at: Instant,
    attempts: i64,
    used_at: Option<Instant>,
    superseded_at: Option<Instant>,
}

impl TryFrom<SentCodeRow> for SentCode {
    type Error = StoreError;

    fn try_from(row: SentCodeRow) -> Found<Self> {
        const TABLE: &str = "otp_sessions";
        Ok(Self {
            purpose: parts::purpose(&row.purpose, TABLE)?,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            attempts: parts::count(row.attempts, TABLE, "attempts")?,
            used_at: row.used_at.map(Into::into),
            superseded_at: row.superseded_at.map(Into::into),
        })
    }
}
