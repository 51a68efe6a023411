//! One-time codes on their way.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::code_delivery::CodeDelivery;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedCode, CodeOutbox, Found};
use doorbell_domain::{OtpSessionId, Timestamp};
use time::Duration;
use uuid::Uuid;

use super::Repositories;
use crate::moment::Moment;
use crate::rows::OutboxRow;
use crate::schema::code_outbox;
use crate::statement::statement;

statement! {
    /// Claims codes as `Schedule::claimed` would. Rows are chosen and locked once, before any of them is written, so that no
    /// more are claimed than asked for.
    Claim -> code_outbox::SqlType:
    "WITH due AS MATERIALIZED (SELECT ctid FROM code_outbox WHERE due_at <= " [now: Moment => Timestamptz]
    " AND expires_at > $1 AND (leased_until IS NULL OR leased_until <= $1) ORDER BY due_at LIMIT "
    [most: i64 => BigInt] " FOR UPDATE SKIP LOCKED) UPDATE code_outbox SET leased_until = "
    [until: Moment => Timestamptz] ", fence = fence + 1
    WHERE code_outbox.ctid = ANY(ARRAY(SELECT due.ctid FROM due)) RETURNING "
    {code_outbox::all_columns}
}

statement! {
    /// Ends a claim as `Schedule::postponed` would.
    Postpone:
    "UPDATE code_outbox SET leased_until = NULL, attempts = attempts + 1, due_at = "
    [due_at: Moment => Timestamptz] " WHERE id = " [id: Uuid => SqlUuid] " AND fence = " [fence: i64 => BigInt]
}

statement! {
    /// Takes out what has expired, a thousand rows a time.
    DropExpired:
    "DELETE FROM code_outbox WHERE id = ANY (ARRAY(SELECT id FROM code_outbox WHERE expires_at <= "
    [now: Moment => Timestamptz] " ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))"
}

impl CodeOutbox for Repositories<'_> {
    fn enqueue_code(&mut self, delivery: &CodeDelivery) -> Found<()> {
        let row = OutboxRow::of(delivery, self.vault)?;
        let phone = delivery.phone.e164();
        self.ask(|connection| {
            diesel::delete(code_outbox::table)
                .filter(code_outbox::phone.eq(&phone))
                .filter(code_outbox::purpose.eq(delivery.purpose.name()))
                .execute(connection)
        })?;
        self.ask(|connection| {
            diesel::insert_into(code_outbox::table)
                .values(&row)
                .execute(connection)
        })?;
        Ok(())
    }

    fn claim_codes(&mut self, now: Timestamp, lease: Duration, most: u32) -> Found<Vec<ClaimedCode>> {
        let statement = Claim {
            now: Moment(now),
            most: i64::from(most),
            until: Moment(now + lease),
        };
        let rows: Vec<OutboxRow> = self.ask(|connection| (&statement).load(connection))?;
        rows.into_iter().map(|row| row.read(self.vault)).collect()
    }

    fn finish_code(&mut self, id: OtpSessionId, fence: Fence) -> Found<bool> {
        let finished = self.ask(|connection| {
            diesel::delete(code_outbox::table)
                .filter(code_outbox::id.eq(id.uuid()))
                .filter(code_outbox::fence.eq(i64::from(fence.0)))
                .execute(connection)
        })?;
        Ok(finished > 0)
    }

    fn postpone_code(&mut self, id: OtpSessionId, fence: Fence, due_at: Timestamp) -> Found<bool> {
        let statement = Postpone {
            due_at: Moment(due_at),
            id: id.uuid(),
            fence: i64::from(fence.0),
        };
        let postponed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(postponed > 0)
    }

    fn drop_expired_codes(&mut self, now: Timestamp) -> Found<usize> {
        let statement = DropExpired { now: Moment(now) };
        self.ask(|connection| (&statement).execute(connection))
    }
}
