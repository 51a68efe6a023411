//! `event_outbox`.

use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use doorbell_domain::event::Event;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedEvent, Found};
use doorbell_domain::{DeviceUid, MessageId, SessionId, UserId};
use doorbell_storage::parts;

use crate::schema::event_outbox;
use crate::values::{Id, Instant};

const TABLE: &str = "event_outbox";

/// The types of an [`EventRow`]'s columns.
pub(crate) type EventTypes = SqlTypeOf<<EventRow as Selectable<Sqlite>>::SelectExpression>;

/// An event that nobody has taken yet.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = event_outbox, treat_none_as_default_value = false)]
#[diesel(check_for_backend(Sqlite))]
pub(crate) struct EventRow {
    id: Id,
    kind: String,
    at: Instant,
    user_id: Option<Id>,
    device_id: Option<Id>,
    session_id: Option<Id>,
    message_id: Option<Id>,
    reason: Option<String>,
    due_at: Instant,
    failures: i64,
    fence: i64,
}

impl EventRow {
    /// The row of an event that nobody has claimed.
    pub(crate) fn of(event: Event) -> Self {
        Self {
            id: Id(event.id),
            kind: event.kind.name().to_owned(),
            at: event.at.into(),
            user_id: event.user.map(Id::from),
            device_id: event.device.map(Id::from),
            session_id: event.session.map(Id::from),
            message_id: event.message.map(Id::from),
            reason: event.reason,
            due_at: event.at.into(),
            failures: 0,
            fence: 0,
        }
    }

    /// The claim that this row, just claimed, holds.
    pub(crate) fn claimed(self) -> Found<ClaimedEvent> {
        Ok(ClaimedEvent {
            id: self.id.0,
            at: self.at.into(),
            fence: Fence(parts::count(self.fence, TABLE, "fence")?),
            failures: parts::count(self.failures, TABLE, "failures")?,
            event: self.event(),
        })
    }

    fn event(self) -> Found<Event> {
        Ok(Event {
            id: self.id.0,
            kind: parts::event_kind(&self.kind, TABLE)?,
            at: self.at.into(),
            user: self.user_id.map(UserId::from),
            device: self.device_id.map(DeviceUid::from),
            session: self.session_id.map(SessionId::from),
            message: self.message_id.map(MessageId::from),
            reason: self.reason,
        })
    }
}
