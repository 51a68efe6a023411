//! For tests only: the contract that every store must pass, and stand-ins for the ports it needs.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is test code, where a panic is how a test fails"
)]

pub mod browser;
pub mod build;
pub mod clock;
pub mod contract;
pub mod entropy;
pub mod everything;
pub mod scene;
pub mod scripted;
pub mod sealer;

use std::any::Any;
use std::sync::Arc;

use doorbell_domain::store::Store;

pub use browser::{Browser, Unreadable};
pub use clock::FakeClock;
pub use entropy::CountingEntropy;
pub use scene::Scene;
pub use sealer::FakeSealer;

/// An empty store of one test's own, and what must live as long as it does.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Fresh {
    /// A store that lies in `keep`: a folder, a schema, a server.
    pub fn new(store: Arc<dyn Store>, keep: impl Any + Send + Sync) -> Self {
        Self {
            store,
            _keep: Box::new(keep),
        }
    }
}
