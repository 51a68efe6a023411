//! A phone number in two fields of a body.

use doorbell_domain::PhoneNumber;
use doorbell_domain::phone::{NumberingPlan, PhoneError};

use crate::field::Field;
use crate::form::Form;

/// Reads `countryCode` and `phoneNumber`, noting against each what is wrong of it. A number is judged only by
/// the plan of a country.
pub(super) fn required_phone(
    form: &mut Form,
    plan: &dyn NumberingPlan,
    country_code: Field<String>,
    number: Field<String>,
) -> Option<PhoneNumber> {
    let typed = match &number {
        Field::Value(text) => text.as_str(),
        Field::Absent | Field::Null | Field::WrongType => "",
    };
    let read = form.required("countryCode", country_code, |code| {
        match plan.parse(&code, typed) {
            Err(PhoneError::CountryCode) => Err(PhoneError::CountryCode),
            read => Ok(read),
        }
    });
    form.required("phoneNumber", number, |_| read.transpose())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    /// Knows Türkiye, and every number of ten digits there.
    struct Plan;

    impl NumberingPlan for Plan {
        fn parse(&self, country_code: &str, number: &str) -> Result<PhoneNumber, PhoneError> {
            if country_code.trim_start_matches('+') != "90" {
                return Err(PhoneError::CountryCode);
            }
            PhoneNumber::from_parts(90, number)
                .filter(|phone| phone.national().len() == 10)
                .ok_or(PhoneError::Number)
        }
    }

    fn text(value: &str) -> Field<String> {
        Field::Value(value.to_owned())
    }

    fn named(country_code: Field<String>, number: Field<String>) -> Vec<std::borrow::Cow<'static, str>> {
        let mut form = Form::default();
        assert_eq!(required_phone(&mut form, &Plan, country_code, number), None);
        let Failure::Invalid(bad) = form.failure() else {
            panic!("not a validation failure")
        };
        bad.into_iter().map(|field| field.name).collect()
    }

    #[test]
    fn both_spellings_of_a_country_give_one_number() {
        let mut form = Form::default();
        let mut read = |code| required_phone(&mut form, &Plan, text(code), text("5551234567"));
        let bare = read("90").expect("a number");
        assert_eq!(bare.e164(), "+905551234567");
        assert_eq!(read("+90"), Some(bare));
        assert!(form.is_good());
    }

    #[test]
    fn what_is_wrong_is_said_of_the_field_it_is_wrong_in() {
        let both = ["countryCode", "phoneNumber"];
        assert_eq!(named(Field::Absent, Field::Null), both);
        assert_eq!(named(Field::WrongType, Field::WrongType), both);
        assert_eq!(named(text("999"), Field::Absent), both);
        assert_eq!(named(text("999"), text("5551234567")), ["countryCode"]);
        assert_eq!(named(text("90"), text("555")), ["phoneNumber"]);
        assert_eq!(named(text("90"), text("")), ["phoneNumber"]);
        assert_eq!(named(text("90"), Field::Absent), ["phoneNumber"]);
    }
}
