//! Ridding the registry of what delivery left behind.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use doorbell_domain::store::{DeliverySweeps, Found};
use doorbell_domain::sweeps::{SuspectSweep, Sweep};
use doorbell_domain::{FreshIds, Timestamp};

use super::Repositories;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

statement! {
    /// Removes jobs that ended long ago.
    struct DropJobs<'a> { until: Instant, limit: i64 }
    "DELETE FROM finished_jobs WHERE id IN \
        (SELECT id FROM finished_jobs WHERE finished_at <= ? ORDER BY finished_at LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

statement! {
    /// Removes messages that were accepted long ago and have no job left. Ids begin with the time.
    struct DropMessages<'a> { below: Id, until: Instant, limit: i64 }
    "DELETE FROM messages WHERE id IN (SELECT m.id FROM messages AS m WHERE m.id < ? AND m.created_at <= ? \
        AND NOT EXISTS (SELECT 1 FROM push_jobs AS p WHERE p.message_id = m.id) \
        AND NOT EXISTS (SELECT 1 FROM finished_jobs AS f WHERE f.message_id = m.id) \
        ORDER BY m.id LIMIT ?)"
    [Binary = below, BigInt = until, BigInt = limit]
}

statement! {
    /// Removes idempotency keys that were used long ago.
    struct DropKeys<'a> { until: Instant, limit: i64 }
    "DELETE FROM idempotency_keys WHERE (api_key, key) IN \
        (SELECT api_key, key FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

statement! {
    /// Removes what was noted long ago of users whom messages did not reach. Ids begin with the time.
    struct DropUnreached<'a> { below: Id, limit: i64 }
    "DELETE FROM unreached WHERE (message_id, user_id) IN \
        (SELECT message_id, user_id FROM unreached WHERE message_id < ? ORDER BY message_id, user_id LIMIT ?)"
    [Binary = below, BigInt = limit]
}

statement! {
    /// Removes rests that ended long ago.
    struct DropRests<'a> { until: Instant, limit: i64 }
    "DELETE FROM resting_lanes WHERE lane IN \
        (SELECT lane FROM resting_lanes WHERE until <= ? ORDER BY until LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

impl DeliverySweeps for Repositories<'_> {
    fn sweep_finished_jobs(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropJobs {
            until: &until.into(),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("finished_jobs")?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_messages(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropMessages {
            below: &Id(FreshIds::beyond(until)),
            until: &until.into(),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("messages")?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_idempotency_keys(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropKeys {
            until: &until.into(),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("idempotency_keys")?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_unreached(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropUnreached {
            below: &Id(FreshIds::beyond(until)),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("unreached")?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_resting_lanes(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropRests {
            until: &until.into(),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("resting_lanes")?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_suspects(&mut self, until: Timestamp, limit: u32) -> Found<SuspectSweep> {
        self.remove_suspects(until, limit)
    }
}
