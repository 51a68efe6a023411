//! What a message to a browser costs to encrypt and to sign, beside the floor: the primitives that it cannot be without, called bare.
//! `make bench-encryption`.
//!
//! All ways take turns in rounds, so that whatever else the machine does falls on each alike; counted is the thread's own processor
//! time, and of the rounds the median.
#![expect(clippy::expect_used, reason = "a benchmark may fail loudly")]

use std::array;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use doorbell_domain::Timestamp;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::web_push::SubscriptionKeys;
use doorbell_keys::{SystemEntropy, VapidKey, VapidKeySet};
use doorbell_push::web_push::{Authorizations, Subject, encrypt};
use doorbell_testkit::Browser;
use rustix::time::{ClockId, clock_gettime};
use uuid::Uuid;

/// A message as people send them, in octets; padded to 512.
const PLAINTEXT: usize = 300;
const PADDED: usize = 512 + 1;

/// How often each way has its turn, and how many messages it makes in one.
const ROUNDS: usize = 41;
const TURN: u32 = 500;

fn main() {
    let browsers: [Browser; 16] = array::from_fn(|_| Browser::new());
    let keys = browsers.each_ref().map(Browser::keys);
    let plaintext: Vec<u8> = (0_u8..=255).cycle().take(PLAINTEXT).collect();
    let mut keys_in_turn = keys.iter().cycle();
    let mut next = || keys_in_turn.next().expect("endless");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
    let names = Names::new();

    // A sample is read by its browser before anything is measured.
    for (browser, keys) in browsers.iter().zip(&keys) {
        let body = encrypt(&plaintext, keys, &SystemEntropy).expect("encrypts");
        assert_eq!(browser.read(&body).expect("readable"), plaintext);
        assert_eq!(
            browser.read(&bare(&plaintext, keys)).expect("readable"),
            plaintext
        );
    }

    let mut rounds: Vec<[Duration; 4]> = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push([
            turn(|| drop(black_box(bare(&plaintext, next())))),
            turn(|| {
                drop(black_box(encrypt(&plaintext, next(), &SystemEntropy)));
                names.known();
            }),
            turn(|| {
                drop(black_box(bare(&plaintext, next())));
                black_box(
                    pair.sign(&SystemRandom::new(), black_box(&[7; 160]))
                        .expect("signs"),
                );
            }),
            turn(|| {
                drop(black_box(encrypt(&plaintext, next(), &SystemEntropy)));
                names.unknown();
            }),
        ]);
    }
    let [floor, reused, signed_floor, signed] = array::from_fn(|n| {
        let mut times: Vec<Duration> = rounds.iter().filter_map(|round| round.get(n)).copied().collect();
        times.sort_unstable();
        let median = times.get(ROUNDS / 2).expect("an odd number");
        f64::from(TURN) / median.as_secs_f64()
    });
    println!("messages of {PLAINTEXT} bytes a core-second, median of {ROUNDS} rounds of {TURN}:");
    println!("  {floor:>6.0}  the primitives: key pair, agreement, 5 HMACs, AES-128-GCM");
    println!(
        "  {reused:>6.0}  encrypted, the token reused: {:.2} of that",
        reused / floor
    );
    println!("  {signed_floor:>6.0}  the primitives, and an ECDSA signature");
    println!(
        "  {signed:>6.0}  encrypted, a token each: {:.2} of that",
        signed / signed_floor
    );
}

/// How long the processor works for a turn of one way.
fn turn(mut message: impl FnMut()) -> Duration {
    let worked = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("since the start");
    let before = worked();
    for _ in 0..TURN {
        message();
    }
    worked() - before
}

/// RFC 8291 by as few calls as there can be, with nothing around them.
fn bare(plaintext: &[u8], keys: &SubscriptionKeys) -> Vec<u8> {
    let ours = PrivateKey::generate(&ECDH_P256).expect("a key pair");
    let public = ours.compute_public_key().expect("a point");
    let mut salt = [0; 16];
    rand::fill(&mut salt).expect("randomness");
    let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.p256dh());
    let ikm = agree(&ours, theirs, (), |shared| {
        let prk = sign(&Key::new(HMAC_SHA256, keys.auth()), shared);
        let mut info = [1; 14 + 65 + 65 + 1];
        let parts = [b"WebPush: info\0", &keys.p256dh()[..], public.as_ref()];
        for (to, from) in info.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        Ok(sign(&Key::new(HMAC_SHA256, prk.as_ref()), &info))
    });
    let prk = sign(&Key::new(HMAC_SHA256, &salt), ikm.expect("agrees").as_ref());
    let prk = Key::new(HMAC_SHA256, prk.as_ref());
    let key = sign(&prk, b"Content-Encoding: aes128gcm\0\x01");
    let nonce = sign(&prk, b"Content-Encoding: nonce\0\x01");

    let mut body = Vec::with_capacity(86 + PADDED + 16);
    body.extend(salt);
    body.extend([0, 0, 16, 0, 65]);
    body.extend(public.as_ref());
    body.extend(plaintext);
    body.push(2);
    body.resize(86 + PADDED, 0);
    let (key, _) = key.as_ref().split_first_chunk::<16>().expect("32 octets");
    let (nonce, _) = nonce.as_ref().split_first_chunk::<12>().expect("32 octets");
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).expect("a key"));
    let (_, record) = body.split_at_mut(86);
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), record);
    body.extend(tag.expect("seals").as_ref());
    body
}

/// The service's name at push services.
struct Names {
    authorizations: Authorizations,
    key: String,
    now: std::cell::Cell<i64>,
}

impl Names {
    fn new() -> Self {
        let key = VapidKey::restore(Uuid::nil(), KeyLife::since(Timestamp::from_micros(0)), &[7; 32]);
        let keys = VapidKeySet::new([key.expect("a scalar")]).expect("a key");
        let subject = Subject::parse("mailto:push@example.com").expect("a subject");
        Self {
            authorizations: Authorizations::new(Arc::new(keys), subject),
            key: Uuid::nil().to_string(),
            now: std::cell::Cell::new(0),
        }
    }

    fn header(&self, origin: &str, now: i64) {
        let header = self
            .authorizations
            .header(&self.key, origin, Timestamp::from_micros(now));
        black_box(header.expect("signs"));
    }

    /// At a push service that has been sent to a moment ago.
    fn known(&self) {
        self.header("https://fcm.googleapis.com", 0);
    }

    /// At one whose token is over.
    fn unknown(&self) {
        const DAY: i64 = 86_400_000_000;
        self.now.set(self.now.get() + DAY);
        self.header("https://updates.push.services.mozilla.com", self.now.get());
    }
}
