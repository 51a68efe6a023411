//! Voluntary application server identification (RFC 8292): who sends, told to a push service in a signed token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use doorbell_domain::Timestamp;
use doorbell_domain::ports::{KeyFailure, VapidKeys};
use reqwest::header::HeaderValue;
use serde_json::json;
use thiserror::Error;
use time::Duration;

use super::subject::Subject;

/// How long a token is good: half of what is allowed (RFC 8292 §2), so that a clock may be wrong.
const LIFE: Duration = Duration::hours(12);

/// How long it is used: a push service with a clock that is ahead still takes it then.
const USED: Duration = Duration::hours(6);

/// How many tokens are kept in a generation. One is some 400 octets, and of a few push services in truth.
const KEPT: usize = 512;

/// Why a message was not signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VapidError {
    /// This server does not know the key, or not yet: another may have made it a moment ago.
    #[error("this server does not know the subscription's VAPID key")]
    UnknownKey,
    /// The key could not do its work.
    #[error(transparent)]
    Key(#[from] KeyFailure),
}

/// Makes the header `Authorization`, once for as long as a token is used.
pub struct Authorizations {
    keys: Arc<dyn VapidKeys>,
    subject: Subject,
    kept: Mutex<Kept>,
}

impl Authorizations {
    /// Signs by `keys`; push services that have something to say write to `subject`.
    pub fn new(keys: Arc<dyn VapidKeys>, subject: Subject) -> Self {
        Self {
            keys,
            subject,
            kept: Mutex::default(),
        }
    }

    /// The header for a push service of that `origin` (scheme, host, port: RFC 6454 §6.2), by the key named `key`.
    pub fn header(&self, key: &str, origin: &str, now: Timestamp) -> Result<HeaderValue, VapidError> {
        let place = (key.to_owned(), origin.to_owned());
        let found = self.with_kept(|kept| kept.find(&place, now));
        if let Some(header) = found {
            return Ok(header);
        }
        // Not under the lock: two who miss the same token make it twice, and nobody waits for a signature.
        let header = self.make(key, origin, now)?;
        let made = Made {
            header: header.clone(),
            at: now,
        };
        self.with_kept(|kept| kept.keep(place, made));
        Ok(header)
    }

    fn make(&self, key: &str, origin: &str, now: Timestamp) -> Result<HeaderValue, VapidError> {
        let public = self.keys.public(key).ok_or(VapidError::UnknownKey)?;
        let expires = (now + LIFE).unix_seconds();
        let claims = json!({"aud": origin, "exp": expires, "sub": self.subject.as_str()});
        let mut token = BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = self.keys.sign(key, token.as_bytes())?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        let header = format!("vapid t={token}, k={}", BASE64_URL_SAFE_NO_PAD.encode(public));
        let mut header = HeaderValue::try_from(header).map_err(|_| KeyFailure("a VAPID header"))?;
        header.set_sensitive(true);
        Ok(header)
    }

    fn with_kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        // What a panic left behind is at worst one token short.
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A key's name and an origin.
type Place = (String, String);

#[derive(Clone)]
struct Made {
    header: HeaderValue,
    at: Timestamp,
}

impl Made {
    /// A clock that was set back makes it anew: what it says of its end may be too far away.
    fn is_good(&self, now: Timestamp) -> bool {
        (self.at..self.at + USED).contains(&now)
    }
}

/// Tokens in two generations. When the young one is full, it becomes the old one; what of the old one is asked for becomes young again.
/// So what is in use stays, however many origins come by once.
#[derive(Default)]
struct Kept {
    young: HashMap<Place, Made>,
    old: HashMap<Place, Made>,
}

impl Kept {
    fn find(&mut self, place: &Place, now: Timestamp) -> Option<HeaderValue> {
        if let Some(made) = self.young.get(place) {
            return made.is_good(now).then(|| made.header.clone());
        }
        let made = self.old.remove(place).filter(|made| made.is_good(now))?;
        self.keep(place.clone(), made.clone());
        Some(made.header)
    }

    fn keep(&mut self, place: Place, made: Made) {
        if self.young.len() >= KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(place, made);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use doorbell_domain::signing_key::KeyLife;
    use doorbell_domain::vapid::VapidKeyName;
    use doorbell_keys::{VapidKey, VapidKeySet};
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    const ORIGIN: &str = "https://updates.push.services.mozilla.com";
    const NOON: i64 = 1_790_000_000;

    /// Real keys that count how often they sign.
    struct Counted(VapidKeySet, AtomicUsize);

    impl VapidKeys for Counted {
        fn offered(&self, now: Timestamp) -> VapidKeyName {
            self.0.offered(now)
        }

        fn public(&self, id: &str) -> Option<[u8; 65]> {
            self.0.public(id)
        }

        fn id_of(&self, public: &[u8; 65]) -> Option<String> {
            self.0.id_of(public)
        }

        fn sign(&self, id: &str, message: &[u8]) -> Result<[u8; 64], KeyFailure> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.sign(id, message)
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn id(n: u128) -> String {
        Uuid::from_u128(n).to_string()
    }

    fn authorizations() -> (Arc<Counted>, Authorizations) {
        let key = |n: u8| {
            let id = Uuid::from_u128(u128::from(n));
            VapidKey::restore(id, KeyLife::since(at(0)), &[n; 32]).expect("a scalar")
        };
        let set = VapidKeySet::new([key(2), key(1)]).expect("some");
        let keys = Arc::new(Counted(set, AtomicUsize::new(0)));
        let subject = Subject::parse("mailto:push@example.com").expect("a subject");
        let made = Authorizations::new(Arc::<Counted>::clone(&keys), subject);
        (keys, made)
    }

    fn claims(header: &HeaderValue) -> Value {
        let text = header.to_str().expect("ASCII");
        let payload = text.split('.').nth(1).expect("a payload");
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64url");
        serde_json::from_slice(&payload).expect("JSON")
    }

    #[test]
    fn a_push_service_can_tell_who_sends_to_it() {
        let (keys, made) = authorizations();
        let header = made.header(&id(1), ORIGIN, at(NOON)).expect("signs");
        assert!(header.is_sensitive());
        let text = header.to_str().expect("ASCII");
        let (token, key) = text
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .expect("the scheme of RFC 8292 §3");
        let public = BASE64_URL_SAFE_NO_PAD.decode(key).expect("base64url");
        assert_eq!(public, keys.public(&id(1)).expect("known"));
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
        public.verify(signed.as_bytes(), &signature).expect("ours");
        let head = signed.split('.').next().expect("a head");
        let head = BASE64_URL_SAFE_NO_PAD.decode(head).expect("base64url");
        assert_eq!(head, br#"{"typ":"JWT","alg":"ES256"}"#);
        assert_eq!(
            claims(&header),
            json!({"aud": ORIGIN, "exp": NOON + 12 * 3_600, "sub": "mailto:push@example.com"})
        );
    }

    #[test]
    fn a_token_is_used_for_six_hours_by_one_key_at_one_origin() {
        let (keys, made) = authorizations();
        let header = |n, origin, now| made.header(&id(n), origin, at(now)).expect("signs");
        let signed = || keys.1.load(Ordering::Relaxed);
        let first = header(1, ORIGIN, NOON);
        assert_eq!(header(1, ORIGIN, NOON + 21_599), first);
        assert_eq!(signed(), 1);
        assert_ne!(header(2, ORIGIN, NOON), first);
        assert_ne!(header(1, "https://web.push.apple.com", NOON), first);
        assert_eq!(signed(), 3);
        let second = header(1, ORIGIN, NOON + 21_600);
        assert_eq!(claims(&second)["exp"], NOON + 21_600 + 12 * 3_600);
        // A clock that was wrong by a day would have made one that no push service takes.
        let back = header(1, ORIGIN, NOON - 86_400);
        assert_eq!(claims(&back)["exp"], NOON - 86_400 + 12 * 3_600);
        assert_eq!(signed(), 5);
    }

    #[test]
    fn what_is_in_use_stays_and_what_comes_by_once_is_forgotten() {
        let (keys, made) = authorizations();
        let header = |origin: &str| made.header(&id(1), origin, at(NOON)).expect("signs");
        header(ORIGIN);
        for n in 0..3 * KEPT {
            header(&format!("https://{n}.example.com"));
            header(ORIGIN);
        }
        assert_eq!(keys.1.load(Ordering::Relaxed), 3 * KEPT + 1);
        let kept = made.kept.lock().expect("whole");
        assert!(kept.young.len() <= KEPT && kept.old.len() <= KEPT);
    }

    #[test]
    fn a_key_that_nobody_knows_signs_nothing() {
        let (_, made) = authorizations();
        assert_eq!(made.header(&id(9), ORIGIN, at(NOON)), Err(VapidError::UnknownKey));
    }
}
