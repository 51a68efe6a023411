//! What is left in the outbox of events, and whether anything is.

use doorbell_domain::audit::AuditEvent;
use doorbell_domain::event::Event;
use doorbell_domain::{MessageId, Timestamp};

/// Whether a store announces what happens. One that does not writes nothing more than it would without events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcer {
    announces: bool,
}

impl Announcer {
    /// One that announces what happens, or one that is silent.
    pub const fn new(announces: bool) -> Self {
        Self { announces }
    }

    /// The events that these lines of the trail are.
    pub fn of_lines(self, lines: &[AuditEvent]) -> Vec<Event> {
        if !self.announces {
            return Vec::new();
        }
        lines.iter().filter_map(Event::of_audit).collect()
    }

    /// The events that these messages are over.
    pub fn of_messages(self, messages: &[MessageId], at: Timestamp) -> Vec<Event> {
        if !self.announces {
            return Vec::new();
        }
        messages.iter().map(|id| Event::of_message(*id, at)).collect()
    }
}
