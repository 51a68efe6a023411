//! Events on their way to a service of the operator's.

use time::Duration;
use uuid::Uuid;

use super::Found;
use crate::Timestamp;
use crate::event::Event;
use crate::outbox::Fence;
use crate::sweeps::Sweep;

/// An event that a worker holds a claim on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedEvent {
    /// The row, and the event's own id.
    pub id: Uuid,
    /// When it happened.
    pub at: Timestamp,
    /// Which claim this is.
    pub fence: Fence,
    /// How many attempts are known to have failed.
    pub failures: u32,
    /// What happened; an error where the row cannot be read, such as one of a kind that a newer server wrote. It is claimed all the
    /// same, so that it stands in nobody's way.
    pub event: Found<Event>,
}

/// Events that nobody has taken yet. The store itself puts them in, if it was opened to announce them, in the transactions in which
/// lines of the trail are written ([`Event::of_audit`]) and messages lose their last open job ([`Event::of_message`]): each once, due
/// at once. Nobody waits for another who claims.
pub trait EventOutbox {
    /// Claims at most `most` events that are due at `now`, those due first, for `lease`.
    fn claim_events(&mut self, now: Timestamp, lease: Duration, most: u32) -> Found<Vec<ClaimedEvent>>;

    /// Takes an event out, if `fence` is its latest claim; whether it did.
    fn finish_event(&mut self, id: Uuid, fence: Fence) -> Found<bool>;

    /// Ends the claim `fence` by a failure, if it is the latest, and makes the event due at `due_at`; whether it did.
    fn postpone_event(&mut self, id: Uuid, fence: Fence, due_at: Timestamp) -> Found<bool>;

    /// Removes events that have been due since `until` or before, and that nobody has claimed since: at most `limit`, as
    /// [`Sweeps`](crate::sweeps::Sweeps) do.
    fn sweep_event_outbox(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;
}
