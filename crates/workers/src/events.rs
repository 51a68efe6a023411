//! Events as something to deliver.

use std::sync::Arc;

use doorbell_application::{Doorbell, ToldEvent};
use doorbell_domain::ports::EventReceiver;
use doorbell_domain::store::{ClaimedEvent, StoreError};
use doorbell_domain::watch::{DeliveryOutcome, Tally};
use uuid::Uuid;

use crate::delivery::Outbox;

/// The events that wait in the registry. How each attempt ended is counted, and told in the log by the event's id.
#[derive(Clone)]
pub struct Events {
    doorbell: Doorbell,
    receiver: Arc<dyn EventReceiver>,
    tally: Arc<dyn Tally>,
}

impl Events {
    /// Events that `doorbell` tells `receiver` of, counted by `tally`.
    pub fn new(doorbell: Doorbell, receiver: Arc<dyn EventReceiver>, tally: Arc<dyn Tally>) -> Self {
        Self {
            doorbell,
            receiver,
            tally,
        }
    }
}

impl Outbox for Events {
    type Claimed = ClaimedEvent;

    async fn claim(&self, most: u32) -> Result<Vec<ClaimedEvent>, StoreError> {
        self.doorbell.claim_events(most).await
    }

    async fn deliver(&self, claimed: ClaimedEvent) {
        let event = claimed.id;
        let told = self.doorbell.tell_event(claimed, self.receiver.as_ref()).await;
        self.tally.event(outcome_of(&told));
        tell(event, told);
    }
}

const fn outcome_of(told: &Result<ToldEvent, StoreError>) -> DeliveryOutcome {
    match told {
        Ok(ToldEvent::Taken) => DeliveryOutcome::Accepted,
        Ok(ToldEvent::Postponed(_)) => DeliveryOutcome::Again,
        Ok(ToldEvent::Refused(_)) => DeliveryOutcome::Refused,
        Ok(ToldEvent::GivenUp(_)) => DeliveryOutcome::TooLate,
        Ok(ToldEvent::Unreadable(_)) => DeliveryOutcome::Unreadable,
        Ok(ToldEvent::Overtaken) => DeliveryOutcome::Overtaken,
        Err(_) => DeliveryOutcome::Unrecorded,
    }
}

fn tell(event: Uuid, told: Result<ToldEvent, StoreError>) {
    match told {
        Ok(ToldEvent::Taken) => tracing::debug!(%event, "an event was taken"),
        Ok(ToldEvent::Postponed(failure)) => {
            tracing::warn!(%event, %failure, "an event was not taken; it is posted again");
        }
        Ok(ToldEvent::Refused(failure)) => {
            tracing::error!(%event, %failure, "an event was refused for good, and is given up");
        }
        Ok(ToldEvent::GivenUp(failure)) => {
            tracing::error!(%event, %failure, "an event was not taken for as long as it is worth that, and is given up");
        }
        Ok(ToldEvent::Unreadable(error)) => {
            tracing::error!(%event, %error, "an event cannot be read, and is left for a server that can");
        }
        Ok(ToldEvent::Overtaken) => tracing::debug!(%event, "a later claim came first, or its account went"),
        Err(error) => {
            tracing::warn!(%event, %error, "what became of an event could not be written down");
        }
    }
}
