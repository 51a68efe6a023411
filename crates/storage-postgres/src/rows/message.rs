//! Messages, and the keys by which they are sent.

use std::sync::Arc;

use diesel::prelude::*;
use doorbell_domain::api_key::ApiKey;
use doorbell_domain::message::{CollapseKey, Message};
use doorbell_domain::store::Found;
use doorbell_domain::{ApiKeyId, MessageId};
use doorbell_storage::{Vault, parts};
use uuid::Uuid;

use super::instant;
use crate::moment::Moment;
use crate::schema::{api_keys, messages};

#[derive(Queryable, Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub(crate) struct MessageRow {
    pub(crate) id: Uuid,
    api_key: Option<Uuid>,
    sealed: Vec<u8>,
    urgency: String,
    collapse_key: Option<String>,
    ttl: i64,
    created_at: Moment,
    send_at: Moment,
    cancelled_at: Option<Moment>,
    jobs: i64,
    open_jobs: i64,
}

impl MessageRow {
    /// The row of a message of so many jobs, none of which is over.
    pub(crate) fn of(message: &Message, jobs: i64, vault: &Vault) -> Found<Self> {
        let collapse_key = message.collapse_key.as_ref();
        Ok(Self {
            id: message.id.uuid(),
            api_key: message.api_key.map(ApiKeyId::uuid),
            sealed: vault.seal_message(message.id, &message.content)?,
            urgency: message.urgency.name().to_owned(),
            collapse_key: collapse_key.map(CollapseKey::as_str).map(str::to_owned),
            ttl: message.ttl.seconds().into(),
            created_at: Moment(message.created_at),
            send_at: Moment(message.send_at),
            cancelled_at: None,
            jobs,
            open_jobs: jobs,
        })
    }

    /// Whether it was taken back.
    pub(crate) const fn taken_back(&self) -> bool {
        self.cancelled_at.is_some()
    }

    pub(crate) fn read(self, vault: &Vault) -> Found<Arc<Message>> {
        let id = MessageId::from_uuid(self.id);
        Ok(Arc::new(Message {
            id,
            api_key: self.api_key.map(ApiKeyId::from_uuid),
            content: vault.open_message(id, &self.sealed)?,
            urgency: parts::urgency(&self.urgency)?,
            collapse_key: parts::collapse_key(self.collapse_key)?,
            ttl: parts::ttl(self.ttl)?,
            created_at: self.created_at.0,
            send_at: self.send_at.0,
        }))
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(crate) struct ApiKeyRow {
    id: Uuid,
    name: String,
    hash: Vec<u8>,
    created_at: Moment,
    revoked_at: Option<Moment>,
}

impl ApiKeyRow {
    pub(crate) fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.uuid(),
            name: key.name.as_str().to_owned(),
            hash: key.hash.as_bytes().to_vec(),
            created_at: Moment(key.created_at),
            revoked_at: key.revoked_at.map(Moment),
        }
    }

    pub(crate) fn read(self) -> Found<ApiKey> {
        Ok(ApiKey {
            id: ApiKeyId::from_uuid(self.id),
            name: parts::api_key_name(self.name)?,
            hash: parts::api_key_hash(&self.hash)?,
            created_at: self.created_at.0,
            revoked_at: instant(self.revoked_at),
        })
    }
}
