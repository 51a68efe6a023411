//! Writing down what became of jobs, each set of them at once.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::job::{Finished, Postponed, Reason};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Ended, Found};
use doorbell_domain::{JobId, MessageId, Timestamp};
use uuid::Uuid;

use crate::moment::Moment;
use crate::repositories::Repositories;
use crate::statement::statement;

// Each names its rows by their ids alone, twice: a planner that saw the table empty, as it is between any two messages, else looks through all
// of it for each of a batch.

/// A job and its message.
type Owned = (Uuid, Uuid);

statement! {
    /// Ends jobs whose fence is the latest.
    FinishJobs -> (SqlUuid, SqlUuid):
    "WITH held AS MATERIALIZED (
        SELECT job.id, told.state, told.reason, told.attempts FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [fences: Vec<i64> => Array<BigInt>] ", "
    [states: Vec<&'static str> => Array<Text>] ", " [reasons: Vec<Option<&'static str>> => Array<Nullable<Text>>] ", "
    [attempts: Vec<i64> => Array<BigInt>]
    ") AS told (id, fence, state, reason, attempts)
        JOIN push_jobs job ON job.id = told.id AND job.fence = told.fence WHERE job.id = ANY($1)
        ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
    ), taken AS (
        DELETE FROM push_jobs job USING held WHERE job.id = ANY($1) AND job.id = held.id
        RETURNING job.id, job.message_id, job.user_id, job.device_id, job.provider, job.credential_id, job.lane, job.expires_at,
            held.state, held.reason, held.attempts, job.fence
    )
    INSERT INTO finished_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, state, reason,
        attempts, fence, finished_at)
    SELECT taken.*, " [now: Moment => Timestamptz] " FROM taken RETURNING id, message_id"
}

statement! {
    /// Notes of messages how many of their jobs ended, and gives those that have none left that is not over.
    CloseJobs -> (SqlUuid, Bool):
    "WITH held AS MATERIALIZED (
        SELECT message.id, told.ended FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [ended: Vec<i64> => Array<BigInt>]
    ") AS told (id, ended) JOIN messages message ON message.id = told.id WHERE message.id = ANY($1)
        ORDER BY message.id FOR NO KEY UPDATE OF message
    ) UPDATE messages SET open_jobs = messages.open_jobs - held.ended FROM held
    WHERE messages.id = ANY($1) AND messages.id = held.id RETURNING messages.id, messages.open_jobs = 0"
}

statement! {
    /// Ends claims as `Schedule::postponed` would.
    PostponeJobs -> SqlUuid:
    "WITH held AS MATERIALIZED (
        SELECT job.id, told.due_at, told.reason FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [fences: Vec<i64> => Array<BigInt>] ", "
    [due_at: Vec<Moment> => Array<Timestamptz>] ", " [reasons: Vec<&'static str> => Array<Text>]
    ") AS told (id, fence, due_at, reason)
        JOIN push_jobs job ON job.id = told.id AND job.fence = told.fence WHERE job.id = ANY($1)
        ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
    ) UPDATE push_jobs SET due_at = held.due_at, claimed = false, failures = push_jobs.failures + 1, receives = 0,
        reason = held.reason, updated_at = " [now: Moment => Timestamptz]
    " FROM held WHERE push_jobs.id = ANY($1) AND push_jobs.id = held.id RETURNING push_jobs.id"
}

statement! {
    /// Gives claims back.
    ReturnJobs:
    "WITH held AS MATERIALIZED (
        SELECT job.id FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [fences: Vec<i64> => Array<BigInt>]
    ") AS told (id, fence)
        JOIN push_jobs job ON job.id = told.id AND job.fence = told.fence AND job.claimed WHERE job.id = ANY($1)
        ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
    ) UPDATE push_jobs SET due_at = " [now: Moment => Timestamptz]
    ", claimed = false, receives = greatest(push_jobs.receives - 1, 0) FROM held
    WHERE push_jobs.id = ANY($1) AND push_jobs.id = held.id"
}

statement! {
    /// Puts jobs back that were set aside. A finished job has no key: it is found again by all that its partition's index needs.
    RedriveJobs -> SqlUuid:
    "WITH held AS MATERIALIZED (
        SELECT job.id, job.message_id, job.finished_at FROM finished_jobs job
        WHERE job.reason = 'set_aside' AND job.expires_at > " [now: Moment => Timestamptz]
    " ORDER BY job.expires_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE OF job SKIP LOCKED
    ), taken AS (
        DELETE FROM finished_jobs job USING held
        WHERE job.message_id = held.message_id AND job.id = held.id AND job.finished_at = held.finished_at
        RETURNING job.id, job.message_id, job.user_id, job.device_id, job.provider, job.credential_id, job.lane,
            job.expires_at, job.attempts, job.fence
    )
    INSERT INTO push_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, failures, fence,
        due_at, claimed, receives, updated_at)
    SELECT taken.*, $1, false, 0, $1 FROM taken RETURNING message_id"
}

impl Repositories<'_> {
    pub(super) fn finish(&mut self, jobs: &[Finished], now: Timestamp) -> Found<Ended> {
        if jobs.is_empty() {
            return Ok(Ended::default());
        }
        let statement = FinishJobs {
            ids: jobs.iter().map(|job| job.id.uuid()).collect(),
            fences: jobs.iter().map(|job| job.fence.0.into()).collect(),
            states: jobs.iter().map(|job| job.end.name()).collect(),
            reasons: jobs.iter().map(|job| job.reason.map(Reason::name)).collect(),
            attempts: jobs.iter().map(|job| job.attempts.into()).collect(),
            now: Moment(now),
        };
        let taken = self.ask(|connection| (&statement).load(connection))?;
        self.ended(taken, now)
    }

    /// Notes of messages that jobs of theirs have ended at `now`, and announces those that have none left.
    pub(in crate::repositories) fn ended(&mut self, mut jobs: Vec<Owned>, now: Timestamp) -> Found<Ended> {
        jobs.sort_unstable();
        let changed = count(jobs.iter().map(|(_, message)| *message), 1);
        let messages = self.close(changed)?;
        self.announce(&self.announcer.of_messages(&messages, now))?;
        Ok(Ended {
            jobs: jobs.into_iter().map(|(job, _)| JobId::from_uuid(job)).collect(),
            messages,
        })
    }

    /// Takes from messages' counts of open jobs; gives the messages that have none left, in order.
    fn close(&mut self, ended: BTreeMap<Uuid, i64>) -> Found<Vec<MessageId>> {
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let (ids, ended) = ended.into_iter().unzip();
        let statement = CloseJobs { ids, ended };
        let messages: Vec<(Uuid, bool)> = self.ask(|connection| (&statement).load(connection))?;
        let over = messages.into_iter().filter(|(_, over)| *over);
        let mut over: Vec<MessageId> = over.map(|(id, _)| MessageId::from_uuid(id)).collect();
        over.sort_unstable();
        Ok(over)
    }

    pub(super) fn postpone(&mut self, jobs: &[Postponed], now: Timestamp) -> Found<Vec<JobId>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let statement = PostponeJobs {
            now: Moment(now),
            ids: jobs.iter().map(|job| job.id.uuid()).collect(),
            fences: jobs.iter().map(|job| job.fence.0.into()).collect(),
            due_at: jobs.iter().map(|job| Moment(job.due_at)).collect(),
            reasons: jobs.iter().map(|job| job.reason.name()).collect(),
        };
        let ids: Vec<Uuid> = self.ask(|connection| (&statement).load(connection))?;
        let mut postponed: Vec<JobId> = ids.into_iter().map(JobId::from_uuid).collect();
        postponed.sort_unstable();
        Ok(postponed)
    }

    pub(super) fn give_back(&mut self, jobs: &[(JobId, Fence)], now: Timestamp) -> Found<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let statement = ReturnJobs {
            now: Moment(now),
            ids: jobs.iter().map(|(job, _)| job.uuid()).collect(),
            fences: jobs.iter().map(|(_, Fence(fence))| (*fence).into()).collect(),
        };
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }

    pub(super) fn redrive(&mut self, now: Timestamp, limit: u32) -> Found<u64> {
        let statement = RedriveJobs {
            now: Moment(now),
            limit: limit.into(),
        };
        let messages: Vec<Uuid> = self.ask(|connection| (&statement).load(connection))?;
        let redriven = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        self.close(count(messages.into_iter(), -1))?;
        Ok(redriven)
    }
}

/// How often each message is named, times `step`.
fn count(messages: impl Iterator<Item = Uuid>, step: i64) -> BTreeMap<Uuid, i64> {
    let mut counts = BTreeMap::new();
    for message in messages {
        *counts.entry(message).or_default() += step;
    }
    counts
}
