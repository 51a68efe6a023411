//! Numbers for whoever tests an app: each with a code of its own, which is never sent.

use crate::{Code, PhoneNumber, Timestamp};

/// Test numbers. Everything else holds for them as for any number: limits, attempts, expiry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestNumbers {
    numbers: Vec<(PhoneNumber, Code)>,
    until: Option<Timestamp>,
}

impl TestNumbers {
    /// These, before `until` where one is given.
    pub fn new(numbers: Vec<(PhoneNumber, Code)>, until: Option<Timestamp>) -> Self {
        Self { numbers, until }
    }

    /// The code that a number always gets; `None` for a number that is none of these, or from `until` on.
    pub fn code_of(&self, phone: &PhoneNumber, now: Timestamp) -> Option<Code> {
        if self.until.is_some_and(|until| now >= until) {
            return None;
        }
        let mut numbers = self.numbers.iter();
        numbers
            .find(|(number, _)| number == phone)
            .map(|(_, code)| code.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_number_has_its_code_until_the_day_given() {
        let phone = PhoneNumber::from_parts(90, "5551234567").expect("well-formed");
        let other = PhoneNumber::from_parts(90, "5551234568").expect("well-formed");
        let code = Code::parse("1234").expect("digits");
        let at = Timestamp::from_micros;
        let numbers = TestNumbers::new(vec![(phone.clone(), code.clone())], Some(at(10)));
        assert_eq!(numbers.code_of(&phone, at(9)), Some(code.clone()));
        assert_eq!(numbers.code_of(&phone, at(10)), None);
        assert_eq!(numbers.code_of(&other, at(9)), None);
        let forever = TestNumbers::new(vec![(phone.clone(), code.clone())], None);
        assert_eq!(forever.code_of(&phone, at(i64::MAX)), Some(code));
    }
}
