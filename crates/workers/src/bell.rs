//! The wake-up within one process.

use std::sync::Arc;

use doorbell_domain::ports::Wake;
use tokio::sync::Notify;

/// Rung by those who leave something to deliver, heard by one worker. What is rung while nobody listens is heard next;
/// ringing twice before that is ringing once.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// A bell that is silent.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

impl Wake for Bell {
    fn wake(&self) {
        self.0.notify_one();
    }
}
