//! Counters of accepted requests.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use doorbell_domain::Timestamp;
use doorbell_domain::limits::{Claim, Counter, Place};
use doorbell_domain::store::{Found, Limits};
use doorbell_storage::{OrInconsistent, parts};

use super::Repositories;
use crate::schema::limit_counters;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::Instant;

const TABLE: &str = "limit_counters";

statement! {
    /// Counts one where `Counter::admits` would let it in.
    struct CountRequest<'a> { scope: &'static str, key: str, shard: i32, ends_at: Instant, most: i64, now: Instant }
    "INSERT INTO limit_counters (scope, key, shard, ends_at, count, most) VALUES (?, ?, ?, ?, 1, ?) \
     ON CONFLICT (scope, key, shard) DO UPDATE SET \
        count = CASE WHEN ends_at <= ? THEN 1 ELSE count + 1 END, \
        ends_at = CASE WHEN ends_at <= ? THEN excluded.ends_at ELSE ends_at END, \
        most = excluded.most \
     WHERE ends_at <= ? OR count < excluded.most"
    [Text = scope, Text = key, Integer = shard, BigInt = ends_at, BigInt = most, BigInt = now, BigInt = now, BigInt = now]
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = limit_counters)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct CounterRow {
    scope: String,
    key: String,
    shard: i32,
    ends_at: Instant,
    count: i64,
}

impl TryFrom<CounterRow> for Counter {
    type Error = doorbell_domain::store::StoreError;

    fn try_from(row: CounterRow) -> Found<Self> {
        Ok(Self {
            scope: parts::scope(&row.scope, TABLE)?,
            key: row.key,
            shard: u32::try_from(row.shard).or_inconsistent(TABLE, "shard")?,
            ends_at: row.ends_at.into(),
            count: parts::count(row.count, TABLE, "count")?,
        })
    }
}

impl Limits for Repositories<'_> {
    fn count(&mut self, places: &[Place], now: Timestamp) -> Found<bool> {
        for place in places {
            let count = CountRequest {
                scope: &place.scope.name(),
                key: &place.key,
                shard: &i32::try_from(place.shard).or_inconsistent(TABLE, "shard")?,
                ends_at: &place.ends_at.into(),
                most: &place.most.into(),
                now: &now.into(),
            };
            if count.execute(self.connection).around(TABLE)? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Repositories<'_> {
    pub(super) fn counters_of(&mut self, claims: &[Claim]) -> Found<Vec<Counter>> {
        let mut found = Vec::new();
        for claim in claims {
            let rows: Vec<CounterRow> = limit_counters::table
                .filter(limit_counters::scope.eq(claim.scope.name()))
                .filter(limit_counters::key.eq(&claim.key))
                .select(CounterRow::as_select())
                .load(self.connection)
                .around(TABLE)?;
            for row in rows {
                found.push(row.try_into()?);
            }
        }
        Ok(found)
    }
}
