//! Telling a service of the operator's what happened.

use doorbell_domain::code_delivery::{SendFailure, SendOutcome, Settlement};
use doorbell_domain::event::{self, LEASE};
use doorbell_domain::ports::EventReceiver;
use doorbell_domain::store::{self, ClaimedEvent, StoreError};

use crate::Doorbell;

/// What became of a claimed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldEvent {
    /// It was taken.
    Taken,
    /// It was refused for good.
    Refused(SendFailure),
    /// It was not taken for as long as it is worth that, and is given up.
    GivenUp(SendFailure),
    /// It was not taken this time.
    Postponed(SendFailure),
    /// Its row could not be read. It is put off, for a server that can read it, as long as it is worth that.
    Unreadable(StoreError),
    /// It is another's to tell by now, or nobody's.
    Overtaken,
}

impl Doorbell {
    /// Claims at most `most` events that are due. Each must be handed to [`Self::tell_event`] at once, which its lease bounds.
    pub async fn claim_events(&self, most: u32) -> Result<Vec<ClaimedEvent>, StoreError> {
        let now = self.now();
        store::transact(self.ports.store.as_ref(), move |unit| {
            unit.claim_events(now, LEASE, most)
        })
        .await
    }

    /// Tells `receiver` of a claimed event, and writes down how that ended. What cannot be written down is told again when the lease
    /// runs out.
    pub async fn tell_event(
        &self,
        claimed: ClaimedEvent,
        receiver: &dyn EventReceiver,
    ) -> Result<ToldEvent, StoreError> {
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
        let settlement = event::settle(outcome, at, failures, self.now(), roll);
        let latest = store::transact(self.ports.store.as_ref(), move |unit| match settlement {
            Settlement::Again { due_at, .. } => unit.postpone_event(id, fence, due_at),
            Settlement::Delivered | Settlement::Refused(_) | Settlement::TooLate(_) => {
                unit.finish_event(id, fence)
            }
        })
        .await?;
        if !latest {
            return Ok(ToldEvent::Overtaken);
        }
        Ok(match (settlement, event) {
            (Settlement::Delivered, _) => ToldEvent::Taken,
            (Settlement::Refused(failure), _) => ToldEvent::Refused(failure),
            (Settlement::TooLate(failure), _) => ToldEvent::GivenUp(failure),
            (Settlement::Again { .. }, Err(unreadable)) => ToldEvent::Unreadable(unreadable),
            (Settlement::Again { failure, .. }, Ok(_)) => ToldEvent::Postponed(failure),
        })
    }
}
