//! Messages on their way in, and taken back.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::job::{FinalState, Job, Reason, Schedule, Target};
use doorbell_domain::message::{Audience, Message};
use doorbell_domain::store::{Ended, Found, Messages, Recalled, StoreError};
use doorbell_domain::{ApiKeyId, DeviceUid, MessageId, PhoneNumber, Timestamp, UserId, suspicion};
use doorbell_storage::parts;
use uuid::Uuid;

use super::Repositories;
use super::jobs::readable;
use crate::moment::Moment;
use crate::rows::{MessageRow, SubscriptionRow, TokenRow};
use crate::schema::{idempotency_keys, messages, push_tokens, subscriptions};
use crate::statement::statement;

statement! {
    /// The active devices of an audience.
    DevicesNamed -> SqlUuid:
    "SELECT named.id FROM devices named WHERE named.status = 'active' AND named.user_id = ANY("
    [users: Vec<Uuid> => Array<SqlUuid>] " || ARRAY(SELECT phoned.id FROM users phoned WHERE phoned.phone = ANY("
    [phones: Vec<String> => Array<Text>] ")))
    UNION SELECT named.id FROM devices named WHERE named.status = 'active' AND named.id = ANY("
    [devices: Vec<Uuid> => Array<SqlUuid>] ")"
}

// Sessions are asked for each by its key: joined, a planner that has seen only empty tables looks through all of them.

statement! {
    /// The subscriptions on those devices whose session has not ended.
    SubscriptionsOn -> subscriptions::SqlType:
    "SELECT " {subscriptions::all_columns} " FROM subscriptions WHERE subscriptions.device_id = ANY("
    [devices: Vec<Uuid> => Array<SqlUuid>]
    ") AND (SELECT holder.ended_at IS NULL FROM sessions holder WHERE holder.id = subscriptions.session_id)"
}

statement! {
    /// The alert tokens on those devices whose session has not ended.
    AlertTokensOn -> push_tokens::SqlType:
    "SELECT " {push_tokens::all_columns} " FROM push_tokens WHERE push_tokens.device_id = ANY("
    [devices: Vec<Uuid> => Array<SqlUuid>]
    ") AND push_tokens.kind = 'alert'
    AND (SELECT holder.ended_at IS NULL FROM sessions holder WHERE holder.id = push_tokens.session_id)"
}

statement! {
    /// Writes the jobs of one message, which nobody has claimed.
    InsertJobs:
    "INSERT INTO push_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, due_at, claimed,
        fence, failures, receives, updated_at)
    SELECT job.id, " [message: Uuid => SqlUuid]
    ", job.user_id, job.device_id, job.provider, job.credential_id, job.lane, job.expires_at, "
    [due_at: Moment => Timestamptz] ", " [claimed: bool => Bool] ", " [fence: i64 => BigInt] ", "
    [failures: i64 => BigInt] ", " [receives: i64 => BigInt] ", " [accepted_at: Moment => Timestamptz]
    " FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [users: Vec<Uuid> => Array<SqlUuid>] ", "
    [devices: Vec<Uuid> => Array<SqlUuid>] ", " [providers: Vec<&'static str> => Array<Text>] ", "
    [credentials: Vec<Uuid> => Array<SqlUuid>] ", " [lanes: Vec<String> => Array<Text>] ", "
    [expires_at: Vec<Moment> => Array<Timestamptz>]
    ") AS job (id, user_id, device_id, provider, credential_id, lane, expires_at)"
}

impl InsertJobs {
    fn of(message: &Message, jobs: &[Job]) -> Self {
        let schedule = Schedule::of_new(message);
        Self {
            message: message.id.uuid(),
            due_at: Moment(schedule.due_at),
            claimed: schedule.claimed,
            fence: schedule.fence.0.into(),
            failures: schedule.failures.into(),
            receives: schedule.receives.into(),
            accepted_at: Moment(message.created_at),
            ids: jobs.iter().map(|job| job.id.uuid()).collect(),
            users: jobs.iter().map(|job| job.user.uuid()).collect(),
            devices: jobs.iter().map(|job| job.device.uuid()).collect(),
            providers: jobs.iter().map(|job| job.credential.provider().name()).collect(),
            credentials: jobs.iter().map(|job| job.credential.row()).collect(),
            lanes: jobs.iter().map(|job| job.lane.name().to_owned()).collect(),
            expires_at: jobs.iter().map(|job| Moment(job.expires_at)).collect(),
        }
    }
}

statement! {
    /// Notes whom a message did not reach.
    InsertUnreached:
    "INSERT INTO unreached (message_id, user_id) SELECT " [message: Uuid => SqlUuid]
    ", named.id FROM (
        SELECT account.id FROM users account WHERE account.deletion_finalized_at IS NULL AND account.id = ANY("
    [users: Vec<Uuid> => Array<SqlUuid>] ") UNION SELECT phoned.id FROM users phoned WHERE phoned.phone = ANY("
    [phones: Vec<String> => Array<Text>] ") UNION SELECT held.user_id FROM devices held WHERE held.id = ANY("
    [devices: Vec<Uuid> => Array<SqlUuid>] ")) AS named WHERE named.id <> ALL("
    [reached: Vec<Uuid> => Array<SqlUuid>] ")"
}

statement! {
    /// Takes a message back, if it was not before.
    TakeBack:
    "UPDATE messages SET cancelled_at = coalesce(messages.cancelled_at, " [now: Moment => Timestamptz]
    ") WHERE messages.id = " [message: Uuid => SqlUuid]
}

statement! {
    /// Ends those jobs of a message that nobody has claimed, or is about to. Found again by their places, as those that are claimed are.
    CancelJobs -> (SqlUuid, SqlUuid):
    "WITH held AS MATERIALIZED (
        SELECT job.ctid FROM push_jobs job WHERE job.message_id = " [message: Uuid => SqlUuid]
    " AND NOT job.claimed ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
    ), taken AS (
        DELETE FROM push_jobs WHERE push_jobs.ctid = ANY(ARRAY(SELECT held.ctid FROM held)) RETURNING push_jobs.*
    )
    INSERT INTO finished_jobs (id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, state, reason,
        attempts, fence, finished_at)
    SELECT id, message_id, user_id, device_id, provider, credential_id, lane, expires_at, "
    [state: &'static str => Text] ", " [reason: &'static str => Text] ", failures, fence, "
    [now: Moment => Timestamptz] " FROM taken RETURNING id, message_id"
}

/// What a key was used for: the request's hash, its message, and how many jobs that has, if it is still there.
type Used = (Vec<u8>, Uuid, Option<i64>);

impl Messages for Repositories<'_> {
    fn recall(
        &mut self,
        api_key: ApiKeyId,
        key: &IdempotencyKey,
        request: &RequestHash,
        message: MessageId,
        now: Timestamp,
    ) -> Found<Recalled> {
        // A sweep may take the row away between the two, but not again and again.
        for _ in 0..3 {
            if self.note_key(api_key, key, request, message, now)? {
                return Ok(Recalled::Fresh);
            }
            if let Some((hash, message, jobs)) = self.used_for(api_key, key)? {
                return if hash.as_slice() == request.as_bytes() {
                    let jobs = parts::count(jobs.unwrap_or(0), "messages", "jobs")?;
                    Ok(Recalled::Same(MessageId::from_uuid(message), jobs))
                } else {
                    Ok(Recalled::Other)
                };
            }
        }
        Err(StoreError::Unavailable(
            "an idempotency key left as it was looked for".to_owned(),
        ))
    }

    fn reachable(&mut self, audience: &Audience, now: Timestamp) -> Found<Vec<Target>> {
        let named = DevicesNamed {
            users: audience.users().iter().copied().map(UserId::uuid).collect(),
            phones: audience.phones().iter().map(PhoneNumber::e164).collect(),
            devices: audience.devices().iter().copied().map(DeviceUid::uuid).collect(),
        };
        let devices: Vec<Uuid> = self.ask(|connection| (&named).load(connection))?;
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let tokens = AlertTokensOn {
            devices: devices.clone(),
        };
        let tokens: Vec<TokenRow> = self.ask(|connection| (&tokens).load(connection))?;
        let subscriptions = SubscriptionsOn { devices };
        let subscriptions: Vec<SubscriptionRow> = self.ask(|connection| (&subscriptions).load(connection))?;
        let vault = self.vault;
        let tokens = tokens
            .into_iter()
            .map(|row| row.read(false, vault).map(Target::Token));
        let subscriptions = subscriptions
            .into_iter()
            .map(|row| row.read(false, vault).map(Target::Subscription));
        let mut targets = Vec::new();
        for target in tokens.chain(subscriptions) {
            targets.extend(readable(target)?);
        }
        targets.retain(|target| {
            let since = target.suspect_at();
            since.is_none_or(|since| suspicion::may_probe(since, now))
        });
        targets.sort_unstable_by_key(|target| (target.device(), target.credential().row()));
        Ok(targets)
    }

    fn insert_message(&mut self, message: &Message, jobs: &[Job]) -> Found<()> {
        let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
        let row = MessageRow::of(message, count, self.vault)?;
        self.ask(|connection| {
            diesel::insert_into(messages::table)
                .values(&row)
                .execute(connection)
        })?;
        if !jobs.is_empty() {
            let statement = InsertJobs::of(message, jobs);
            self.ask(|connection| (&statement).execute(connection))?;
        }
        Ok(())
    }

    fn note_unreached(&mut self, message: MessageId, audience: &Audience, reached: &[UserId]) -> Found<()> {
        let statement = InsertUnreached {
            message: message.uuid(),
            users: audience.users().iter().copied().map(UserId::uuid).collect(),
            phones: audience.phones().iter().map(PhoneNumber::e164).collect(),
            devices: audience.devices().iter().copied().map(DeviceUid::uuid).collect(),
            reached: reached.iter().copied().map(UserId::uuid).collect(),
        };
        self.ask(|connection| (&statement).execute(connection)).map(drop)
    }

    fn cancel_message(&mut self, id: MessageId, now: Timestamp) -> Found<Option<Ended>> {
        let statement = TakeBack {
            now: Moment(now),
            message: id.uuid(),
        };
        let known = self.ask(|connection| (&statement).execute(connection))?;
        if known == 0 {
            return Ok(None);
        }
        // Whoever ends jobs locks them before their message. Here it is the other way round, so no job is waited for.
        let statement = CancelJobs {
            message: id.uuid(),
            state: FinalState::Cancelled.name(),
            reason: Reason::TakenBack.name(),
            now: Moment(now),
        };
        let jobs = self.ask(|connection| (&statement).load(connection))?;
        self.ended(jobs, now).map(Some)
    }
}

impl Repositories<'_> {
    /// Notes a key's use; whether it was not noted yet.
    fn note_key(
        &mut self,
        api_key: ApiKeyId,
        key: &IdempotencyKey,
        request: &RequestHash,
        message: MessageId,
        now: Timestamp,
    ) -> Found<bool> {
        let noted = self.ask(|connection| {
            diesel::insert_into(idempotency_keys::table)
                .values((
                    idempotency_keys::api_key.eq(api_key.uuid()),
                    idempotency_keys::key.eq(key.as_str()),
                    idempotency_keys::request_hash.eq(request.as_bytes().as_slice()),
                    idempotency_keys::message_id.eq(message.uuid()),
                    idempotency_keys::created_at.eq(Moment(now)),
                ))
                .on_conflict_do_nothing()
                .execute(connection)
        })?;
        Ok(noted == 1)
    }

    /// What a key was used for.
    fn used_for(&mut self, api_key: ApiKeyId, key: &IdempotencyKey) -> Found<Option<Used>> {
        self.ask(|connection| {
            idempotency_keys::table
                .left_join(messages::table.on(messages::id.eq(idempotency_keys::message_id)))
                .filter(idempotency_keys::api_key.eq(api_key.uuid()))
                .filter(idempotency_keys::key.eq(key.as_str()))
                .select((
                    idempotency_keys::request_hash,
                    idempotency_keys::message_id,
                    messages::jobs.nullable(),
                ))
                .first(connection)
                .optional()
        })
    }
}
