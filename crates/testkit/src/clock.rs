//! A clock that stands still until it is told otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doorbell_domain::{Clock, Timestamp};
use time::Duration;

/// A settable clock; its clones show the same time.
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// Where it starts: a day in 2026 whose last microseconds a coarser column would lose.
    pub const START: Timestamp = Timestamp::from_micros(1_790_000_000_123_457);

    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.micros())))
    }

    /// Shows `now` from here on.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }

    /// Moves on by `by`, and gives the time it then shows.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let micros = i64::try_from(by.whole_microseconds()).expect("a short time");
        Timestamp::from_micros(self.0.fetch_add(micros, Ordering::SeqCst).saturating_add(micros))
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::at(Self::START)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_show_one_time() {
        let clock = FakeClock::default();
        let other = clock.clone();
        let later = clock.advance(Duration::seconds(1));
        assert_eq!(later, FakeClock::START + Duration::seconds(1));
        assert_eq!(other.now(), later);
        other.set(FakeClock::START);
        assert_eq!(clock.now(), FakeClock::START);
    }
}
