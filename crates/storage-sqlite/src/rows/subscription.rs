//! `subscriptions`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use doorbell_domain::Subscription;
use doorbell_domain::store::Found;
use doorbell_domain::text;
use doorbell_storage::{Vault, parts};

use crate::schema::subscriptions;
use crate::statement::statement;
use crate::values::{Id, Instant};

#[derive(Queryable, Selectable)]
#[diesel(table_name = subscriptions)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct SubscriptionRow {
    pub(crate) id: Id,
    user_id: Id,
    device_id: Id,
    session_id: Id,
    endpoint_hash: Vec<u8>,
    sealed_endpoint: Vec<u8>,
    sealed_keys: Vec<u8>,
    vapid_key: String,
    device_name: Option<String>,
    user_agent: Option<String>,
    created_at: Instant,
    last_used_at: Instant,
    suspect_at: Option<Instant>,
}

statement! {
    /// Writes a subscription whole, by its id.
    struct UpsertSubscription<'a> { row: SubscriptionRow }
    "INSERT INTO subscriptions (id, user_id, device_id, session_id, endpoint_hash, sealed_endpoint, sealed_keys, \
        vapid_key, device_name, user_agent, created_at, last_used_at, suspect_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (id) DO UPDATE SET session_id = excluded.session_id, sealed_keys = excluded.sealed_keys, \
        vapid_key = excluded.vapid_key, device_name = excluded.device_name, user_agent = excluded.user_agent, \
        last_used_at = excluded.last_used_at, suspect_at = excluded.suspect_at"
    [
        Binary = row.id, Binary = row.user_id, Binary = row.device_id, Binary = row.session_id,
        Binary = row.endpoint_hash, Binary = row.sealed_endpoint, Binary = row.sealed_keys,
        Text = row.vapid_key, Nullable<Text> = row.device_name, Nullable<Text> = row.user_agent,
        BigInt = row.created_at, BigInt = row.last_used_at, Nullable<BigInt> = row.suspect_at,
    ]
}

impl SubscriptionRow {
    pub(crate) fn of(subscription: &Subscription, vault: &Vault) -> Found<Self> {
        let text = |text: &Option<text::Text>| text.as_ref().map(|text| text.as_str().to_owned());
        let hash = subscription.endpoint.address().hash;
        Ok(Self {
            id: subscription.id.into(),
            user_id: subscription.user.into(),
            device_id: subscription.device.into(),
            session_id: subscription.session.into(),
            endpoint_hash: hash.as_bytes().to_vec(),
            sealed_endpoint: vault.seal_endpoint(subscription.id, &subscription.endpoint)?,
            sealed_keys: vault.seal_keys(subscription.id, &subscription.keys)?,
            vapid_key: subscription.vapid_key.clone(),
            device_name: text(&subscription.device_name),
            user_agent: text(&subscription.user_agent),
            created_at: subscription.created_at.into(),
            last_used_at: subscription.last_used_at.into(),
            suspect_at: subscription.suspect_at.map(Instant),
        })
    }

    /// The subscription, given when its session ended.
    pub(crate) fn open(self, session_ended_at: Option<Instant>, vault: &Vault) -> Found<Subscription> {
        const TABLE: &str = "subscriptions";
        let id = self.id.into();
        Ok(Subscription {
            id,
            user: self.user_id.into(),
            device: self.device_id.into(),
            session: self.session_id.into(),
            session_ended: session_ended_at.is_some(),
            endpoint: vault.open_endpoint(id, &self.sealed_endpoint)?,
            keys: vault.open_keys(id, &self.sealed_keys)?,
            vapid_key: self.vapid_key,
            device_name: parts::optional(self.device_name, text::Text::parse, TABLE, "device_name")?,
            user_agent: parts::optional(self.user_agent, text::Text::parse, TABLE, "user_agent")?,
            created_at: self.created_at.into(),
            last_used_at: self.last_used_at.into(),
            suspect_at: self.suspect_at.map(Into::into),
        })
    }
}
