//! How many wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A count of those who wait.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Arc<AtomicU64>);

/// One who waits, until this goes: also when their request is dropped meanwhile.
#[must_use = "who waits is counted as long as it lives"]
pub(crate) struct Waiter(Arc<AtomicU64>);

impl Waiting {
    /// One more waits.
    pub(crate) fn enter(&self) -> Waiter {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiter(Arc::clone(&self.0))
    }

    /// How many wait.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_up_is_not_counted_any_more() {
        let waiting = Waiting::default();
        let (first, second) = (waiting.enter(), waiting.enter());
        assert_eq!(waiting.count(), 2);
        drop(first);
        assert_eq!(waiting.count(), 1);
        drop(second);
        assert_eq!(waiting.count(), 0);
    }
}
