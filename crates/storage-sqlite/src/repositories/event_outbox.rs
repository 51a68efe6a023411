//! Events on their way to a service of the operator's.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use doorbell_domain::event::Event;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedEvent, EventOutbox, Found};
use doorbell_domain::sweeps::Sweep;
use doorbell_domain::{Timestamp, UserId};
use time::Duration;
use uuid::Uuid;

use super::Repositories;
use crate::rows::{EventRow, EventTypes};
use crate::schema::event_outbox;
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "event_outbox";

statement! {
    /// Claims what is due.
    struct Claim<'a> { now: Instant, until: Instant, most: i64 } -> { EventTypes }
    "UPDATE event_outbox SET due_at = ?, fence = fence + 1 \
     WHERE id IN (SELECT id FROM event_outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?) \
     RETURNING id, kind, at, user_id, device_id, session_id, message_id, reason, due_at, failures, fence"
    [BigInt = until, BigInt = now, BigInt = most]
}

statement! {
    /// Takes an event out by its latest claim.
    struct Finish<'a> { id: Id, fence: i64 }
    "DELETE FROM event_outbox WHERE id = ? AND fence = ?"
    [Binary = id, BigInt = fence]
}

statement! {
    /// Ends a claim by a failure.
    struct Postpone<'a> { id: Id, fence: i64, due_at: Instant }
    "UPDATE event_outbox SET failures = failures + 1, due_at = ? WHERE id = ? AND fence = ?"
    [BigInt = due_at, Binary = id, BigInt = fence]
}

statement! {
    /// Removes what has been due for long.
    struct DropUntold<'a> { until: Instant, limit: i64 }
    "DELETE FROM event_outbox WHERE id IN \
        (SELECT id FROM event_outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

/// Leaves events to be told; one that is there already stays as it is.
pub(super) fn announce(connection: &mut SqliteConnection, events: Vec<Event>) -> Found<()> {
    for event in events {
        diesel::insert_into(event_outbox::table)
            .values(&EventRow::of(event))
            .on_conflict_do_nothing()
            .execute(connection)
            .around(TABLE)?;
    }
    Ok(())
}

impl EventOutbox for Repositories<'_> {
    fn claim_events(&mut self, now: Timestamp, lease: Duration, most: u32) -> Found<Vec<ClaimedEvent>> {
        let claim = Claim {
            now: &now.into(),
            until: &Instant(now + lease),
            most: &most.into(),
        };
        let rows: Vec<EventRow> = claim.load(self.connection).around(TABLE)?;
        rows.into_iter().map(EventRow::claimed).collect()
    }

    fn finish_event(&mut self, id: Uuid, fence: Fence) -> Found<bool> {
        let finish = Finish {
            id: &Id(id),
            fence: &fence.0.into(),
        };
        finish.execute(self.connection).around(TABLE).map(|rows| rows > 0)
    }

    fn postpone_event(&mut self, id: Uuid, fence: Fence, due_at: Timestamp) -> Found<bool> {
        let postpone = Postpone {
            id: &Id(id),
            fence: &fence.0.into(),
            due_at: &due_at.into(),
        };
        postpone
            .execute(self.connection)
            .around(TABLE)
            .map(|rows| rows > 0)
    }

    fn sweep_event_outbox(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropUntold {
            until: &until.into(),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around(TABLE)?;
        Ok(Sweep::of(removed, removed, limit))
    }
}

impl Repositories<'_> {
    /// Removes a user's events.
    pub(super) fn erase_events(&mut self, user: UserId) -> Found<()> {
        diesel::delete(event_outbox::table.filter(event_outbox::user_id.eq(Some(Id::from(user)))))
            .execute(self.connection)
            .around(TABLE)
            .map(drop)
    }
}
