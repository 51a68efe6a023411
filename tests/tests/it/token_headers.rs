//! What a token says of its own key counts for nothing, and leads the server nowhere.

use std::io::ErrorKind;
use std::net::TcpListener;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use doorbell_tests::{Phone, Server, Value, json, on_both};

fn encoded(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

on_both!(
    a_token_that_says_where_its_key_lies_is_401_and_nobody_looks_there,
    async |mut server: Server| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener
            .set_nonblocking(true)
            .expect("a listener that does not wait");
        let url = format!("http://{}/jwks.json", listener.local_addr().expect("an address"));
        let person = server.sign_in(&Phone::nth(1)).await;
        let [header, claims, signature] = person.access.split('.').collect::<Vec<_>>()[..] else {
            panic!("a JWT has three parts");
        };
        let own: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).expect("base64url")).expect("JSON");
        let foreign = Ed25519KeyPair::generate().expect("a key");
        let x = BASE64_URL_SAFE_NO_PAD.encode(foreign.public_key());
        for (name, value) in [
            ("jku", json!(url)),
            ("x5u", json!(url)),
            (
                "jwk",
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "theirs"}),
            ),
            ("jwk", json!({"jku": url})),
            ("x5c", json!([x])),
            ("iss", json!(url)),
        ] {
            for kid in [own["kid"].clone(), json!("theirs"), json!(url), Value::Null] {
                let mut said = own.clone();
                said[name] = value.clone();
                said["kid"] = kid;
                let message = format!("{}.{claims}", encoded(&said));
                // By the key that it speaks of, and with the signature of the token that it was made from.
                let theirs = BASE64_URL_SAFE_NO_PAD.encode(foreign.sign(message.as_bytes()));
                for token in [format!("{message}.{theirs}"), format!("{message}.{signature}")] {
                    let answer = server.get("/api/v1/auth/me").bearer(&token).send().await;
                    assert!(answer.assert_allmine(401).is_empty());
                }
            }
        }
        // Nor later: the server has ended.
        assert!(server.stop().success());
        let contacted = listener.accept().expect_err("nobody comes");
        assert_eq!(contacted.kind(), ErrorKind::WouldBlock);
    }
);
