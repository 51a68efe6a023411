//! What a batch must see, locked and then read. Each statement sees what was committed before it began, so
//! what is read after a lock is what the lock's last holder left.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Bool, Nullable, Text, Uuid as SqlUuid};
use doorbell_domain::registration::{Registration, State, Target, UserSlice, Wants};
use doorbell_domain::store::Found;
use doorbell_domain::{Address, DeviceUid, Provider, TimeZoneName, UserId};
use doorbell_storage::{OrInconsistent, Vault, parts};
use uuid::Uuid;

use crate::addresses::{LockAddresses, PutAddresses, columns};
use crate::rows::{DeviceRow, SessionRow, SubscriptionRow, TokenRow};
use crate::schema::{devices, push_tokens, sessions, subscriptions, users};
use crate::statement::statement;
use crate::trouble::Trouble;

statement! {
    /// The devices that are named, and those on which a wanted address or activity lies; a row for each of
    /// their tokens. The devices are locked, so that none comes back that another takes away meanwhile with its
    /// subscription.
    LoadDevices -> (devices::SqlType, Nullable<push_tokens::SqlType>, Bool):
    "SELECT " {devices::all_columns} ", " {push_tokens::all_columns} ", holder.ended_at IS NOT NULL
    FROM devices
    LEFT JOIN push_tokens ON push_tokens.device_id = devices.id
    LEFT JOIN sessions holder ON holder.id = push_tokens.session_id
    WHERE devices.id IN (
        SELECT named.id FROM unnest("
    [users: Vec<Uuid> => Array<SqlUuid>] ", " [names: Vec<String> => Array<Text>]
    ") AS wanted (user_id, device_id)
        JOIN devices named ON named.user_id = wanted.user_id AND named.device_id = wanted.device_id
        UNION ALL SELECT unnest(" [uids: Vec<Uuid> => Array<SqlUuid>]
    ")
        UNION ALL SELECT held.device_id FROM unnest("
    [providers: Vec<&'static str> => Array<Text>] ", " [hashes: Vec<Vec<u8>> => Array<Binary>]
    ") AS wanted (provider, value_hash)
        JOIN push_tokens held ON held.provider = wanted.provider AND held.value_hash = wanted.value_hash
        UNION ALL SELECT held.device_id FROM unnest(" [endpoints: Vec<Vec<u8>> => Array<Binary>]
    ") AS wanted (endpoint_hash)
        JOIN subscriptions held ON held.endpoint_hash = wanted.endpoint_hash
        UNION ALL SELECT live.device_id FROM unnest("
    [activity_users: Vec<Uuid> => Array<SqlUuid>] ", " [activities: Vec<String> => Array<Text>]
    ") AS wanted (user_id, activity_id)
        JOIN push_tokens live ON live.stream_id IS NOT NULL
            AND live.user_id = wanted.user_id AND live.activity_id = wanted.activity_id
    ) ORDER BY devices.id FOR NO KEY UPDATE OF devices"
}

/// Locks and loads what `batch` wants.
pub(super) fn state(
    connection: &mut PgConnection,
    vault: &Vault,
    batch: &[Registration],
    wants: &Wants,
) -> Result<State, Trouble> {
    let zones = lock_users(connection, wants)?;
    let owners = lock_addresses(connection, batch, wants)?;
    let mut state = State {
        owners,
        ..State::default()
    };
    lock_sessions(connection, batch)?;
    load_sessions(connection, wants, &mut state)?;
    load_devices(connection, vault, wants, &mut state)?;
    load_subscriptions(connection, vault, wants, &mut state)?;
    let counts = if may_make(batch, wants, &state) {
        count_devices(connection, wants)?
    } else {
        BTreeMap::new()
    };
    for (id, timezone) in zones {
        let user = UserSlice {
            timezone: timezone.map(TimeZoneName::known),
            devices: counts.get(&id).copied().unwrap_or(0),
        };
        state.users.insert(UserId::from_uuid(id), user);
    }
    Ok(state)
}

fn lock_users(connection: &mut PgConnection, wants: &Wants) -> Result<Vec<(Uuid, Option<String>)>, Trouble> {
    let ids: Vec<Uuid> = wants.users.iter().map(|id| id.uuid()).collect();
    Ok(users::table
        .filter(users::id.eq_any(ids))
        .order(users::id)
        .select((users::id, users::timezone))
        .for_no_key_update()
        .load(connection)?)
}

fn lock_addresses(
    connection: &mut PgConnection,
    batch: &[Registration],
    wants: &Wants,
) -> Result<BTreeMap<Address, UserId>, Trouble> {
    let Some(at) = batch.iter().map(|registration| registration.at).max() else {
        return Ok(BTreeMap::new());
    };
    if wants.addresses.is_empty() {
        return Ok(BTreeMap::new());
    }
    let addresses: Vec<Address> = wants.addresses.keys().copied().collect();
    // Most are there already. Those that are not are put there in their order too.
    let mut owners = lock(connection, &addresses)?;
    let missing = || {
        wants
            .addresses
            .iter()
            .filter(|(address, _)| !owners.contains_key(address))
    };
    let absent: Vec<Address> = missing().map(|(address, _)| *address).collect();
    if !absent.is_empty() {
        PutAddresses::of(missing(), at).execute(connection)?;
        owners.extend(lock(connection, &absent)?);
    }
    if owners.len() < addresses.len() {
        // It was there to be seen, and its last owner took it away before it was locked.
        return Err(Trouble::raced("an address left as it was locked"));
    }
    Ok(owners)
}

fn lock(connection: &mut PgConnection, addresses: &[Address]) -> Result<BTreeMap<Address, UserId>, Trouble> {
    let rows: Vec<(String, Vec<u8>, Uuid)> = LockAddresses::of(addresses).load(connection)?;
    let owners = rows.into_iter().map(|(provider, hash, owner)| {
        let address = Address {
            provider: Provider::from_name(&provider).or_inconsistent("push_addresses", "provider")?,
            hash: parts::value_hash(&hash, "push_addresses", "value_hash")?,
        };
        Ok((address, UserId::from_uuid(owner)))
    });
    Ok(owners.collect::<Found<_>>()?)
}

/// Locks the sessions that show a fingerprint, so that of two first ones, here and in a request that only reads, one is
/// pinned and the other is judged by it.
fn lock_sessions(connection: &mut PgConnection, batch: &[Registration]) -> Result<(), Trouble> {
    let showing = batch
        .iter()
        .filter(|registration| registration.fingerprint.is_some());
    let ids: BTreeSet<Uuid> = showing
        .map(|registration| registration.caller.session.uuid())
        .collect();
    if !ids.is_empty() {
        let _: Vec<Uuid> = sessions::table
            .filter(sessions::id.eq_any(ids.into_iter().collect::<Vec<_>>()))
            .order(sessions::id)
            .select(sessions::id)
            .for_no_key_update()
            .load(connection)?;
    }
    Ok(())
}

fn load_sessions(connection: &mut PgConnection, wants: &Wants, state: &mut State) -> Result<(), Trouble> {
    let ids: Vec<Uuid> = wants.sessions.iter().map(|id| id.uuid()).collect();
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::id.eq_any(ids))
        .load(connection)?;
    for row in rows {
        let session = row.read()?;
        state.sessions.insert(session.id, session);
    }
    Ok(())
}

fn load_devices(
    connection: &mut PgConnection,
    vault: &Vault,
    wants: &Wants,
    state: &mut State,
) -> Result<(), Trouble> {
    let (endpoints, values): (Vec<Address>, Vec<Address>) = wants
        .addresses
        .keys()
        .partition(|address| address.provider == Provider::WebPush);
    let (providers, hashes) = columns(&values);
    let (_, endpoints) = columns(&endpoints);
    let named = wants.named.iter();
    let (users, names) = named
        .map(|(user, name)| (user.uuid(), name.as_str().to_owned()))
        .unzip();
    let activities = wants.activities.iter();
    let (activity_users, activities) = activities
        .map(|(user, activity)| (user.uuid(), activity.as_str().to_owned()))
        .unzip();
    let statement = LoadDevices {
        users,
        names,
        uids: wants.uids.iter().map(|uid| uid.uuid()).collect(),
        providers,
        hashes,
        endpoints,
        activity_users,
        activities,
    };
    let rows: Vec<(DeviceRow, Option<TokenRow>, bool)> = statement.load(connection)?;
    for (device, token, session_ended) in rows {
        if let Some(row) = token {
            let token = row.read(session_ended, vault)?;
            state.tokens.insert(token.id, token);
        }
        if !state.devices.contains_key(&DeviceUid::from_uuid(device.id)) {
            let device = device.read()?;
            state.devices.insert(device.id, device);
        }
    }
    Ok(())
}

fn load_subscriptions(
    connection: &mut PgConnection,
    vault: &Vault,
    wants: &Wants,
    state: &mut State,
) -> Result<(), Trouble> {
    let hashes: Vec<Vec<u8>> = wants
        .addresses
        .keys()
        .filter(|address| address.provider == Provider::WebPush)
        .map(|address| address.hash.as_bytes().to_vec())
        .collect();
    if hashes.is_empty() {
        return Ok(());
    }
    let rows: Vec<(SubscriptionRow, bool)> = subscriptions::table
        .inner_join(sessions::table.on(sessions::id.eq(subscriptions::session_id)))
        .filter(subscriptions::endpoint_hash.eq_any(hashes))
        .select((subscriptions::all_columns, sessions::ended_at.is_not_null()))
        .load(connection)?;
    for (row, session_ended) in rows {
        let subscription = row.read(session_ended, vault)?;
        state.subscriptions.insert(subscription.id, subscription);
    }
    Ok(())
}

/// Whether the batch may come to make a device, so that it matters how many its user has. A device that is
/// there may leave with its subscription before its turn comes.
fn may_make(batch: &[Registration], wants: &Wants, state: &State) -> bool {
    let mut addresses = wants.addresses.keys();
    let named = state
        .devices
        .values()
        .filter(|device| wants.named.contains(&(device.user, device.device_id.clone())));
    batch
        .iter()
        .any(|registration| matches!(registration.target, Target::Holder { .. }))
        || addresses.any(|address| address.provider == Provider::WebPush)
        || named.count() < wants.named.len()
}

fn count_devices(connection: &mut PgConnection, wants: &Wants) -> Result<BTreeMap<Uuid, u32>, Trouble> {
    let ids: Vec<Uuid> = wants.users.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i64)> = devices::table
        .filter(devices::user_id.eq_any(ids))
        .group_by(devices::user_id)
        .select((devices::user_id, count_star()))
        .load(connection)?;
    let counts = rows
        .into_iter()
        .map(|(user, count)| Ok((user, parts::count(count, "devices", "count")?)));
    Ok(counts.collect::<Found<_>>()?)
}
