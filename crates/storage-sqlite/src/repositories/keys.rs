//! Keys that all servers of one database share.

use diesel::prelude::*;
use doorbell_domain::store::{Found, KeyUse, Keys, StoredKey};
use doorbell_storage::parts;

use super::Repositories;
use crate::schema::keys;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "keys";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = keys)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct KeyRow {
    id: Id,
    usage: String,
    sealed: Vec<u8>,
    created_at: Instant,
}

impl Keys for Repositories<'_> {
    fn keys(&mut self, usage: KeyUse) -> Found<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = keys::table
            .filter(keys::usage.eq(usage.name()))
            .order((keys::created_at.desc(), keys::id.desc()))
            .select(KeyRow::as_select())
            .load(self.connection)
            .around(TABLE)?;
        let read = |row: KeyRow| {
            Ok(StoredKey {
                id: row.id.0,
                usage: parts::key_use(&row.usage, TABLE)?,
                sealed: row.sealed,
                created_at: row.created_at.into(),
            })
        };
        rows.into_iter().map(read).collect()
    }

    fn insert_first_key(&mut self, key: &StoredKey) -> Found<StoredKey> {
        if let Some(newest) = self.keys(key.usage)?.into_iter().next() {
            return Ok(newest);
        }
        let row = KeyRow {
            id: Id(key.id),
            usage: key.usage.name().to_owned(),
            sealed: key.sealed.clone(),
            created_at: key.created_at.into(),
        };
        diesel::insert_into(keys::table)
            .values(&row)
            .execute(self.connection)
            .around(TABLE)?;
        Ok(key.clone())
    }
}
