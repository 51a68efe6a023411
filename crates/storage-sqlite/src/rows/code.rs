//! `otp_sessions`.

use diesel::prelude::*;
use doorbell_domain::OtpSession;
use doorbell_domain::code::CodeHash;
use doorbell_domain::store::{Found, StoreError};
use doorbell_storage::{OrInconsistent, parts};

use crate::schema::otp_sessions;
use crate::values::{Id, Instant};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = otp_sessions, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct CodeRow {
    id: Id,
    phone: String,
    country_code: i32,
    purpose: String,
    key_id: String,
    mac: Vec<u8>,
    created_at: Instant,
    expires_at: Instant,
    attempts: i64,
    used_at: Option<Instant>,
}

impl From<&OtpSession> for CodeRow {
    fn from(code: &OtpSession) -> Self {
        Self {
            id: code.id.into(),
            phone: code.phone.e164(),
            country_code: code.phone.country_code().into(),
            purpose: code.purpose.name().to_owned(),
            key_id: code.hash.key_id.clone(),
            mac: code.hash.mac.to_vec(),
            created_at: code.created_at.into(),
            expires_at: code.expires_at.into(),
            attempts: code.attempts.into(),
            used_at: code.used_at.map(Instant),
        }
    }
}

impl TryFrom<CodeRow> for OtpSession {
    type Error = StoreError;

    fn try_from(row: CodeRow) -> Found<Self> {
        const TABLE: &str = "otp_sessions";
        Ok(Self {
            id: row.id.into(),
            phone: parts::phone(&row.phone, row.country_code, TABLE)?,
            purpose: parts::purpose(&row.purpose, TABLE)?,
            hash: CodeHash {
                key_id: row.key_id,
                mac: row.mac.try_into().or_inconsistent(TABLE, "mac")?,
            },
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            attempts: parts::count(row.attempts, TABLE, "attempts")?,
            used_at: row.used_at.map(Into::into),
        })
    }
}
