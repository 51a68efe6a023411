//! The published keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorbell_domain::ports::KeyFailure;
use serde::Serialize;

use crate::signing::SigningKeys;

/// The public halves of the keys that sign access tokens, as a JSON Web Key Set (RFC 7517 §5), written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks(String);

#[derive(Serialize)]
struct Set {
    keys: Vec<Member>,
}

/// RFC 8037 §2. There is no place in it for a private half.
#[derive(Serialize)]
struct Member {
    kty: &'static str,
    crv: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    kid: String,
    x: String,
}

impl Jwks {
    /// The set of `keys`.
    pub fn of(keys: &SigningKeys) -> Result<Self, KeyFailure> {
        let keys = keys
            .iter()
            .map(|key| Member {
                kty: "OKP",
                crv: "Ed25519",
                usage: "sig",
                alg: "EdDSA",
                kid: key.kid(),
                x: URL_SAFE_NO_PAD.encode(key.public()),
            })
            .collect();
        serde_json::to_string(&Set { keys })
            .map(Self)
            .map_err(|_| KeyFailure("JWKS"))
    }

    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::SigningKey;

    #[test]
    fn it_says_the_public_halves_and_nothing_else() {
        let key = |n: u8| SigningKey::restore(Uuid::from_u128(n.into()), &[n; 32]).expect("a seed");
        let keys = SigningKeys::new([key(2), key(1)]).expect("two keys");
        let document = Jwks::of(&keys).expect("serialises");
        let read: Value = serde_json::from_str(document.as_str()).expect("JSON");
        let member = |n: u8, x: &str| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": format!("00000000-0000-0000-0000-00000000000{n}"), "x": x,
            })
        };
        let expected = json!({ "keys": [
            member(2, "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"),
            member(1, "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"),
        ]});
        assert_eq!(read, expected);
        // A client's library takes it.
        let set: JwkSet = serde_json::from_str(document.as_str()).expect("a JWK set");
        assert_eq!(set.keys.len(), 2);
    }
}
