//! IANA time zone names.

use thiserror::Error;

/// A name of the IANA time zone database in its own spelling, such as `Europe/Istanbul`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// Wraps a name that [`TimeZones::find`] gave, now or when the row was written.
    pub fn known(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name in the database's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name is not in the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be an IANA time zone name")]
pub struct UnknownTimeZone;

/// The IANA time zone database.
pub trait TimeZones: Send + Sync {
    /// The zone of that name, looked up without regard to case and answered in the database's spelling.
    fn find(&self, name: &str) -> Result<TimeZoneName, UnknownTimeZone>;
}
