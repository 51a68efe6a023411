//! Who has the database and not the secret learns no one-time code from it.

use std::collections::{BTreeMap, HashSet};

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use doorbell_tests::{Database, Phone, Server, play};

const SECRET: &str = "an example of a secret that is long enough";

/// What hashes give: SHA-1, SHA-256 and SHA-512.
const LENGTHS: [usize; 3] = [20, 32, 64];

/// All that a file holds, ready to be searched.
struct Loot {
    /// Whole words and whole values: texts, and what they stand for as hexadecimal digits or base64.
    words: HashSet<Vec<u8>>,
    /// Whatever has a hash's length, anywhere in a value.
    windows: HashSet<Vec<u8>>,
}

impl Loot {
    fn of(values: &[(String, Vec<u8>)]) -> Self {
        let mut loot = Self {
            words: HashSet::new(),
            windows: HashSet::new(),
        };
        for (_, value) in values {
            loot.words.insert(value.clone());
            loot.search(value);
            if str::from_utf8(value).is_err() {
                continue;
            }
            for word in value.split(|byte| !byte.is_ascii_alphanumeric() && !b"+/=_-".contains(byte)) {
                loot.words.insert(word.to_vec());
                let decoded = [
                    hexadecimal(word),
                    BASE64_STANDARD.decode(word).ok(),
                    BASE64_STANDARD_NO_PAD.decode(word).ok(),
                    BASE64_URL_SAFE_NO_PAD.decode(word).ok(),
                ];
                for decoded in decoded.into_iter().flatten() {
                    loot.search(&decoded);
                    loot.words.insert(decoded);
                }
            }
        }
        loot
    }

    fn search(&mut self, value: &[u8]) {
        for length in LENGTHS {
            self.windows.extend(value.windows(length).map(<[u8]>::to_vec));
        }
    }
}

fn hexadecimal(word: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(word).ok()?;
    let whole = text.len().is_multiple_of(2) && !text.is_empty();
    let octet = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    whole.then(|| (0..text.len()).step_by(2).map(octet).collect())?
}

/// All codes of so many digits.
fn codes(digits: u32) -> impl Iterator<Item = String> {
    let width = usize::try_from(digits).expect("a few");
    (0..10_u32.pow(digits)).map(move |n| format!("{n:0width$}"))
}

/// What somebody would hash who hashed a code without a key.
fn messages(phones: &[String], code: &str) -> Vec<String> {
    let mut messages = vec![code.to_owned()];
    for phone in phones {
        for between in ["", ":", "|", "-", " ", "\0"] {
            messages.push(format!("{phone}{between}{code}"));
            messages.push(format!("{code}{between}{phone}"));
        }
    }
    messages
}

/// The codes that stand in the loot in any form that needs no secret, with that form.
fn found_without_a_key(loot: &Loot, phones: &[String]) -> BTreeMap<String, String> {
    let hashes = [
        ("SHA-1", &digest::SHA1_FOR_LEGACY_USE_ONLY),
        ("SHA-256", &digest::SHA256),
        ("SHA-512", &digest::SHA512),
    ];
    let mut found = BTreeMap::new();
    for code in codes(4) {
        for message in messages(phones, &code) {
            if loot.words.contains(message.as_bytes()) {
                found.insert(code.clone(), format!("{message:?} as it is"));
            }
            for (name, hash) in hashes {
                if loot
                    .windows
                    .contains(digest::digest(hash, message.as_bytes()).as_ref())
                {
                    found.insert(code.clone(), format!("{name} of {message:?}"));
                }
            }
        }
    }
    found
}

/// The codes whose keyed hash stands in the loot, as the service makes it for that phone.
fn found_with_the_key(loot: &Loot, phone: &str, digits: u32) -> Vec<String> {
    let derived = Salt::new(HKDF_SHA256, b"doorbell 1").extract(SECRET.as_bytes());
    let info = [b"codes".as_slice()];
    let key = derived.expand(&info, HKDF_SHA256).expect("a short key");
    let mut octets = [0; 32];
    key.fill(&mut octets).expect("as long as was asked for");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &octets);
    codes(digits)
        .filter(|code| {
            let tag = hmac::sign(&key, format!("sign_in\0{phone}\0{code}").as_bytes());
            loot.windows.contains(tag.as_ref())
        })
        .collect()
}

#[test]
fn a_dump_with_all_codes_reveals_nothing_without_the_secret() {
    play(
        Database::Sqlite,
        |setup| {
            setup
                .env("DOORBELL_SECRET", SECRET)
                .env("DOORBELL_OTP_LENGTH", "4")
        },
        async |server: Server| {
            let phone = Phone::nth(1_234_567);
            // One that was used, one that was superseded, and one that waits, after a wrong guess.
            let used = server.code_for(&phone).await;
            server.verify_otp(&phone, &used).await.assert_status(200);
            let superseded = server.code_for(&phone).await;
            let current = server.code_for(&phone).await;
            let wrong = codes(4).find(|code| *code != current).expect("another code");
            server.verify_otp(&phone, &wrong).await.assert_allmine(400);

            let values = server.values();
            assert_eq!(
                values
                    .iter()
                    .filter(|(place, _)| place == "otp_sessions.mac")
                    .count(),
                3,
                "all codes are in the dump"
            );
            let loot = Loot::of(&values);
            let e164 = format!("+{}{}", phone.country, phone.number);
            let phones = [
                e164.clone(),
                format!("{}{}", phone.country, phone.number),
                format!("00{}{}", phone.country, phone.number),
                phone.number.clone(),
            ];
            let found = found_without_a_key(&loot, &phones);
            assert!(found.is_empty(), "{found:#?}");

            // With the secret, the same search finds exactly the codes that were sent: the dump does hold them.
            let mut sent = vec![used, superseded, current];
            sent.sort_unstable();
            sent.dedup();
            assert_eq!(found_with_the_key(&loot, &e164, 4), sent);

            // And without one it would have found a code that somebody hashed bare, or wrote down.
            let bare = digest::digest(&digest::SHA256, format!("{e164}:4711").as_bytes());
            let hex: Vec<String> = bare.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            let hex = hex.concat();
            let careless = Loot::of(&[
                (
                    "a hash".to_owned(),
                    format!("{{\"hash\": \"{hex}\"}}").into_bytes(),
                ),
                ("a note".to_owned(), b"code 0815.".to_vec()),
            ]);
            let found = found_without_a_key(&careless, &phones[..1]);
            let found: Vec<&str> = found.keys().map(String::as_str).collect();
            assert_eq!(found, ["0815", "4711"]);
        },
    );
}

/// As codes are by default: a million of them, in the forms that come to mind first.
#[test]
fn nor_does_one_with_all_million_codes_of_six_digits() {
    play(
        Database::Sqlite,
        |setup| setup.env("DOORBELL_SECRET", SECRET),
        async |server: Server| {
            let phone = Phone::nth(1_234_567);
            let mut sent = vec![server.code_for(&phone).await, server.code_for(&phone).await];
            sent.sort_unstable();
            sent.dedup();
            let loot = Loot::of(&server.values());
            let e164 = format!("+{}{}", phone.country, phone.number);
            for code in codes(6) {
                assert!(!loot.words.contains(code.as_bytes()), "{code} as it is");
                for message in [format!("{e164}:{code}"), code] {
                    let hash = digest::digest(&digest::SHA256, message.as_bytes());
                    assert!(!loot.windows.contains(hash.as_ref()), "SHA-256 of {message:?}");
                }
            }
            assert_eq!(found_with_the_key(&loot, &e164, 6), sent);
        },
    );
}
