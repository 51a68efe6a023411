//! The audit trail.

use diesel::prelude::*;
use doorbell_domain::audit::AuditEvent;
use doorbell_domain::store::{Audit, Found, TrailLine};
use doorbell_domain::{DeviceUid, SessionId, UserId};
use doorbell_storage::Announcer;

use super::Repositories;
use super::event_outbox::announce;
use crate::schema::audit_events;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const TABLE: &str = "audit_events";

#[derive(Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
struct EventRow {
    id: Id,
    user_id: Id,
    at: Instant,
    action: &'static str,
    session_id: Option<Id>,
    device_id: Option<Id>,
    reason: Option<&'static str>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_events)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct LineRow {
    id: Id,
    at: Instant,
    action: String,
    session_id: Option<Id>,
    device_id: Option<Id>,
    reason: Option<String>,
}

/// Adds lines, and announces them; one that is there already stays as it is, so that a batch can be registered again.
pub(crate) fn record(
    connection: &mut SqliteConnection,
    announcer: Announcer,
    events: &[AuditEvent],
) -> Found<()> {
    for event in events {
        let row = EventRow {
            id: event.id.into(),
            user_id: event.user.into(),
            at: event.at.into(),
            action: event.action.name(),
            session_id: event.session.map(Id::from),
            device_id: event.device.map(Id::from),
            reason: event.reason,
        };
        diesel::insert_into(audit_events::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(connection)
            .around(TABLE)?;
    }
    announce(connection, announcer.of_lines(events))
}

impl Audit for Repositories<'_> {
    fn record(&mut self, events: &[AuditEvent]) -> Found<()> {
        record(self.connection, self.announcer, events)
    }

    fn trail(&mut self, user: UserId, limit: u32) -> Found<Vec<TrailLine>> {
        let lines: Vec<LineRow> = audit_events::table
            .filter(audit_events::user_id.eq(Id::from(user)))
            .order(audit_events::id.desc())
            .limit(limit.into())
            .select(LineRow::as_select())
            .load(self.connection)
            .around(TABLE)?;
        Ok(lines.into_iter().map(line).collect())
    }
}

pub(super) fn line(row: LineRow) -> TrailLine {
    TrailLine {
        id: row.id.into(),
        at: row.at.into(),
        action: row.action,
        session: row.session_id.map(SessionId::from),
        device: row.device_id.map(DeviceUid::from),
        reason: row.reason,
    }
}
