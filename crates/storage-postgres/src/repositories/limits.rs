//! Counters of accepted requests.

use diesel::RunQueryDsl;
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz};
use doorbell_domain::Timestamp;
use doorbell_domain::limits::{Claim, Counter, Place};
use doorbell_domain::store::{Found, Limits};
use doorbell_storage::{OrInconsistent, parts};

use super::Repositories;
use crate::moment::Moment;
use crate::statement::statement;

const TABLE: &str = "limit_counters";

statement! {
    /// Counts one in each place where [`Counter::admits`] would let it in, locking the rows in the order of the arrays.
    CountRequests:
    "INSERT INTO limit_counters AS known (scope, key, shard, ends_at, count, most)
    SELECT scope, key, shard, ends_at, 1, most FROM unnest("
    [scopes: Vec<&'static str> => Array<Text>] ", " [keys: Vec<String> => Array<Text>] ", "
    [shards: Vec<i32> => Array<Integer>] ", " [ends_at: Vec<Moment> => Array<Timestamptz>] ", "
    [most: Vec<i64> => Array<BigInt>]
    ") AS place (scope, key, shard, ends_at, most)
    ON CONFLICT (scope, key, shard) DO UPDATE SET
        count = CASE WHEN known.ends_at <= " [now: Moment => Timestamptz] " THEN 1 ELSE known.count + 1 END,
        ends_at = CASE WHEN known.ends_at <= $6 THEN excluded.ends_at ELSE known.ends_at END,
        most = excluded.most
    WHERE known.ends_at <= $6 OR known.count < excluded.most"
}

statement! {
    /// The counters of some keys.
    CountersOf -> (Text, Text, Integer, Timestamptz, BigInt):
    "SELECT counter.scope, counter.key, counter.shard, counter.ends_at, counter.count FROM unnest("
    [scopes: Vec<&'static str> => Array<Text>] ", " [keys: Vec<String> => Array<Text>]
    ") AS asked (scope, key)
    JOIN limit_counters counter ON counter.scope = asked.scope AND counter.key = asked.key"
}

impl Limits for Repositories<'_> {
    fn count(&mut self, places: &[Place], now: Timestamp) -> Found<bool> {
        if places.is_empty() {
            return Ok(true);
        }
        let shard = |place: &Place| i32::try_from(place.shard).or_inconsistent(TABLE, "shard");
        let statement = CountRequests {
            scopes: places.iter().map(|place| place.scope.name()).collect(),
            keys: places.iter().map(|place| place.key.clone()).collect(),
            shards: places.iter().map(shard).collect::<Found<_>>()?,
            ends_at: places.iter().map(|place| Moment(place.ends_at)).collect(),
            most: places.iter().map(|place| place.most.into()).collect(),
            now: Moment(now),
        };
        let counted = self.ask(|connection| (&statement).execute(connection))?;
        Ok(counted == places.len())
    }
}

impl Repositories<'_> {
    pub(super) fn counters_of(&mut self, claims: &[Claim]) -> Found<Vec<Counter>> {
        let statement = CountersOf {
            scopes: claims.iter().map(|claim| claim.scope.name()).collect(),
            keys: claims.iter().map(|claim| claim.key.clone()).collect(),
        };
        let rows: Vec<(String, String, i32, Moment, i64)> =
            self.ask(|connection| (&statement).load(connection))?;
        let read = |(scope, key, shard, Moment(ends_at), count): (String, String, i32, Moment, i64)| {
            Ok(Counter {
                scope: parts::scope(&scope, TABLE)?,
                key,
                shard: u32::try_from(shard).or_inconsistent(TABLE, "shard")?,
                ends_at,
                count: parts::count(count, TABLE, "count")?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
