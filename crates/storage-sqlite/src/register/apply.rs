//! Writing what was decided, in the order that `Writes` gives.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, Text};
use doorbell_domain::registration::{SessionTouch, Writes};
use doorbell_domain::store::Found;
use doorbell_domain::text::{DeviceId, Fingerprint};
use doorbell_domain::{Address, TimeZoneName, Timestamp, UserId};
use doorbell_storage::{Announcer, Vault};

use crate::addresses;
use crate::repositories::record;
use crate::rows::{DeviceRow, SubscriptionRow, TokenRow, UpsertDevice, UpsertSubscription, UpsertToken};
use crate::schema::{devices, push_tokens, subscriptions};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::Id;

statement! {
    /// Writes a session's facts.
    struct TouchSession<'a> { id: Id, device_id: Option<&'a str>, fingerprint: Option<&'a str> }
    "UPDATE sessions SET device_id = ?, fingerprint = ? WHERE id = ?"
    [Nullable<Text> = device_id, Nullable<Text> = fingerprint, Binary = id]
}

statement! {
    /// Writes a user's zone.
    struct SetZone<'a> { id: Id, zone: str }
    "UPDATE users SET timezone = ? WHERE id = ?"
    [Text = zone, Binary = id]
}

/// Applies `writes`; `missing` are the addresses that were decided on as though they had a row.
pub(super) fn apply(
    connection: &mut SqliteConnection,
    vault: &Vault,
    announcer: Announcer,
    writes: &Writes,
    missing: &BTreeMap<Address, UserId>,
    at: Timestamp,
) -> Found<()> {
    remove(connection, writes)?;
    let unused = settle_addresses(connection, writes, missing, at)?;
    for device in &writes.devices {
        let row = DeviceRow::of(device)?;
        UpsertDevice { row: &row }.execute(connection).around("devices")?;
    }
    for token in &writes.tokens {
        let row = TokenRow::of(token, vault)?;
        UpsertToken { row: &row }
            .execute(connection)
            .around("push_tokens")?;
    }
    for subscription in &writes.subscriptions {
        let row = SubscriptionRow::of(subscription, vault)?;
        UpsertSubscription { row: &row }
            .execute(connection)
            .around("subscriptions")?;
    }
    addresses::release(connection, unused)?;
    for (user, zone) in &writes.zones {
        set_zone(connection, *user, zone)?;
    }
    for touched in &writes.sessions {
        touch(connection, touched)?;
    }
    record(connection, announcer, &writes.audit)
}

/// The address that a removal names needs no second look: no other transaction could have changed the row.
fn remove(connection: &mut SqliteConnection, writes: &Writes) -> Found<()> {
    for (id, _) in &writes.removed_tokens {
        diesel::delete(push_tokens::table.find(Id::from(*id)))
            .execute(connection)
            .around("push_tokens")?;
    }
    for id in &writes.removed_subscriptions {
        diesel::delete(subscriptions::table.find(Id::from(*id)))
            .execute(connection)
            .around("subscriptions")?;
    }
    for id in &writes.removed_devices {
        diesel::delete(devices::table.find(Id::from(*id)))
            .execute(connection)
            .around("devices")?;
    }
    Ok(())
}

/// Gives every address its row and owner, but for those that nothing will use; what is left to release.
fn settle_addresses(
    connection: &mut SqliteConnection,
    writes: &Writes,
    missing: &BTreeMap<Address, UserId>,
    at: Timestamp,
) -> Found<Vec<Address>> {
    let mut unused: BTreeSet<Address> = writes.unused.iter().copied().collect();
    let mut made = missing.clone();
    for claim in &writes.claims {
        made.remove(&claim.address);
        addresses::claim(connection, claim.address, claim.owner, claim.at)?;
    }
    for (address, owner) in made {
        // Not there, and not to be: nothing to make, nothing to release.
        if !unused.remove(&address) {
            addresses::claim(connection, address, owner, at)?;
        }
    }
    Ok(unused.into_iter().collect())
}

fn set_zone(connection: &mut SqliteConnection, user: UserId, zone: &TimeZoneName) -> Found<()> {
    let set = SetZone {
        id: &user.into(),
        zone: zone.as_str(),
    };
    set.execute(connection).around("users").map(drop)
}

fn touch(connection: &mut SqliteConnection, touched: &SessionTouch) -> Found<()> {
    let touch = TouchSession {
        id: &touched.session.into(),
        device_id: &touched.device_id.as_ref().map(DeviceId::as_str),
        fingerprint: &touched.fingerprint.as_ref().map(Fingerprint::as_str),
    };
    touch.execute(connection).around("sessions").map(drop)
}
