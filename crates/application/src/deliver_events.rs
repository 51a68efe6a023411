//! Telling a service of the operator's what happened.

use doorbell_domain::event::{LEASE, PATIENCE, WORTH};
use doorbell_domain::outbox::{SendFailure, SendOutcome, Settlement};
use doorbell_domain::ports::EventReceiver;
use doorbell_domain::store::{self, ClaimedEvent, StoreError};

use crate::Doorbell;
use crate::delivered::Delivered;

impl Doorbell {
    /// Claims at most `most` events that are due. Each must be handed to [`Self::tell_event`] at once, which its lease bounds.
    pub async fn claim_events(&self, most: u32) -> Result<Vec<ClaimedEvent>, StoreError> {
        let now = self.now();
        store::transact(self.ports.store.as_ref(), move |unit| {
            unit.claim_events(now, LEASE, most)
        })
        .await
    }

    /// Tells `receiver` of a claimed event, and writes down how that ended. One whose row cannot be read is put off, for a server that
    /// can read it, as long as it is worth that.
    pub async fn tell_event(
        &self,
        claimed: ClaimedEvent,
        receiver: &dyn EventReceiver,
    ) -> Result<Delivered, StoreError> {
        let ClaimedEvent {
            id,
            at,
            fence,
            failures,
            event,
        } = claimed;
        let outcome = match &event {
            Ok(event) => receiver.tell(event).await,
            Err(_) => SendOutcome::Failed {
                failure: SendFailure::Impossible("its row cannot be read"),
                retry_after: None,
            },
        };
        let roll = u16::from_be_bytes(self.ports.entropy.bytes());
        let settlement = PATIENCE.settle(outcome, failures, self.now(), at + WORTH, roll);
        let latest = self.end_attempt(move |unit| match settlement {
            Settlement::Again { due_at, .. } => unit.postpone_event(id, fence, due_at),
            Settlement::Delivered | Settlement::Refused(_) | Settlement::TooLate(_) => {
                unit.finish_event(id, fence)
            }
        });
        if !latest.await? {
            return Ok(Delivered::Overtaken);
        }
        Ok(match (settlement, event) {
            (Settlement::Again { .. }, Err(unreadable)) => Delivered::Unreadable(unreadable),
            (settlement, _) => settlement.into(),
        })
    }
}
