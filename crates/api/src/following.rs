//! The loop that keeps a running server's keys up with the database.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::sleep;
use doorbell_domain::ports::Sealer;
use doorbell_domain::store::Store;
use doorbell_keys::Follower;

/// How long a key that was added or revoked by somebody else goes unseen. Well below the notice that either kind of rotation gives.
const EVERY: Duration = Duration::from_secs(10);

/// Reads the signing keys and the VAPID keys anew, again and again.
pub(crate) struct Following {
    follower: Follower,
    store: Arc<dyn Store>,
    sealer: Arc<dyn Sealer>,
}

impl Following {
    pub(crate) fn new(follower: Follower, store: Arc<dyn Store>, sealer: Arc<dyn Sealer>) -> Self {
        Self {
            follower,
            store,
            sealer,
        }
    }

    /// Never ends. What cannot be read or used is told once, not every time.
    pub(crate) async fn run(mut self) {
        let mut trouble = false;
        loop {
            sleep(EVERY).await;
            let looked = self.follower.look(self.store.as_ref(), self.sealer.as_ref());
            match looked.await {
                Ok(changed) => {
                    if changed {
                        tracing::info!("the keys changed");
                    }
                    trouble = false;
                }
                Err(error) => {
                    if !trouble {
                        tracing::warn!(%error, "the keys could not be read anew; the ones from before stay in use");
                    }
                    trouble = true;
                }
            }
        }
    }
}
