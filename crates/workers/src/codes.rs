//! One-time codes as something to deliver.

use std::sync::Arc;

use doorbell_application::{DeliveredCode, Doorbell};
use doorbell_domain::OtpSessionId;
use doorbell_domain::store::{ClaimedCode, StoreError};
use doorbell_domain::watch::{DeliveryOutcome, Tally};

use crate::delivery::Outbox;

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
        tell(code, delivered);
    }
}

const fn outcome_of(delivered: &Result<DeliveredCode, StoreError>) -> DeliveryOutcome {
    match delivered {
        Ok(DeliveredCode::Accepted) => DeliveryOutcome::Accepted,
        Ok(DeliveredCode::Postponed(_)) => DeliveryOutcome::Again,
        Ok(DeliveredCode::Refused(_)) => DeliveryOutcome::Refused,
        Ok(DeliveredCode::TooLate(_)) => DeliveryOutcome::TooLate,
        Ok(DeliveredCode::Unreadable(_)) => DeliveryOutcome::Unreadable,
        Ok(DeliveredCode::Overtaken) => DeliveryOutcome::Overtaken,
        Err(_) => DeliveryOutcome::Unrecorded,
    }
}

fn tell(code: OtpSessionId, delivered: Result<DeliveredCode, StoreError>) {
    match delivered {
        Ok(DeliveredCode::Accepted) => tracing::debug!(%code, "a code was delivered"),
        Ok(DeliveredCode::Postponed(failure)) => {
            tracing::warn!(%code, %failure, "no sender took a code; it is tried again");
        }
        Ok(DeliveredCode::Refused(failure)) => {
            tracing::error!(%code, %failure, "every sender refused a code");
        }
        Ok(DeliveredCode::TooLate(failure)) => {
            tracing::error!(%code, %failure, "no sender took a code before it expired");
        }
        Ok(DeliveredCode::Unreadable(error)) => {
            tracing::error!(%code, %error, "a code cannot be read, and is not delivered");
        }
        Ok(DeliveredCode::Overtaken) => tracing::debug!(%code, "a newer code or claim came first"),
        Err(error) => tracing::warn!(%code, %error, "what became of a code could not be written down"),
    }
}
