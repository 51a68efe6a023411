//! Requests to others' services: one POST, and as much of its answer as anything depends on.
//!
//! Nothing here follows a redirect, goes through a proxy, waits without end, or reads more than a little.

mod names;
mod post;
mod retry_after;
mod standard_webhooks;

pub use names::{LookupError, Names, SystemNames, look_up};
pub use post::{Answered, NoClient, Outward, Unanswered};
pub use standard_webhooks::{WebhookMessage, WebhookSecret, instant};
