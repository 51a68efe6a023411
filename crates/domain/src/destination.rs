//! Where codes may be sent: by country, and never to a number that costs whoever sends.

use std::fmt;

use crate::PhoneNumber;

/// A country by ISO 3166-1 alpha-2: two capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Two ASCII letters, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.0.map(char::from);
        write!(f, "{a}{b}")
    }
}

/// What a call to a number costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tariff {
    /// What any call costs.
    Ordinary,
    /// More, and somebody earns it: what a fraud of codes lives on.
    Premium,
    /// More, shared between caller and called.
    SharedCost,
}

/// What a numbering plan knows of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its country; `None` for what belongs to no country, as satellite and international premium numbers.
    pub country: Option<Country>,
    /// What it costs.
    pub tariff: Tariff,
}

/// Which countries codes are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Countries {
    /// Every country.
    All,
    /// These.
    Only(Vec<Country>),
}

impl Countries {
    /// The country of a number that codes may be sent to; `None` where none may.
    pub fn admit(&self, destination: Destination) -> Option<Country> {
        let country = destination.country?;
        let listed = match self {
            Self::All => true,
            Self::Only(countries) => countries.contains(&country),
        };
        (listed && destination.tariff == Tariff::Ordinary).then_some(country)
    }
}

/// The world's knowledge of what numbers are.
pub trait Destinations: Send + Sync {
    /// What is known of a number.
    fn describe(&self, phone: &PhoneNumber) -> Destination;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(text: &str) -> Country {
        Country::parse(text).expect("two letters")
    }

    #[test]
    fn a_country_is_two_letters() {
        assert_eq!(country("tr").to_string(), "TR");
        for text in ["", "T", "TUR", "90", "T1", "ÇÇ"] {
            assert_eq!(Country::parse(text), None, "{text}");
        }
    }

    #[test]
    fn codes_go_to_listed_countries_at_ordinary_cost() {
        let to = |code: Option<&str>, tariff| Destination {
            country: code.map(country),
            tariff,
        };
        let only = Countries::Only(vec![country("TR"), country("DE")]);
        assert_eq!(only.admit(to(Some("DE"), Tariff::Ordinary)), Some(country("DE")));
        for countries in [&only, &Countries::All] {
            assert_eq!(countries.admit(to(None, Tariff::Ordinary)), None);
            assert_eq!(countries.admit(to(Some("TR"), Tariff::Premium)), None);
            assert_eq!(countries.admit(to(Some("TR"), Tariff::SharedCost)), None);
        }
        assert_eq!(only.admit(to(Some("US"), Tariff::Ordinary)), None);
        assert_eq!(
            Countries::All.admit(to(Some("US"), Tariff::Ordinary)),
            Some(country("US"))
        );
    }
}
