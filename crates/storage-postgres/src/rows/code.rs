//! One-time codes, keys, and the audit trail.

use diesel::prelude::*;
use doorbell_domain::code::CodeHash;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::store::{Found, StoredKey, TrailLine};
use doorbell_domain::{AuditId, DeviceUid, OtpSession, OtpSessionId, SessionId};
use doorbell_storage::{OrInconsistent, parts};
use uuid::Uuid;

use super::instant;
use crate::moment::Moment;
use crate::schema::{keys, otp_sessions};

#[derive(Queryable, Insertable)]
#[diesel(table_name = otp_sessions, treat_none_as_default_value = false)]
pub(crate) struct OtpRow {
    id: Uuid,
    phone: String,
    country_code: i16,
    purpose: String,
    key_id: String,
    mac: Vec<u8>,
    created_at: Moment,
    expires_at: Moment,
    attempts: i64,
    used_at: Option<Moment>,
    superseded_at: Option<Moment>,
}

impl OtpRow {
    /// The row of a current code.
    pub(crate) fn of(code: &OtpSession) -> Found<Self> {
        let country_code = i16::try_from(code.phone.country_code());
        Ok(Self {
            id: code.id.uuid(),
            phone: code.phone.e164(),
            country_code: country_code.or_inconsistent("otp_sessions", "country_code")?,
            purpose: code.purpose.name().to_owned(),
            key_id: code.hash.key_id.clone(),
            mac: code.hash.mac.to_vec(),
            created_at: Moment(code.created_at),
            expires_at: Moment(code.expires_at),
            attempts: i64::from(code.attempts),
            used_at: code.used_at.map(Moment),
            superseded_at: None,
        })
    }

    pub(crate) fn read(self) -> Found<OtpSession> {
        const TABLE: &str = "otp_sessions";
        Ok(OtpSession {
            id: OtpSessionId::from_uuid(self.id),
            phone: parts::phone(&self.phone, i32::from(self.country_code), TABLE)?,
            purpose: parts::purpose(&self.purpose, TABLE)?,
            hash: CodeHash {
                key_id: self.key_id,
                mac: self.mac.as_slice().try_into().or_inconsistent(TABLE, "mac")?,
            },
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
            attempts: parts::count(self.attempts, TABLE, "attempts")?,
            used_at: instant(self.used_at),
        })
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
pub(crate) struct KeyRow {
    id: Uuid,
    usage: String,
    sealed: Vec<u8>,
    created_at: Moment,
    starts_at: Option<Moment>,
    retires_at: Option<Moment>,
}

impl KeyRow {
    pub(crate) fn of(key: &StoredKey) -> Self {
        Self {
            id: key.id,
            usage: key.usage.name().to_owned(),
            sealed: key.sealed.clone(),
            created_at: Moment(key.created_at),
            starts_at: Some(Moment(key.life.starts_at)),
            retires_at: key.life.retires_at.map(Moment),
        }
    }

    pub(crate) fn read(self) -> Found<StoredKey> {
        Ok(StoredKey {
            id: self.id,
            usage: parts::key_use(&self.usage, "keys")?,
            sealed: self.sealed,
            created_at: self.created_at.0,
            life: KeyLife {
                starts_at: instant(self.starts_at).unwrap_or(self.created_at.0),
                retires_at: instant(self.retires_at),
            },
        })
    }
}

/// What the trail shows of an audit line.
#[derive(Queryable)]
pub(crate) struct TrailRow {
    id: Uuid,
    at: Moment,
    action: String,
    session_id: Option<Uuid>,
    device_id: Option<Uuid>,
    reason: Option<String>,
}

impl TrailRow {
    pub(crate) fn read(self) -> TrailLine {
        TrailLine {
            id: AuditId::from_uuid(self.id),
            at: self.at.0,
            action: self.action,
            session: self.session_id.map(SessionId::from_uuid),
            device: self.device_id.map(DeviceUid::from_uuid),
            reason: self.reason,
        }
    }
}
