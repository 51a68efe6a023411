//! The audit trail.

use diesel::prelude::*;
use doorbell_domain::UserId;
use doorbell_domain::audit::AuditEvent;
use doorbell_domain::store::{Audit, Found, TrailLine};

use super::Repositories;
use crate::register::writes::InsertAudit;
use crate::rows::TrailRow;
use crate::schema::audit_events as trail;

impl Audit for Repositories<'_> {
    fn record(&mut self, events: &[AuditEvent]) -> Found<()> {
        if events.is_empty() {
            return Ok(());
        }
        let statement = InsertAudit::of(events);
        self.ask(|connection| (&statement).execute(connection))?;
        self.announce(&self.announcer.of_lines(events))
    }

    fn trail(&mut self, user: UserId, limit: u32) -> Found<Vec<TrailLine>> {
        let rows = self.ask(|connection| {
            trail::table
                .filter(trail::user_id.eq(user.uuid()))
                .order(trail::id.desc())
                .limit(i64::from(limit))
                .select((
                    trail::id,
                    trail::at,
                    trail::action,
                    trail::session_id,
                    trail::device_id,
                    trail::reason,
                ))
                .load::<TrailRow>(connection)
        })?;
        Ok(rows.into_iter().map(TrailRow::read).collect())
    }
}
