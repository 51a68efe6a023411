//! API keys.

use diesel::prelude::*;
use doorbell_domain::Timestamp;
use doorbell_domain::api_key::{ApiKey, ApiKeyName};
use doorbell_domain::store::{ApiKeys, Found};

use super::Repositories;
use crate::moment::Moment;
use crate::rows::ApiKeyRow;
use crate::schema::api_keys;

impl ApiKeys for Repositories<'_> {
    fn insert_api_key(&mut self, key: &ApiKey) -> Found<bool> {
        let row = ApiKeyRow::of(key);
        let written = self.ask(|connection| {
            diesel::insert_into(api_keys::table)
                .values(&row)
                .on_conflict_do_nothing()
                .execute(connection)
        })?;
        Ok(written == 1)
    }

    fn revoke_api_key(&mut self, name: &ApiKeyName, at: Timestamp) -> Found<bool> {
        let revoked = self.ask(|connection| {
            diesel::update(api_keys::table)
                .filter(api_keys::name.eq(name.as_str()))
                .filter(api_keys::revoked_at.is_null())
                .set(api_keys::revoked_at.eq(Some(Moment(at))))
                .execute(connection)
        })?;
        Ok(revoked == 1)
    }
}
