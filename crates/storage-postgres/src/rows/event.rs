//! Events on their way.

use diesel::prelude::*;
use doorbell_domain::event::Event;
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedEvent, Found};
use doorbell_domain::{DeviceUid, MessageId, SessionId, UserId};
use doorbell_storage::parts;
use uuid::Uuid;

use crate::moment::Moment;

const TABLE: &str = "event_outbox";

/// An event that nobody has taken yet.
#[derive(Queryable)]
pub(crate) struct EventRow {
    id: Uuid,
    kind: String,
    at: Moment,
    user_id: Option<Uuid>,
    device_id: Option<Uuid>,
    session_id: Option<Uuid>,
    message_id: Option<Uuid>,
    reason: Option<String>,
    _due_at: Moment,
    failures: i64,
    fence: i64,
}

impl EventRow {
    /// The claim that this row, just claimed, holds.
    pub(crate) fn read(self) -> Found<ClaimedEvent> {
        Ok(ClaimedEvent {
            id: self.id,
            at: self.at.0,
            fence: Fence(parts::count(self.fence, TABLE, "fence")?),
            failures: parts::count(self.failures, TABLE, "failures")?,
            event: self.event(),
        })
    }

    fn event(self) -> Found<Event> {
        Ok(Event {
            id: self.id,
            kind: parts::event_kind(&self.kind, TABLE)?,
            at: self.at.0,
            user: self.user_id.map(UserId::from_uuid),
            device: self.device_id.map(DeviceUid::from_uuid),
            session: self.session_id.map(SessionId::from_uuid),
            message: self.message_id.map(MessageId::from_uuid),
            reason: self.reason,
        })
    }
}
