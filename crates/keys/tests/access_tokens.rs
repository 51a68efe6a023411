//! Which access tokens are believed: ours, whole, in their time, and nothing that only looks like one.
#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorbell_domain::ports::{AccessTokens, InvalidToken};
use doorbell_domain::session::Caller;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::{SessionId, Timestamp, UserId};
use doorbell_keys::{JwtTokens, SharedKeys, SigningKey, SigningKeys};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

const ISSUER: &str = "https://doorbell.example";
const USER: &str = "0192f0c1-2b3d-7c4e-8f50-123456789abc";
const SESSION: &str = "0192f0c1-2b3d-7c4e-8f50-fedcba987654";
const SEED: [u8; 32] = [7; 32];
const NOW: i64 = 1_790_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn key(id: u128, seed: [u8; 32]) -> SigningKey {
    SigningKey::restore(Uuid::from_u128(id), KeyLife::since(at(0)), &seed).expect("a seed")
}

fn tokens_of(keys: impl IntoIterator<Item = SigningKey>) -> JwtTokens {
    let keys = SigningKeys::new(keys).expect("a key");
    JwtTokens::new(ISSUER, Arc::new(SharedKeys::new(keys)))
}

fn tokens() -> JwtTokens {
    tokens_of([key(1, SEED)])
}

fn caller(expires_at: i64) -> Caller {
    Caller {
        user: UserId::parse(USER).expect("an id"),
        session: SessionId::parse(SESSION).expect("an id"),
        expires_at: at(expires_at),
    }
}

fn issued(tokens: &JwtTokens) -> String {
    let Caller { user, session, .. } = caller(0);
    let token = tokens.issue(user, session, at(NOW), Duration::hours(1));
    token.expect("signs").expose().to_owned()
}

fn header() -> Value {
    json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": Uuid::from_u128(1).to_string() })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "doorbell", "sub": USER, "sid": SESSION,
        "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
    })
}

fn encoded(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

fn signed_with(seed: &[u8; 32], header: &str, claims: &str) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed");
    let signature = encoded(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token with our own signature, whatever it says.
fn signed(header: &Value, claims: &Value) -> String {
    signed_with(&SEED, &header.to_string(), &claims.to_string())
}

fn refused(token: &str) -> bool {
    tokens().verify(token, at(NOW)) == Err(InvalidToken)
}

#[test]
fn our_own_token_says_who_speaks() {
    let token = issued(&tokens());
    assert_eq!(tokens().verify(&token, at(NOW)), Ok(caller(NOW + 3600)));
    assert!(token.len() < 600, "{}", token.len());
    // The corpus below starts from a token that would pass.
    assert_eq!(
        tokens().verify(&signed(&header(), &claims()), at(NOW)),
        Ok(caller(NOW + 3600))
    );
}

#[test]
fn it_carries_what_rfc_9068_asks_for() {
    let token = issued(&tokens());
    let part = |n| {
        let part = token.split('.').nth(n).expect("three parts");
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&bytes).expect("JSON")
    };
    assert_eq!(part(0), header());
    assert_eq!(part(1), claims());
}

#[test]
fn its_times_have_a_leeway_of_five_seconds_and_no_more() {
    let token = signed(&header(), &claims());
    let verdict = |now| tokens().verify(&token, now).is_ok();
    assert!(verdict(at(NOW - 5)));
    assert!(!verdict(at(NOW - 6)));
    assert!(!verdict(Timestamp::from_micros((NOW - 5) * 1_000_000 - 1)));
    assert!(verdict(at(NOW + 3604)));
    assert!(verdict(Timestamp::from_micros((NOW + 3605) * 1_000_000 - 1)));
    assert!(!verdict(at(NOW + 3605)));
    assert!(!verdict(at(NOW + 3606)));
}

#[test]
fn a_token_lives_by_the_callers_clock_alone() {
    let Caller { user, session, .. } = caller(0);
    for start in [0, 4_000_000_000, -100] {
        let token = tokens()
            .issue(user, session, at(start), Duration::hours(1))
            .expect("signs");
        assert_eq!(
            tokens().verify(token.expose(), at(start)),
            Ok(caller(start + 3600))
        );
    }
}

#[test]
fn no_algorithm_but_eddsa_is_believed() {
    let claims = claims().to_string();
    let public = *key(1, SEED).public();
    let der = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ][..],
        &public,
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let with = |alg: &str| {
        let mut header = header();
        header["alg"] = json!(alg);
        format!("{}.{}", encoded(header.to_string()), encoded(&claims))
    };
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let message = with(none);
        let signature = issued(&tokens())
            .split('.')
            .nth(2)
            .expect("three parts")
            .to_owned();
        for token in [
            format!("{message}."),
            message.clone(),
            format!("{message}.{signature}"),
        ] {
            assert!(refused(&token), "{none:?}");
        }
    }
    for (alg, algorithm) in [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ] {
        let message = with(alg);
        for secret in [
            &public[..],
            &der,
            pem.as_bytes(),
            pem.trim().as_bytes(),
            encoded(public).as_bytes(),
            b"",
        ] {
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
            assert!(refused(&format!("{message}.{}", encoded(tag))), "{alg}");
        }
    }
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
    for alg in ["ES256", "EdDSA"] {
        let message = with(alg);
        let signature = pair.sign(&random, message.as_bytes()).expect("signs");
        assert!(refused(&format!("{message}.{}", encoded(signature))), "{alg}");
    }
    for alg in [
        "ES256", "ES384", "RS256", "PS256", "eddsa", "EDDSA", "Ed25519", "EdDSA ", "xx",
    ] {
        let mut header = header();
        header["alg"] = json!(alg);
        assert!(
            refused(&signed(&header, &serde_json::from_str(&claims).expect("JSON"))),
            "{alg}"
        );
    }
}

#[test]
fn only_a_key_of_ours_counts_and_only_by_its_own_name() {
    let (header, claims) = (header().to_string(), claims().to_string());
    assert!(refused(&signed_with(&[8; 32], &header, &claims)));
    for kid in [
        json!(Uuid::from_u128(2).to_string()),
        json!("../../x"),
        json!("' or 1=1"),
        json!(""),
        json!("00000000-0000-0000-0000-000000000001 "),
        json!("00000000000000000000000000000001"),
        json!(null),
        json!(1),
        json!([Uuid::from_u128(1).to_string()]),
    ] {
        let mut header = self::header();
        header["kid"] = kid.clone();
        assert!(refused(&signed(&header, &self::claims())), "{kid}");
    }
    let mut without = self::header();
    without.as_object_mut().expect("an object").remove("kid");
    assert!(refused(&signed(&without, &self::claims())));
    // One of two keys, named by the other's id.
    let both = tokens_of([key(2, [8; 32]), key(1, SEED)]);
    let mut crossed = self::header();
    crossed["kid"] = json!(Uuid::from_u128(2).to_string());
    assert_eq!(
        both.verify(&signed(&crossed, &self::claims()), at(NOW)),
        Err(InvalidToken)
    );
}

#[test]
fn the_newest_key_signs_and_an_older_one_still_verifies_until_it_is_gone() {
    let (before, during, after) = (
        tokens_of([key(1, SEED)]),
        tokens_of([key(2, [8; 32]), key(1, SEED)]),
        tokens_of([key(2, [8; 32])]),
    );
    let (old, new) = (issued(&before), issued(&during));
    assert!(during.verify(&old, at(NOW)).is_ok());
    assert!(after.verify(&new, at(NOW)).is_ok());
    assert_eq!(before.verify(&new, at(NOW)), Err(InvalidToken));
    assert_eq!(after.verify(&old, at(NOW)), Err(InvalidToken));
}

#[test]
fn a_key_signs_and_verifies_in_its_times() {
    let lives = |old_retires: Option<i64>, new_starts: i64| {
        let key = |id: u128, seed: u8, starts: i64, retires: Option<i64>| {
            let life = KeyLife {
                starts_at: at(starts),
                retires_at: retires.map(at),
            };
            SigningKey::restore(Uuid::from_u128(id), life, &[seed; 32]).expect("a seed")
        };
        tokens_of([key(2, 8, new_starts, None), key(1, 7, 0, old_retires)])
    };
    let tokens = lives(Some(NOW + 5000), NOW + 360);
    let Caller { user, session, .. } = caller(0);
    let issue = |now| {
        let token = tokens.issue(user, session, at(now), Duration::hours(1));
        token.expect("signs").expose().to_owned()
    };
    let kid = |token: &str| {
        let header = token.split('.').next().expect("three parts");
        let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
        serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].clone()
    };
    let (old, new) = (issue(NOW + 359), issue(NOW + 360));
    assert_eq!(kid(&old), json!(Uuid::from_u128(1).to_string()));
    assert_eq!(kid(&new), json!(Uuid::from_u128(2).to_string()));
    // The old key's token dies of its own age; a server whose clock is behind believes the new key's already.
    assert!(tokens.verify(&old, at(NOW + 3959)).is_ok());
    assert!(tokens.verify(&new, at(NOW + 356)).is_ok());
    // Retired early, the key takes its living tokens along.
    let revoked = lives(Some(NOW + 400), NOW + 360);
    assert!(revoked.verify(&old, at(NOW + 399)).is_ok());
    assert_eq!(revoked.verify(&old, at(NOW + 400)), Err(InvalidToken));
    assert!(revoked.verify(&new, at(NOW + 400)).is_ok());
}

#[test]
fn a_token_that_brings_its_own_key_or_wants_extensions_is_refused() {
    let public = encoded(key(3, [9; 32]).public());
    for (name, value) in [
        ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": public })),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["b64"])),
        ("crit", json!(["unknown"])),
        ("crit", json!([])),
        ("typ", json!("JWT")),
        ("typ", json!("AT+JWT")),
        ("typ", json!("application/at+jwt")),
        ("typ", json!(null)),
    ] {
        let mut header = header();
        header[name] = value.clone();
        assert!(refused(&signed(&header, &claims())), "{name}: {value}");
        // Signed by the key that it brings.
        assert!(
            refused(&signed_with(&[9; 32], &header.to_string(), &claims().to_string())),
            "{name}"
        );
    }
}

#[test]
fn every_claim_must_be_there_and_be_ours() {
    for name in ["iss", "aud", "sub", "sid", "iat", "nbf", "exp"] {
        let mut without = claims();
        without.as_object_mut().expect("an object").remove(name);
        assert!(refused(&signed(&header(), &without)), "without {name}");
        for value in [json!(null), json!(""), json!([]), json!({}), json!(true)] {
            let mut odd = claims();
            odd[name] = value.clone();
            assert!(refused(&signed(&header(), &odd)), "{name}: {value}");
        }
    }
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!([ISSUER])),
        ("aud", json!("other")),
        ("aud", json!(["doorbell"])),
        ("aud", json!(["doorbell", "other"])),
        ("sub", json!(USER.to_uppercase())),
        ("sub", json!(USER.replace('-', ""))),
        ("sub", json!("1")),
        ("sid", json!(format!("{{{SESSION}}}"))),
        ("sid", json!(format!(" {SESSION}"))),
        ("exp", json!(NOW - 3600)),
        ("exp", json!((NOW + 3600).to_string())),
        ("exp", json!(1_790_003_600.5)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(-1)),
        ("nbf", json!(NOW + 3600)),
        ("nbf", json!(i64::MAX)),
        ("nbf", json!(i64::MIN)),
    ] {
        let mut odd = claims();
        odd[name] = value.clone();
        assert!(refused(&signed(&header(), &odd)), "{name}: {value}");
    }
}

#[test]
fn nothing_is_said_twice() {
    let (header, claims) = (header().to_string(), claims().to_string());
    for name in ["\"alg\":\"EdDSA\"", "\"typ\":\"at+jwt\"", "\"alg\":\"none\""] {
        let twice = header.replacen('{', &format!("{{{name},"), 1);
        assert!(refused(&signed_with(&SEED, &twice, &claims)), "{twice}");
    }
    for name in ["sub", "sid", "exp", "iss", "aud", "nbf"] {
        let value = &self::claims()[name];
        let twice = claims.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        assert!(refused(&signed_with(&SEED, &header, &twice)), "{twice}");
    }
}

#[test]
fn a_token_has_one_form() {
    let whole = issued(&tokens());
    let (message, signature) = whole.rsplit_once('.').expect("three parts");
    let (head, body) = message.split_once('.').expect("three parts");
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{message}."),
        format!("{message}.{}", &signature[..signature.len() - 1]),
        format!("{message}.{}", &signature[..43]),
        format!("{message}.{signature}="),
        format!("{message}.{signature}A"),
        format!("{whole}."),
        format!("{whole}.{signature}"),
        format!(".{whole}"),
        format!("{whole} "),
        format!(" {whole}"),
        format!("Bearer {whole}"),
        format!("{body}.{head}.{signature}"),
        format!("{head}..{signature}"),
        format!(".{body}.{signature}"),
        format!("{head}=.{body}.{signature}"),
        "null".to_owned(),
        "{}".to_owned(),
    ] {
        assert!(refused(&token), "{token}");
    }
    // A JWE has five parts; a JSON serialisation is no token either.
    assert!(refused("e30.e30.e30.e30.e30"));
}

#[test]
fn a_token_past_4096_bytes_is_not_read() {
    let padded = |pad: usize| {
        let mut claims = claims();
        claims["pad"] = json!("x".repeat(pad));
        signed(&header(), &claims)
    };
    let (fits, long) = (padded(2700), padded(2800));
    assert!(
        fits.len() <= 4096 && long.len() > 4096,
        "{} {}",
        fits.len(),
        long.len()
    );
    assert!(!refused(&fits), "an unknown claim is a newer server's business");
    assert!(refused(&long));
    assert!(refused(&"A".repeat(10_000_000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_changed_character_breaks_it(at_byte in 0_usize..10_000, to in "[A-Za-z0-9_.=-]") {
        let whole = issued(&tokens());
        let at_byte = at_byte % whole.len();
        let mut changed = whole.clone();
        changed.replace_range(at_byte..=at_byte, &to);
        prop_assert_eq!(refused(&changed), changed != whole);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        prop_assert!(refused(&text));
        let thrice = [encoded(&text), encoded(&text), encoded(&text)].join(".");
        prop_assert!(refused(&thrice));
        prop_assert!(refused(&signed_with(&SEED, &header().to_string(), &text)));
        prop_assert!(refused(&signed_with(&SEED, &text, &claims().to_string())));
    }
}
