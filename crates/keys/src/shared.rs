//! A thing that many read and few replace.

use std::sync::{Arc, PoisonError, RwLock};

/// One set of keys of a running server, replaced as a whole.
///
/// Whoever signs, verifies or publishes takes the set as it is and is done with the lock before any of that, so nobody waits
/// longer than it takes to copy a pointer.
#[derive(Debug)]
pub struct Shared<T>(RwLock<Arc<T>>);

impl<T> Shared<T> {
    /// Shares `keys`.
    pub fn new(keys: T) -> Self {
        Self(RwLock::new(Arc::new(keys)))
    }

    /// The set as it is now.
    pub(crate) fn current(&self) -> Arc<T> {
        // What was replaced by a thread that then panicked is whole all the same.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another set in its place, for every use from now on.
    pub(crate) fn replace(&self, keys: T) {
        let keys = Arc::new(keys);
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // The old set is dropped, and its keys wiped, after the lock.
        let before = std::mem::replace(&mut *place, keys);
        drop(place);
        drop(before);
    }
}
