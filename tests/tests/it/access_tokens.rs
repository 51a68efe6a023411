//! Access tokens: what is taken for one, by each dialect.

use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use doorbell_tests::{Answer, Phone, Request, Server, SignedIn, Value, json, on_both};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

/// What an operation of each dialect says to those whom it does not know. Each would write, were it let.
const DIALECTS: [Dialect; 4] = [
    Dialect::Allmine,
    Dialect::RocketChat,
    Dialect::Easyflow,
    Dialect::OCore,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Allmine,
    RocketChat,
    Easyflow,
    OCore,
}

impl Dialect {
    /// A request that is good but for who speaks.
    fn request(self, server: &Server) -> Request {
        match self {
            Self::Allmine => server
                .post("/api/v1/notifications/device-token")
                .json(&json!({"platform": "ios", "deviceId": "d", "token": "t"})),
            Self::RocketChat => server
                .post("/api/v1/push.token")
                .json(&json!({"type": "apn", "value": "t", "appName": "a"})),
            Self::Easyflow => server
                .post("/notifications/devices/add-device")
                .fingerprint("f")
                .json(
                    &json!({"deviceId": "d", "platform": "ios", "environment": "production", "pushToken": "t",
                    "mobileSettings": {}}),
                ),
            Self::OCore => server.post("/push/subscribe").json(&subscription()),
        }
    }

    /// With that token where this dialect looks for it.
    fn shown(self, server: &Server, token: &str, user: &str) -> Request {
        match self {
            Self::RocketChat => self.request(server).rocket(token, user),
            _ => self.request(server).bearer(token),
        }
    }

    #[track_caller]
    fn assert_refused(self, answer: &Answer) {
        match self {
            Self::Allmine => assert!(answer.assert_allmine(401).is_empty()),
            Self::RocketChat => answer.assert_rocket(401),
            Self::Easyflow => answer.assert_easyflow(401),
            Self::OCore => answer.assert_problem(401, "unauthorized"),
        }
    }
}

fn subscription() -> Value {
    // The example of RFC 8291, appendix A.
    json!({"endpoint": "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg"}})
}

#[track_caller]
fn assert_nothing_written(server: &Server) {
    for table in ["devices", "push_tokens", "subscriptions", "push_addresses"] {
        assert_eq!(server.count(table), 0, "{table}");
    }
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decoded(part: &str) -> Value {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// A token's three parts.
fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<_> = token.split('.').collect();
    parts.try_into().expect("a JWT has three parts")
}

fn signed_by(pair: &Ed25519KeyPair, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn macced_by(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

/// Everything that looks like a token of this person, and is none.
fn forgeries(person: &SignedIn, jwk: &Value) -> Vec<(&'static str, String)> {
    let token = person.access.as_str();
    let [header, claims, signature] = parts(token);
    let (own_header, own_claims) = (decoded(header), decoded(claims));
    let header_with = |name: &str, value: Value| {
        let mut changed = own_header.clone();
        changed[name] = value;
        changed
    };
    let foreign = Ed25519KeyPair::generate().expect("a key");
    let foreign_x = BASE64_URL_SAFE_NO_PAD.encode(foreign.public_key());
    let foreign_jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": foreign_x});
    let x = jwk["x"].as_str().expect("a public key");
    let public = BASE64_URL_SAFE_NO_PAD.decode(x).expect("base64url");
    // RFC 8410 §4: what stands before the key in its PEM form.
    let spki = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &public].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        BASE64_STANDARD.encode(spki)
    );
    let hs256 = header_with("alg", json!("HS256"));
    let mut later = own_claims.clone();
    later["exp"] = json!(later["exp"].as_i64().expect("seconds") + 3600);
    let last = signature.chars().last().expect("a signature");
    let loose = if last == 'A' { 'B' } else { 'A' };

    let mut forged = vec![
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("three words", "a.b.c".to_owned()),
        ("dots", "..".to_owned()),
        ("a refresh token", person.refresh.clone()),
        ("a user id", person.user_id.clone()),
        ("too long", "a".repeat(5000)),
        ("the first half", token[..token.len() / 2].to_owned()),
        ("one character short", token[..token.len() - 1].to_owned()),
        ("one character more", format!("{token}A")),
        ("padded", format!("{token}==")),
        ("in quotes", format!("\"{token}\"")),
        ("two of them", format!("{token}.{token}")),
        ("two of them in a list", format!("{token}, {token}")),
        (
            "another last character",
            format!("{}{loose}", &token[..token.len() - 1]),
        ),
        ("without signature", format!("{header}.{claims}.")),
        ("without its dot too", format!("{header}.{claims}")),
        (
            "its claims changed",
            format!("{header}.{}.{signature}", encoded(&later)),
        ),
        (
            "its header changed",
            format!(
                "{}.{claims}.{signature}",
                encoded(&header_with("cty", json!("x")))
            ),
        ),
        ("foreign key", signed_by(&foreign, &own_header, &own_claims)),
        (
            "foreign key by another name",
            signed_by(&foreign, &header_with("kid", json!("mine")), &own_claims),
        ),
        (
            "foreign key in its header",
            signed_by(&foreign, &header_with("jwk", foreign_jwk), &own_claims),
        ),
        (
            "a name that is a path",
            signed_by(
                &foreign,
                &header_with("kid", json!("../../../../dev/null")),
                &own_claims,
            ),
        ),
    ];
    for alg in ["none", "None", "nOnE", ""] {
        let none = format!(
            "{}.{claims}.",
            encoded(&json!({"alg": alg, "typ": "at+jwt", "kid": own_header["kid"]}))
        );
        forged.push(("alg none", none.clone()));
        forged.push(("alg none, signed", format!("{none}{signature}")));
    }
    for (how, secret) in [
        ("HS256 under the public key", public.as_slice()),
        ("HS256 under the public key's text", x.as_bytes()),
        ("HS256 under the JWK", jwk.to_string().as_bytes()),
        ("HS256 under the PEM", pem.as_bytes()),
        ("HS256 under nothing", b""),
    ] {
        forged.push((how, macced_by(secret, &hs256, &own_claims)));
    }
    forged
}

async fn published_keys(server: &Server) -> Value {
    server
        .get("/.well-known/jwks.json")
        .send()
        .await
        .expect(200)
        .json()
}

on_both!(
    what_is_no_token_of_ours_is_401_in_every_dialect_and_writes_nothing,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let keys = published_keys(&server).await;
        for (forgery, token) in forgeries(&person, &keys["keys"][0]) {
            for dialect in DIALECTS {
                let answer = dialect.shown(&server, &token, &person.user_id).send().await;
                assert_eq!(answer.status(), 401, "{forgery} in {dialect:?}: {answer}");
                dialect.assert_refused(&answer);
                // A forgery of a letter or two stands in any text.
                assert!(token.len() < 16 || !answer.text().contains(&token), "{answer}");
            }
        }
        assert_nothing_written(&server);

        // The requests themselves were good.
        for dialect in DIALECTS {
            let answer = dialect
                .shown(&server, &person.access, &person.user_id)
                .send()
                .await;
            assert!(answer.status() < 300, "{answer}");
        }
    }
);

on_both!(a_token_outside_its_time_is_401, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    // Its hour, and the five seconds that clocks may differ.
    server.advance(Duration::from_secs(3605));
    for dialect in DIALECTS {
        let answer = dialect
            .shown(&server, &person.access, &person.user_id)
            .send()
            .await;
        dialect.assert_refused(&answer);
    }
    assert_nothing_written(&server);
});

on_both!(a_token_of_another_issuer_is_401, async |server: Server| {
    // It has the same database, secrets and keys, and calls itself otherwise.
    let other = server.setup().clone().env("DOORBELL_ISSUER", "elsewhere").start();
    let person = other.sign_in(&Phone::nth(1)).await;
    for dialect in DIALECTS {
        let answer = dialect
            .shown(&server, &person.access, &person.user_id)
            .send()
            .await;
        dialect.assert_refused(&answer);
    }
    assert_nothing_written(&server);
    Dialect::Allmine
        .shown(&other, &person.access, &person.user_id)
        .send()
        .await
        .assert_status(200);
});

on_both!(
    a_token_is_taken_from_one_place_and_in_one_form,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let token = &person.access;
        for dialect in [Dialect::Allmine, Dialect::Easyflow, Dialect::OCore] {
            let request = || dialect.request(&server);
            let authorized = |value: String| request().header("Authorization", value);
            let refused = [
                ("no header", request()),
                ("an empty one", authorized(String::new())),
                ("no scheme", authorized(token.clone())),
                ("no token", authorized("Bearer".to_owned())),
                ("spaces only", authorized("Bearer   ".to_owned())),
                ("another scheme", authorized(format!("Basic {token}"))),
                ("the other header's scheme", authorized(format!("JWT {token}"))),
                ("no space", authorized(format!("Bearer{token}"))),
                ("more after it", authorized(format!("Bearer {token} x"))),
                ("two headers", request().bearer(token).bearer(token)),
                ("a good and a bad header", request().bearer(token).bearer("x")),
                ("bytes", request().header("Authorization", b"Bearer \xff\xfe")),
                ("Rocket.Chat's headers", request().rocket(token, &person.user_id)),
            ];
            for (how, request) in refused {
                let answer = request.send().await;
                assert_eq!(answer.status(), 401, "{how} in {dialect:?}: {answer}");
                dialect.assert_refused(&answer);
            }
        }
        let query = server.get(&format!("/api/v1/auth/me?access_token={token}"));
        assert!(query.send().await.assert_allmine(401).is_empty());
        assert_nothing_written(&server);

        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let answer = server
                .get("/api/v1/auth/me")
                .header("Authorization", format!("{scheme} {token}"))
                .send()
                .await;
            answer.assert_status(200);
        }
    }
);

on_both!(
    rocket_chat_wants_a_token_and_the_id_of_its_user,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let other = server.sign_in(&Phone::nth(2)).await;
        let (token, user) = (person.access.as_str(), person.user_id.as_str());
        let request = || Dialect::RocketChat.request(&server);
        let refused = [
            ("neither header", request()),
            ("no user", request().header("X-Auth-Token", token)),
            ("no token", request().header("X-User-Id", user)),
            ("another's id", request().rocket(token, &other.user_id)),
            ("another's token", request().rocket(&other.access, user)),
            (
                "an unknown id",
                request().rocket(token, "019ae000-0000-7000-8000-000000000001"),
            ),
            ("no id at all", request().rocket(token, "aobEdbYhXfu5hkeqG")),
            ("an empty id", request().rocket(token, "")),
            ("an empty token", request().rocket("", user)),
            ("the session's id", request().rocket(token, &person.session_id)),
            (
                "bytes",
                request()
                    .header("X-Auth-Token", b"\xff")
                    .header("X-User-Id", user),
            ),
            (
                "two tokens",
                request().rocket(token, user).header("X-Auth-Token", token),
            ),
            ("two ids", request().rocket(token, user).header("X-User-Id", user)),
            (
                "two different ids",
                request().rocket(token, user).header("X-User-Id", &other.user_id),
            ),
            ("a scheme", request().rocket(&format!("Bearer {token}"), user)),
            ("Authorization instead", request().bearer(token)),
            (
                "Authorization for the token",
                request().bearer(token).header("X-User-Id", user),
            ),
        ];
        for (how, request) in refused {
            let answer = request.send().await;
            assert_eq!(answer.status(), 401, "{how}: {answer}");
            answer.assert_rocket(401);
        }
        assert_nothing_written(&server);

        // `Authorization` is never read: not for the better, and not for the worse.
        let answer = request().rocket(token, user).bearer("nonsense").send().await;
        answer.assert_status(200);
    }
);

on_both!(
    the_published_keys_verify_a_token_and_give_nothing_away,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let answer = server.get("/.well-known/jwks.json").send().await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let published = answer.json();
        let keys = published["keys"].as_array().expect("a list");
        assert_eq!(published, json!({"keys": keys}));
        assert!(!keys.is_empty());
        for key in keys {
            let expected = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": key["kid"], "x": key["x"]});
            assert_eq!(*key, expected, "public members only");
        }

        // As a client of another make would do it.
        let set: JwkSet = serde_json::from_value(published).expect("a JWK set");
        let header = decode_header(&person.access).expect("a header");
        assert_eq!(
            (header.alg, header.typ.as_deref()),
            (Algorithm::EdDSA, Some("at+jwt"))
        );
        let key = set.find(&header.kid.expect("a key's name")).expect("that key");
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&["doorbell"]);
        validation.set_audience(&["doorbell"]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let key = DecodingKey::from_jwk(key).expect("a usable key");
        let token = decode::<Value>(&person.access, &key, &validation).expect("a good token");
        let claims = token.claims;
        assert_eq!(claims["sub"], json!(person.user_id));
        assert_eq!(claims["sid"], json!(person.session_id));
        let seconds = |name: &str| claims[name].as_i64().expect("seconds");
        assert_eq!(seconds("exp") - seconds("iat"), 3600);
        assert_eq!(seconds("nbf"), seconds("iat"));

        // Servers on one database publish the same keys.
        let second = Server::second_on(&server);
        assert_eq!(published_keys(&second).await, published_keys(&server).await);
    }
);
