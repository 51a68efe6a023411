//! Events as something to deliver.

use std::sync::Arc;

use doorbell_application::Doorbell;
use doorbell_domain::ports::EventReceiver;
use doorbell_domain::store::{ClaimedEvent, StoreError};
use doorbell_domain::watch::Tally;

use crate::delivery::Outbox;
use crate::outcomes::{outcome_of, tell};

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
        tell("event", &event, told);
    }
}
