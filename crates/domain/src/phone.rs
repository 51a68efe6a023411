//! Phone numbers in E.164.

use std::fmt;

use thiserror::Error;

/// A phone number as ITU-T E.164 writes it: country code and national significant number, at most 15
/// digits together. One person's number has exactly one value of this type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    country_code: u16,
    national: String,
}

impl PhoneNumber {
    /// A number from its parts, already in normal form; `None` if it has not the form of E.164.
    ///
    /// Whether such a number can exist is for [`NumberingPlan`] to say.
    pub fn from_parts(country_code: u16, national: impl Into<String>) -> Option<Self> {
        let national = national.into();
        let digits = country_code.to_string().len() + national.len();
        let well_formed = (1..=999).contains(&country_code)
            && !national.is_empty()
            && digits <= 15
            && national.bytes().all(|b| b.is_ascii_digit());
        well_formed.then_some(Self {
            country_code,
            national,
        })
    }

    /// Reads `+<country code><national number>` given how the country code reads; the inverse of
    /// [`Self::e164`] for a stored row.
    pub fn from_e164(e164: &str, country_code: u16) -> Option<Self> {
        let national = e164.strip_prefix('+')?.strip_prefix(&country_code.to_string())?;
        Self::from_parts(country_code, national)
    }

    /// The country calling code, 1 to 999.
    pub fn country_code(&self) -> u16 {
        self.country_code
    }

    /// The national significant number's digits.
    pub fn national(&self) -> &str {
        &self.national
    }

    /// `+` and all digits.
    pub fn e164(&self) -> String {
        format!("+{}{}", self.country_code, self.national)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}[redacted]", self.country_code)
    }
}

/// Why what a person typed is no phone number. Never holds what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// No country has this calling code.
    #[error("must be a country calling code")]
    CountryCode,
    /// The country's numbering plan has no such number.
    #[error("must be a phone number that can exist")]
    Number,
}

/// The world's numbering plans.
pub trait NumberingPlan: Send + Sync {
    /// Reads a country code (`90` or `+90`) and the digits a person would dial, in any digits, with spaces,
    /// trunk prefix or punctuation, and gives the one number they name.
    fn parse(&self, country_code: &str, number: &str) -> Result<PhoneNumber, PhoneError>;

    /// The number that `+` and all its digits name.
    fn parse_e164(&self, text: &str) -> Result<PhoneNumber, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::CountryCode)?;
        // No calling code is another one's beginning.
        let cut = (1..=3).filter_map(|at| digits.split_at_checked(at));
        let mut read = cut.map(|(code, national)| self.parse(code, national));
        let named = read.find(|read| !matches!(read, Err(PhoneError::CountryCode)));
        named.unwrap_or(Err(PhoneError::CountryCode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_number_reads_back_and_never_prints() {
        let number = PhoneNumber::from_parts(90, "5551234567").expect("well-formed");
        assert_eq!(number.e164(), "+905551234567");
        assert_eq!(PhoneNumber::from_e164("+905551234567", 90), Some(number.clone()));
        assert!(!format!("{number:?}").contains("555"));
    }

    #[test]
    fn what_e164_forbids_cannot_be_built() {
        for (code, national) in [
            (0, "5551234567"),
            (1000, "5"),
            (90, ""),
            (90, "12345678901234"),
            (90, "55a"),
        ] {
            assert_eq!(PhoneNumber::from_parts(code, national), None, "{code} {national}");
        }
    }
}
