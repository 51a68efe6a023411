//! Push addresses: one owner each, and none without a row that has it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use doorbell_domain::store::Found;
use doorbell_domain::{Address, Provider, Timestamp, UserId};
use doorbell_storage::{OrInconsistent, parts};

use crate::schema::push_addresses;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "push_addresses";

statement! {
    /// Makes an address somebody's, whoever had it before.
    struct Claim<'a> { provider: &'static str, hash: [u8], owner: Id, at: Instant }
    "INSERT INTO push_addresses (provider, value_hash, owner, moved_at) VALUES (?, ?, ?, ?) \
     ON CONFLICT (provider, value_hash) DO UPDATE SET owner = excluded.owner, moved_at = excluded.moved_at"
    [Text = provider, Binary = hash, Binary = owner, BigInt = at]
}

statement! {
    /// Removes an address that no row has.
    struct Release<'a> { provider: &'static str, hash: [u8] }
    "DELETE FROM push_addresses WHERE provider = ? AND value_hash = ? \
     AND NOT EXISTS (SELECT 1 FROM push_tokens AS t \
        WHERE t.provider = push_addresses.provider AND t.value_hash = push_addresses.value_hash) \
     AND NOT EXISTS (SELECT 1 FROM subscriptions AS s \
        WHERE s.provider = push_addresses.provider AND s.endpoint_hash = push_addresses.value_hash)"
    [Text = provider, Binary = hash]
}

/// Whose the address is.
pub(crate) fn owner(connection: &mut SqliteConnection, address: Address) -> Found<Option<UserId>> {
    push_addresses::table
        .find((address.provider.name(), &address.hash.as_bytes()[..]))
        .select(push_addresses::owner)
        .first::<Id>(connection)
        .optional()
        .around(TABLE)
        .map(|owner| owner.map(UserId::from))
}

/// Makes `owner` the address's owner. No row of an earlier owner may have it any more.
pub(crate) fn claim(
    connection: &mut SqliteConnection,
    address: Address,
    owner: UserId,
    at: Timestamp,
) -> Found<()> {
    let claim = Claim {
        provider: &address.provider.name(),
        hash: address.hash.as_bytes(),
        owner: &owner.into(),
        at: &at.into(),
    };
    claim.execute(connection).around(TABLE).map(drop)
}

/// Removes those of the addresses that no row has any more.
pub(crate) fn release(
    connection: &mut SqliteConnection,
    addresses: impl IntoIterator<Item = Address>,
) -> Found<()> {
    for address in addresses {
        let release = Release {
            provider: &address.provider.name(),
            hash: address.hash.as_bytes(),
        };
        release.execute(connection).around(TABLE)?;
    }
    Ok(())
}

/// An address from its two columns.
pub(crate) fn read(provider: &str, hash: &[u8], table: &'static str) -> Found<Address> {
    Ok(Address {
        provider: Provider::from_name(provider).or_inconsistent(table, "provider")?,
        hash: parts::value_hash(hash, table, "value_hash")?,
    })
}
