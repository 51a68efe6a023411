//! Message encryption for Web Push (RFC 8291), in one record of `aes128gcm` (RFC 8188).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use doorbell_domain::Entropy;
use doorbell_domain::web_push::SubscriptionKeys;
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest plaintext, in octets: what a body of 4,096 octets has room for beside header, delimiter and tag, and all that a
/// push service must take (RFC 8030 §7.2, RFC 8291 §4).
pub const MAX_PLAINTEXT: usize = 3_993;

/// What plaintexts are padded to, in octets before the delimiter: the least of these that they fit.
///
/// A push service sees how long a message is, and with it often which message it is (RFC 8291 §7, RFC 8188 §4.8). So it sees one
/// of six lengths, at the price of twice the octets at most for all but the shortest.
const PADDED: [usize; 6] = [128, 256, 512, 1_024, 2_048, MAX_PLAINTEXT];

/// The salt, the record's size, the length of the key's name, and that name: our public key (RFC 8188 §2.1, RFC 8291 §4).
const HEADER: usize = 16 + 4 + 1 + 65;

/// What is said to be the size of a record: more than the only one takes, which is how its reader knows that none follows.
const RECORD: u32 = 4_096;

/// What follows the plaintext of the last record, before its padding (RFC 8188 §2).
const LAST: u8 = 2;

/// Why a message was not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncryptionError {
    /// It is longer than [`MAX_PLAINTEXT`].
    #[error("a message may have at most {MAX_PLAINTEXT} bytes")]
    TooLong,
    /// The subscription's key is no point on P-256, or the library failed.
    #[error("the message cannot be encrypted for this subscription")]
    Failed,
}

impl From<Unspecified> for EncryptionError {
    fn from(_: Unspecified) -> Self {
        Self::Failed
    }
}

/// Encrypts `plaintext` for a browser: the request's whole body, in `Content-Encoding: aes128gcm`.
///
/// Key pair and salt are drawn for this message alone: the salt from `entropy`, the key pair by AWS-LC, which wants its own source.
pub fn encrypt(
    plaintext: &[u8],
    keys: &SubscriptionKeys,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, EncryptionError> {
    let padded = PADDED.into_iter().find(|padded| plaintext.len() <= *padded);
    let padded = padded.ok_or(EncryptionError::TooLong)?;
    let ours = PrivateKey::generate(&ECDH_P256)?;
    Ok(seal(plaintext, padded, keys, &ours, entropy.bytes())?)
}

/// The same under a key pair and a salt, padded to `padded` octets.
fn seal(
    plaintext: &[u8],
    padded: usize,
    keys: &SubscriptionKeys,
    ours: &PrivateKey,
    salt: [u8; 16],
) -> Result<Vec<u8>, Unspecified> {
    let public = ours.compute_public_key()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.p256dh());
    let ikm = agree(ours, theirs, Unspecified, |shared| {
        let prk = Salt::new(HKDF_SHA256, keys.auth()).extract(shared);
        expand::<32>(&prk, &[b"WebPush: info\0", keys.p256dh(), public.as_ref()])
    })?;
    let prk = Salt::new(HKDF_SHA256, &salt).extract(ikm.as_slice());
    let key = expand::<16>(&prk, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = expand::<NONCE_LEN>(&prk, &[b"Content-Encoding: nonce\0"])?;

    let mut body = Vec::with_capacity(HEADER + padded + 1 + AES_128_GCM.tag_len());
    body.extend(salt);
    body.extend(RECORD.to_be_bytes());
    body.push(65);
    body.extend(public.as_ref());
    body.extend(plaintext);
    body.push(LAST);
    body.resize(HEADER + padded + 1, 0);
    let (_, record) = body.split_at_mut_checked(HEADER).ok_or(Unspecified)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_slice())?);
    // The only message under this key, so that its nonce cannot come twice.
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), record)?;
    body.extend(tag.as_ref());
    Ok(body)
}

/// `N` octets of key material.
fn expand<const N: usize>(prk: &Prk, info: &[&[u8]]) -> Result<Zeroizing<[u8; N]>, Unspecified> {
    struct Octets(usize);
    impl KeyType for Octets {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut material = Zeroizing::new([0; N]);
    prk.expand(info, Octets(N))?.fill(material.as_mut_slice())?;
    Ok(material)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use doorbell_testkit::{Browser, CountingEntropy};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    fn octets<const N: usize>(text: &str) -> [u8; N] {
        let octets = BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url");
        octets.try_into().expect("as many")
    }

    /// The browser of RFC 8291, Appendix A.
    fn standards_browser() -> Browser {
        Browser::of(
            &octets("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
            &octets("BTBZMqHH6r4Tts7J_aSIgg"),
        )
    }

    #[test]
    fn the_standards_own_message_comes_out_octet_for_octet() {
        let browser = standards_browser();
        let p256dh =
            octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        assert_eq!(browser.keys().p256dh(), &p256dh);
        let scalar = octets::<32>("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let ours = PrivateKey::from_private_key(&ECDH_P256, &scalar).expect("a scalar");
        let plaintext = b"When I grow up, I want to be a watermelon";
        let salt = octets("DGv6ra1nlYgDCS1FRnbzlw");
        // It pads nothing.
        let body = seal(plaintext, plaintext.len(), &browser.keys(), &ours, salt).expect("encrypts");
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(&body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT\
             pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
        assert_eq!(browser.read(&body).as_deref(), Ok(&plaintext[..]));
    }

    #[test]
    fn a_message_may_have_3993_octets_and_fills_a_body_of_4096() {
        let (browser, entropy) = (standards_browser(), CountingEntropy::default());
        let longest = vec![7; MAX_PLAINTEXT];
        let body = encrypt(&longest, &browser.keys(), &entropy).expect("encrypts");
        assert_eq!(body.len(), 4_096);
        assert_eq!(browser.read(&body), Ok(longest));
        let longer = vec![7; MAX_PLAINTEXT + 1];
        assert_eq!(
            encrypt(&longer, &browser.keys(), &entropy),
            Err(EncryptionError::TooLong)
        );
    }

    #[test]
    fn lengths_are_hidden_in_six() {
        let (browser, entropy) = (standards_browser(), CountingEntropy::default());
        let lengths: BTreeSet<_> = [
            0, 1, 127, 128, 129, 256, 257, 500, 512, 513, 1_024, 1_025, 2_048, 2_049, 3_993,
        ]
        .map(|n| {
            encrypt(&vec![7; n], &browser.keys(), &entropy)
                .expect("encrypts")
                .len()
        })
        .into();
        assert_eq!(
            Vec::from_iter(lengths),
            PADDED.map(|padded| 86 + padded + 1 + 16),
            "header, padded plaintext, delimiter, tag"
        );
    }

    #[test]
    fn every_message_has_a_key_and_a_salt_of_its_own() {
        let (browser, entropy) = (standards_browser(), CountingEntropy::default());
        let bodies: Vec<_> = (0..1_000)
            .map(|_| encrypt(b"the same", &browser.keys(), &entropy).expect("encrypts"))
            .collect();
        for part in [0..16, 21..86] {
            let distinct: BTreeSet<_> = bodies.iter().map(|body| &body[part.clone()]).collect();
            assert_eq!(distinct.len(), bodies.len(), "{part:?}");
        }
    }

    #[test]
    fn a_key_beside_the_curve_encrypts_nothing() {
        let mut point = *standards_browser().keys().p256dh();
        point[64] ^= 1;
        let keys = SubscriptionKeys::restore(point, [0; 16]);
        assert_eq!(
            encrypt(b"x", &keys, &CountingEntropy::default()),
            Err(EncryptionError::Failed)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_browser_reads_what_was_sent_and_nobody_else_does(
            plaintext in prop::collection::vec(any::<u8>(), 0..=MAX_PLAINTEXT),
            at in any::<prop::sample::Index>(),
        ) {
            let entropy = CountingEntropy::default();
            let (browser, other) = (Browser::new(), Browser::new());
            let mut body = encrypt(&plaintext, &browser.keys(), &entropy).expect("encrypts");
            prop_assert_eq!(browser.read(&body), Ok(plaintext));
            prop_assert!(other.read(&body).is_err());
            // Wherever an octet is changed, but for the record's size, of which any larger one would do.
            let at = at.index(body.len());
            if !(16..20).contains(&at) {
                body[at] ^= 1;
                prop_assert!(browser.read(&body).is_err());
            }
        }
    }
}
