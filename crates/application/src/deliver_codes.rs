//! Delivering one-time codes that wait in the outbox.

use doorbell_domain::code_delivery::{self, PATIENCE};
use doorbell_domain::outbox::Settlement;
use doorbell_domain::store::{self, ClaimedCode, StoreError};

use crate::Doorbell;
use crate::delivered::Delivered;

impl Doorbell {
    /// Claims at most `most` codes that are due. Each must be handed to [`Self::deliver_code`] at once, which its lease
    /// bounds.
    pub async fn claim_codes(&self, most: u32) -> Result<Vec<ClaimedCode>, StoreError> {
        let (now, lease) = (self.now(), code_delivery::lease(&self.policy.codes));
        store::transact(self.ports.store.as_ref(), move |unit| {
            unit.claim_codes(now, lease, most)
        })
        .await
    }

    /// Attempts to deliver a claimed code, and writes down how that ended. One whose row cannot be read is given up.
    pub async fn deliver_code(&self, claimed: ClaimedCode) -> Result<Delivered, StoreError> {
        let delivery = match &claimed.delivery {
            Ok(delivery) => delivery,
            Err(unreadable) => {
                self.settle_code(&claimed, Settlement::Delivered).await?;
                return Ok(Delivered::Unreadable(unreadable.clone()));
            }
        };
        let outcome = self.ports.code_sender.send(delivery).await;
        let roll = u16::from_be_bytes(self.ports.entropy.bytes());
        let settlement = PATIENCE.settle(outcome, claimed.failures, self.now(), delivery.expires_at, roll);
        if self.settle_code(&claimed, settlement).await? {
            Ok(settlement.into())
        } else {
            Ok(Delivered::Overtaken)
        }
    }

    /// Takes codes out of the outbox that have expired, at most 1,000; how many.
    pub async fn drop_expired_codes(&self) -> Result<usize, StoreError> {
        let now = self.now();
        store::transact(self.ports.store.as_ref(), move |unit| {
            unit.drop_expired_codes(now)
        })
        .await
    }

    /// Whether the claim was still the latest.
    async fn settle_code(&self, claimed: &ClaimedCode, settlement: Settlement) -> Result<bool, StoreError> {
        let (id, fence) = (claimed.id, claimed.fence);
        self.end_attempt(move |unit| match settlement {
            Settlement::Again { due_at, .. } => unit.postpone_code(id, fence, due_at),
            Settlement::Delivered | Settlement::Refused(_) | Settlement::TooLate(_) => {
                unit.finish_code(id, fence)
            }
        })
        .await
    }
}
