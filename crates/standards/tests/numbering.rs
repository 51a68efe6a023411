//! What people type as their phone number, and the one identity it must come to.
#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::sync::LazyLock;

use doorbell_domain::PhoneNumber;
use doorbell_domain::phone::{NumberingPlan, PhoneError};
use doorbell_standards::LibPhoneNumber;
use proptest::prelude::*;

static PLAN: LazyLock<LibPhoneNumber> = LazyLock::new(|| LibPhoneNumber::load().expect("built in"));

fn e164(code: &str, number: &str) -> Result<String, PhoneError> {
    PLAN.parse(code, number).map(|number| number.e164())
}

/// A mobile of each country, with the trunk prefix that people put before it there.
const MOBILES: [(u16, &str, &str); 22] = [
    (90, "5551234567", "0"),
    (1, "2025550123", "1"),
    (44, "7400123456", "0"),
    (49, "15123456789", "0"),
    (33, "612345678", "0"),
    (34, "612345678", ""),
    (7, "9161234567", "8"),
    (7, "7710009998", "8"),
    (39, "3123456789", ""),
    (36, "201234567", "06"),
    (55, "11961234567", "0"),
    (52, "2221234567", ""),
    (54, "91123456789", "0"),
    (91, "8123456789", "0"),
    (86, "13123456789", ""),
    (81, "9012345678", "0"),
    (82, "1020000000", "0"),
    (62, "812345678", "0"),
    (234, "8021234567", "0"),
    (225, "0123456789", ""),
    (242, "061234567", ""),
    (971, "501234567", "0"),
];

#[test]
fn a_turkish_mobile_has_one_identity_however_it_is_typed() {
    for code in ["90", "+90", " 90 ", "+ 90", "９０", "٩٠", "\u{200e}+90"] {
        for number in [
            "5551234567",
            "05551234567",
            "555 123 45 67",
            "0555 123 45 67",
            "(555) 123-45-67",
            "0(555)123.45.67",
            "555\u{2011}123\u{2013}4567",
            "+905551234567",
            "+90 555 123 45 67",
            "+90 (0) 555 123 45 67",
            "＋９０５５５１２３４５６７",
            "00905551234567",
            "905551234567",
            "５５５１２３４５６７",
            "٥٥٥١٢٣٤٥٦٧",
            "۵۵۵۱۲۳۴۵۶۷",
            "५५५१२३४५६७",
            "𝟓𝟓𝟓𝟏𝟐𝟑𝟒𝟓𝟔𝟕",
            "\u{202a}+90 555 123 45 67\u{202c}",
            "\u{feff}5551234567\u{a0}",
            "5551234567\t",
        ] {
            assert_eq!(
                e164(code, number).as_deref(),
                Ok("+905551234567"),
                "{code:?} {number:?}"
            );
        }
    }
}

#[test]
fn a_country_code_is_one_in_use_and_nothing_else() {
    for code in [
        "", " ", "+", "++90", "90+", "0", "00", "090", "0090", "+090", "999", "210", "abc", "9a", "-", "TR",
        "1242", "9090", "9012", "²", "90;ext=1", "\u{0}90",
    ] {
        assert_eq!(e164(code, "5551234567"), Err(PhoneError::CountryCode), "{code:?}");
    }
    let long = "9".repeat(100_000);
    assert_eq!(e164(&long, "5551234567"), Err(PhoneError::CountryCode));
}

#[test]
fn a_number_that_cannot_exist_is_refused() {
    let long = "5".repeat(100_000);
    for (code, number) in [
        ("90", ""),
        ("90", "+"),
        ("90", "0"),
        ("90", "000000"),
        ("90", "555123456"),
        ("90", "55512345678"),
        ("90", "0005551234567"),
        ("90", "abc"),
        ("90", "555123456a"),
        ("90", "5551234567;ext=5"),
        ("90", "5551234567x5"),
        ("90", "tel:+905551234567"),
        ("90", "²²²1234567"),
        ("90", "555½234567"),
        ("1", "5551234567"),
        ("1", "202555012"),
        ("1", "20255501234"),
        ("44", "74001234567"),
        ("39", "412345678901"),
        ("90", long.as_str()),
    ] {
        assert_eq!(e164(code, number), Err(PhoneError::Number), "{code} {number:.40}");
    }
}

#[test]
fn an_international_number_of_another_country_is_refused_rather_than_believed() {
    for (code, number) in [
        ("90", "+12025550123"),
        ("90", "0012025550123"),
        ("1", "+905551234567"),
        ("1", "011905551234567"),
        ("44", "+33612345678"),
        ("7", "+905551234567"),
    ] {
        assert_eq!(e164(code, number), Err(PhoneError::Number), "{code} {number}");
    }
}

#[test]
fn italian_and_african_zeros_belong_to_the_number() {
    assert_eq!(e164("39", "06 1234 5678").as_deref(), Ok("+390612345678"));
    assert_eq!(e164("39", "+39 06 1234 5678").as_deref(), Ok("+390612345678"));
    let number = PLAN.parse("39", "0612345678").expect("Rome");
    assert_eq!((number.country_code(), number.national()), (39, "0612345678"));
    // Ivory Coast and the Congo have no trunk prefix either.
    assert_eq!(e164("225", "01 23 45 67 89").as_deref(), Ok("+2250123456789"));
    assert_eq!(e164("242", "06 123 4567").as_deref(), Ok("+242061234567"));
}

#[test]
fn every_spelling_of_a_mobile_comes_to_one_identity() {
    for (code, national, trunk) in MOBILES {
        let number = PhoneNumber::from_parts(code, national).expect("well-formed");
        let code = code.to_string();
        for typed in [
            national.to_owned(),
            format!("{trunk}{national}"),
            format!("+{code}{national}"),
            format!("+{code} {trunk}{national}"),
        ] {
            assert_eq!(PLAN.parse(&code, &typed), Ok(number.clone()), "{code} {typed}");
        }
    }
}

#[test]
fn what_is_not_known_to_be_a_mobile_still_passes() {
    // Landline or mobile: the North American plan does not tell; Istanbul, London, a Skype-like number.
    for (code, number) in [
        ("1", "2125550123"),
        ("90", "2121234567"),
        ("44", "2071838750"),
        ("44", "5612345678"),
    ] {
        assert!(PLAN.parse(code, number).is_ok(), "{code} {number}");
    }
}

#[test]
fn satellite_networks_have_numbers_without_a_country() {
    assert_eq!(e164("881", "612345678").as_deref(), Ok("+881612345678"));
    assert_eq!(e164("881", "+881 612345678").as_deref(), Ok("+881612345678"));
}

fn digits() -> impl Strategy<Value = char> {
    prop_oneof![
        8 => prop::char::range('0', '9'),
        1 => prop::char::range('\u{660}', '\u{669}'),
        1 => prop::char::range('０', '９'),
    ]
}

/// Numbers that are nearly right, which is where a parser's opinions differ.
fn typed() -> impl Strategy<Value = (String, String)> {
    let code = prop::sample::select(MOBILES.as_slice())
        .prop_map(|(code, national, trunk)| (code.to_string(), national.to_owned(), trunk.to_owned()));
    let prefix = prop::sample::select(vec!["", "", "0", "1", "8", "00", "+", "011", "(0)", "06"]);
    let change = (0_usize..16, prop::option::of(digits()), any::<bool>());
    (code, prefix, any::<bool>(), change).prop_map(
        |((code, national, trunk), prefix, with_code, (at, new, trunked))| {
            let mut number: Vec<char> = national.chars().collect();
            match new {
                Some(new) if at < number.len() => number.splice(at..=at, [new]).for_each(drop),
                Some(new) => number.push(new),
                None if at == 0 => drop(number.pop()),
                None => {}
            }
            let number: String = number.into_iter().collect();
            let code_typed = if with_code { code.as_str() } else { "" };
            let trunk = if trunked { trunk.as_str() } else { "" };
            (code.clone(), format!("{prefix}{code_typed}{trunk}{number}"))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_it_panic(code in ".{0,8}", number in ".{0,40}") {
        drop(PLAN.parse(&code, &number));
        drop(PLAN.parse("90", &number));
        drop(PLAN.parse("39", &number));
    }

    #[test]
    fn no_digits_make_it_panic_and_normal_form_is_a_fixed_point(
        code in 1_u16..1000,
        number in "\\+?[0-9]{1,20}",
    ) {
        if let Ok(number) = PLAN.parse(&code.to_string(), &number) {
            let again = PLAN.parse(&number.country_code().to_string(), number.national());
            prop_assert_eq!(again, Ok(number));
        }
    }

    #[test]
    fn reading_the_normal_form_changes_nothing((code, number) in typed()) {
        if let Ok(number) = PLAN.parse(&code, &number) {
            prop_assert_eq!(number.country_code().to_string(), code);
            let again = PLAN.parse(&format!("+{}", number.country_code()), number.national());
            prop_assert_eq!(again.as_ref(), Ok(&number));
            let international = PLAN.parse(&number.country_code().to_string(), &number.e164());
            prop_assert_eq!(international.as_ref(), Ok(&number));
        }
    }
}
