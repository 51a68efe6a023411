//! A browser as push services and servers know it: an endpoint, keys, and reading what was encrypted for them (RFC 8291).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::{Answer, Phone, PushService, Received, Server, SignedIn};

/// A browser that may subscribe.
#[derive(Debug)]
pub struct Browser {
    /// Where its push service rings it.
    pub endpoint: String,
    private: PrivateKey,
    auth: [u8; 16],
}

impl Browser {
    /// One with new keys, rung at `endpoint`.
    pub fn at(endpoint: impl Into<String>) -> Self {
        let mut auth = [0; 16];
        rand::fill(&mut auth).expect("randomness");
        Self {
            endpoint: endpoint.into(),
            private: PrivateKey::generate(&ECDH_P256).expect("a key pair"),
            auth,
        }
    }

    /// What is sent to subscribe it.
    pub fn subscription(&self) -> Value {
        let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"p256dh": encoded(&self.public()), "auth": encoded(&self.auth)});
        json!({"endpoint": self.endpoint, "keys": keys})
    }

    /// The path of its endpoint.
    pub fn path(&self) -> &str {
        let (_, rest) = self.endpoint.split_once("://").expect("a URL");
        &rest[rest.find('/').expect("a path")..]
    }

    /// What a push says to it.
    #[track_caller]
    pub fn read(&self, push: &Received) -> Value {
        assert_eq!(push.header("content-encoding"), "aes128gcm");
        let text = self.decrypted(&push.body);
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{error}: {push:?}"))
    }

    fn public(&self) -> Vec<u8> {
        let public = self.private.compute_public_key().expect("a point");
        public.as_ref().to_vec()
    }

    /// The text of a body of one record (RFC 8188 §2.1): salt, record size, the length of a key, the key, and the record.
    #[track_caller]
    fn decrypted(&self, body: &[u8]) -> Vec<u8> {
        assert!(body.len() > 86, "{} bytes are less than a header", body.len());
        let (head, record) = body.split_at(86);
        let (salt, sender) = (&head[..16], &head[21..]);
        let size = u32::from_be_bytes([head[16], head[17], head[18], head[19]]);
        assert!(
            usize::try_from(size).is_ok_and(|size| size >= record.len()),
            "more than one record"
        );
        let shared = agree(
            &self.private,
            UnparsedPublicKey::new(&ECDH_P256, sender),
            "no point",
            |shared| Ok(mac(&self.auth, &[shared])),
        );
        let info = [b"WebPush: info\0", &self.public()[..], sender, &[1]].concat();
        let input = mac(&shared.expect("a shared secret"), &[&info]);
        let extracted = mac(salt, &[&input]);
        let key = &mac(&extracted, &[b"Content-Encoding: aes128gcm\0", &[1]])[..16];
        let nonce = &mac(&extracted, &[b"Content-Encoding: nonce\0", &[1]])[..12];
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).expect("16 bytes"));
        let nonce = Nonce::try_assume_unique_for_key(nonce).expect("12 bytes");
        let mut record = record.to_vec();
        let opened = key
            .open_in_place(nonce, Aad::empty(), &mut record)
            .expect("it was encrypted for this browser");
        let end = opened.iter().rposition(|octet| *octet != 0);
        let end = end.expect("a delimiter");
        assert_eq!(opened[end], 2, "it is not the last record");
        opened[..end].to_vec()
    }
}

/// HMAC-SHA-256: both halves of HKDF where 32 bytes at most are asked for (RFC 5869).
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), &parts.concat())
        .as_ref()
        .to_vec()
}

impl Server {
    /// oCore: that browser subscribes.
    pub async fn subscribe_browser(&self, person: &SignedIn, browser: &Browser) -> Answer {
        let request = self.post("/push/subscribe").by(person);
        request.json(&browser.subscription()).send().await
    }

    /// The `n`th person, signed in, with those browsers of a push service.
    pub async fn with_browsers(
        &self,
        n: u32,
        service: &PushService,
        names: &[impl AsRef<str>],
    ) -> (SignedIn, Vec<Browser>) {
        let person = self.sign_in(&Phone::nth(n)).await;
        let browsers: Vec<Browser> = names.iter().map(|name| service.browser(name.as_ref())).collect();
        for browser in &browsers {
            self.subscribe_browser(&person, browser).await.assert_status(201);
        }
        (person, browsers)
    }

    /// The `n`th person, signed in, with that one browser.
    pub async fn with_browser(&self, n: u32, service: &PushService, name: &str) -> (SignedIn, Browser) {
        let (person, mut browsers) = self.with_browsers(n, service, &[name]).await;
        (person, browsers.remove(0))
    }
}
