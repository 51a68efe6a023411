//! The machine's clock, which a development server may be told to run ahead of.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use doorbell_domain::{Clock, Timestamp};
use time::Duration;

/// The system's time in whole microseconds, plus the seconds that a file says.
pub(crate) struct SystemClock {
    offset_file: Option<PathBuf>,
}

impl SystemClock {
    /// A clock that reads `offset_file` anew at each use; a file that is missing or no number adds nothing.
    pub(crate) fn new(offset_file: Option<PathBuf>) -> Self {
        Self { offset_file }
    }

    fn offset(&self) -> Duration {
        let text = self
            .offset_file
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok());
        Duration::seconds(text.and_then(|text| text.trim().parse().ok()).unwrap_or(0))
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one adapter")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)) + self.offset()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_file_moves_the_clock_at_its_next_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("offset");
        let clock = SystemClock::new(Some(path.clone()));
        let before = clock.now();
        fs::write(&path, "86400\n").expect("written");
        let ahead = clock.now().since(before);
        assert!(
            ahead >= Duration::days(1) && ahead < Duration::days(1) + Duration::minutes(5),
            "{ahead}"
        );
    }
}
