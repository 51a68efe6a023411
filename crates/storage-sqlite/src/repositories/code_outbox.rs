//! One-time codes on their way.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use doorbell_domain::code_delivery::CodeDelivery;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedCode, CodeOutbox, Found};
use doorbell_domain::{OtpSessionId, Timestamp};
use time::Duration;

use super::Repositories;
use crate::rows::OutboxRow;
use crate::schema::code_outbox;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "code_outbox";

statement! {
    /// Takes out the code that a newer one supersedes.
    struct Supersede<'a> { phone: str, purpose: &'static str }
    "DELETE FROM code_outbox WHERE phone = ? AND purpose = ?"
    [Text = phone, Text = purpose]
}

statement! {
    /// Writes a claim on a row that may be claimed.
    struct Claim<'a> { id: Id, until: Instant, fence: i64 }
    "UPDATE code_outbox SET leased_until = ?, fence = ? WHERE id = ?"
    [BigInt = until, BigInt = fence, Binary = id]
}

statement! {
    /// Takes a code out by its latest claim.
    struct Finish<'a> { id: Id, fence: i64 }
    "DELETE FROM code_outbox WHERE id = ? AND fence = ?"
    [Binary = id, BigInt = fence]
}

statement! {
    /// Ends a claim as `Schedule::postponed` would.
    struct Postpone<'a> { id: Id, fence: i64, due_at: Instant }
    "UPDATE code_outbox SET leased_until = NULL, attempts = attempts + 1, due_at = ? WHERE id = ? AND fence = ?"
    [BigInt = due_at, Binary = id, BigInt = fence]
}

statement! {
    /// Takes out what has expired, a thousand rows a time.
    struct DropExpired<'a> { now: Instant }
    "DELETE FROM code_outbox WHERE id IN (SELECT id FROM code_outbox WHERE expires_at <= ? LIMIT 1000)"
    [BigInt = now]
}

impl CodeOutbox for Repositories<'_> {
    fn enqueue_code(&mut self, delivery: &CodeDelivery) -> Found<()> {
        let supersede = Supersede {
            phone: &delivery.phone.e164(),
            purpose: &delivery.purpose.name(),
        };
        supersede.execute(self.connection).around(TABLE)?;
        diesel::insert_into(code_outbox::table)
            .values(&OutboxRow::of(delivery, self.vault)?)
            .execute(self.connection)
            .around(TABLE)
            .map(drop)
    }

    fn claim_codes(&mut self, now: Timestamp, lease: Duration, most: u32) -> Found<Vec<ClaimedCode>> {
        let instant = Instant(now);
        let free = code_outbox::leased_until
            .is_null()
            .or(code_outbox::leased_until.le(instant));
        let rows: Vec<OutboxRow> = code_outbox::table
            .filter(code_outbox::due_at.le(instant))
            .filter(code_outbox::expires_at.gt(instant))
            .filter(free)
            .order(code_outbox::due_at)
            .limit(most.into())
            .select(OutboxRow::as_select())
            .load(self.connection)
            .around(TABLE)?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(schedule) = row.schedule()?.claimed(now, lease) else {
                continue;
            };
            let claim = Claim {
                id: &row.id,
                until: &Instant(now + lease),
                fence: &schedule.fence.0.into(),
            };
            claim.execute(self.connection).around(TABLE)?;
            claimed.push(row.claimed(&schedule, self.vault));
        }
        Ok(claimed)
    }

    fn finish_code(&mut self, id: OtpSessionId, fence: Fence) -> Found<bool> {
        let finish = Finish {
            id: &id.into(),
            fence: &fence.0.into(),
        };
        finish.execute(self.connection).around(TABLE).map(|rows| rows > 0)
    }

    fn postpone_code(&mut self, id: OtpSessionId, fence: Fence, due_at: Timestamp) -> Found<bool> {
        let postpone = Postpone {
            id: &id.into(),
            fence: &fence.0.into(),
            due_at: &due_at.into(),
        };
        postpone
            .execute(self.connection)
            .around(TABLE)
            .map(|rows| rows > 0)
    }

    fn drop_expired_codes(&mut self, now: Timestamp) -> Found<usize> {
        DropExpired { now: &now.into() }
            .execute(self.connection)
            .around(TABLE)
    }
}
