//! The world's numbering plans, by the metadata of Google's libphonenumber.

use doorbell_domain::PhoneNumber;
use doorbell_domain::phone::{NumberingPlan, PhoneError};
use rlibphonenumber::{CreateUtilError, PhoneNumberUtil, Region};
use thiserror::Error;

use crate::dialled::Dialled;

/// All numbering plans, loaded once.
///
/// A number passes if its plan knows it as anybody's: whether it is a mobile is not asked, since many plans do
/// not say so (in the North American one, nothing tells a mobile from a landline).
pub struct LibPhoneNumber {
    plans: PhoneNumberUtil,
}

/// The metadata built into this program cannot be read.
#[derive(Debug, Error)]
#[error("the built-in phone number metadata is broken")]
pub struct BrokenMetadata(#[source] CreateUtilError);

impl LibPhoneNumber {
    /// Loads the metadata, which takes some 5 MB and milliseconds; a country's patterns are compiled when its first
    /// number comes.
    pub fn load() -> Result<Self, BrokenMetadata> {
        let plans = PhoneNumberUtil::new().map_err(BrokenMetadata)?;
        Ok(Self { plans })
    }

    pub(crate) fn plans(&self) -> &PhoneNumberUtil {
        &self.plans
    }

    /// A decimal digit of any script as the ASCII digit of its value.
    fn digit(&self, c: char) -> Option<char> {
        if c.is_ascii() {
            return c.is_ascii_digit().then_some(c);
        }
        let ascii = self.plans.normalize_digits_only(c.encode_utf8(&mut [0; 4]));
        ascii.chars().next()
    }

    fn country_code(&self, text: &str) -> Option<CountryCode> {
        let dialled = Dialled::read(text, |c| self.digit(c))?;
        if dialled.digits.len() > 3 || dialled.digits.starts_with('0') {
            return None;
        }
        let value = dialled.digits.parse().ok()?;
        let region = self.plans.get_region_for_country_code(i32::from(value))?;
        Some(CountryCode { value, region })
    }

    /// The number whose national significant number is just `national`, if there is one.
    fn exact(&self, code: &CountryCode, national: &str) -> Option<PhoneNumber> {
        let phone = PhoneNumber::from_parts(code.value, national)?;
        let number = Self::parts_of(&phone)?;
        self.plans.is_valid_number(&number).then_some(phone)
    }

    /// A number in the library's own form.
    pub(crate) fn parts_of(phone: &PhoneNumber) -> Option<rlibphonenumber::PhoneNumber> {
        let national = phone.national();
        let significant = national.trim_start_matches('0');
        // The library holds a number as an integer and counts the zeros before it; of zeros only, the last
        // one is the integer.
        let zeros = (national.len() - significant.len()).min(national.len().checked_sub(1)?);
        Some(rlibphonenumber::PhoneNumber {
            country_code: i32::from(phone.country_code()),
            national_number: national.parse().ok()?,
            italian_leading_zero: (zeros > 0).then_some(true),
            number_of_leading_zeros: i32::try_from(zeros).ok().filter(|zeros| *zeros > 1),
            ..rlibphonenumber::PhoneNumber::default()
        })
    }

    /// The national significant number in `dialled`, by the country's dialling rules: international and trunk
    /// prefixes, carrier codes and old spellings.
    fn significant(&self, code: &CountryCode, dialled: &Dialled) -> Option<String> {
        let Dialled { digits, .. } = dialled;
        let parsed = if dialled.international {
            self.plans.parse(format!("+{digits}"), None)
        } else if code.region == Region::World {
            self.plans.parse(format!("+{}{digits}", code.value), None)
        } else {
            self.plans.parse(digits, Some(code.region))
        };
        let number = parsed
            .ok()
            .filter(|number| number.country_code == i32::from(code.value))?;
        Some(rlibphonenumber::get_national_significant_number_owned(&number))
    }
}

/// A country calling code in use, and the region whose dialling rules go with it.
struct CountryCode {
    value: u16,
    region: Region,
}

impl NumberingPlan for LibPhoneNumber {
    fn parse(&self, country_code: &str, number: &str) -> Result<PhoneNumber, PhoneError> {
        let code = self.country_code(country_code).ok_or(PhoneError::CountryCode)?;
        let dialled = Dialled::read(number, |c| self.digit(c)).ok_or(PhoneError::Number)?;
        let national = if dialled.international {
            dialled
                .digits
                .strip_prefix(&code.value.to_string())
                .ok_or(PhoneError::Number)?
        } else {
            &dialled.digits
        };
        // What already is a whole number stays as it is, so that reading a number's own normal form never
        // finds a prefix in it and makes another number of it.
        self.exact(&code, national)
            .or_else(|| self.exact(&code, &self.significant(&code, &dialled)?))
            .ok_or(PhoneError::Number)
    }
}
