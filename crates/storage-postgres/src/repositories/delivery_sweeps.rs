//! Ridding the registry of what delivery leaves behind.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::retention::Retention;
use doorbell_domain::store::{DeliverySweeps, Found};
use doorbell_domain::sweeps::{Dead, SuspectSweep, Sweep};
use doorbell_domain::{DeviceUid, FreshIds, Provider, Timestamp, UserId};
use uuid::Uuid;

use super::Repositories;
use super::sweeps::Owned;
use crate::moment::Moment;
use crate::schema::subscriptions;
use crate::statement::statement;

statement! {
    /// Removes jobs that ended long ago and lie in no day's partition.
    DropFinishedJobs:
    "DELETE FROM finished_jobs_rest WHERE ctid = ANY(ARRAY(
        SELECT old.ctid FROM finished_jobs_rest old WHERE old.finished_at <= " [until: Moment => Timestamptz]
    " ORDER BY old.finished_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED))"
}

statement! {
    /// Removes messages that were accepted long ago and have no job any more.
    DropMessages:
    "WITH old AS MATERIALIZED (
        SELECT m.id FROM messages m WHERE m.id < " [below: Uuid => SqlUuid] " AND m.created_at <= "
    [until: Moment => Timestamptz]
    " AND m.open_jobs = 0 AND NOT EXISTS (SELECT FROM finished_jobs job WHERE job.message_id = m.id)
        ORDER BY m.id LIMIT " [limit: i64 => BigInt] " FOR UPDATE OF m SKIP LOCKED
    ) DELETE FROM messages USING old WHERE messages.id = old.id"
}

statement! {
    /// Removes idempotency keys that were used long ago.
    DropIdempotencyKeys:
    "WITH old AS MATERIALIZED (
        SELECT k.api_key, k.key FROM idempotency_keys k WHERE k.created_at <= " [until: Moment => Timestamptz]
    " ORDER BY k.created_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM idempotency_keys USING old
    WHERE idempotency_keys.api_key = old.api_key AND idempotency_keys.key = old.key"
}

statement! {
    /// Removes what was noted long ago of users whom messages did not reach.
    DropUnreached:
    "WITH old AS MATERIALIZED (
        SELECT u.message_id, u.user_id FROM unreached u WHERE u.message_id < " [below: Uuid => SqlUuid]
    " ORDER BY u.message_id, u.user_id LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM unreached USING old WHERE unreached.message_id = old.message_id AND unreached.user_id = old.user_id"
}

statement! {
    /// Removes what was noted of a user whom messages did not reach.
    DropUnreachedOf -> SqlUuid:
    "WITH held AS MATERIALIZED (
        SELECT u.message_id, u.user_id FROM unreached u WHERE u.user_id = " [user: Uuid => SqlUuid]
    " ORDER BY u.message_id FOR UPDATE
    ) DELETE FROM unreached USING held WHERE unreached.message_id = held.message_id AND unreached.user_id = held.user_id
    RETURNING unreached.message_id"
}

statement! {
    /// Removes rests that ended long ago.
    DropRests:
    "WITH old AS MATERIALIZED (
        SELECT resting.lane FROM resting_lanes resting WHERE resting.until <= " [until: Moment => Timestamptz]
    " ORDER BY resting.until LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM resting_lanes USING old WHERE resting_lanes.lane = old.lane"
}

statement! {
    /// Removes a user's jobs that are not over.
    DropOpenJobsOf -> (SqlUuid, SqlUuid):
    "WITH old AS MATERIALIZED (
        SELECT job.id FROM push_jobs job WHERE job.user_id = " [user: Uuid => SqlUuid]
    " ORDER BY job.id FOR UPDATE OF job
    ) DELETE FROM push_jobs USING old WHERE push_jobs.id = old.id RETURNING push_jobs.id, push_jobs.message_id"
}

statement! {
    /// Removes a user's jobs that are over.
    DropFinishedJobsOf -> SqlUuid:
    "DELETE FROM finished_jobs WHERE user_id = " [user: Uuid => SqlUuid] " RETURNING message_id"
}

statement! {
    /// Removes those of these messages that have no job any more, open or over. Nobody else has to do with such a one but who sweeps.
    DropSilent:
    "WITH silent AS MATERIALIZED (
        SELECT m.id FROM messages m WHERE m.id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>]
    ") AND m.open_jobs = 0 AND NOT EXISTS (SELECT FROM finished_jobs job WHERE job.message_id = m.id)
        ORDER BY m.id FOR UPDATE OF m SKIP LOCKED
    ) DELETE FROM messages USING silent WHERE messages.id = silent.id"
}

impl DeliverySweeps for Repositories<'_> {
    fn sweep_finished_jobs(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropFinishedJobs {
            until: Moment(until),
            limit: limit.into(),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        let swept = Sweep::of(removed, removed, limit);
        // What has ended by `until` is as old as such jobs may become, so this is the day of jobs that end now.
        let today = until + Retention::STANDARD.jobs;
        Ok(Sweep {
            removed: removed + self.turn_days(until, today, limit)?,
            full: swept.full,
        })
    }

    fn sweep_messages(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropMessages {
            below: FreshIds::beyond(until),
            until: Moment(until),
            limit: limit.into(),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_idempotency_keys(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropIdempotencyKeys {
            until: Moment(until),
            limit: limit.into(),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_unreached(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropUnreached {
            below: FreshIds::beyond(until),
            limit: limit.into(),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_resting_lanes(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropRests {
            until: Moment(until),
            limit: limit.into(),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_suspects(&mut self, until: Timestamp, limit: u32) -> Found<SuspectSweep> {
        let suspects: Vec<Owned> = self.ask(|connection| {
            subscriptions::table
                .filter(subscriptions::suspect_at.le(Some(Moment(until))))
                .order(subscriptions::suspect_at)
                .limit(limit.into())
                .select((
                    subscriptions::id,
                    subscriptions::user_id,
                    subscriptions::provider,
                    subscriptions::endpoint_hash,
                ))
                .load(connection)
        })?;
        let seen = suspects.len();
        let held = self.hold(Vec::new(), suspects)?;
        if held.subscriptions.is_empty() {
            return Ok(SuspectSweep::default());
        }
        let dead: Vec<(Uuid, Uuid)> = self.ask(|connection| {
            diesel::delete(subscriptions::table)
                .filter(subscriptions::id.eq_any(&held.subscriptions))
                // Unless it was registered or rung before it was held.
                .filter(subscriptions::suspect_at.le(Some(Moment(until))))
                .returning((subscriptions::user_id, subscriptions::device_id))
                .get_results(connection)
        })?;
        if !dead.is_empty() {
            self.drop_emptied(dead.iter().map(|(_, device)| *device).collect())?;
            self.drop_unused(&held.addresses)?;
        }
        let dead = dead.into_iter().map(|(user, device)| Dead {
            user: UserId::from_uuid(user),
            device: DeviceUid::from_uuid(device),
            provider: Provider::WebPush,
        });
        Ok(SuspectSweep::of(dead.collect(), seen, limit))
    }
}

impl Repositories<'_> {
    /// Removes a user's jobs and whatever did not reach them, and with that what was said to nobody else; messages that have none left are over at `now`.
    pub(super) fn erase_jobs(&mut self, user: UserId, now: Timestamp) -> Found<()> {
        let statement = DropOpenJobsOf { user: user.uuid() };
        let open: Vec<(Uuid, Uuid)> = self.ask(|connection| (&statement).load(connection))?;
        let mut said: BTreeSet<Uuid> = open.iter().map(|(_, message)| *message).collect();
        self.ended(open, now)?;
        let statement = DropFinishedJobsOf { user: user.uuid() };
        let over: Vec<Uuid> = self.ask(|connection| (&statement).load(connection))?;
        said.extend(over);
        let statement = DropUnreachedOf { user: user.uuid() };
        let unheard: Vec<Uuid> = self.ask(|connection| (&statement).load(connection))?;
        said.extend(unheard);
        let statement = DropSilent {
            ids: said.into_iter().collect(),
        };
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }
}
