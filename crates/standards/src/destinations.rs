//! What numbers are: whose, and at what cost.

use doorbell_domain::PhoneNumber;
use doorbell_domain::destination::{Country, Destination, Destinations, Tariff};
use rlibphonenumber::PhoneNumberType;

use crate::LibPhoneNumber;

impl Destinations for LibPhoneNumber {
    fn describe(&self, phone: &PhoneNumber) -> Destination {
        let Some(number) = Self::parts_of(phone) else {
            return Destination {
                country: None,
                tariff: Tariff::Ordinary,
            };
        };
        let region = self.plans().get_region_for_number(&number);
        Destination {
            // Numbers of no country have the region `001`, which is no two letters.
            country: region.and_then(|region| Country::parse(&region.to_string())),
            tariff: match self.plans().get_number_type(&number) {
                PhoneNumberType::PremiumRate => Tariff::Premium,
                PhoneNumberType::SharedCost => Tariff::SharedCost,
                _ => Tariff::Ordinary,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(country_code: u16, national: &str) -> (Option<String>, Tariff) {
        let plans = LibPhoneNumber::load().expect("the metadata is whole");
        let phone = PhoneNumber::from_parts(country_code, national).expect("well-formed");
        let Destination { country, tariff } = plans.describe(&phone);
        (country.map(|country| country.to_string()), tariff)
    }

    #[test]
    fn a_number_has_its_country_also_where_countries_share_a_code() {
        let of = |code, national| described(code, national).0;
        assert_eq!(of(90, "5551234567").as_deref(), Some("TR"));
        assert_eq!(of(49, "15112345678").as_deref(), Some("DE"));
        assert_eq!(of(1, "2015550123").as_deref(), Some("US"));
        assert_eq!(of(1, "5062345678").as_deref(), Some("CA"));
        // International freephone and premium numbers, and satellites.
        for (code, national) in [(800, "12345678"), (979, "123456789"), (882, "3421234")] {
            assert_eq!(of(code, national), None, "+{code}");
        }
    }

    #[test]
    fn premium_and_shared_cost_numbers_are_told_from_others() {
        let of = |code, national| described(code, national).1;
        assert_eq!(of(90, "5551234567"), Tariff::Ordinary);
        assert_eq!(of(1, "9002345678"), Tariff::Premium);
        assert_eq!(of(44, "9012345678"), Tariff::Premium);
        assert_eq!(of(49, "18012345678"), Tariff::SharedCost);
    }
}
