//! What became of messages.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::api_key::{ApiKey, ApiKeyHash};
use doorbell_domain::job::State;
use doorbell_domain::store::{DeliveryReads, Found, MessageReport, TrailEntry};
use doorbell_domain::{ApiKeyId, JobId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use super::Repositories;
use super::personal_data::lines;
use crate::moment::Moment;
use crate::rows::{ApiKeyRow, JobLineRow, TrailRow, state};
use crate::schema::{api_keys, messages, pruning_stops};
use crate::statement::statement;

type JobLineColumns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Text,
    Bool,
    BigInt,
    Nullable<Text>,
    Nullable<Text>,
    Timestamptz,
);

statement! {
    /// A message's jobs in order, those behind one.
    JobsOfMessage -> JobLineColumns:
    "(SELECT id, message_id, user_id, device_id, provider, claimed, failures, NULL AS state, reason, updated_at
        FROM push_jobs WHERE message_id = " [message: Uuid => SqlUuid] " AND id > " [after: Uuid => SqlUuid]
    " ORDER BY id LIMIT " [limit: i64 => BigInt] ")
    UNION ALL (SELECT id, message_id, user_id, device_id, provider, false, attempts, state, reason, finished_at
        FROM finished_jobs WHERE message_id = $1 AND id > $2 ORDER BY id LIMIT $3)
    ORDER BY id LIMIT $3"
}

statement! {
    /// How many of a message's jobs are alike.
    CountJobs -> (Bool, Bool, Nullable<Text>, BigInt):
    "SELECT claimed, failures > 0, NULL AS state, count(*) FROM push_jobs
        WHERE message_id = " [message: Uuid => SqlUuid] " GROUP BY 1, 2
    UNION ALL SELECT false, false, state, count(*) FROM finished_jobs WHERE message_id = $1 GROUP BY state"
}

statement! {
    /// A user's jobs, newest first, those before one.
    JobsOfUser -> JobLineColumns:
    "(SELECT id, message_id, user_id, device_id, provider, claimed, failures, NULL AS state, reason, updated_at
        FROM push_jobs WHERE user_id = " [user: Uuid => SqlUuid] " AND id < " [before: Uuid => SqlUuid]
    " ORDER BY id DESC LIMIT " [limit: i64 => BigInt] ")
    UNION ALL (SELECT id, message_id, user_id, device_id, provider, false, attempts, state, reason, finished_at
        FROM finished_jobs WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)
    ORDER BY id DESC LIMIT $3"
}

statement! {
    /// The messages that did not reach a user, newest first, those before one.
    Unreached -> SqlUuid:
    "SELECT u.message_id FROM unreached u WHERE u.user_id = " [user: Uuid => SqlUuid]
    " AND u.message_id < " [before: Uuid => SqlUuid] " ORDER BY u.message_id DESC LIMIT " [limit: i64 => BigInt]
}

/// Jobs that are claimed or not, have failed before or not, or ended so, and their count.
type Alike = (bool, bool, Option<String>, i64);

impl DeliveryReads for Repositories<'_> {
    fn api_key(&mut self, hash: &ApiKeyHash) -> Found<Option<ApiKeyId>> {
        let id: Option<Uuid> = self.ask(|connection| {
            api_keys::table
                .filter(api_keys::hash.eq(hash.as_bytes().as_slice()))
                .filter(api_keys::revoked_at.is_null())
                .select(api_keys::id)
                .first(connection)
                .optional()
        })?;
        Ok(id.map(ApiKeyId::from_uuid))
    }

    fn api_keys(&mut self) -> Found<Vec<ApiKey>> {
        let rows = self.ask(|connection| {
            api_keys::table
                .order((api_keys::created_at, api_keys::id))
                .load::<ApiKeyRow>(connection)
        })?;
        rows.into_iter().map(ApiKeyRow::read).collect()
    }

    fn message_report(
        &mut self,
        id: MessageId,
        after: Option<JobId>,
        limit: u32,
    ) -> Found<Option<MessageReport>> {
        let count = CountJobs { message: id.uuid() };
        let jobs = JobsOfMessage {
            message: id.uuid(),
            // No id is smaller.
            after: after.map_or(Uuid::nil(), JobId::uuid),
            limit: limit.into(),
        };
        // A job that ends meanwhile moves from one table to the other.
        let found = self.ask_at_one_instant(|connection| {
            let created_at: Option<Moment> = messages::table
                .find(id.uuid())
                .select(messages::created_at)
                .first(connection)
                .optional()?;
            let Some(created_at) = created_at else {
                return Ok(None);
            };
            let alike: Vec<Alike> = (&count).load(connection)?;
            let lines: Vec<JobLineRow> = (&jobs).load(connection)?;
            Ok(Some((created_at, alike, lines)))
        })?;
        let Some((Moment(created_at), alike, lines)) = found else {
            return Ok(None);
        };
        Ok(Some(MessageReport {
            id,
            created_at,
            counts: counts(alike)?,
            jobs: lines.into_iter().map(JobLineRow::read).collect::<Found<_>>()?,
        }))
    }

    fn user_trail(&mut self, user: UserId, before: Option<Uuid>, limit: u32) -> Found<Vec<TrailEntry>> {
        // The greatest id stands for none.
        let before = before.unwrap_or(Uuid::max());
        let jobs = JobsOfUser {
            user: user.uuid(),
            before,
            limit: limit.into(),
        };
        let unreached = Unreached {
            user: user.uuid(),
            before,
            limit: limit.into(),
        };
        let (events, jobs, unreached) = self.ask_at_one_instant(|connection| {
            let events = lines(connection, user.uuid(), before, limit.into())?;
            let jobs: Vec<JobLineRow> = (&jobs).load(connection)?;
            let unreached: Vec<Uuid> = (&unreached).load(connection)?;
            Ok((events, jobs, unreached))
        })?;
        let events = events.into_iter().map(TrailRow::read).map(TrailEntry::Happened);
        let jobs = jobs.into_iter().map(|row| row.read().map(TrailEntry::Job));
        let mut trail: Vec<TrailEntry> = events.map(Ok).chain(jobs).collect::<Found<_>>()?;
        let unreached = unreached.into_iter().map(MessageId::from_uuid);
        trail.extend(unreached.map(TrailEntry::Unreached));
        trail.sort_unstable_by_key(|entry| Reverse(entry.id()));
        trail.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(trail)
    }

    fn pruning_stopped(&mut self) -> Found<Option<Timestamp>> {
        let since = self.ask(|connection| {
            pruning_stops::table
                .find(true)
                .select(pruning_stops::since)
                .first::<Moment>(connection)
                .optional()
        })?;
        Ok(since.map(|Moment(at)| at))
    }
}

fn counts(alike: Vec<Alike>) -> Found<Vec<(State, u64)>> {
    let mut counts: BTreeMap<State, u64> = BTreeMap::new();
    for (claimed, failed, end, count) in alike {
        let state = state(claimed, failed.into(), end.as_deref())?;
        *counts.entry(state).or_default() += u64::try_from(count).unwrap_or(0);
    }
    Ok(counts.into_iter().collect())
}
