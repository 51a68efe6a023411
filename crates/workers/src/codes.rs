//! One-time codes as something to deliver.

use std::sync::Arc;

use doorbell_application::Doorbell;
use doorbell_domain::store::{ClaimedCode, StoreError};
use doorbell_domain::watch::Tally;

use crate::delivery::Outbox;
use crate::outcomes::{outcome_of, tell};

/// The codes that wait in the registry. How each attempt ended is counted, and told in the log by the code's id: a person's
/// request has been answered long since.
#[derive(Clone)]
pub struct Codes {
    doorbell: Doorbell,
    tally: Arc<dyn Tally>,
}

impl Codes {
    /// Codes that `doorbell` delivers, counted by `tally`.
    pub fn new(doorbell: Doorbell, tally: Arc<dyn Tally>) -> Self {
        Self { doorbell, tally }
    }
}

impl Outbox for Codes {
    type Claimed = ClaimedCode;

    async fn claim(&self, most: u32) -> Result<Vec<ClaimedCode>, StoreError> {
        self.doorbell.claim_codes(most).await
    }

    async fn deliver(&self, claimed: ClaimedCode) {
        let code = claimed.id;
        let delivered = self.doorbell.deliver_code(claimed).await;
        self.tally.delivery(outcome_of(&delivered));
        tell("code", &code, delivered);
    }
}
