//! Delivering one-time codes that wait in the outbox.

use doorbell_domain::code_delivery::{self, SendFailure, Settlement};
use doorbell_domain::store::{self, ClaimedCode, StoreError};

use crate::Doorbell;

/// How often the end of an attempt is written down where the store cannot be reached: what is not known to have been
/// sent is sent again when its lease runs out.
const TRIES: u32 = 3;

/// What became of a claimed code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveredCode {
    /// A sender has it.
    Accepted,
    /// Every sender refused it for good.
    Refused(SendFailure),
    /// No sender took it, and it is too late to try again.
    TooLate(SendFailure),
    /// No sender took it this time.
    Postponed(SendFailure),
    /// Its row could not be read, and is gone.
    Unreadable(StoreError),
    /// Meanwhile it was superseded, or is another's to deliver.
    Overtaken,
}

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

    /// Attempts to deliver a claimed code, and writes down how that ended.
    pub async fn deliver_code(&self, claimed: ClaimedCode) -> Result<DeliveredCode, StoreError> {
        let delivery = match &claimed.delivery {
            Ok(delivery) => delivery,
            Err(unreadable) => {
                self.settle_code(&claimed, Settlement::Delivered).await?;
                return Ok(DeliveredCode::Unreadable(unreadable.clone()));
            }
        };
        let outcome = self.ports.code_sender.send(delivery).await;
        let roll = u16::from_be_bytes(self.ports.entropy.bytes());
        let (now, expires_at) = (self.now(), delivery.expires_at);
        let settlement = code_delivery::settle(outcome, claimed.failures, now, expires_at, roll);
        if !self.settle_code(&claimed, settlement).await? {
            return Ok(DeliveredCode::Overtaken);
        }
        Ok(match settlement {
            Settlement::Delivered => DeliveredCode::Accepted,
            Settlement::Refused(failure) => DeliveredCode::Refused(failure),
            Settlement::TooLate(failure) => DeliveredCode::TooLate(failure),
            Settlement::Again { failure, .. } => DeliveredCode::Postponed(failure),
        })
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
        let mut tries = 1;
        loop {
            let settled = store::transact(self.ports.store.as_ref(), move |unit| match settlement {
                Settlement::Again { due_at, .. } => unit.postpone_code(id, fence, due_at),
                Settlement::Delivered | Settlement::Refused(_) | Settlement::TooLate(_) => {
                    unit.finish_code(id, fence)
                }
            })
            .await;
            match settled {
                Err(StoreError::Unavailable(_)) if tries < TRIES => tries += 1,
                settled => return settled,
            }
        }
    }
}
