//! Access tokens.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorbell_domain::ports::{AccessTokens, InvalidToken, KeyFailure};
use doorbell_domain::secret::Secret;
use doorbell_domain::session::Caller;
use doorbell_domain::{SessionId, Timestamp, UserId};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, Header, decode_header, encode};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::signing::SharedKeys;

/// Access tokens in the form of RFC 9068 (without its `client_id` and `jti`), signed with EdDSA.
///
/// What a token says of its own checking counts for nothing: the algorithm is EdDSA, the key is one of ours that is good
/// now, by its `kid`, and a token that brings a key or asks for extensions is refused. Time is the caller's, with a leeway of
/// [`Self::LEEWAY`]; the library's clock is never asked.
pub struct JwtTokens {
    issuer: String,
    keys: Arc<SharedKeys>,
}

/// The form of the token, so that no other signed text passes for one (RFC 8725 §3.11).
const TYPE: &str = "at+jwt";
const AUDIENCE: &str = "doorbell";
/// Ours have some 500 bytes.
const LONGEST: usize = 4096;
/// RFC 8032 §5.1.6.
const SIGNATURE: usize = 64;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl JwtTokens {
    /// How far servers' clocks may differ. A token lives that much longer than it says.
    pub const LEEWAY: Duration = Duration::seconds(5);

    /// Tokens of `issuer` under `keys`.
    pub fn new(issuer: impl Into<String>, keys: Arc<SharedKeys>) -> Self {
        Self {
            issuer: issuer.into(),
            keys,
        }
    }
}

fn kid(header: Header) -> Option<String> {
    let ours = header.alg == Algorithm::EdDSA
        && header.typ.as_deref() == Some(TYPE)
        && header.crit.is_none()
        && header.jku.is_none()
        && header.jwk.is_none()
        && header.x5u.is_none()
        && header.x5c.is_none();
    header.kid.filter(|_| ours)
}

fn instant(seconds: i64) -> Option<Timestamp> {
    seconds.checked_mul(1_000_000).map(Timestamp::from_micros)
}

impl AccessTokens for JwtTokens {
    fn issue(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
        life: Duration,
    ) -> Result<Secret, KeyFailure> {
        let keys = self.keys.current();
        let key = keys
            .signer(now)
            .ok_or(KeyFailure("every signing key is retired"))?;
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(key.kid().to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: user.to_string(),
            sid: session.to_string(),
            iat: now.unix_seconds(),
            nbf: now.unix_seconds(),
            exp: (now + life).unix_seconds(),
        };
        encode(&header, &claims, key.encoding())
            .map(Secret::new)
            .map_err(|_| KeyFailure("signing an access token"))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, InvalidToken> {
        if token.len() > LONGEST {
            return Err(InvalidToken);
        }
        let header = decode_header(token).map_err(|_| InvalidToken)?;
        let keys = self.keys.current();
        let key = kid(header)
            .and_then(|kid| keys.named(&kid, now))
            .ok_or(InvalidToken)?;
        let (message, encoded) = token.rsplit_once('.').ok_or(InvalidToken)?;
        // The engine takes neither padding nor loose bits at the end: a signature has one spelling.
        let mut signature = [0; SIGNATURE];
        match URL_SAFE_NO_PAD.decode_slice(encoded, &mut signature) {
            Ok(SIGNATURE) if key.has_signed(message.as_bytes(), &signature) => {}
            _ => return Err(InvalidToken),
        }
        let claims: Claims = insecure_decode_claims(token).map_err(|_| InvalidToken)?;
        let ours = claims.iss == self.issuer && claims.aud == AUDIENCE;
        let expires_at = instant(claims.exp).ok_or(InvalidToken)?;
        let begins_at = instant(claims.nbf).ok_or(InvalidToken)?;
        if !ours || now >= expires_at + Self::LEEWAY || now < begins_at - Self::LEEWAY {
            return Err(InvalidToken);
        }
        Ok(Caller {
            user: UserId::parse(&claims.sub).ok_or(InvalidToken)?,
            session: SessionId::parse(&claims.sid).ok_or(InvalidToken)?,
            expires_at,
        })
    }
}

impl fmt::Debug for JwtTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtTokens({})", self.issuer)
    }
}
