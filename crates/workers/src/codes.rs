//! One-time codes as something to deliver.

use doorbell_application::{DeliveredCode, Doorbell};
use doorbell_domain::store::{ClaimedCode, StoreError};

use crate::delivery::Outbox;

impl Outbox for Doorbell {
    type Claimed = ClaimedCode;

    async fn claim(&self, most: u32) -> Result<Vec<ClaimedCode>, StoreError> {
        self.claim_codes(most).await
    }

    /// Delivers a code, and says in the log how that went, by the code's id: a person's request has been answered long since.
    async fn deliver(&self, claimed: ClaimedCode) {
        let code = claimed.id;
        match self.deliver_code(claimed).await {
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
}
