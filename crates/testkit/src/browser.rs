//! A browser's half of Web Push: a subscription's keys, and reading what was encrypted for them (RFC 8291 §3.3 and on).

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use doorbell_domain::web_push::SubscriptionKeys;

/// A browser that has subscribed.
pub struct Browser {
    private: PrivateKey,
    auth: [u8; 16],
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

impl Browser {
    /// One with keys of its own.
    pub fn new() -> Self {
        let mut auth = [0; 16];
        rand::fill(&mut auth).expect("randomness");
        Self {
            private: PrivateKey::generate(&ECDH_P256).expect("a key pair"),
            auth,
        }
    }

    /// The one of that private scalar and that secret.
    pub fn of(scalar: &[u8; 32], auth: &[u8; 16]) -> Self {
        Self {
            private: PrivateKey::from_private_key(&ECDH_P256, scalar).expect("a scalar"),
            auth: *auth,
        }
    }

    /// What it tells a service.
    pub fn keys(&self) -> SubscriptionKeys {
        SubscriptionKeys::restore(self.public(), self.auth)
    }

    fn public(&self) -> [u8; 65] {
        let public = self.private.compute_public_key().expect("a point");
        public.as_ref().try_into().expect("65 octets")
    }

    /// The plaintext of a request's body, in one record of `aes128gcm`. By HMAC and not by HKDF, so that it is another's reading of
    /// the standards.
    pub fn read(&self, body: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let short = || Unreadable("shorter than its header");
        let (salt, rest) = body.split_first_chunk::<16>().ok_or_else(short)?;
        let (size, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (&[length], rest) = rest.split_first_chunk::<1>().ok_or_else(short)?;
        let (sender, record) = rest.split_first_chunk::<65>().ok_or_else(short)?;
        if length != 65 {
            return Err(Unreadable("its key is no point"));
        }
        let size = usize::try_from(u32::from_be_bytes(*size)).map_err(|_| short())?;
        if record.len() > size {
            return Err(Unreadable("more than one record"));
        }
        let point = UnparsedPublicKey::new(&ECDH_P256, sender);
        let info = [&b"WebPush: info\0"[..], &self.public(), sender].concat();
        let ikm = agree(
            &self.private,
            point,
            Unreadable("its key is no point"),
            |shared| Ok(derive(&self.auth, shared, &info)),
        )?;
        let key = derive(salt, &ikm, b"Content-Encoding: aes128gcm\0");
        let nonce = derive(salt, &ikm, b"Content-Encoding: nonce\0");
        let key = UnboundKey::new(&AES_128_GCM, &key[..16]).expect("a key");
        let nonce = Nonce::assume_unique_for_key(nonce[..NONCE_LEN].try_into().expect("a nonce"));
        let mut plain = record.to_vec();
        let opened = LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut plain);
        let padded = opened.map_err(|_| Unreadable("not encrypted for this browser"))?;
        let end = padded.iter().rposition(|octet| *octet != 0);
        match end.and_then(|end| padded.split_at_checked(end)) {
            Some((plain, [2, ..])) => Ok(plain.to_vec()),
            _ => Err(Unreadable("its last record says that more follow")),
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser([redacted])")
    }
}

/// The first 32 octets of HKDF by HMAC-SHA256 (RFC 5869).
fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; 32] {
    let sign = |key: &[u8], message: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
        tag.as_ref().try_into().expect("32 octets")
    };
    let extracted: [u8; 32] = sign(salt, secret);
    sign(&extracted, &[info, &[1]].concat())
}
