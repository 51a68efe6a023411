//! Jobs on their way out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use doorbell_domain::job::{Claimed, CredentialId, Finished, Job, Lane, Postponed, Reason, Schedule};
use doorbell_domain::message::Message;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Ended, Found, Jobs};
use doorbell_domain::{JobId, MessageId, Timestamp, UserId};
use serde_json::Value;
use time::Duration;

use super::Repositories;
use super::event_outbox::announce;
use crate::lists::{self, hex};
use crate::rows::{JobRow, JobTypes, MessageRow, MessageTypes};
use crate::schema::{finished_jobs, push_jobs, unreached};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant, Json};

const TABLE: &str = "push_jobs";
const FINISHED: &str = "finished_jobs";
const LANES: &str = "resting_lanes";
const MESSAGES: &str = "messages";

statement! {
    /// Claims what is due as `Schedule::claimed` would. The index alone says what is passed over.
    struct Claim<'a> { now: Instant, until: Instant, busy: Json, most: i64 } -> { JobTypes }
    "UPDATE push_jobs SET due_at = ?, claimed = 1, fence = fence + 1, receives = receives + 1 \
     WHERE id IN (SELECT p.id FROM push_jobs AS p \
        WHERE p.due_at <= ? AND p.lane NOT IN (SELECT value FROM json_each(?)) \
        AND NOT EXISTS (SELECT 1 FROM resting_lanes AS r WHERE r.lane = p.lane AND r.until > ?) \
        ORDER BY p.due_at LIMIT ?) \
     RETURNING id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, due_at, claimed, \
        fence, failures, receives"
    [BigInt = until, BigInt = now, Text = busy, BigInt = now, BigInt = most]
}

statement! {
    /// Loads messages.
    struct LoadMessages<'a> { ids: Json } -> { MessageTypes }
    "SELECT m.id, m.api_key, m.sealed, m.urgency, m.collapse_key, m.ttl, m.created_at, m.send_at, m.cancelled_at, \
        m.jobs, m.open_jobs \
     FROM json_each(?) AS j CROSS JOIN messages AS m ON m.id = unhex(j.value)"
    [Text = ids]
}

statement! {
    /// Finds those of the jobs that a later one has taken the place of. What a user was sent since is little.
    struct Replaced<'a> { ids: Json, now: Instant } -> { Binary }
    "SELECT p.id FROM json_each(?) AS j CROSS JOIN push_jobs AS p ON p.id = unhex(j.value) \
        CROSS JOIN messages AS m ON m.id = p.message_id \
     WHERE EXISTS (SELECT 1 FROM push_jobs AS l CROSS JOIN messages AS n ON n.id = l.message_id \
        WHERE l.user_id = p.user_id AND l.id > p.id AND l.credential_id = p.credential_id \
        AND n.api_key = m.api_key AND n.collapse_key = m.collapse_key AND n.cancelled_at IS NULL \
        AND n.send_at >= m.send_at AND n.send_at <= ?) \
     OR EXISTS (SELECT 1 FROM finished_jobs AS l CROSS JOIN messages AS n ON n.id = l.message_id \
        WHERE l.user_id = p.user_id AND l.id > p.id AND l.credential_id = p.credential_id AND l.state = 'delivered' \
        AND n.api_key = m.api_key AND n.collapse_key = m.collapse_key AND n.send_at >= m.send_at)"
    [Text = ids, BigInt = now]
}

statement! {
    /// Writes the ends of jobs by their latest claims; they are still to be taken out of `push_jobs`.
    struct Finish<'a> { jobs: Json, at: Instant } -> { (Binary, Binary) }
    "INSERT INTO finished_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, \
        state, reason, attempts, fence, finished_at) \
     SELECT p.id, p.message_id, p.user_id, p.device_id, p.provider, p.credential_id, p.lane, p.expires_at, \
        j.value ->> 2, j.value ->> 3, j.value ->> 4, p.fence, ? \
     FROM json_each(?) AS j CROSS JOIN push_jobs AS p ON p.id = unhex(j.value ->> 0) AND p.fence = j.value ->> 1 \
     WHERE TRUE \
     RETURNING id, message_id"
    [BigInt = at, Text = jobs]
}

statement! {
    /// Takes out jobs that are over.
    struct TakeOut<'a> { ids: Json }
    "DELETE FROM push_jobs WHERE id IN (SELECT unhex(value) FROM json_each(?))"
    [Text = ids]
}

statement! {
    /// Keeps count of messages' jobs that are not over.
    struct CountOpen<'a> { changes: Json } -> { (Binary, BigInt) }
    "UPDATE messages SET open_jobs = open_jobs + (j.value ->> 1) FROM json_each(?) AS j \
     WHERE messages.id = unhex(j.value ->> 0) RETURNING id, open_jobs"
    [Text = changes]
}

statement! {
    /// Ends claims as `Schedule::postponed` would.
    struct Postpone<'a> { jobs: Json, at: Instant } -> { Binary }
    "UPDATE push_jobs SET due_at = j.value ->> 2, claimed = 0, failures = failures + 1, receives = 0, \
        reason = j.value ->> 3, updated_at = ? \
     FROM json_each(?) AS j WHERE push_jobs.id = unhex(j.value ->> 0) AND push_jobs.fence = j.value ->> 1 RETURNING id"
    [BigInt = at, Text = jobs]
}

statement! {
    /// Ends claims that were not used.
    struct Return<'a> { jobs: Json, at: Instant }
    "UPDATE push_jobs SET due_at = ?, claimed = 0, receives = receives - 1 \
     FROM json_each(?) AS j WHERE push_jobs.id = unhex(j.value ->> 0) AND push_jobs.fence = j.value ->> 1 \
        AND push_jobs.claimed = 1"
    [BigInt = at, Text = jobs]
}

statement! {
    /// Has a lane rest, for as long as anybody asked for.
    struct Rest<'a> { lane: str, until: Instant }
    "INSERT INTO resting_lanes (lane, until) VALUES (?, ?) \
     ON CONFLICT (lane) DO UPDATE SET until = max(until, excluded.until)"
    [Text = lane, BigInt = until]
}

statement! {
    /// Puts jobs back that were set aside; they are still to be taken out of `finished_jobs`.
    struct Redrive<'a> { now: Instant, limit: i64 } -> { (Binary, Binary) }
    "INSERT INTO push_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, due_at, \
        claimed, fence, failures, receives, updated_at) \
     SELECT id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, ?, \
        0, fence, attempts, 0, ? \
     FROM finished_jobs WHERE reason = 'set_aside' AND expires_at > ? ORDER BY expires_at LIMIT ? \
     RETURNING id, message_id"
    [BigInt = now, BigInt = now, BigInt = now, BigInt = limit]
}

statement! {
    /// Takes out jobs that were put back.
    struct TakeBackOut<'a> { ids: Json }
    "DELETE FROM finished_jobs WHERE id IN (SELECT unhex(value) FROM json_each(?))"
    [Text = ids]
}

statement! {
    /// Removes those of these messages that have no job any more, open or over.
    struct DropSilent<'a> { ids: Json }
    "DELETE FROM messages WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND open_jobs = 0 \
        AND NOT EXISTS (SELECT 1 FROM finished_jobs AS f WHERE f.message_id = messages.id)"
    [Text = ids]
}

/// What a message's jobs are to say, where it can be read, and whether it was taken back.
#[derive(Clone, Default)]
struct Said {
    message: Option<Arc<Message>>,
    taken_back: bool,
}

impl Jobs for Repositories<'_> {
    fn claim_jobs(
        &mut self,
        now: Timestamp,
        lease: Duration,
        most: u32,
        busy: &[Lane],
    ) -> Found<Vec<Claimed>> {
        let claim = Claim {
            now: &now.into(),
            until: &Instant(now + lease),
            busy: &lists::texts(busy.iter().map(Lane::name)),
            most: &most.into(),
        };
        let rows: Vec<JobRow> = claim.load(self.connection).around(TABLE)?;
        let jobs: Found<Vec<(Job, Schedule)>> = rows.into_iter().map(JobRow::read).collect();
        self.with_what_they_need(jobs?, now)
    }

    fn finish_jobs(&mut self, jobs: &[Finished], now: Timestamp) -> Found<Ended> {
        if jobs.is_empty() {
            return Ok(Ended::default());
        }
        let rows = jobs.iter().map(|job| {
            [
                hex(job.id),
                Value::from(job.fence.0),
                Value::from(job.end.name()),
                Value::from(job.reason.map(Reason::name)),
                Value::from(job.attempts),
            ]
        });
        let finish = Finish {
            jobs: &lists::rows(rows),
            at: &now.into(),
        };
        let ended: Vec<(Id, Id)> = finish.load(self.connection).around(FINISHED)?;
        let of_message = |(job, message): (Id, Id)| (job.into(), message.into());
        self.take_out(ended.into_iter().map(of_message).collect(), now)
    }

    fn postpone_jobs(&mut self, jobs: &[Postponed], now: Timestamp) -> Found<Vec<JobId>> {
        let rows = jobs.iter().map(|job| {
            [
                hex(job.id),
                Value::from(job.fence.0),
                lists::instant(job.due_at),
                Value::from(job.reason.name()),
            ]
        });
        let postpone = Postpone {
            jobs: &lists::rows(rows),
            at: &now.into(),
        };
        let postponed: Vec<Id> = postpone.load(self.connection).around(TABLE)?;
        let mut postponed: Vec<JobId> = postponed.into_iter().map(JobId::from).collect();
        postponed.sort_unstable();
        Ok(postponed)
    }

    fn return_jobs(&mut self, jobs: &[(JobId, Fence)], now: Timestamp) -> Found<()> {
        let rows = jobs.iter().map(|(id, fence)| [hex(*id), Value::from(fence.0)]);
        let back = Return {
            jobs: &lists::rows(rows),
            at: &now.into(),
        };
        back.execute(self.connection).around(TABLE).map(drop)
    }

    fn rest_lane(&mut self, lane: &Lane, until: Timestamp) -> Found<()> {
        let rest = Rest {
            lane: lane.name(),
            until: &until.into(),
        };
        rest.execute(self.connection).around(LANES).map(drop)
    }

    fn note_rung(&mut self, credentials: &[CredentialId], at: Timestamp) -> Found<()> {
        self.note_ringing(credentials, at)
    }

    fn suspect(
        &mut self,
        credentials: &[CredentialId],
        claimed_at: Timestamp,
        at: Timestamp,
    ) -> Found<Vec<CredentialId>> {
        self.make_suspects(credentials, claimed_at, at)
    }

    fn remove_dead(&mut self, user: UserId, credential: CredentialId, claimed_at: Timestamp) -> Found<bool> {
        self.remove_suspect(user, credential, claimed_at)
    }

    fn redrive_jobs(&mut self, now: Timestamp, limit: u32) -> Found<u64> {
        let redrive = Redrive {
            now: &now.into(),
            limit: &limit.into(),
        };
        let back: Vec<(Id, Id)> = redrive.load(self.connection).around(TABLE)?;
        let out = TakeBackOut {
            ids: &lists::ids(back.iter().map(|(job, _)| *job)),
        };
        out.execute(self.connection).around(FINISHED)?;
        self.count_open(back.iter().map(|(_, message)| (*message).into()), 1, now)?;
        Ok(u64::try_from(back.len()).unwrap_or(u64::MAX))
    }

    fn stop_pruning(&mut self, since: Option<Timestamp>) -> Found<bool> {
        self.set_pruning_stop(since)
    }
}

impl Repositories<'_> {
    /// Jobs that were just claimed, in order, with what they ring and say: a statement for each kind of that.
    fn with_what_they_need(&mut self, mut jobs: Vec<(Job, Schedule)>, now: Timestamp) -> Found<Vec<Claimed>> {
        jobs.sort_unstable_by_key(|(job, _)| job.id);
        let held = self.held(jobs.iter().map(|(job, _)| job.credential))?;
        let messages = self.messages_of(&jobs)?;
        let replaced = self.replaced(&jobs, &messages, now)?;
        let claimed = jobs.into_iter().map(|(job, schedule)| {
            let Said { message, taken_back } = messages.get(&job.message).cloned().unwrap_or_default();
            let found = held.get(&job.credential);
            let unreadable = matches!(found, Some(None));
            Claimed {
                held: found.cloned().flatten(),
                replaced: replaced.contains(&job.id),
                job,
                schedule,
                taken_back,
                message: message.filter(|_| !unreadable),
            }
        });
        Ok(claimed.collect())
    }

    /// Which jobs a later one has taken the place of. Nobody is asked where no message can be replaced.
    fn replaced(
        &mut self,
        jobs: &[(Job, Schedule)],
        messages: &BTreeMap<MessageId, Said>,
        now: Timestamp,
    ) -> Found<BTreeSet<JobId>> {
        let collapses = |job: &Job| {
            let said = messages.get(&job.message).and_then(|said| said.message.as_ref());
            said.is_some_and(|message| message.collapse_key.is_some())
        };
        let jobs = jobs.iter().map(|(job, _)| job).filter(|job| collapses(job));
        let ids: Vec<JobId> = jobs.map(|job| job.id).collect();
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let ask = Replaced {
            ids: &lists::ids(ids),
            now: &now.into(),
        };
        let replaced: Vec<Id> = ask.load(self.connection).around(TABLE)?;
        Ok(replaced.into_iter().map(JobId::from).collect())
    }

    /// The messages of jobs as far as they can be read, and whether they were taken back.
    fn messages_of(&mut self, jobs: &[(Job, Schedule)]) -> Found<BTreeMap<MessageId, Said>> {
        let mut ids: Vec<MessageId> = jobs.iter().map(|(job, _)| job.message).collect();
        ids.sort_unstable();
        ids.dedup();
        let load = LoadMessages {
            ids: &lists::ids(ids),
        };
        let rows: Vec<MessageRow> = load.load(self.connection).around(MESSAGES)?;
        let mut messages = BTreeMap::new();
        for row in rows {
            let (id, taken_back) = (row.id.into(), row.cancelled_at.is_some());
            let message = match row.open(self.vault) {
                Ok(message) => Some(Arc::new(message)),
                Err(error) => {
                    tracing::warn!(%error, "a message cannot be read");
                    None
                }
            };
            let said = Said { message, taken_back };
            messages.insert(id, said);
        }
        Ok(messages)
    }

    /// Takes jobs out whose ends are written; which, and which messages are over with them at `now`.
    pub(super) fn take_out(&mut self, jobs: Vec<(JobId, MessageId)>, now: Timestamp) -> Found<Ended> {
        let out = TakeOut {
            ids: &lists::ids(jobs.iter().map(|(job, _)| *job)),
        };
        out.execute(self.connection).around(TABLE)?;
        let messages = self.count_open(jobs.iter().map(|(_, message)| *message), -1, now)?;
        let mut jobs: Vec<JobId> = jobs.into_iter().map(|(job, _)| job).collect();
        jobs.sort_unstable();
        Ok(Ended { jobs, messages })
    }

    /// Counts one up or down for each job of a message, and announces the messages that have none left at `now`; those, in order.
    fn count_open(
        &mut self,
        messages: impl IntoIterator<Item = MessageId>,
        change: i64,
        now: Timestamp,
    ) -> Found<Vec<MessageId>> {
        let mut changes: BTreeMap<MessageId, i64> = BTreeMap::new();
        for message in messages {
            *changes.entry(message).or_default() += change;
        }
        let count = CountOpen {
            changes: &lists::changes(&changes),
        };
        let counted: Vec<(Id, i64)> = count.load(self.connection).around(MESSAGES)?;
        let over = counted.into_iter().filter(|(_, open)| *open == 0);
        let mut over: Vec<MessageId> = over.map(|(id, _)| id.into()).collect();
        over.sort_unstable();
        announce(self.connection, self.announcer.of_messages(&over, now))?;
        Ok(over)
    }

    /// Removes a user's jobs, whether or not they are over, and whatever did not reach them, and with that what was said to nobody else.
    pub(super) fn erase_jobs(&mut self, user: UserId, now: Timestamp) -> Found<()> {
        let open: Vec<Id> = diesel::delete(push_jobs::table.filter(push_jobs::user_id.eq(Id::from(user))))
            .returning(push_jobs::message_id)
            .get_results(self.connection)
            .around(TABLE)?;
        let over: Vec<Id> =
            diesel::delete(finished_jobs::table.filter(finished_jobs::user_id.eq(Id::from(user))))
                .returning(finished_jobs::message_id)
                .get_results(self.connection)
                .around(FINISHED)?;
        let unheard: Vec<Id> = diesel::delete(unreached::table.filter(unreached::user_id.eq(Id::from(user))))
            .returning(unreached::message_id)
            .get_results(self.connection)
            .around("unreached")?;
        let said = open.iter().chain(&over).chain(&unheard);
        let said: BTreeSet<MessageId> = said.map(|id| (*id).into()).collect();
        self.count_open(open.into_iter().map(MessageId::from), -1, now)?;
        let silent = DropSilent {
            ids: &lists::ids(said),
        };
        silent.execute(self.connection).around(MESSAGES).map(drop)
    }
}
