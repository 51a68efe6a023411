//! Rows that were there, written anew. `ON CONFLICT` would lock each before it changes it, and say both in the
//! write-ahead log.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::registration::State;
use doorbell_domain::store::Found;
use doorbell_domain::{Device, Token};
use doorbell_storage::{Vault, document, parts};
use serde_json::Value;
use uuid::Uuid;

use super::writes::{UpsertDevices, UpsertTokens, column, text};
use crate::moment::Moment;
use crate::statement::statement;
use crate::trouble::Trouble;

statement! {
    /// Writes devices anew.
    UpdateDevices:
    "UPDATE devices SET platform = new.platform, environment = new.environment, status = new.status,
        timezone = new.timezone, mobile = new.mobile, web = new.web, updated_at = new.updated_at,
        last_seen_at = new.last_seen_at, last_used_at = new.last_used_at FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [platforms: Vec<&'static str> => Array<Text>] ", "
    [environments: Vec<String> => Array<Text>] ", " [statuses: Vec<&'static str> => Array<Text>] ", "
    [timezones: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [mobile: Vec<Value> => Array<Jsonb>] ", " [web: Vec<Value> => Array<Jsonb>] ", "
    [updated_at: Vec<Moment> => Array<Timestamptz>] ", " [last_seen_at: Vec<Moment> => Array<Timestamptz>] ", "
    [last_used_at: Vec<Moment> => Array<Timestamptz>]
    ") AS new (id, platform, environment, status, timezone, mobile, web, updated_at, last_seen_at, last_used_at)
    WHERE devices.id = new.id"
}

impl UpdateDevices {
    fn of(devices: &[&Device]) -> Found<Self> {
        Ok(Self {
            ids: column(devices, |device| device.id.uuid()),
            platforms: column(devices, |device| device.platform.name()),
            environments: column(devices, |device| text(device.environment.as_str())),
            statuses: column(devices, |device| device.status.name()),
            timezones: column(devices, |device| {
                device.timezone.as_ref().map(|zone| text(zone.as_str()))
            }),
            mobile: column::<_, Found<_>, _>(devices, |device| document::mobile(&device.mobile))?,
            web: column::<_, Found<_>, _>(devices, |device| document::web(&device.web))?,
            updated_at: column(devices, |device| Moment(device.updated_at)),
            last_seen_at: column(devices, |device| Moment(device.last_seen_at)),
            last_used_at: column(devices, |device| Moment(device.last_used_at)),
        })
    }
}

statement! {
    /// Writes tokens anew, and gives those that are still there.
    UpdateTokens -> SqlUuid:
    "UPDATE push_tokens SET session_id = new.session_id, stream_id = new.stream_id, value_hash = new.value_hash,
        sealed = new.sealed, updated_at = new.updated_at FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [sessions: Vec<Uuid> => Array<SqlUuid>] ", "
    [streams: Vec<Option<String>> => Array<Nullable<Text>>] ", "
    [hashes: Vec<Vec<u8>> => Array<Binary>] ", " [sealed: Vec<Vec<u8>> => Array<Binary>] ", "
    [updated_at: Vec<Moment> => Array<Timestamptz>]
    ") AS new (id, session_id, stream_id, value_hash, sealed, updated_at) WHERE push_tokens.id = new.id
    RETURNING push_tokens.id"
}

impl UpdateTokens {
    fn of(tokens: &[&Token], vault: &Vault) -> Found<Self> {
        Ok(Self {
            ids: column(tokens, |token| token.id.uuid()),
            sessions: column(tokens, |token| token.session.uuid()),
            streams: column(tokens, |token| parts::stream_of(&token.kind).map(text)),
            hashes: column(tokens, |token| token.address().hash.as_bytes().to_vec()),
            sealed: column::<_, Found<_>, _>(tokens, |token| vault.seal_token(token.id, &token.value))?,
            updated_at: column(tokens, |token| Moment(token.updated_at)),
        })
    }
}

/// Writes `devices`, of which those in `before` are locked.
pub(super) fn devices(
    connection: &mut PgConnection,
    before: &State,
    devices: &[Device],
) -> Result<(), Trouble> {
    let (known, new): (Vec<&Device>, Vec<&Device>) = devices
        .iter()
        .partition(|device| before.devices.contains_key(&device.id));
    if !known.is_empty() && UpdateDevices::of(&known)?.execute(connection)? < known.len() {
        return Err(Trouble::raced("a locked device went away"));
    }
    if !new.is_empty() {
        UpsertDevices::of(&new)?.execute(connection)?;
    }
    Ok(())
}

/// Writes `tokens`. One that was there may have been lost meanwhile to another user, who took its old value: then it is
/// made again.
pub(super) fn tokens(
    connection: &mut PgConnection,
    vault: &Vault,
    before: &State,
    tokens: &[Token],
) -> Result<(), Trouble> {
    let (known, mut new): (Vec<&Token>, Vec<&Token>) = tokens
        .iter()
        .partition(|token| before.tokens.contains_key(&token.id));
    if !known.is_empty() {
        let there: Vec<Uuid> = UpdateTokens::of(&known, vault)?.load(connection)?;
        let there: BTreeSet<Uuid> = there.into_iter().collect();
        new.extend(
            known
                .into_iter()
                .filter(|token| !there.contains(&token.id.uuid())),
        );
    }
    if !new.is_empty() {
        UpsertTokens::of(&new, vault)?.execute(connection)?;
    }
    Ok(())
}
