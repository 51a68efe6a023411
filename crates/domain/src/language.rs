//! The languages that people are written to in.

/// A language that texts for people exist in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// Turkish.
    Turkish,
}

/// How many ranges of a header are looked at: nobody reads more languages than this, and no header costs more.
const RANGES: usize = 32;

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Turkish];

    /// Its primary subtag (RFC 5646 §2.2.1), which rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Turkish => "tr",
        }
    }

    /// The language of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }

    /// The one that an `Accept-Language` (RFC 9110 §12.5.4) likes best, the first of equals; `None` where it names none
    /// of them. What has not the header's form is passed over.
    pub fn preferred(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in header.split(',').take(RANGES) {
            let Some((weight, language)) = read_range(range) else {
                continue;
            };
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The language of a person of whom only the phone's country is known.
    pub const fn of_country(calling_code: u16) -> Self {
        match calling_code {
            90 => Self::Turkish,
            _ => Self::English,
        }
    }
}

/// One range, `tr-TR;q=0.8`, and its weight in thousandths.
fn read_range(range: &str) -> Option<(u16, Language)> {
    let (tag, parameter) = match range.split_once(';') {
        Some((tag, parameter)) => (tag, Some(parameter)),
        None => (range, None),
    };
    let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
    let language = Language::from_name(&primary)?;
    let Some(parameter) = parameter else {
        return Some((1_000, language));
    };
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    Some((thousandths(value.trim())?, language))
}

/// A weight of RFC 9110 §12.4.2: 0 to 1, with at most three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = format!("{decimals:0<3}").parse().ok()?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_best_liked_language_is_taken_and_the_first_of_equals() {
        let (english, turkish) = (Some(Language::English), Some(Language::Turkish));
        for (header, expected) in [
            ("tr-TR,tr;q=0.9,en-US;q=0.8,en;q=0.7", turkish),
            ("en-GB", english),
            ("TR", turkish),
            ("de, en;q=0.5, tr;q=0.501", turkish),
            ("en;q=0.5,tr;q=0.5", english),
            ("en; q=0.4 , tr ;Q=1.000", turkish),
            ("tr;q=0", None),
            ("tr;q=0,en;q=0.001", english),
            ("*", None),
            ("", None),
            ("de,fr", None),
            ("tr;q=2,en;q=0.1", english),
            ("tr;q=0.1234,en;q=0.1", english),
            ("tr;level=1,en;q=0.1", english),
            ("trk,enm", None),
        ] {
            assert_eq!(Language::preferred(header), expected, "{header:?}");
        }
    }

    #[test]
    fn only_so_many_ranges_are_read() {
        let header = format!("{}tr", "de,".repeat(RANGES));
        assert_eq!(Language::preferred(&header), None);
    }

    #[test]
    fn a_language_reads_back_from_its_name_and_a_country_has_one() {
        for language in Language::ALL {
            assert_eq!(Language::from_name(language.name()), Some(language));
        }
        assert_eq!(Language::of_country(90), Language::Turkish);
        assert_eq!(Language::of_country(49), Language::English);
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(header in "\\PC{0,200}") {
            let _ = Language::preferred(&header);
        }
    }
}
