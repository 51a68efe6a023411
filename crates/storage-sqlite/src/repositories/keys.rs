//! Keys that all servers of one database share.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use doorbell_domain::Timestamp;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::store::{Found, KeyReads, KeyUse, Keys, StoredKey};
use doorbell_storage::parts;
use uuid::Uuid;

use super::Repositories;
use crate::schema::keys;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "keys";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct KeyRow {
    id: Id,
    usage: String,
    sealed: Vec<u8>,
    created_at: Instant,
    starts_at: Option<Instant>,
    retires_at: Option<Instant>,
}

statement! {
    /// Sets when a key retires.
    struct RetireKey<'a> { id: Id, at: Instant }
    "UPDATE keys SET retires_at = ? WHERE id = ?"
    [BigInt = at, Binary = id]
}

impl KeyReads for Repositories<'_> {
    fn keys(&mut self, usage: KeyUse) -> Found<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = keys::table
            .filter(keys::usage.eq(usage.name()))
            .order((keys::created_at.desc(), keys::id.desc()))
            .select(KeyRow::as_select())
            .load(self.connection)
            .around(TABLE)?;
        let read = |row: KeyRow| {
            let created_at = row.created_at.into();
            Ok(StoredKey {
                id: row.id.0,
                usage: parts::key_use(&row.usage, TABLE)?,
                sealed: row.sealed,
                created_at,
                life: KeyLife {
                    starts_at: row.starts_at.map_or(created_at, Timestamp::from),
                    retires_at: row.retires_at.map(Timestamp::from),
                },
            })
        };
        rows.into_iter().map(read).collect()
    }
}

/// Who writes is alone, so that nothing need be locked.
impl Keys for Repositories<'_> {
    fn insert_first_key(&mut self, key: &StoredKey) -> Found<StoredKey> {
        if let Some(newest) = self.keys(key.usage)?.into_iter().next() {
            return Ok(newest);
        }
        self.insert_key(key)?;
        Ok(key.clone())
    }

    fn lock_keys(&mut self, _usage: KeyUse) -> Found<()> {
        Ok(())
    }

    fn insert_key(&mut self, key: &StoredKey) -> Found<()> {
        let row = KeyRow {
            id: Id(key.id),
            usage: key.usage.name().to_owned(),
            sealed: key.sealed.clone(),
            created_at: key.created_at.into(),
            starts_at: Some(key.life.starts_at.into()),
            retires_at: key.life.retires_at.map(Instant::from),
        };
        diesel::insert_into(keys::table)
            .values(&row)
            .execute(self.connection)
            .around(TABLE)?;
        Ok(())
    }

    fn retire_key(&mut self, id: Uuid, at: Timestamp) -> Found<()> {
        let (id, at) = (Id(id), Instant(at));
        RetireKey { id: &id, at: &at }
            .execute(self.connection)
            .around(TABLE)?;
        Ok(())
    }

    fn remove_key(&mut self, id: Uuid) -> Found<()> {
        diesel::delete(keys::table.find(Id(id)))
            .execute(self.connection)
            .around(TABLE)?;
        Ok(())
    }
}
