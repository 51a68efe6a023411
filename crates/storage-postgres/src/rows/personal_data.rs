//! What an export shows of rows, without what is sealed or hashed in them.

use diesel::prelude::*;
use doorbell_domain::personal_data::{HeldToken, SentCode};
use doorbell_domain::store::Found;
use doorbell_domain::text::AppName;
use doorbell_domain::{DeviceUid, Provider, SessionId, TokenId};
use doorbell_storage::{OrInconsistent, parts};
use uuid::Uuid;

use super::instant;
use crate::moment::Moment;
use crate::schema::{otp_sessions, push_tokens};

#[derive(Queryable, Selectable)]
#[diesel(table_name = push_tokens)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(crate) struct HeldTokenRow {
    id: Uuid,
    device_id: Uuid,
    session_id: Uuid,
    provider: String,
    app: String,
    kind: String,
    activity_id: String,
    stream_id: Option<String>,
    created_at: Moment,
    updated_at: Moment,
}

impl HeldTokenRow {
    pub(crate) fn read(self) -> Found<HeldToken> {
        const TABLE: &str = "push_tokens";
        Ok(HeldToken {
            id: TokenId::from_uuid(self.id),
            device: DeviceUid::from_uuid(self.device_id),
            session: SessionId::from_uuid(self.session_id),
            provider: Provider::from_name(&self.provider).or_inconsistent(TABLE, "provider")?,
            app: AppName::parse(self.app).or_inconsistent(TABLE, "app")?,
            kind: parts::token_kind(&self.kind, self.activity_id, self.stream_id)?,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = otp_sessions)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub(crate) struct SentCodeRow {
    purpose: String,
    created_at: Moment,
    expires_at: Moment,
    attempts: i64,
    used_at: Option<Moment>,
    superseded_at: Option<Moment>,
}

impl SentCodeRow {
    pub(crate) fn read(self) -> Found<SentCode> {
        const TABLE: &str = "otp_sessions";
        Ok(SentCode {
            purpose: parts::purpose(&self.purpose, TABLE)?,
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
            attempts: parts::count(self.attempts, TABLE, "attempts")?,
            used_at: instant(self.used_at),
            superseded_at: instant(self.superseded_at),
        })
    }
}
