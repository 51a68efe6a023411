//! The published keys.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorbell_domain::Timestamp;
use doorbell_domain::ports::PublishedKeys;
use serde_json::json;

use crate::signing::{SharedKeys, SigningKey};

/// The public halves of the keys that sign access tokens, as a JSON Web Key Set (RFC 7517 §5).
#[derive(Debug)]
pub struct Jwks(Arc<SharedKeys>);

impl Jwks {
    /// Publishes `keys`.
    pub const fn of(keys: Arc<SharedKeys>) -> Self {
        Self(keys)
    }
}

impl PublishedKeys for Jwks {
    fn jwks(&self, now: Timestamp) -> String {
        let keys = self.0.current();
        let members: Vec<_> = keys.good(now).map(member).collect();
        json!({ "keys": members }).to_string()
    }
}

/// RFC 8037 §2. There is no place in it for a private half.
fn member(key: &SigningKey) -> serde_json::Value {
    json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": key.kid(),
        "x": URL_SAFE_NO_PAD.encode(key.public()),
    })
}

#[cfg(test)]
mod tests {
    use doorbell_domain::signing_key::KeyLife;
    use jsonwebtoken::jwk::JwkSet;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::SigningKeys;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn it_says_the_public_halves_of_the_good_keys_and_nothing_else() {
        let key = |n: u8, starts: i64, retires: Option<i64>| {
            let life = KeyLife {
                starts_at: at(starts),
                retires_at: retires.map(at),
            };
            SigningKey::restore(Uuid::from_u128(n.into()), life, &[n; 32]).expect("a seed")
        };
        let keys = SigningKeys::new([key(2, 100, None), key(1, 0, Some(200))]).expect("two keys");
        let jwks = Jwks::of(Arc::new(SharedKeys::new(keys)));
        let member = |n: u8, x: &str| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": format!("00000000-0000-0000-0000-00000000000{n}"), "x": x,
            })
        };
        let (new, old) = (
            member(2, "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"),
            member(1, "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"),
        );
        // Before the new one signs, while both are good, and after the old one.
        for (now, expected) in [
            (0, json!([new, old])),
            (150, json!([new, old])),
            (200, json!([new])),
        ] {
            let document = jwks.jwks(at(now));
            let read: Value = serde_json::from_str(&document).expect("JSON");
            assert_eq!(read, json!({ "keys": expected }), "{now}");
            // A client's library takes it.
            let set: JwkSet = serde_json::from_str(&document).expect("a JWK set");
            assert!(!set.keys.is_empty());
        }
    }
}
