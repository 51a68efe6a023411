//! What became of an attempt to deliver what waits in an outbox.

use doorbell_domain::outbox::{SendFailure, Settlement};
use doorbell_domain::store::{self, Found, StoreError, Unit};

use crate::Doorbell;

/// How often the end of an attempt is written down where the store cannot be reached: what is not known to have been sent is sent
/// again when its lease runs out.
const TRIES: u32 = 3;

/// What became of what was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken.
    Accepted,
    /// It was refused for good.
    Refused(SendFailure),
    /// It was not taken, and would be worth nothing by the next attempt.
    TooLate(SendFailure),
    /// It was not taken this time.
    Postponed(SendFailure),
    /// Its row could not be read.
    Unreadable(StoreError),
    /// Meanwhile it was superseded, or is another's to deliver.
    Overtaken,
}

impl From<Settlement> for Delivered {
    fn from(settlement: Settlement) -> Self {
        match settlement {
            Settlement::Delivered => Self::Accepted,
            Settlement::Refused(failure) => Self::Refused(failure),
            Settlement::TooLate(failure) => Self::TooLate(failure),
            Settlement::Again { failure, .. } => Self::Postponed(failure),
        }
    }
}

impl Doorbell {
    /// Writes down how an attempt ended; whether its claim was still the latest.
    pub(crate) async fn end_attempt<F>(&self, end: F) -> Result<bool, StoreError>
    where
        F: Fn(&mut dyn Unit) -> Found<bool> + Copy + Send + 'static,
    {
        let mut tries = 1;
        loop {
            match store::transact(self.ports.store.as_ref(), end).await {
                Err(StoreError::Unavailable(_)) if tries < TRIES => tries += 1,
                ended => return ended,
            }
        }
    }
}
