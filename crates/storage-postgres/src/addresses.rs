//! Push addresses: put there, locked, and taken away again, always in their order.

use diesel::sql_types::{Array, Binary, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::{Address, Timestamp, UserId};
use uuid::Uuid;

use crate::moment::Moment;
use crate::statement::statement;

statement! {
    /// Puts what is missing there, in order; what another transaction is putting there or taking away is
    /// waited for.
    PutAddresses:
    "INSERT INTO push_addresses (provider, value_hash, owner, moved_at) SELECT * FROM unnest("
    [providers: Vec<&'static str> => Array<Text>] ", " [hashes: Vec<Vec<u8>> => Array<Binary>] ", "
    [owners: Vec<Uuid> => Array<SqlUuid>] ", " [moved_at: Vec<Moment> => Array<Timestamptz>]
    ") ORDER BY 1, 2 ON CONFLICT DO NOTHING"
}

impl PutAddresses {
    pub(crate) fn of<'a>(wanted: impl IntoIterator<Item = (&'a Address, &'a UserId)>, at: Timestamp) -> Self {
        let (addresses, owners): (Vec<Address>, Vec<Uuid>) = wanted
            .into_iter()
            .map(|(address, owner)| (*address, owner.uuid()))
            .unzip();
        let (providers, hashes) = columns(&addresses);
        Self {
            providers,
            hashes,
            moved_at: vec![Moment(at); owners.len()],
            owners,
        }
    }
}

statement! {
    /// Locks addresses in order, and gives those that are there with their owners.
    LockAddresses -> (Text, Binary, SqlUuid):
    "SELECT a.provider, a.value_hash, a.owner FROM unnest("
    [providers: Vec<&'static str> => Array<Text>] ", " [hashes: Vec<Vec<u8>> => Array<Binary>]
    ") AS wanted (provider, value_hash)
    JOIN push_addresses a ON a.provider = wanted.provider AND a.value_hash = wanted.value_hash
    ORDER BY a.provider, a.value_hash FOR UPDATE OF a"
}

impl LockAddresses {
    pub(crate) fn of(addresses: &[Address]) -> Self {
        let (providers, hashes) = columns(addresses);
        Self { providers, hashes }
    }
}

statement! {
    /// Takes away addresses that no row has any more, but for those that another transaction holds: it may
    /// be about to use them. Should one be taken into use unseen, the foreign key refuses.
    DropUnused:
    "DELETE FROM push_addresses a USING (
        SELECT held.provider, held.value_hash FROM unnest("
    [providers: Vec<&'static str> => Array<Text>] ", " [hashes: Vec<Vec<u8>> => Array<Binary>]
    ") AS wanted (provider, value_hash)
        JOIN push_addresses held ON held.provider = wanted.provider AND held.value_hash = wanted.value_hash
        ORDER BY held.provider, held.value_hash FOR UPDATE OF held SKIP LOCKED
    ) AS mine
    WHERE a.provider = mine.provider AND a.value_hash = mine.value_hash
    AND NOT EXISTS (
        SELECT FROM push_tokens t WHERE t.provider = a.provider AND t.value_hash = a.value_hash
    )
    AND NOT EXISTS (
        SELECT FROM subscriptions s WHERE s.provider = a.provider AND s.endpoint_hash = a.value_hash
    )"
}

impl DropUnused {
    pub(crate) fn of(addresses: &[Address]) -> Self {
        let (providers, hashes) = columns(addresses);
        Self { providers, hashes }
    }
}

/// Addresses as two columns.
pub(crate) fn columns(addresses: &[Address]) -> (Vec<&'static str>, Vec<Vec<u8>>) {
    let addresses = addresses.iter();
    addresses
        .map(|address| (address.provider.name(), address.hash.as_bytes().to_vec()))
        .unzip()
}
