//! Instants on the wire.

use doorbell_domain::Timestamp;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant as every dialect writes it: ISO 8601, UTC, three decimals (truncated) and `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-01-15T10:30:00.000Z",
    pattern = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")]
pub(crate) struct Instant(pub(crate) Timestamp);

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.0.to_datetime();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second, milli) = at.to_hms_milli();
        let month = u8::from(month);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads an RFC 3339 instant of the years 0 to 9999.
pub(crate) fn parse_instant(text: &str) -> Result<Timestamp, &'static str> {
    read(text).ok_or("must be an ISO 8601 instant, such as 2026-01-15T10:30:00.000Z")
}

fn read(text: &str) -> Option<Timestamp> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let parsed = parsed.checked_to_offset(time::UtcOffset::UTC)?;
    (parsed.year() >= 0).then(|| Timestamp::from_datetime(parsed))
}

/// Reads a calendar date (`2026-01-15`, midnight UTC) or an RFC 3339 instant of the years 0 to 9999.
pub(crate) fn parse_date_or_instant(text: &str) -> Result<Timestamp, &'static str> {
    const RULE: &str = "must be a date or an ISO 8601 instant";
    let date = || text.len() == 10 && text.is_ascii();
    let instant = if date() {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    read(&instant).ok_or(RULE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_exactly_three_decimals() {
        let at = |micros| Instant(Timestamp::from_micros(micros)).to_string();
        assert_eq!(at(1_537_698_175_006_999), "2018-09-23T10:22:55.006Z");
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn an_instant_is_no_date() {
        let read = |text| parse_instant(text).map(|at| Instant(at).to_string());
        assert_eq!(
            read("2026-01-15T10:30:00+03:00").as_deref(),
            Ok("2026-01-15T07:30:00.000Z")
        );
        for bad in ["2026-01-15", "", "-0001-01-15T10:30:00Z", "2026-01-15T25:30:00Z"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_birth_date_is_a_date_or_an_instant() {
        let read = |text| parse_date_or_instant(text).map(|at| Instant(at).to_string());
        assert_eq!(read("2026-01-15").as_deref(), Ok("2026-01-15T00:00:00.000Z"));
        assert_eq!(
            read("2026-01-15T10:30:00.000Z").as_deref(),
            Ok("2026-01-15T10:30:00.000Z")
        );
        assert_eq!(
            read("2026-01-15T10:30:00+03:00").as_deref(),
            Ok("2026-01-15T07:30:00.000Z")
        );
        for bad in [
            "",
            "yesterday",
            "2026-02-30",
            "15.01.2026",
            "2026-01-15 ",
            "2026-01-1😀",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
