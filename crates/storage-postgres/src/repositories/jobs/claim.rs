//! Claiming jobs, with what they ring and say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::Timestamp;
use doorbell_domain::job::{Claimed, CredentialId, Held, Lane, Target};
use doorbell_domain::message::Message;
use doorbell_domain::store::Found;
use uuid::Uuid;

use super::readable;
use crate::moment::Moment;
use crate::repositories::Repositories;
use crate::rows::{JobRow, MessageRow, SubscriptionRow, TokenRow};
use crate::schema::{messages, push_jobs, push_tokens, subscriptions};
use crate::statement::statement;

/// How many times as many jobs are looked at as are claimed, so that those who claim at once find enough beside each other.
const CHOICE: u32 = 4;

statement! {
    /// Claims jobs as `Schedule::claimed` would. Each lane is asked for what is due first, so that what waits in a slow one is never
    /// read; then rows are locked once, before any of them is written, so that no more are claimed than asked for. Each is found again by
    /// its place: by any key, a planner that saw the table empty, as it is between any two messages, looks through all of it for each; `IS
    /// TRUE` keeps it from doing so by time. One that was written anew meanwhile is nowhere to be found, and claimed another time.
    ClaimJobs -> push_jobs::SqlType:
    "WITH RECURSIVE lanes AS (
        (SELECT any_job.lane FROM push_jobs any_job ORDER BY any_job.lane LIMIT 1)
        UNION ALL SELECT (
            SELECT any_job.lane FROM push_jobs any_job WHERE any_job.lane > lanes.lane ORDER BY any_job.lane LIMIT 1
        ) FROM lanes WHERE lanes.lane IS NOT NULL
    ), due AS MATERIALIZED (
        SELECT job.ctid FROM push_jobs job WHERE job.ctid = ANY(ARRAY(
            SELECT early.ctid FROM lanes CROSS JOIN LATERAL (
                SELECT waiting.ctid, waiting.due_at FROM push_jobs waiting
                WHERE waiting.lane = lanes.lane AND waiting.due_at <= " [now: Moment => Timestamptz]
    " ORDER BY waiting.due_at LIMIT " [choice: i64 => BigInt]
    ") AS early WHERE lanes.lane <> ALL(" [busy: Vec<String> => Array<Text>]
    ") AND lanes.lane <> ALL(ARRAY(SELECT resting.lane FROM resting_lanes resting WHERE resting.until > $1))
            ORDER BY early.due_at LIMIT $2
        )) AND (job.due_at <= $1) IS TRUE ORDER BY job.due_at LIMIT " [most: i64 => BigInt] " FOR UPDATE OF job SKIP LOCKED
    ) UPDATE push_jobs SET due_at = " [until: Moment => Timestamptz]
    ", claimed = true, fence = fence + 1, receives = receives + 1
    WHERE push_jobs.ctid = ANY(ARRAY(SELECT due.ctid FROM due)) RETURNING "
    {push_jobs::all_columns}
}

// Devices and sessions are asked for each by its key: joined, a planner that has seen only empty tables looks through all of them.

statement! {
    /// Subscriptions, whether their device was revoked, and whether their session has ended.
    SubscriptionsRung -> (subscriptions::SqlType, Bool, Bool):
    "SELECT " {subscriptions::all_columns}
    ", (SELECT devices.status = 'revoked' FROM devices WHERE devices.id = subscriptions.device_id),
    (SELECT holder.ended_at IS NOT NULL FROM sessions holder WHERE holder.id = subscriptions.session_id)
    FROM subscriptions WHERE subscriptions.id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>] ")"
}

statement! {
    /// Tokens, whether their device was revoked, and whether their session has ended.
    TokensRung -> (push_tokens::SqlType, Bool, Bool):
    "SELECT " {push_tokens::all_columns}
    ", (SELECT devices.status = 'revoked' FROM devices WHERE devices.id = push_tokens.device_id),
    (SELECT holder.ended_at IS NOT NULL FROM sessions holder WHERE holder.id = push_tokens.session_id)
    FROM push_tokens WHERE push_tokens.id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>] ")"
}

statement! {
    /// Messages.
    MessagesSaid -> messages::SqlType:
    "SELECT " {messages::all_columns} " FROM messages WHERE messages.id = ANY("
    [ids: Vec<Uuid> => Array<SqlUuid>] ")"
}

statement! {
    /// Those of the jobs that a later one has taken the place of. What a user was sent since is little.
    Replaced -> SqlUuid:
    "SELECT job.id FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [messages: Vec<Uuid> => Array<SqlUuid>] ", "
    [users: Vec<Uuid> => Array<SqlUuid>] ", " [credentials: Vec<Uuid> => Array<SqlUuid>]
    ") AS job (id, message_id, user_id, credential_id) JOIN messages said ON said.id = job.message_id
    WHERE EXISTS (
        SELECT FROM push_jobs later
        WHERE later.user_id = job.user_id AND later.id > job.id AND later.credential_id = job.credential_id AND (
            SELECT newer.api_key = said.api_key AND newer.collapse_key = said.collapse_key AND newer.cancelled_at IS NULL
                AND newer.send_at >= said.send_at AND newer.send_at <= " [now: Moment => Timestamptz]
    " FROM messages newer WHERE newer.id = later.message_id)
    ) OR EXISTS (
        SELECT FROM finished_jobs later JOIN messages newer ON newer.id = later.message_id
        WHERE later.user_id = job.user_id AND later.id > job.id AND later.credential_id = job.credential_id
            AND later.state = 'delivered' AND later.finished_at >= said.created_at
            AND newer.api_key = said.api_key AND newer.collapse_key = said.collapse_key
            AND newer.send_at >= said.send_at)"
}

/// What jobs ring: those that are there, and of these `None` for what cannot be read.
type Rung = BTreeMap<CredentialId, Option<Held>>;

/// What jobs say, and whether it was taken back.
type Said = BTreeMap<Uuid, (bool, Option<Arc<Message>>)>;

impl Repositories<'_> {
    /// Claims jobs until `until`, and reads what belongs to them.
    pub(super) fn claim(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        most: u32,
        busy: &[Lane],
    ) -> Found<Vec<Claimed>> {
        let statement = ClaimJobs {
            now: Moment(now),
            choice: i64::from(most) * i64::from(CHOICE),
            busy: busy.iter().map(|lane| lane.name().to_owned()).collect(),
            most: most.into(),
            until: Moment(until),
        };
        let rows: Vec<JobRow> = self.ask(|connection| (&statement).load(connection))?;
        let credentials: BTreeSet<CredentialId> =
            rows.iter().map(JobRow::credential).collect::<Found<_>>()?;
        let said = self.said(rows.iter().map(|row| row.message_id).collect())?;
        let rung = self.rung(credentials)?;
        let replaced = self.replaced(&rows, &said, now)?;
        rows.into_iter()
            .map(|row| gather(row, &rung, &said, &replaced))
            .collect()
    }

    /// Which jobs a later one has taken the place of. Nobody is asked where no message can be replaced.
    fn replaced(&mut self, rows: &[JobRow], said: &Said, now: Timestamp) -> Found<BTreeSet<Uuid>> {
        let collapses = |row: &&JobRow| {
            let message = said
                .get(&row.message_id)
                .and_then(|(_, message)| message.as_ref());
            message.is_some_and(|message| message.collapse_key.is_some())
        };
        let rows: Vec<&JobRow> = rows.iter().filter(collapses).collect();
        if rows.is_empty() {
            return Ok(BTreeSet::new());
        }
        let statement = Replaced {
            ids: rows.iter().map(|row| row.id).collect(),
            messages: rows.iter().map(|row| row.message_id).collect(),
            users: rows.iter().map(|row| row.user_id).collect(),
            credentials: rows.iter().map(|row| row.credential_id).collect(),
            now: Moment(now),
        };
        let replaced: Vec<Uuid> = self.ask(|connection| (&statement).load(connection))?;
        Ok(replaced.into_iter().collect())
    }

    fn rung(&mut self, credentials: BTreeSet<CredentialId>) -> Found<Rung> {
        let (mut tokens, mut subscriptions) = (Vec::new(), Vec::new());
        for credential in credentials {
            match credential {
                CredentialId::Apns(token) | CredentialId::Fcm(token) => tokens.push(token.uuid()),
                CredentialId::WebPush(subscription) => subscriptions.push(subscription.uuid()),
            }
        }
        let mut rung = Rung::new();
        if !subscriptions.is_empty() {
            self.rung_subscriptions(subscriptions, &mut rung)?;
        }
        if !tokens.is_empty() {
            self.rung_tokens(tokens, &mut rung)?;
        }
        Ok(rung)
    }

    fn rung_subscriptions(&mut self, ids: Vec<Uuid>, rung: &mut Rung) -> Found<()> {
        let statement = SubscriptionsRung { ids };
        let rows: Vec<(SubscriptionRow, bool, bool)> =
            self.ask(|connection| (&statement).load(connection))?;
        for (row, device_revoked, session_ended) in rows {
            let credential = row.credential();
            let target = readable(row.read(session_ended, self.vault))?.map(Target::Subscription);
            rung.insert(credential, held(target, device_revoked));
        }
        Ok(())
    }

    fn rung_tokens(&mut self, ids: Vec<Uuid>, rung: &mut Rung) -> Found<()> {
        let statement = TokensRung { ids };
        let rows: Vec<(TokenRow, bool, bool)> = self.ask(|connection| (&statement).load(connection))?;
        for (row, device_revoked, session_ended) in rows {
            let credential = row.credential()?;
            let target = readable(row.read(session_ended, self.vault))?.map(Target::Token);
            rung.insert(credential, held(target, device_revoked));
        }
        Ok(())
    }

    fn said(&mut self, ids: BTreeSet<Uuid>) -> Found<Said> {
        if ids.is_empty() {
            return Ok(Said::new());
        }
        let statement = MessagesSaid {
            ids: ids.into_iter().collect(),
        };
        let rows: Vec<MessageRow> = self.ask(|connection| (&statement).load(connection))?;
        let said = rows.into_iter().map(|row| {
            let (id, taken_back) = (row.id, row.taken_back());
            Ok((id, (taken_back, readable(row.read(self.vault))?)))
        });
        said.collect()
    }
}

fn held(target: Option<Target>, device_revoked: bool) -> Option<Held> {
    target.map(|target| Held {
        target,
        device_revoked,
    })
}

fn gather(row: JobRow, rung: &Rung, said: &Said, replaced: &BTreeSet<Uuid>) -> Found<Claimed> {
    let replaced = replaced.contains(&row.id);
    let message_id = row.message_id;
    let (job, schedule) = row.read()?;
    let held = rung.get(&job.credential);
    let (taken_back, message) = said.get(&message_id).cloned().unwrap_or_default();
    Ok(Claimed {
        // What cannot be read is told apart from what is gone by the message's absence.
        message: message.filter(|_| held != Some(&None)),
        held: held.cloned().flatten(),
        job,
        schedule,
        taken_back,
        replaced,
    })
}
