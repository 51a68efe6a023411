//! Events on their way to a service of the operator's.
//!
//! Whoever claims events, or ends a claim, locks rows of events alone: whoever erases an account may wait for that.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::event::Event;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedEvent, EventOutbox, Found};
use doorbell_domain::sweeps::Sweep;
use doorbell_domain::{Timestamp, UserId};
use time::Duration;
use uuid::Uuid;

use super::Repositories;
use crate::announcements::Announce;
use crate::moment::Moment;
use crate::rows::EventRow;
use crate::schema::event_outbox;
use crate::statement::statement;

statement! {
    /// Claims what is due. Rows are chosen and locked once, before any of them is written, so that no more are claimed than asked for.
    ClaimEvents -> event_outbox::SqlType:
    "WITH due AS MATERIALIZED (SELECT ctid FROM event_outbox WHERE due_at <= " [now: Moment => Timestamptz]
    " ORDER BY due_at LIMIT " [most: i64 => BigInt]
    " FOR UPDATE SKIP LOCKED) UPDATE event_outbox SET due_at = " [until: Moment => Timestamptz]
    ", fence = fence + 1
    WHERE event_outbox.ctid = ANY(ARRAY(SELECT due.ctid FROM due)) RETURNING "
    {event_outbox::all_columns}
}

statement! {
    /// Ends a claim by a failure.
    PostponeEvent:
    "UPDATE event_outbox SET failures = failures + 1, due_at = " [due_at: Moment => Timestamptz]
    " WHERE id = " [id: Uuid => SqlUuid] " AND fence = " [fence: i64 => BigInt]
}

statement! {
    /// Removes what has been due for long.
    DropUntold:
    "WITH old AS MATERIALIZED (
        SELECT e.id FROM event_outbox e WHERE e.due_at <= " [until: Moment => Timestamptz]
    " ORDER BY e.due_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM event_outbox USING old WHERE event_outbox.id = old.id"
}

impl EventOutbox for Repositories<'_> {
    fn claim_events(&mut self, now: Timestamp, lease: Duration, most: u32) -> Found<Vec<ClaimedEvent>> {
        let statement = ClaimEvents {
            now: Moment(now),
            most: i64::from(most),
            until: Moment(now + lease),
        };
        let rows: Vec<EventRow> = self.ask(|connection| (&statement).load(connection))?;
        rows.into_iter().map(EventRow::read).collect()
    }

    fn finish_event(&mut self, id: Uuid, fence: Fence) -> Found<bool> {
        let finished = self.ask(|connection| {
            diesel::delete(event_outbox::table)
                .filter(event_outbox::id.eq(id))
                .filter(event_outbox::fence.eq(i64::from(fence.0)))
                .execute(connection)
        })?;
        Ok(finished > 0)
    }

    fn postpone_event(&mut self, id: Uuid, fence: Fence, due_at: Timestamp) -> Found<bool> {
        let statement = PostponeEvent {
            due_at: Moment(due_at),
            id,
            fence: i64::from(fence.0),
        };
        let postponed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(postponed > 0)
    }

    fn sweep_event_outbox(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropUntold {
            until: Moment(until),
            limit: i64::from(limit),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }
}

impl Repositories<'_> {
    /// Leaves events to be told.
    pub(super) fn announce(&mut self, events: &[Event]) -> Found<()> {
        if let Some(statement) = Announce::of(events) {
            self.ask(|connection| (&statement).execute(connection))?;
        }
        Ok(())
    }

    /// Removes a user's events.
    pub(super) fn erase_events(&mut self, user: UserId) -> Found<()> {
        self.ask(|connection| {
            diesel::delete(event_outbox::table)
                .filter(event_outbox::user_id.eq(Some(user.uuid())))
                .execute(connection)
        })?;
        Ok(())
    }
}
