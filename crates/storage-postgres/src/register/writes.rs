//! The statements that write many rows at once.
//!
//! An update by `ON CONFLICT` leaves the columns alone that no update can change: rows that are referred to by
//! them are then locked no more than they must be, and the new version can stay on its page.

use diesel::sql_types::{Array, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::audit::AuditEvent;
use doorbell_domain::registration::{AddressClaim, SessionTouch};
use doorbell_domain::store::Found;
use doorbell_domain::{
    Address, Device, DeviceUid, SessionId, Subscription, TimeZoneName, Token, TokenId, UserId,
};
use doorbell_storage::{Vault, document, parts};
use serde_json::Value;
use uuid::Uuid;

use crate::addresses::columns;
use crate::moment::Moment;
use crate::statement::statement;

/// One column of many rows.
pub(super) fn column<T, C: FromIterator<U>, U>(rows: &[T], of: impl Fn(&T) -> U) -> C {
    rows.iter().map(of).collect()
}

pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

statement! {
    /// Removes tokens that still have the value they were seen with.
    RemoveTokens:
    "DELETE FROM push_tokens USING unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [hashes: Vec<Vec<u8>> => Array<Binary>]
    ") AS seen (id, value_hash)
    WHERE push_tokens.id = seen.id AND push_tokens.value_hash = seen.value_hash"
}

impl RemoveTokens {
    pub(crate) fn of(seen: &[(TokenId, Address)]) -> Self {
        Self {
            ids: column(seen, |(id, _)| id.uuid()),
            hashes: column(seen, |(_, address)| address.hash.as_bytes().to_vec()),
        }
    }
}

statement! {
    /// Gives addresses to new owners.
    MoveAddresses:
    "UPDATE push_addresses SET owner = claim.owner, moved_at = claim.moved_at FROM unnest("
    [providers: Vec<&'static str> => Array<Text>] ", " [hashes: Vec<Vec<u8>> => Array<Binary>] ", "
    [owners: Vec<Uuid> => Array<SqlUuid>] ", " [moved_at: Vec<Moment> => Array<Timestamptz>]
    ") AS claim (provider, value_hash, owner, moved_at)
    WHERE push_addresses.provider = claim.provider AND push_addresses.value_hash = claim.value_hash"
}

impl MoveAddresses {
    pub(crate) fn of(claims: &[AddressClaim]) -> Self {
        let addresses: Vec<Address> = column(claims, |claim| claim.address);
        let (providers, hashes) = columns(&addresses);
        Self {
            providers,
            hashes,
            owners: column(claims, |claim| claim.owner.uuid()),
            moved_at: column(claims, |claim| Moment(claim.at)),
        }
    }
}

statement! {
    /// Writes new devices, or any that are there, whole.
    UpsertDevices:
    "INSERT INTO devices (id, user_id, device_id, platform, environment, status, timezone, mobile, web,
        created_at, updated_at, last_seen_at, last_used_at) SELECT * FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [users: Vec<Uuid> => Array<SqlUuid>] ", "
    [names: Vec<String> => Array<Text>] ", " [platforms: Vec<&'static str> => Array<Text>] ", "
    [environments: Vec<String> => Array<Text>] ", " [statuses: Vec<&'static str> => Array<Text>] ", "
    [timezones: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [mobile: Vec<Value> => Array<Jsonb>] ", " [web: Vec<Value> => Array<Jsonb>] ", "
    [created_at: Vec<Moment> => Array<Timestamptz>] ", " [updated_at: Vec<Moment> => Array<Timestamptz>] ", "
    [last_seen_at: Vec<Moment> => Array<Timestamptz>] ", "
    [last_used_at: Vec<Moment> => Array<Timestamptz>]
    ") ON CONFLICT (id) DO UPDATE SET platform = excluded.platform, environment = excluded.environment,
        status = excluded.status, timezone = excluded.timezone, mobile = excluded.mobile, web = excluded.web,
        updated_at = excluded.updated_at, last_seen_at = excluded.last_seen_at,
        last_used_at = excluded.last_used_at"
}

impl UpsertDevices {
    pub(crate) fn of(devices: &[&Device]) -> Found<Self> {
        Ok(Self {
            ids: column(devices, |device| device.id.uuid()),
            users: column(devices, |device| device.user.uuid()),
            names: column(devices, |device| text(device.device_id.as_str())),
            platforms: column(devices, |device| device.platform.name()),
            environments: column(devices, |device| text(device.environment.as_str())),
            statuses: column(devices, |device| device.status.name()),
            timezones: column(devices, |device| {
                device.timezone.as_ref().map(|zone| text(zone.as_str()))
            }),
            mobile: column::<_, Found<_>, _>(devices, |device| document::mobile(&device.mobile))?,
            web: column::<_, Found<_>, _>(devices, |device| document::web(&device.web))?,
            created_at: column(devices, |device| Moment(device.created_at)),
            updated_at: column(devices, |device| Moment(device.updated_at)),
            last_seen_at: column(devices, |device| Moment(device.last_seen_at)),
            last_used_at: column(devices, |device| Moment(device.last_used_at)),
        })
    }
}

statement! {
    /// Writes new tokens, or any that are there, whole.
    UpsertTokens:
    "INSERT INTO push_tokens (id, user_id, device_id, session_id, provider, app, kind, activity_id, stream_id,
        value_hash, sealed, created_at, updated_at) SELECT * FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [users: Vec<Uuid> => Array<SqlUuid>] ", "
    [devices: Vec<Uuid> => Array<SqlUuid>] ", " [sessions: Vec<Uuid> => Array<SqlUuid>] ", "
    [providers: Vec<&'static str> => Array<Text>] ", " [apps: Vec<String> => Array<Text>] ", "
    [kinds: Vec<&'static str> => Array<Text>] ", " [activities: Vec<String> => Array<Text>] ", "
    [streams: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [hashes: Vec<Vec<u8>> => Array<Binary>] ", " [sealed: Vec<Vec<u8>> => Array<Binary>] ", "
    [created_at: Vec<Moment> => Array<Timestamptz>] ", " [updated_at: Vec<Moment> => Array<Timestamptz>]
    ") ON CONFLICT (id) DO UPDATE SET session_id = excluded.session_id, stream_id = excluded.stream_id,
        value_hash = excluded.value_hash, sealed = excluded.sealed, updated_at = excluded.updated_at"
}

impl UpsertTokens {
    pub(crate) fn of(tokens: &[&Token], vault: &Vault) -> Found<Self> {
        let addresses: Vec<Address> = column(tokens, |token| token.address());
        let (providers, hashes) = columns(&addresses);
        Ok(Self {
            ids: column(tokens, |token| token.id.uuid()),
            users: column(tokens, |token| token.user.uuid()),
            devices: column(tokens, |token| token.device.uuid()),
            sessions: column(tokens, |token| token.session.uuid()),
            providers,
            apps: column(tokens, |token| text(token.app.as_str())),
            kinds: column(tokens, |token| token.kind.name()),
            activities: column(tokens, |token| text(parts::activity_of(&token.kind))),
            streams: column(tokens, |token| parts::stream_of(&token.kind).map(text)),
            hashes,
            sealed: column::<_, Found<_>, _>(tokens, |token| vault.seal_token(token.id, &token.value))?,
            created_at: column(tokens, |token| Moment(token.created_at)),
            updated_at: column(tokens, |token| Moment(token.updated_at)),
        })
    }
}

statement! {
    /// Writes subscriptions whole.
    UpsertSubscriptions:
    "INSERT INTO subscriptions (id, user_id, device_id, session_id, endpoint_hash, sealed_endpoint, sealed_keys,
        vapid_key, device_name, user_agent, created_at, last_used_at, suspect_at) SELECT * FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [users: Vec<Uuid> => Array<SqlUuid>] ", "
    [devices: Vec<Uuid> => Array<SqlUuid>] ", " [sessions: Vec<Uuid> => Array<SqlUuid>] ", "
    [hashes: Vec<Vec<u8>> => Array<Binary>] ", " [endpoints: Vec<Vec<u8>> => Array<Binary>] ", "
    [keys: Vec<Vec<u8>> => Array<Binary>] ", " [vapid_keys: Vec<String> => Array<Text>] ", "
    [names: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [user_agents: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [created_at: Vec<Moment> => Array<Timestamptz>] ", " [last_used_at: Vec<Moment> => Array<Timestamptz>] ", "
    [suspect_at: Vec<Option<Moment>> => Array<Nullable<Timestamptz>>]
    ") ON CONFLICT (id) DO UPDATE SET session_id = excluded.session_id, sealed_keys = excluded.sealed_keys,
        vapid_key = excluded.vapid_key, device_name = excluded.device_name, user_agent = excluded.user_agent,
        last_used_at = excluded.last_used_at, suspect_at = excluded.suspect_at"
}

impl UpsertSubscriptions {
    pub(crate) fn of(rows: &[Subscription], vault: &Vault) -> Found<Self> {
        Ok(Self {
            ids: column(rows, |row| row.id.uuid()),
            users: column(rows, |row| row.user.uuid()),
            devices: column(rows, |row| row.device.uuid()),
            sessions: column(rows, |row| row.session.uuid()),
            hashes: column(rows, |row| row.endpoint.address().hash.as_bytes().to_vec()),
            endpoints: column::<_, Found<_>, _>(rows, |row| vault.seal_endpoint(row.id, &row.endpoint))?,
            keys: column::<_, Found<_>, _>(rows, |row| vault.seal_keys(row.id, &row.keys))?,
            vapid_keys: column(rows, |row| row.vapid_key.clone()),
            names: column(rows, |row| {
                row.device_name.as_ref().map(|name| text(name.as_str()))
            }),
            user_agents: column(rows, |row| {
                row.user_agent.as_ref().map(|agent| text(agent.as_str()))
            }),
            created_at: column(rows, |row| Moment(row.created_at)),
            last_used_at: column(rows, |row| Moment(row.last_used_at)),
            suspect_at: column(rows, |row| row.suspect_at.map(Moment)),
        })
    }
}

statement! {
    /// Sets users' zones.
    SetZones:
    "UPDATE users SET timezone = zone.timezone FROM unnest("
    [users: Vec<Uuid> => Array<SqlUuid>] ", " [zones: Vec<String> => Array<Text>]
    ") AS zone (id, timezone) WHERE users.id = zone.id"
}

impl SetZones {
    pub(crate) fn of(zones: &[(UserId, TimeZoneName)]) -> Self {
        Self {
            users: column(zones, |(user, _)| user.uuid()),
            zones: column(zones, |(_, zone)| text(zone.as_str())),
        }
    }
}

statement! {
    /// Leaves facts on sessions. A fingerprint is pinned once, whoever else pins one meanwhile.
    TouchSessions:
    "UPDATE sessions SET device_id = touch.device_id,
        fingerprint = coalesce(sessions.fingerprint, touch.fingerprint) FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [devices: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [fingerprints: Vec<Option<String>> => Array<Nullable<Text>>]
    ") AS touch (id, device_id, fingerprint) WHERE sessions.id = touch.id"
}

impl TouchSessions {
    pub(crate) fn of(touches: &[SessionTouch]) -> Self {
        Self {
            ids: column(touches, |touch| touch.session.uuid()),
            devices: column(touches, |touch| {
                touch.device_id.as_ref().map(|id| text(id.as_str()))
            }),
            fingerprints: column(touches, |touch| {
                touch.fingerprint.as_ref().map(|f| text(f.as_str()))
            }),
        }
    }
}

statement! {
    /// Adds lines to the audit trail, each once: a batch whose commit was not answered is done again.
    InsertAudit:
    "INSERT INTO audit_events (id, user_id, at, action, session_id, device_id, reason) SELECT * FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [users: Vec<Uuid> => Array<SqlUuid>] ", "
    [at: Vec<Moment> => Array<Timestamptz>] ", " [actions: Vec<&'static str> => Array<Text>] ", "
    [sessions: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>] ", "
    [devices: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>] ", "
    [reasons: Vec<Option<&'static str>> => Array<Nullable<Text>>]
    ") ON CONFLICT (id) DO NOTHING"
}

impl InsertAudit {
    pub(crate) fn of(events: &[AuditEvent]) -> Self {
        Self {
            ids: column(events, |event| event.id.uuid()),
            users: column(events, |event| event.user.uuid()),
            at: column(events, |event| Moment(event.at)),
            actions: column(events, |event| event.action.name()),
            sessions: column(events, |event| event.session.map(SessionId::uuid)),
            devices: column(events, |event| event.device.map(DeviceUid::uuid)),
            reasons: column(events, |event| event.reason),
        }
    }
}
