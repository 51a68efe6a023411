//! What became of messages.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use doorbell_domain::api_key::{ApiKey, ApiKeyHash};
use doorbell_domain::job::State;
use doorbell_domain::personal_data::PersonalData;
use doorbell_domain::store::{DeliveryReads, Found, JobLine, MessageReport, TrailEntry};
use doorbell_domain::{ApiKeyId, AuditId, JobId, MessageId, Timestamp, UserId};
use doorbell_storage::{OrInconsistent, parts};
use uuid::Uuid;

use super::Repositories;
use crate::rows::{JobLineRow, JobLineTypes};
use crate::schema::messages;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const JOBS: &str = "push_jobs";

statement! {
    /// Counts a message's jobs by what they are doing.
    struct CountJobs<'a> { message: Id } -> { (Nullable<Text>, Bool, BigInt, BigInt) }
    "SELECT NULL, claimed, failures > 0, count(*) FROM push_jobs WHERE message_id = ? GROUP BY claimed, failures > 0 \
     UNION ALL SELECT state, 0, 0, count(*) FROM finished_jobs WHERE message_id = ? GROUP BY state"
    [Binary = message, Binary = message]
}

statement! {
    /// Tells of a message's jobs behind one of them, in order.
    struct JobsOf<'a> { message: Id, after: Id, limit: i64 } -> { JobLineTypes }
    "SELECT id, message_id, user_id, device_id, provider, NULL, claimed, failures, reason, updated_at \
        FROM push_jobs WHERE message_id = ? AND id > ? \
     UNION ALL SELECT id, message_id, user_id, device_id, provider, state, 0, attempts, reason, finished_at \
        FROM finished_jobs WHERE message_id = ? AND id > ? \
     ORDER BY 1 LIMIT ?"
    [Binary = message, Binary = after, Binary = message, Binary = after, BigInt = limit]
}

statement! {
    /// Tells of a user's jobs before one of them, newest first.
    struct JobsFor<'a> { user: Id, before: Id, limit: i64 } -> { JobLineTypes }
    "SELECT id, message_id, user_id, device_id, provider, NULL, claimed, failures, reason, updated_at \
        FROM push_jobs WHERE user_id = ? AND id < ? \
     UNION ALL SELECT id, message_id, user_id, device_id, provider, state, 0, attempts, reason, finished_at \
        FROM finished_jobs WHERE user_id = ? AND id < ? \
     ORDER BY 1 DESC LIMIT ?"
    [Binary = user, Binary = before, Binary = user, Binary = before, BigInt = limit]
}

statement! {
    /// Tells which messages did not reach a user, those before one, newest first.
    struct UnreachedBy<'a> { user: Id, before: Id, limit: i64 } -> { Binary }
    "SELECT message_id FROM unreached WHERE user_id = ? AND message_id < ? ORDER BY message_id DESC LIMIT ?"
    [Binary = user, Binary = before, BigInt = limit]
}

impl DeliveryReads for Repositories<'_> {
    fn api_key(&mut self, hash: &ApiKeyHash) -> Found<Option<ApiKeyId>> {
        self.find_api_key(hash)
    }

    fn api_keys(&mut self) -> Found<Vec<ApiKey>> {
        self.all_api_keys()
    }

    fn message_report(
        &mut self,
        id: MessageId,
        after: Option<JobId>,
        limit: u32,
    ) -> Found<Option<MessageReport>> {
        let row = Id::from(id);
        let created_at: Option<Instant> = messages::table
            .find(row)
            .select(messages::created_at)
            .first(self.connection)
            .optional()
            .around("messages")?;
        let Some(created_at) = created_at else {
            return Ok(None);
        };
        let list = JobsOf {
            message: &row,
            // No id is smaller.
            after: &after.map_or(Id(Uuid::nil()), Id::from),
            limit: &limit.into(),
        };
        let jobs: Vec<JobLineRow> = list.load(self.connection).around(JOBS)?;
        Ok(Some(MessageReport {
            id,
            created_at: created_at.into(),
            counts: self.count_jobs(row)?,
            jobs: read(jobs)?,
        }))
    }

    fn user_trail(&mut self, user: UserId, before: Option<Uuid>, limit: u32) -> Found<Vec<TrailEntry>> {
        // No id is greater.
        let (row, newer) = (Id::from(user), Id(before.unwrap_or(Uuid::max())));
        let list = JobsFor {
            user: &row,
            before: &newer,
            limit: &limit.into(),
        };
        let jobs: Vec<JobLineRow> = list.load(self.connection).around(JOBS)?;
        let list = UnreachedBy {
            user: &row,
            before: &newer,
            limit: &limit.into(),
        };
        let unreached: Vec<Id> = list.load(self.connection).around("unreached")?;
        let lines = self.activity(user, before.map(AuditId::from_uuid), limit)?;
        let mut entries: Vec<TrailEntry> = read(jobs)?.into_iter().map(TrailEntry::Job).collect();
        entries.extend(lines.into_iter().map(TrailEntry::Happened));
        entries.extend(unreached.into_iter().map(|id| TrailEntry::Unreached(id.into())));
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id()));
        entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(entries)
    }

    fn pruning_stopped(&mut self) -> Found<Option<Timestamp>> {
        self.pruning_stop()
    }
}

impl Repositories<'_> {
    fn count_jobs(&mut self, message: Id) -> Found<Vec<(State, u64)>> {
        let count = CountJobs { message: &message };
        let rows: Vec<(Option<String>, bool, i64, i64)> = count.load(self.connection).around(JOBS)?;
        let mut counts: BTreeMap<State, u64> = BTreeMap::new();
        for (end, claimed, failed, jobs) in rows {
            let state = match end {
                Some(end) => State::Over(parts::final_state(&end, "finished_jobs")?),
                None => State::of_open(claimed, parts::count(failed, JOBS, "failures")?),
            };
            let jobs = u64::try_from(jobs).or_inconsistent(JOBS, "count")?;
            *counts.entry(state).or_default() += jobs;
        }
        Ok(counts.into_iter().collect())
    }
}

fn read(rows: Vec<JobLineRow>) -> Found<Vec<JobLine>> {
    rows.into_iter().map(JobLine::try_from).collect()
}
