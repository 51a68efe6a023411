//! Accounts and their sign-ins.

use diesel::prelude::*;
use doorbell_domain::store::Found;
use doorbell_domain::text::{DeviceId, Fingerprint, Text};
use doorbell_domain::{Session, SessionId, TimeZoneName, User, UserId};
use doorbell_storage::parts::{self, DeletionParts, optional};
use doorbell_storage::{OrInconsistent, document, inconsistent};
use serde_json::Value;
use uuid::Uuid;

use super::instant;
use crate::moment::Moment;
use crate::schema::{sessions, users};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct UserRow {
    id: Uuid,
    phone: Option<String>,
    country_code: Option<i16>,
    username: Option<String>,
    username_key: Option<String>,
    username_changed_at: Option<Moment>,
    profile: Value,
    signup_source: Option<String>,
    signup_campaign: Option<String>,
    timezone: Option<String>,
    deletion_status: Option<String>,
    deletion_requested_at: Option<Moment>,
    deletion_scheduled_for: Option<Moment>,
    deletion_cancelled_at: Option<Moment>,
    deletion_finalized_at: Option<Moment>,
    last_login_at: Moment,
    created_at: Moment,
    updated_at: Moment,
}

impl UserRow {
    pub(crate) fn of(user: &User) -> Found<Self> {
        let phone = user.phone.as_ref();
        let country_code = phone.map(|phone| i16::try_from(phone.country_code()));
        let username = user.profile.username.as_ref();
        let deletion = DeletionParts::of(user.deletion.as_ref());
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
        Ok(Self {
            id: user.id.uuid(),
            phone: phone.map(doorbell_domain::PhoneNumber::e164),
            country_code: country_code
                .transpose()
                .or_inconsistent("users", "country_code")?,
            username: username.map(|name| name.as_str().to_owned()),
            username_key: username.map(doorbell_domain::profile::Username::key),
            username_changed_at: user.username_changed_at.map(Moment),
            profile: document::profile(&user.profile)?,
            signup_source: text(&user.signup_source),
            signup_campaign: text(&user.signup_campaign),
            timezone: user.timezone.as_ref().map(|zone| zone.as_str().to_owned()),
            deletion_status: deletion.status,
            deletion_requested_at: deletion.requested_at.map(Moment),
            deletion_scheduled_for: deletion.scheduled_for.map(Moment),
            deletion_cancelled_at: deletion.cancelled_at.map(Moment),
            deletion_finalized_at: deletion.finalized_at.map(Moment),
            last_login_at: Moment(user.last_login_at),
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
        })
    }

    /// The number, as other tables know it.
    pub(crate) fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    pub(crate) fn read(self) -> Found<User> {
        let phone = match (self.phone, self.country_code) {
            (None, None) => None,
            (Some(phone), Some(code)) => Some(parts::phone(&phone, i32::from(code), "users")?),
            _ => return Err(inconsistent("users", "country_code")),
        };
        let deletion = DeletionParts {
            status: self.deletion_status,
            requested_at: instant(self.deletion_requested_at),
            scheduled_for: instant(self.deletion_scheduled_for),
            cancelled_at: instant(self.deletion_cancelled_at),
            finalized_at: instant(self.deletion_finalized_at),
        };
        Ok(User {
            id: UserId::from_uuid(self.id),
            phone,
            profile: document::read_profile(self.profile, self.username)?,
            username_changed_at: instant(self.username_changed_at),
            signup_source: optional(self.signup_source, Text::parse, "users", "signup_source")?,
            signup_campaign: optional(self.signup_campaign, Text::parse, "users", "signup_campaign")?,
            timezone: self.timezone.map(TimeZoneName::known),
            deletion: deletion.read()?,
            last_login_at: self.last_login_at.0,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct SessionRow {
    id: Uuid,
    user_id: Uuid,
    counter: i64,
    salt: Vec<u8>,
    rotated_at: Moment,
    fingerprint: Option<String>,
    device_id: Option<String>,
    user_agent: Option<String>,
    ip: Option<String>,
    created_at: Moment,
    last_used_at: Moment,
    expires_at: Moment,
    absolute_expires_at: Moment,
    ended_at: Option<Moment>,
    end_reason: Option<String>,
}

impl SessionRow {
    pub(crate) fn of(session: &Session) -> Self {
        Self {
            id: session.id.uuid(),
            user_id: session.user.uuid(),
            counter: i64::from(session.counter),
            salt: session.salt.to_vec(),
            rotated_at: Moment(session.rotated_at),
            fingerprint: session.fingerprint.as_ref().map(|f| f.as_str().to_owned()),
            device_id: session.device_id.as_ref().map(|d| d.as_str().to_owned()),
            user_agent: session.user_agent.as_ref().map(|a| a.as_str().to_owned()),
            ip: session.ip.map(|ip| ip.to_string()),
            created_at: Moment(session.created_at),
            last_used_at: Moment(session.last_used_at),
            expires_at: Moment(session.expires_at),
            absolute_expires_at: Moment(session.absolute_expires_at),
            ended_at: session.ended.map(|(at, _)| Moment(at)),
            end_reason: session.ended.map(|(_, reason)| reason.name().to_owned()),
        }
    }

    pub(crate) fn read(self) -> Found<Session> {
        const TABLE: &str = "sessions";
        Ok(Session {
            id: SessionId::from_uuid(self.id),
            user: UserId::from_uuid(self.user_id),
            counter: parts::count(self.counter, TABLE, "counter")?,
            salt: self.salt.as_slice().try_into().or_inconsistent(TABLE, "salt")?,
            rotated_at: self.rotated_at.0,
            fingerprint: optional(self.fingerprint, Fingerprint::parse, TABLE, "fingerprint")?,
            device_id: optional(self.device_id, DeviceId::parse, TABLE, "device_id")?,
            user_agent: optional(self.user_agent, Text::parse, TABLE, "user_agent")?,
            ip: optional(self.ip, |ip| ip.parse(), TABLE, "ip")?,
            created_at: self.created_at.0,
            last_used_at: self.last_used_at.0,
            expires_at: self.expires_at.0,
            absolute_expires_at: self.absolute_expires_at.0,
            ended: parts::ended(instant(self.ended_at), self.end_reason.as_deref())?,
        })
    }
}
