//! API keys.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use doorbell_domain::ApiKeyId;
use doorbell_domain::Timestamp;
use doorbell_domain::api_key::{ApiKey, ApiKeyHash, ApiKeyName};
use doorbell_domain::store::{ApiKeys, Found};
use doorbell_storage::parts;
use uuid::Uuid;

use super::Repositories;
use crate::schema::api_keys;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "api_keys";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct ApiKeyRow {
    id: Id,
    name: String,
    hash: Vec<u8>,
    created_at: Instant,
    revoked_at: Option<Instant>,
}

statement! {
    /// Revokes the key of a name.
    struct Revoke<'a> { name: str, at: Instant }
    "UPDATE api_keys SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL"
    [BigInt = at, Text = name]
}

impl ApiKeys for Repositories<'_> {
    fn insert_api_key(&mut self, key: &ApiKey) -> Found<bool> {
        let row = ApiKeyRow {
            id: key.id.into(),
            name: key.name.as_str().to_owned(),
            hash: key.hash.as_bytes().to_vec(),
            created_at: key.created_at.into(),
            revoked_at: key.revoked_at.map(Instant),
        };
        diesel::insert_into(api_keys::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(self.connection)
            .around(TABLE)
            .map(|rows| rows > 0)
    }

    fn revoke_api_key(&mut self, name: &ApiKeyName, at: Timestamp) -> Found<bool> {
        let revoke = Revoke {
            name: name.as_str(),
            at: &at.into(),
        };
        revoke.execute(self.connection).around(TABLE).map(|rows| rows > 0)
    }
}

impl Repositories<'_> {
    pub(super) fn find_api_key(&mut self, hash: &ApiKeyHash) -> Found<Option<ApiKeyId>> {
        api_keys::table
            .filter(api_keys::hash.eq(&hash.as_bytes()[..]))
            .filter(api_keys::revoked_at.is_null())
            .select(api_keys::id)
            .first::<Id>(self.connection)
            .optional()
            .around(TABLE)
            .map(|id| id.map(ApiKeyId::from))
    }

    pub(super) fn all_api_keys(&mut self) -> Found<Vec<ApiKey>> {
        // Ids begin with the time, and none is smaller than nil.
        let rows: Vec<ApiKeyRow> = api_keys::table
            .filter(api_keys::id.gt(Id(Uuid::nil())))
            .order(api_keys::id)
            .select(ApiKeyRow::as_select())
            .load(self.connection)
            .around(TABLE)?;
        let read = |row: ApiKeyRow| {
            Ok(ApiKey {
                id: row.id.into(),
                name: parts::api_key_name(row.name)?,
                hash: parts::api_key_hash(&row.hash)?,
                created_at: row.created_at.into(),
                revoked_at: row.revoked_at.map(Timestamp::from),
            })
        };
        rows.into_iter().map(read).collect()
    }
}
