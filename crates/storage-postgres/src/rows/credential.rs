//! What a device is rung by.

use diesel::prelude::*;
use doorbell_domain::job::CredentialId;
use doorbell_domain::store::Found;
use doorbell_domain::text::{AppName, Text};
use doorbell_domain::{DeviceUid, Provider, SessionId, Subscription, SubscriptionId, Token, TokenId, UserId};
use doorbell_storage::parts::{self, optional};
use doorbell_storage::{OrInconsistent, Vault, inconsistent};
use uuid::Uuid;

use super::instant;
use crate::moment::Moment;

#[derive(Queryable)]
pub(crate) struct TokenRow {
    id: Uuid,
    user_id: Uuid,
    device_id: Uuid,
    session_id: Uuid,
    provider: String,
    app: String,
    kind: String,
    activity_id: String,
    stream_id: Option<String>,
    value_hash: Vec<u8>,
    sealed: Vec<u8>,
    created_at: Moment,
    updated_at: Moment,
}

impl TokenRow {
    /// What it is to a job.
    pub(crate) fn credential(&self) -> Found<CredentialId> {
        parts::credential(&self.provider, self.id, "push_tokens")
    }

    pub(crate) fn read(self, session_ended: bool, vault: &Vault) -> Found<Token> {
        const TABLE: &str = "push_tokens";
        let id = TokenId::from_uuid(self.id);
        let value = vault.open_token(id, &self.sealed)?;
        // The hash is what makes the value one user's: a row that lies about it would ring a stranger.
        if parts::value_hash(&self.value_hash, TABLE, "value_hash")? != value.hash() {
            return Err(inconsistent(TABLE, "value_hash"));
        }
        Ok(Token {
            id,
            user: UserId::from_uuid(self.user_id),
            device: DeviceUid::from_uuid(self.device_id),
            session: SessionId::from_uuid(self.session_id),
            session_ended,
            provider: Provider::from_name(&self.provider).or_inconsistent(TABLE, "provider")?,
            app: AppName::parse(self.app).or_inconsistent(TABLE, "app")?,
            kind: parts::token_kind(&self.kind, self.activity_id, self.stream_id)?,
            value,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

#[derive(Queryable)]
pub(crate) struct SubscriptionRow {
    id: Uuid,
    user_id: Uuid,
    device_id: Uuid,
    session_id: Uuid,
    provider: String,
    endpoint_hash: Vec<u8>,
    sealed_endpoint: Vec<u8>,
    sealed_keys: Vec<u8>,
    vapid_key: String,
    device_name: Option<String>,
    user_agent: Option<String>,
    created_at: Moment,
    last_used_at: Moment,
    suspect_at: Option<Moment>,
}

impl SubscriptionRow {
    /// What it is to a job.
    pub(crate) const fn credential(&self) -> CredentialId {
        CredentialId::WebPush(SubscriptionId::from_uuid(self.id))
    }

    pub(crate) fn read(self, session_ended: bool, vault: &Vault) -> Found<Subscription> {
        const TABLE: &str = "subscriptions";
        let id = SubscriptionId::from_uuid(self.id);
        let endpoint = vault.open_endpoint(id, &self.sealed_endpoint)?;
        let address = endpoint.address();
        if self.provider != address.provider.name() {
            return Err(inconsistent(TABLE, "provider"));
        }
        if parts::value_hash(&self.endpoint_hash, TABLE, "endpoint_hash")? != address.hash {
            return Err(inconsistent(TABLE, "endpoint_hash"));
        }
        Ok(Subscription {
            id,
            user: UserId::from_uuid(self.user_id),
            device: DeviceUid::from_uuid(self.device_id),
            session: SessionId::from_uuid(self.session_id),
            session_ended,
            endpoint,
            keys: vault.open_keys(id, &self.sealed_keys)?,
            vapid_key: self.vapid_key,
            device_name: optional(self.device_name, Text::parse, TABLE, "device_name")?,
            user_agent: optional(self.user_agent, Text::parse, TABLE, "user_agent")?,
            created_at: self.created_at.0,
            last_used_at: self.last_used_at.0,
            suspect_at: instant(self.suspect_at),
        })
    }
}
