//! `messages`.

use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use doorbell_domain::ApiKeyId;
use doorbell_domain::message::Message;
use doorbell_domain::store::{Found, StoreError};
use doorbell_storage::{Vault, parts};

use crate::schema::messages;
use crate::values::{Id, Instant};

/// The types of a [`MessageRow`]'s columns.
pub(crate) type MessageTypes = SqlTypeOf<<MessageRow as Selectable<Sqlite>>::SelectExpression>;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
#[diesel(check_for_backend(Sqlite))]
pub(crate) struct MessageRow {
    pub(crate) id: Id,
    api_key: Option<Id>,
    sealed: Vec<u8>,
    urgency: String,
    collapse_key: Option<String>,
    ttl: i64,
    created_at: Instant,
    send_at: Instant,
    pub(crate) cancelled_at: Option<Instant>,
    jobs: i64,
    open_jobs: i64,
}

impl MessageRow {
    /// The row of a message that was accepted with so many jobs, none of which is over.
    pub(crate) fn of(message: &Message, jobs: usize, vault: &Vault) -> Found<Self> {
        let jobs = i64::try_from(jobs).map_err(|_| StoreError::Failed("too many jobs".to_owned()))?;
        Ok(Self {
            id: message.id.into(),
            api_key: message.api_key.map(Id::from),
            sealed: vault.seal_message(message.id, &message.content)?,
            urgency: message.urgency.name().to_owned(),
            collapse_key: message.collapse_key.as_ref().map(|key| key.as_str().to_owned()),
            ttl: message.ttl.seconds().into(),
            created_at: message.created_at.into(),
            send_at: message.send_at.into(),
            cancelled_at: None,
            jobs,
            open_jobs: jobs,
        })
    }

    /// The message.
    pub(crate) fn open(self, vault: &Vault) -> Found<Message> {
        let id = self.id.into();
        Ok(Message {
            id,
            api_key: self.api_key.map(ApiKeyId::from),
            content: vault.open_message(id, &self.sealed)?,
            urgency: parts::urgency(&self.urgency)?,
            collapse_key: parts::collapse_key(self.collapse_key)?,
            ttl: parts::ttl(self.ttl)?,
            created_at: self.created_at.into(),
            send_at: self.send_at.into(),
        })
    }
}
