//! What a stranger can send, read as the server reads it: one function a parser, with the laws that hold for whatever
//! comes.
//!
//! `cargo fuzz` calls them with bytes of its making (`tests/fuzz`), and `make test` with every file of
//! `tests/fuzz/corpus`: what once was found stays tried.

#![expect(
    clippy::expect_used,
    reason = "what breaks a law must end the run that found it"
)]

use std::sync::{Arc, LazyLock};

use doorbell_domain::phone::NumberingPlan;
use doorbell_domain::ports::{AccessTokens, RefreshTokens};
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::web_push::{EndpointPolicy, SubscriptionKeys};
use doorbell_domain::{Timestamp, UserId, WebPushEndpoint};
use doorbell_keys::{JwtTokens, RefreshMacs, Secrets, SharedKeys, SigningKey, SigningKeys};
use doorbell_standards::{LibPhoneNumber, P256};
use uuid::Uuid;

/// A function that is given bytes, and panics where a law does not hold.
pub type Target = fn(&[u8]);

/// All targets, by the names of their corpora.
pub const TARGETS: [(&str, Target); 5] = [
    ("access_token", access_token),
    ("refresh_token", refresh_token),
    ("phone", phone),
    ("subscription_keys", subscription_keys),
    ("endpoint", endpoint),
];

/// 2026-11-22T00:00:00Z, within the life of the one good token of the corpus.
const NOW: Timestamp = Timestamp::from_micros(1_795_305_600_000_000);

const SALT: [u8; 16] = [9; 16];

static ACCESS: LazyLock<JwtTokens> = LazyLock::new(|| {
    let life = KeyLife::since(Timestamp::from_micros(0));
    let key = SigningKey::restore(Uuid::from_u128(1), life, &[7; 32]).expect("a seed");
    let keys = SigningKeys::new([key]).expect("a key");
    JwtTokens::new("doorbell", Arc::new(SharedKeys::new(keys)))
});

static REFRESH: LazyLock<RefreshMacs> = LazyLock::new(|| {
    let secrets = Secrets::parse("a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").expect("a secret");
    RefreshMacs::new(&secrets).expect("a key")
});

static PLANS: LazyLock<LibPhoneNumber> = LazyLock::new(|| LibPhoneNumber::load().expect("numbering plans"));

/// Whose token the corpus holds.
pub const USER: UserId = UserId::from_uuid(Uuid::from_u128(2));

/// An access token. Nobody but [`USER`] ever had one of this key.
pub fn access_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(caller) = ACCESS.verify(text, NOW) {
        assert_eq!(caller.user, USER);
        // It is good once more, and in no other spelling.
        assert_eq!(ACCESS.verify(text, NOW), Ok(caller));
        assert!(ACCESS.verify(&format!("{text}="), NOW).is_err());
    }
}

/// A refresh token. One that verifies is just what its claim derives.
pub fn refresh_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let claim = REFRESH.claim(text);
    if REFRESH.verify(text, &SALT).is_ok() {
        let claim = claim.expect("what verifies has a claim");
        let derived = REFRESH.derive(&claim, &SALT).expect("a key derives");
        assert_eq!(derived.expose(), text);
    }
}

/// A country code and a number, a line each. A number's normal form is its own.
pub fn phone(bytes: &[u8]) {
    let Some((code, number)) = lines(bytes) else {
        return;
    };
    if let Ok(phone) = PLANS.parse(code, number) {
        let again = PLANS.parse(&phone.country_code().to_string(), phone.national());
        assert_eq!(again.as_ref(), Ok(&phone));
        assert_eq!(PLANS.parse_e164(&phone.e164()), Ok(phone));
    }
}

/// A subscription's `p256dh` and `auth`, a line each.
pub fn subscription_keys(bytes: &[u8]) {
    let Some((p256dh, auth)) = lines(bytes) else {
        return;
    };
    if let Ok(keys) = SubscriptionKeys::parse(p256dh, auth, &P256) {
        assert_eq!(keys.p256dh().first(), Some(&4), "an uncompressed point");
        assert!(!format!("{keys:?}").contains(auth));
    }
}

/// An endpoint. What is believed of strangers is believed in development too, and kept byte for byte.
pub fn endpoint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let local = WebPushEndpoint::parse(text, EndpointPolicy::LocalToo);
    match WebPushEndpoint::parse(text, EndpointPolicy::Public) {
        Ok(public) => {
            assert_eq!(public.expose(), text);
            assert_eq!(local.as_ref(), Ok(&public));
            assert!(text.len() <= WebPushEndpoint::MAX);
            assert!(text.to_ascii_lowercase().starts_with("https:"));
        }
        Err(_) => {
            if let Ok(local) = local {
                assert!(local.expose().to_ascii_lowercase().starts_with("http:"));
            }
        }
    }
}

fn lines(bytes: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(bytes).ok()?.split_once('\n')
}
