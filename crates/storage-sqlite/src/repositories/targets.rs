//! What messages ring.

use std::collections::BTreeMap;

use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::Sqlite;
use doorbell_domain::job::{CredentialId, Held, Target};
use doorbell_domain::message::Audience;
use doorbell_domain::store::Found;
use doorbell_domain::suspicion::PROBE_AFTER;
use doorbell_domain::{DeviceStatus, PhoneNumber, Timestamp};
use doorbell_storage::parts;

use super::Repositories;
use crate::lists;
use crate::rows::{SubscriptionRow, TokenRow};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant, Json};

const TOKENS: &str = "push_tokens";
const SUBSCRIPTIONS: &str = "subscriptions";

type TokenTypes = SqlTypeOf<<TokenRow as Selectable<Sqlite>>::SelectExpression>;
type SubscriptionTypes = SqlTypeOf<<SubscriptionRow as Selectable<Sqlite>>::SelectExpression>;

statement! {
    /// Finds what can be rung on the devices that an audience names, each once.
    struct Reachable<'a> { users: Json, devices: Json, phones: Json, suspect_until: Instant } -> { (Text, Binary) }
    "WITH named (id) AS MATERIALIZED (\
        SELECT d.id FROM json_each(?) AS j CROSS JOIN devices AS d ON d.user_id = unhex(j.value) \
        UNION SELECT unhex(j.value) FROM json_each(?) AS j \
        UNION SELECT d.id FROM json_each(?) AS j CROSS JOIN users AS u ON u.phone = j.value \
            CROSS JOIN devices AS d ON d.user_id = u.id) \
     SELECT t.provider, t.id FROM named CROSS JOIN devices AS d ON d.id = named.id \
        CROSS JOIN push_tokens AS t ON t.device_id = d.id CROSS JOIN sessions AS s ON s.id = t.session_id \
        WHERE d.status = 'active' AND t.kind = 'alert' AND s.ended_at IS NULL \
     UNION ALL SELECT w.provider, w.id FROM named CROSS JOIN devices AS d ON d.id = named.id \
        CROSS JOIN subscriptions AS w ON w.device_id = d.id CROSS JOIN sessions AS s ON s.id = w.session_id \
        WHERE d.status = 'active' AND s.ended_at IS NULL AND (w.suspect_at IS NULL OR w.suspect_at <= ?)"
    [Text = users, Text = devices, Text = phones, BigInt = suspect_until]
}

statement! {
    /// Loads tokens, with when their session ended and whether their device is active.
    struct Tokens<'a> { ids: Json } -> { (TokenTypes, Nullable<BigInt>, Text) }
    "SELECT t.id, t.user_id, t.device_id, t.session_id, t.provider, t.app, t.kind, t.activity_id, t.stream_id, \
        t.value_hash, t.sealed, t.created_at, t.updated_at, s.ended_at, d.status \
     FROM json_each(?) AS j CROSS JOIN push_tokens AS t ON t.id = unhex(j.value) \
        CROSS JOIN devices AS d ON d.id = t.device_id CROSS JOIN sessions AS s ON s.id = t.session_id"
    [Text = ids]
}

statement! {
    /// Loads subscriptions, with when their session ended and whether their device is active.
    struct Subscriptions<'a> { ids: Json } -> { (SubscriptionTypes, Nullable<BigInt>, Text) }
    "SELECT w.id, w.user_id, w.device_id, w.session_id, w.endpoint_hash, w.sealed_endpoint, w.sealed_keys, \
        w.vapid_key, w.device_name, w.user_agent, w.created_at, w.last_used_at, w.suspect_at, s.ended_at, d.status \
     FROM json_each(?) AS j CROSS JOIN subscriptions AS w ON w.id = unhex(j.value) \
        CROSS JOIN devices AS d ON d.id = w.device_id CROSS JOIN sessions AS s ON s.id = w.session_id"
    [Text = ids]
}

/// What was found of credentials; `None` for what cannot be read.
pub(super) type HeldByCredential = BTreeMap<CredentialId, Option<Held>>;

/// Rows, kept apart by their tables.
pub(super) struct Rows {
    pub(super) tokens: Vec<Id>,
    pub(super) subscriptions: Vec<Id>,
}

impl Rows {
    pub(super) fn of(credentials: impl IntoIterator<Item = CredentialId>) -> Self {
        let (mut tokens, mut subscriptions) = (Vec::new(), Vec::new());
        for credential in credentials {
            match credential {
                CredentialId::Apns(id) | CredentialId::Fcm(id) => tokens.push(id.into()),
                CredentialId::WebPush(id) => subscriptions.push(id.into()),
            }
        }
        Self {
            tokens,
            subscriptions,
        }
    }
}

impl Repositories<'_> {
    pub(super) fn targets_of(&mut self, audience: &Audience, now: Timestamp) -> Found<Vec<Target>> {
        let find = Reachable {
            users: &lists::ids(audience.users().iter().copied()),
            devices: &lists::ids(audience.devices().iter().copied()),
            phones: &lists::texts(audience.phones().iter().map(PhoneNumber::e164)),
            suspect_until: &Instant(now - PROBE_AFTER),
        };
        let found: Vec<(String, Id)> = find.load(self.connection).around("devices")?;
        let found: Found<Vec<CredentialId>> = found
            .into_iter()
            .map(|(provider, row)| parts::credential(&provider, row.0, TOKENS))
            .collect();
        let held = self.held(found?)?.into_values().flatten();
        let mut targets: Vec<Target> = held.map(|held| held.target).collect();
        targets.sort_by_key(|target| (target.device(), target.credential().row()));
        Ok(targets)
    }

    /// What there is of those credentials; `None` for what cannot be read.
    pub(super) fn held(
        &mut self,
        credentials: impl IntoIterator<Item = CredentialId>,
    ) -> Found<HeldByCredential> {
        let rows = Rows::of(credentials);
        let mut held = BTreeMap::new();
        if !rows.tokens.is_empty() {
            self.held_tokens(rows.tokens, &mut held)?;
        }
        if !rows.subscriptions.is_empty() {
            self.held_subscriptions(rows.subscriptions, &mut held)?;
        }
        Ok(held)
    }

    fn held_tokens(&mut self, ids: Vec<Id>, held: &mut HeldByCredential) -> Found<()> {
        let load = Tokens {
            ids: &lists::ids(ids),
        };
        let rows: Vec<(TokenRow, Option<Instant>, String)> = load.load(self.connection).around(TOKENS)?;
        for (row, ended_at, status) in rows {
            let id = parts::credential(row.provider(), row.id.0, TOKENS)?;
            let target = row.open(ended_at, self.vault).map(Target::Token);
            held.insert(id, readable(target, &status));
        }
        Ok(())
    }

    fn held_subscriptions(&mut self, ids: Vec<Id>, held: &mut HeldByCredential) -> Found<()> {
        let load = Subscriptions {
            ids: &lists::ids(ids),
        };
        let rows: Vec<(SubscriptionRow, Option<Instant>, String)> =
            load.load(self.connection).around(SUBSCRIPTIONS)?;
        for (row, ended_at, status) in rows {
            let id = CredentialId::WebPush(row.id.into());
            let target = row.open(ended_at, self.vault).map(Target::Subscription);
            held.insert(id, readable(target, &status));
        }
        Ok(())
    }
}

/// One that cannot be read must not keep the others from being rung.
fn readable(target: Found<Target>, status: &str) -> Option<Held> {
    match target {
        Ok(target) => Some(Held {
            target,
            device_revoked: status != DeviceStatus::Active.name(),
        }),
        Err(error) => {
            tracing::warn!(%error, "a credential cannot be read");
            None
        }
    }
}
