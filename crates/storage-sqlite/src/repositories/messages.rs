//! Messages on their way in.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::job::{FinalState, Job, Reason, Schedule, Target};
use doorbell_domain::message::{Audience, Message};
use doorbell_domain::store::{Ended, Found, Messages, Recalled};
use doorbell_domain::{ApiKeyId, JobId, MessageId, PhoneNumber, Timestamp, UserId};
use doorbell_storage::parts;
use serde_json::Value;

use super::Repositories;
use crate::lists::{self, hex};
use crate::rows::MessageRow;
use crate::schema::{idempotency_keys, messages};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant, Json};

const TABLE: &str = "messages";
const JOBS: &str = "push_jobs";
const KEYS: &str = "idempotency_keys";

#[derive(Insertable)]
#[diesel(table_name = idempotency_keys)]
struct KeyRow<'a> {
    api_key: Id,
    key: &'a str,
    request_hash: &'a [u8],
    message_id: Id,
    created_at: Instant,
}

statement! {
    /// Writes the jobs of a message.
    struct InsertJobs<'a> { message: Id, due_at: Instant, created_at: Instant, jobs: Json }
    "INSERT INTO push_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, due_at, \
        claimed, fence, failures, receives, updated_at) \
     SELECT unhex(j.value ->> 0), ?, unhex(j.value ->> 1), unhex(j.value ->> 2), j.value ->> 3, unhex(j.value ->> 4), \
        j.value ->> 5, j.value ->> 6, ?, 0, 0, 0, 0, ? \
     FROM json_each(?) AS j"
    [Binary = message, BigInt = due_at, BigInt = created_at, Text = jobs]
}

statement! {
    /// Notes whom a message did not reach.
    struct InsertUnreached<'a> { message: Id, users: Json, devices: Json, phones: Json, reached: Json }
    "INSERT INTO unreached (message_id, user_id) SELECT ?, named.id FROM (\
        SELECT u.id FROM json_each(?) AS j CROSS JOIN users AS u ON u.id = unhex(j.value) \
            WHERE u.deletion_finalized_at IS NULL \
        UNION SELECT d.user_id FROM json_each(?) AS j CROSS JOIN devices AS d ON d.id = unhex(j.value) \
        UNION SELECT u.id FROM json_each(?) AS j CROSS JOIN users AS u ON u.phone = j.value) AS named \
     WHERE named.id NOT IN (SELECT unhex(j.value) FROM json_each(?) AS j)"
    [Binary = message, Text = users, Text = devices, Text = phones, Text = reached]
}

statement! {
    /// Notes that a message was taken back, and when for the first time.
    struct TakeBack<'a> { id: Id, at: Instant }
    "UPDATE messages SET cancelled_at = ifnull(cancelled_at, ?) WHERE id = ?"
    [BigInt = at, Binary = id]
}

statement! {
    /// Ends the jobs of a message that nobody has claimed; they are still to be taken out of `push_jobs`.
    struct EndUnclaimed<'a> { message: Id, state: &'static str, reason: &'static str, at: Instant } -> { Binary }
    "INSERT INTO finished_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, \
        state, reason, attempts, fence, finished_at) \
     SELECT id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, ?, ?, failures, fence, ? \
     FROM push_jobs WHERE message_id = ? AND claimed = 0 \
     RETURNING id"
    [Text = state, Text = reason, BigInt = at, Binary = message]
}

impl Messages for Repositories<'_> {
    fn recall(
        &mut self,
        api_key: ApiKeyId,
        key: &IdempotencyKey,
        request: &RequestHash,
        message: MessageId,
        now: Timestamp,
    ) -> Found<Recalled> {
        let row = KeyRow {
            api_key: api_key.into(),
            key: key.as_str(),
            request_hash: request.as_bytes(),
            message_id: message.into(),
            created_at: now.into(),
        };
        let noted = diesel::insert_into(idempotency_keys::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(self.connection)
            .around(KEYS)?;
        if noted > 0 {
            return Ok(Recalled::Fresh);
        }
        let (hash, first, jobs): (Vec<u8>, Id, Option<i64>) = idempotency_keys::table
            .left_join(messages::table.on(messages::id.eq(idempotency_keys::message_id)))
            .filter(idempotency_keys::api_key.eq(row.api_key))
            .filter(idempotency_keys::key.eq(row.key))
            .select((
                idempotency_keys::request_hash,
                idempotency_keys::message_id,
                messages::jobs.nullable(),
            ))
            .first(self.connection)
            .around(KEYS)?;
        if hash != request.as_bytes() {
            return Ok(Recalled::Other);
        }
        let jobs = parts::count(jobs.unwrap_or(0), TABLE, "jobs")?;
        Ok(Recalled::Same(first.into(), jobs))
    }

    fn reachable(&mut self, audience: &Audience, now: Timestamp) -> Found<Vec<Target>> {
        self.targets_of(audience, now)
    }

    fn insert_message(&mut self, message: &Message, jobs: &[Job]) -> Found<()> {
        diesel::insert_into(messages::table)
            .values(&MessageRow::of(message, jobs.len(), self.vault)?)
            .execute(self.connection)
            .around(TABLE)?;
        let rows = jobs.iter().map(|job| {
            [
                hex(job.id),
                hex(job.user),
                hex(job.device),
                Value::from(job.credential.provider().name()),
                hex(Id(job.credential.row())),
                Value::from(job.lane.name()),
                lists::instant(job.expires_at),
            ]
        });
        let insert = InsertJobs {
            message: &message.id.into(),
            due_at: &Schedule::of_new(message).due_at.into(),
            created_at: &message.created_at.into(),
            jobs: &lists::rows(rows),
        };
        insert.execute(self.connection).around(JOBS).map(drop)
    }

    fn note_unreached(&mut self, message: MessageId, audience: &Audience, reached: &[UserId]) -> Found<()> {
        let insert = InsertUnreached {
            message: &message.into(),
            users: &lists::ids(audience.users().iter().copied()),
            devices: &lists::ids(audience.devices().iter().copied()),
            phones: &lists::texts(audience.phones().iter().map(PhoneNumber::e164)),
            reached: &lists::ids(reached.iter().copied()),
        };
        insert.execute(self.connection).around("unreached").map(drop)
    }

    fn cancel_message(&mut self, id: MessageId, now: Timestamp) -> Found<Option<Ended>> {
        let row = Id::from(id);
        let back = TakeBack {
            id: &row,
            at: &now.into(),
        };
        if back.execute(self.connection).around(TABLE)? == 0 {
            return Ok(None);
        }
        let end = EndUnclaimed {
            message: &row,
            state: &FinalState::Cancelled.name(),
            reason: &Reason::TakenBack.name(),
            at: &now.into(),
        };
        let ended: Vec<Id> = end.load(self.connection).around(JOBS)?;
        let jobs: Vec<(JobId, MessageId)> = ended.into_iter().map(|job| (job.into(), id)).collect();
        self.take_out(jobs, now).map(Some)
    }
}
