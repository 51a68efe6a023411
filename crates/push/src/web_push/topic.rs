//! `Topic` (RFC 8030 §5.4).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// The longest topic, in characters.
const MAX: usize = 32;

/// The topic of messages that replace each other under `key`.
///
/// A key that can be a topic, at most 32 characters of base64url, is one; of any other it is the first 32 characters of its
/// SHA-256: 192 bits, in which no two keys meet.
pub(crate) fn topic(key: &str) -> String {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=MAX).contains(&key.len()) && key.bytes().all(alphabet) {
        return key.to_owned();
    }
    let mut text = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, key.as_bytes()));
    text.truncate(MAX);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_can_be_a_topic_is_one() {
        for key in ["a", "order-4421_X", &"x".repeat(32)] {
            assert_eq!(topic(key), key);
        }
    }

    #[test]
    fn any_other_is_hashed_to_one() {
        // By `printf … | openssl dgst -sha256 -binary | basenc --base64url | cut -c1-32`.
        for (key, expected) in [
            ("", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NM"),
            ("order 4421", "LOht7d93B_ROTv5ugJUnLqvJxhUR8s9v"),
            ("ä", "M-bXP-6CkEyNevt43hFU0ejcKg7bCBIO"),
        ] {
            assert_eq!(topic(key), expected, "{key:?}");
        }
        assert_eq!(topic(&"x".repeat(33)).len(), 32);
    }
}
