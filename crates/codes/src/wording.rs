//! What a text message says.

use doorbell_domain::{CodeDelivery, Language};

/// How long a text message may be in septets, where GSM 03.38 has all its characters.
const SEPTETS: usize = 160;

/// How long it may be in UTF-16 units otherwise.
const UNITS: usize = 70;

/// How long it may be in bytes for Android's SMS Retriever to read it.
const RETRIEVED: usize = 140;

/// The characters that take one septet (GSM 03.38 §6.2.1).
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Those that take two.
const EXTENDED: &str = "^{}\\[~]|€";

/// The application's name, as people know it: 1 to 30 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Reads a name, without the spaces around it; `None` for what cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let well_formed = (1..=30).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        well_formed.then(|| Self(text.to_owned()))
    }
}

/// The last line, by which a phone knows whose code it is and fills it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autofill(LastLine);

#[derive(Clone, Debug, PartialEq, Eq)]
enum LastLine {
    /// None: a person types the code.
    None,
    /// A site that the code is bound to (WICG, origin-bound one-time codes).
    Domain(String),
    /// An Android application, by the hash that SMS Retriever knows it by.
    AppHash(String),
}

impl Autofill {
    /// No such line.
    pub const OFF: Self = Self(LastLine::None);

    /// A host name of at least two labels; `None` for anything else.
    pub fn domain(text: &str) -> Option<Self> {
        let label = |label: &str| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let well_formed = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
        well_formed.then(|| Self(LastLine::Domain(text.to_ascii_lowercase())))
    }

    /// Eleven characters of base64; `None` for anything else.
    pub fn app_hash(text: &str) -> Option<Self> {
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        (text.len() == 11 && text.bytes().all(base64)).then(|| Self(LastLine::AppHash(text.to_owned())))
    }
}

/// What the service's text messages have in common.
#[derive(Clone, Debug)]
pub struct Wording {
    title: Title,
    autofill: Autofill,
}

impl Wording {
    /// Messages of that application, with that last line.
    pub fn new(title: Title, autofill: Autofill) -> Self {
        Self { title, autofill }
    }

    /// The message that brings this code, in its language. What is not needed to use the code is left out where it would
    /// make two messages of one.
    pub(crate) fn text(&self, delivery: &CodeDelivery) -> String {
        let (title, code) = (&self.title.0, delivery.code.expose());
        // Turkish words that need no letter beyond GSM 03.38: one such letter, and 70 characters are all there is.
        let (says, warns) = match delivery.language {
            Language::English => (
                format!("Your {title} code is {code}."),
                "Do not give it to anybody.",
            ),
            Language::Turkish => (format!("{title} kodunuz: {code}."), "Bu kodu kimseye vermeyin."),
        };
        let last = match &self.autofill.0 {
            LastLine::None => String::new(),
            LastLine::Domain(domain) => format!("\n\n@{domain} #{code}"),
            LastLine::AppHash(hash) => format!("\n\n{hash}"),
        };
        let whole = format!("{says} {warns}{last}");
        if self.fits(&whole) { whole } else { says + &last }
    }

    fn fits(&self, text: &str) -> bool {
        let retrieved = !matches!(self.autofill.0, LastLine::AppHash(_)) || text.len() <= RETRIEVED;
        retrieved && is_one_message(text)
    }
}

/// Whether a text is sent as one message (GSM 03.40 §9.2.3.24).
fn is_one_message(text: &str) -> bool {
    let septets: Option<usize> = text
        .chars()
        .map(|letter| {
            if BASIC.contains(letter) {
                Some(1)
            } else {
                EXTENDED.contains(letter).then_some(2)
            }
        })
        .sum();
    septets.map_or_else(
        || text.encode_utf16().count() <= UNITS,
        |septets| septets <= SEPTETS,
    )
}

#[cfg(test)]
mod tests {
    use doorbell_domain::Code;

    use super::*;
    use crate::samples::delivery;

    fn wording(title: &str, autofill: Autofill) -> Wording {
        Wording::new(Title::parse(title).expect("a title"), autofill)
    }

    fn text(wording: &Wording, language: Language, code: &str) -> String {
        wording.text(&CodeDelivery {
            language,
            code: Code::parse(code).expect("digits"),
            ..delivery()
        })
    }

    #[test]
    fn each_language_says_whose_code_it_is_and_has_no_link() {
        let plain = wording("Doorbell", Autofill::OFF);
        assert_eq!(
            text(&plain, Language::English, "012345"),
            "Your Doorbell code is 012345. Do not give it to anybody."
        );
        assert_eq!(
            text(&plain, Language::Turkish, "012345"),
            "Doorbell kodunuz: 012345. Bu kodu kimseye vermeyin."
        );
    }

    #[test]
    fn the_last_line_lets_phones_fill_the_code_in() {
        let site = wording("Doorbell", Autofill::domain("Example.com").expect("a domain"));
        let said = text(&site, Language::English, "123456");
        assert_eq!(said.lines().last(), Some("@example.com #123456"));
        let app = wording("Doorbell", Autofill::app_hash("FA+9qCX9VSu").expect("a hash"));
        let said = text(&app, Language::Turkish, "123456");
        assert_eq!(said.lines().last(), Some("FA+9qCX9VSu"));
    }

    #[test]
    fn every_text_is_one_message_where_it_can_be() {
        let longest = "A title of thirty characters..";
        assert_eq!(longest.chars().count(), 30);
        for title in ["Doorbell", longest, "Kapı Zili", "Çağrı 雨"] {
            for autofill in [
                Autofill::OFF,
                Autofill::domain("kapi.example.com.tr").expect("a domain"),
                Autofill::app_hash("FA+9qCX9VSu").expect("a hash"),
            ] {
                let wording = wording(title, autofill.clone());
                for language in Language::ALL {
                    let said = text(&wording, language, "12345678");
                    assert!(is_one_message(&said), "{said:?}");
                    assert!(autofill == Autofill::OFF || said.len() <= RETRIEVED, "{said:?}");
                    assert!(said.contains(title) && said.contains("12345678"), "{said:?}");
                }
            }
        }
        // What cannot be one message is still the whole of what is needed.
        let far = format!("{}.example.com", "a".repeat(60));
        let wording = wording("雨", Autofill::domain(&far).expect("a domain"));
        let said = text(&wording, Language::English, "123456");
        assert_eq!(said, format!("Your 雨 code is 123456.\n\n@{far} #123456"));
    }

    #[test]
    fn a_message_is_160_septets_or_70_units() {
        assert!(is_one_message(&"a".repeat(160)) && !is_one_message(&"a".repeat(161)));
        assert!(is_one_message(&"€".repeat(80)) && !is_one_message(&"€".repeat(81)));
        assert!(is_one_message(&"ş".repeat(70)) && !is_one_message(&"ş".repeat(71)));
        assert!(is_one_message(&"😀".repeat(35)) && !is_one_message(&"😀".repeat(36)));
    }

    #[test]
    fn what_cannot_be_a_title_a_domain_or_a_hash_is_none() {
        for bad in ["", "  ", "a\nb", "A title of thirty-one characters"] {
            assert_eq!(Title::parse(bad), None, "{bad:?}");
        }
        for bad in [
            "",
            "localhost",
            "https://example.com",
            "example.com/x",
            "-a.com",
            "a..b",
            "a b.c",
            ".com",
        ] {
            assert_eq!(Autofill::domain(bad), None, "{bad:?}");
        }
        for bad in ["", "FA+9qCX9VS", "FA+9qCX9VSuu", "FA+9qCX9VS="] {
            assert_eq!(Autofill::app_hash(bad), None, "{bad:?}");
        }
    }
}
