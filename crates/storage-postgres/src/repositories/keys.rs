//! Keys that all servers of one database share.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use doorbell_domain::Timestamp;
use doorbell_domain::store::{Found, KeyReads, KeyUse, Keys, StoredKey};
use uuid::Uuid;

use super::Repositories;
use crate::moment::Moment;
use crate::rows::KeyRow;
use crate::schema::keys;
use crate::statement::statement;

statement! {
    /// Waits until nobody else changes the keys of that use.
    LockKeys: "SELECT pg_advisory_xact_lock(" [usage: i64 => BigInt] ")"
}

/// What [`LockKeys`] locks: numbers of no other meaning.
const fn lock_of(usage: KeyUse) -> i64 {
    match usage {
        KeyUse::AccessToken => 7_236_835_523_419_138,
        KeyUse::Vapid => 7_236_835_523_419_139,
    }
}

impl KeyReads for Repositories<'_> {
    fn keys(&mut self, usage: KeyUse) -> Found<Vec<StoredKey>> {
        let rows = self.ask(|connection| {
            keys::table
                .filter(keys::usage.eq(usage.name()))
                .order((keys::created_at.desc(), keys::id.desc()))
                .load::<KeyRow>(connection)
        })?;
        rows.into_iter().map(KeyRow::read).collect()
    }
}

impl Keys for Repositories<'_> {
    fn insert_first_key(&mut self, key: &StoredKey) -> Found<StoredKey> {
        self.lock_keys(key.usage)?;
        if let Some(first) = self.keys(key.usage)?.into_iter().next() {
            return Ok(first);
        }
        self.insert_key(key)?;
        Ok(key.clone())
    }

    fn lock_keys(&mut self, usage: KeyUse) -> Found<()> {
        let lock = LockKeys {
            usage: lock_of(usage),
        };
        self.ask(|connection| (&lock).execute(connection))?;
        Ok(())
    }

    fn insert_key(&mut self, key: &StoredKey) -> Found<()> {
        let row = KeyRow::of(key);
        self.ask(|connection| diesel::insert_into(keys::table).values(&row).execute(connection))?;
        Ok(())
    }

    fn retire_key(&mut self, id: Uuid, at: Timestamp) -> Found<()> {
        self.ask(|connection| {
            diesel::update(keys::table.find(id))
                .set(keys::retires_at.eq(Moment(at)))
                .execute(connection)
        })?;
        Ok(())
    }

    fn remove_key(&mut self, id: Uuid) -> Found<()> {
        self.ask(|connection| diesel::delete(keys::table.find(id)).execute(connection))?;
        Ok(())
    }
}
