//! One-time codes on their way.

use time::Duration;

use super::Found;
use crate::code_delivery::CodeDelivery;
use crate::outbox::Fence;
use crate::{OtpSessionId, Timestamp};

/// A code that a worker holds a claim on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedCode {
    /// The row.
    pub id: OtpSessionId,
    /// Which claim this is.
    pub fence: Fence,
    /// How many attempts are known to have failed.
    pub failures: u32,
    /// What to deliver; an error where the row cannot be read, such as one sealed with a secret that is gone. It is
    /// claimed all the same, so that it stands in nobody's way.
    pub delivery: Found<CodeDelivery>,
}

/// One-time codes that no sender has taken yet, as [`Schedule`](crate::code_delivery::Schedule) rules. A code is
/// sealed in its row.
pub trait CodeOutbox {
    /// Puts a code in, due at once, and takes out what was there for its phone and purpose. The phone must be
    /// locked.
    fn enqueue_code(&mut self, delivery: &CodeDelivery) -> Found<()>;

    /// Claims at most `most` codes that may be claimed at `now`, those due first, for `lease`. Never waits for another
    /// who claims: what they look at is passed over.
    fn claim_codes(&mut self, now: Timestamp, lease: Duration, most: u32) -> Found<Vec<ClaimedCode>>;

    /// Takes a code out, if `fence` is its latest claim; whether it did.
    fn finish_code(&mut self, id: OtpSessionId, fence: Fence) -> Found<bool>;

    /// Ends the claim `fence` by a failure, if it is the latest, and makes the code due at `due_at`; whether it did.
    fn postpone_code(&mut self, id: OtpSessionId, fence: Fence, due_at: Timestamp) -> Found<bool>;

    /// Takes out at most 1,000 codes that have expired at `now`; how many.
    fn drop_expired_codes(&mut self, now: Timestamp) -> Found<usize>;
}
