//! The spellings in which a secret could leak.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use crate::encoded;

/// A secret and where it may be seen.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What it is, for whoever reads a failure.
    pub name: &'static str,
    /// Itself.
    pub value: String,
    /// Beginnings of the requests (`POST /push/subscribe`) whose answers may hold it.
    pub belongs: &'static [&'static str],
}

impl Canary {
    /// A secret that belongs in the answers to these requests only.
    pub fn new(name: &'static str, value: impl Into<String>, belongs: &'static [&'static str]) -> Self {
        Self {
            name,
            value: value.into(),
            belongs,
        }
    }

    /// In which of its spellings it stands in `text`, if it does.
    pub fn trace_in(&self, text: &str) -> Option<String> {
        spellings(&self.value).into_iter().find(|spelling| {
            text.match_indices(spelling.as_str()).any(|(at, found)| {
                // A few digits stand in many a longer number by chance.
                let digits = found.bytes().all(|byte| byte.is_ascii_digit());
                let around = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
                let bytes = text.as_bytes();
                let within = around(at.checked_sub(1).and_then(|at| bytes.get(at)))
                    || around(bytes.get(at + found.len()));
                !(digits && found.len() < 10 && within)
            })
        })
    }
}

/// The text plain, percent-encoded, in hexadecimal, and in base64 wherever within a longer text it begins.
fn spellings(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lower = pairs.concat();
    let every = format!("%{}", pairs.join("%").to_uppercase());
    let mut all = vec![text.to_owned(), encoded(text), every, lower.to_uppercase(), lower];
    for before in 0..3 {
        let padded = [&vec![0; before][..], bytes].concat();
        // What shares its bits with a neighbour is left out on both sides.
        let (first, whole) = (before.div_ceil(3) * 4, padded.len() / 3 * 4);
        for encoded in [
            BASE64_STANDARD.encode(&padded),
            BASE64_URL_SAFE_NO_PAD.encode(&padded),
        ] {
            all.extend(
                encoded
                    .get(first..whole)
                    .filter(|part| part.len() >= 8)
                    .map(str::to_owned),
            );
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_any_spelling_and_a_number_not_in_a_longer_one() {
        let canary = Canary::new("a token", "canary/token+1", &[]);
        for text in [
            "… canary/token+1 …",
            "/x/canary%2Ftoken%2B1",
            "63616E6172792F746F6B656E2B31",
            "63616e6172792f746f6b656e2b31",
            &BASE64_STANDARD.encode("canary/token+1"),
            &BASE64_STANDARD.encode("a canary/token+1"),
            &BASE64_URL_SAFE_NO_PAD.encode("b: canary/token+1!"),
        ] {
            assert!(canary.trace_in(text).is_some(), "{text}");
        }
        assert_eq!(canary.trace_in("canary token 1"), None);
        let code = Canary::new("a code", "12345678", &[]);
        assert_eq!(code.trace_in("at 512345678 or 12345678f"), None);
        assert!(code.trace_in("code=12345678,").is_some());
    }
}
