//! Keys that all servers of one database share.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use doorbell_domain::store::{Found, KeyUse, Keys, StoredKey};

use super::Repositories;
use crate::rows::KeyRow;
use crate::schema::keys;
use crate::statement::statement;

statement! {
    /// Waits until no other server makes a first key of that use.
    LockKeys: "SELECT pg_advisory_xact_lock(" [usage: i64 => BigInt] ")"
}

/// What [`LockKeys`] locks: numbers of no other meaning.
const fn lock_of(usage: KeyUse) -> i64 {
    match usage {
        KeyUse::AccessToken => 7_236_835_523_419_138,
        KeyUse::Vapid => 7_236_835_523_419_139,
    }
}

impl Keys for Repositories<'_> {
    fn keys(&mut self, usage: KeyUse) -> Found<Vec<StoredKey>> {
        let rows = self.ask(|connection| {
            keys::table
                .filter(keys::usage.eq(usage.name()))
                .order((keys::created_at.desc(), keys::id.desc()))
                .load::<KeyRow>(connection)
        })?;
        rows.into_iter().map(KeyRow::read).collect()
    }

    fn insert_first_key(&mut self, key: &StoredKey) -> Found<StoredKey> {
        let lock = LockKeys {
            usage: lock_of(key.usage),
        };
        self.ask(|connection| (&lock).execute(connection))?;
        if let Some(first) = self.keys(key.usage)?.into_iter().next() {
            return Ok(first);
        }
        let row = KeyRow::of(key);
        self.ask(|connection| diesel::insert_into(keys::table).values(&row).execute(connection))?;
        Ok(key.clone())
    }
}
