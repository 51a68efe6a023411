//! What a person typed into the field for a phone number, as the digits it means.

/// The digits of a typed number, in ASCII, with what stood between them gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dialled {
    /// Whether it began with `+`, which says that a country code comes first (ITU-T E.123 §2.1).
    pub(crate) international: bool,
    /// The digits.
    pub(crate) digits: String,
}

/// No number is typed with more; 15 digits and an international prefix leave room for spaces and marks.
const LONGEST: usize = 128;

impl Dialled {
    /// Reads digits of any script, an optional `+` before them, and the marks people set between digits.
    ///
    /// Whatever else stands there (a letter, `;ext=`, `#`, a second `+`) is refused rather than skipped: two
    /// texts that differ in it must not become one person's number.
    pub(crate) fn read(text: &str, digit: impl Fn(char) -> Option<char>) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut dialled = Self {
            international: false,
            digits: String::with_capacity(16),
        };
        for c in text.chars() {
            if let Some(digit) = digit(c) {
                dialled.digits.push(digit);
            } else if matches!(c, '+' | '＋') && !dialled.international && dialled.digits.is_empty() {
                dialled.international = true;
            } else if !separates(c) {
                return None;
            }
        }
        (!dialled.digits.is_empty()).then_some(dialled)
    }
}

/// Marks between digits, and the invisible ones that come along when a number is copied.
fn separates(c: char) -> bool {
    match c {
        '-' | '.' | '/' | '(' | ')' | '[' | ']' => true,
        // Dashes, the minus sign, and full-width forms.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '－' | '．' | '／' | '（' | '）' => true,
        // Soft hyphen, directional marks and isolates, zero-width joiners, byte-order mark.
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => true,
        _ => c.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(bool, String)> {
        let ascii = |c: char| c.is_ascii_digit().then_some(c);
        Dialled::read(text, ascii).map(|dialled| (dialled.international, dialled.digits))
    }

    #[test]
    fn marks_between_digits_go_and_a_leading_plus_is_kept_in_mind() {
        let national = Some((false, "5551234567".to_owned()));
        let international = Some((true, "905551234567".to_owned()));
        assert_eq!(read("5551234567"), national);
        assert_eq!(read(" (555) 123-45.67 "), national);
        assert_eq!(read("\u{202a}555\u{a0}123\u{2011}4567\u{202c}"), national);
        assert_eq!(read("+90 555 123 45 67"), international);
        assert_eq!(read("\u{200e}＋905551234567"), international);
    }

    #[test]
    fn what_is_no_dialled_number_is_refused_not_skipped() {
        let long = "1 ".repeat(65);
        for text in [
            "",
            "+",
            "( )",
            "abc",
            "555 CALL NOW",
            "5551234567x12",
            "5551234567;ext=1",
            "tel:5551234567",
            "+90+5551234567",
            "++905551234567",
            "90+5551234567",
            "5551234567#",
            "*5551234567",
            "5551234567,,1",
            "555\u{0}1234567",
            long.as_str(),
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
