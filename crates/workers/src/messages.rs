//! Messages as something to deliver.

use doorbell_application::{Attempted, Claims, Dispatch, Doorbell};
use doorbell_domain::job::Lane;
use doorbell_domain::store::StoreError;

use crate::dispatch::Courier;

impl Courier for Doorbell {
    type Dispatch = Dispatch;
    type Attempted = Attempted;

    async fn claim(&self, most: u32, busy: Vec<Lane>) -> Result<(usize, Vec<Dispatch>), StoreError> {
        let Claims { count, dispatches } = self.claim_jobs(most, busy).await?;
        Ok((count, dispatches))
    }

    fn lane(dispatch: &Dispatch) -> &Lane {
        dispatch.lane()
    }

    async fn attempt(&self, dispatch: Dispatch) -> Attempted {
        Self::attempt(self, dispatch).await
    }

    fn hung(attempted: &Attempted) -> Option<bool> {
        attempted.hung()
    }

    async fn settle(&self, attempts: Vec<Attempted>) -> Result<(), StoreError> {
        self.settle_jobs(attempts).await
    }

    async fn give_back(&self, unused: Vec<Dispatch>) -> Result<(), StoreError> {
        self.return_jobs(unused).await
    }
}
