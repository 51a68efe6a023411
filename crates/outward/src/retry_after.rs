//! `Retry-After` (RFC 9110 §10.2.3).

use doorbell_domain::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, PrimitiveDateTime};

/// The form of dates that is sent nowadays (RFC 9110 §5.6.7, IMF-fixdate).
const IMF_FIXDATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// How long after `now` to come back, rounded up to whole seconds; `None` for what is neither a number of seconds nor a
/// date. Never negative; how long is too long is not decided here.
pub(crate) fn read(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    let (whole, part) = header.split_once('.').unwrap_or((header, ""));
    if is_digits(whole) && (part.is_empty() || is_digits(part)) {
        // A number too long to count is as long as can be.
        let seconds: i64 = whole.parse().unwrap_or(i64::MAX);
        let up = i64::from(part.bytes().any(|digit| digit != b'0'));
        return Some(Duration::seconds(seconds.saturating_add(up)));
    }
    let date = PrimitiveDateTime::parse(header, IMF_FIXDATE).ok()?;
    Some(Timestamp::from_datetime(date.assume_utc()).since(now))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the standard's own example.
    const NOW: Timestamp = Timestamp::from_micros(784_111_777_000_000);

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        for (header, expected) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("120.1", Some(121)),
            ("3.0", Some(3)),
            ("99999999999999999999", Some(i64::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
            ("-1", None),
            ("1e99", None),
            (".5", None),
            ("", None),
            ("soon", None),
            ("٣", None),
            ("Sun, 06 Nov 1994 08:49:37 +0100", None),
        ] {
            assert_eq!(read(header, NOW), expected.map(Duration::seconds), "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(header in "\\PC{0,60}") {
            prop_assert!(read(&header, NOW).is_none_or(|wait| !wait.is_negative()));
        }
    }
}
