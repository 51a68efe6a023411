//! The secrets that the operator gives, and the keys derived from them.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use doorbell_domain::ports::KeyFailure;
use doorbell_domain::secret::Secret;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key_set::KeySet;

/// What `DOORBELL_SECRET` holds: `[id:]text[,id:text…]`, the newest first.
///
/// The first makes every new MAC and ciphertext; all check and open old ones. A secret is changed by putting the
/// new one, under a new id, before the old ones.
pub struct Secrets {
    texts: KeySet<Secret>,
}

/// Why `DOORBELL_SECRET` was refused, by the position of the secret in the list. Never holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretsError {
    /// A text is too short to be a secret.
    #[error(
        "secret {0} is shorter than {min} bytes (a comma always ends a secret, so none can hold one)",
        min = Secrets::SHORTEST
    )]
    Short(usize),
    /// White space begins or ends it.
    #[error("secret {0} begins or ends with white space")]
    WhiteSpace(usize),
    /// An earlier secret has its id.
    #[error("secret {0} has the id of an earlier one (without an id it has the id 0)")]
    SameId(usize),
    /// An earlier secret has its text.
    #[error("secret {0} has the text of an earlier one")]
    SameText(usize),
}

/// What a key is derived for. A key of one purpose says nothing about one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Hashing one-time codes.
    Codes,
    /// MACs of refresh tokens.
    Refresh,
    /// Sealing columns.
    Seal,
}

impl Purpose {
    /// The `info` of RFC 5869 §2.3. Changing one orphans all that was made with it.
    const fn info(self) -> &'static [u8] {
        match self {
            Self::Codes => b"codes",
            Self::Refresh => b"refresh",
            Self::Seal => b"seal",
        }
    }
}

/// Sets this program's keys apart from any other use of the same text (RFC 5869 §3.1).
const SALT: &[u8] = b"doorbell 1";

struct Key256;

impl KeyType for Key256 {
    fn len(&self) -> usize {
        32
    }
}

impl Secrets {
    /// The fewest bytes of a text.
    pub const SHORTEST: usize = 32;
    /// The id of a secret that is given without one.
    pub const DEFAULT_ID: &'static str = "0";
    /// The longest id.
    pub(crate) const LONGEST_ID: usize = 16;

    /// Reads `[id:]text[,id:text…]`.
    ///
    /// Commas part the secrets. What stands before a secret's first colon is its id exactly if it is 1 to 16 of
    /// `A`–`Z`, `a`–`z`, `0`–`9`, `_` and `-`; otherwise the whole is its text. Texts are taken byte for byte.
    pub fn parse(list: &str) -> Result<Self, SecretsError> {
        let mut secrets = Vec::new();
        for (position, entry) in (1..).zip(list.split(',')) {
            if entry.trim() != entry {
                return Err(SecretsError::WhiteSpace(position));
            }
            let (id, text) = match entry.split_once(':') {
                Some((id, text)) if is_id(id) => (id, text),
                _ => (Self::DEFAULT_ID, entry),
            };
            if text.len() < Self::SHORTEST {
                return Err(SecretsError::Short(position));
            }
            let text = Secret::new(text);
            if secrets.iter().any(|(known, _)| known == id) {
                return Err(SecretsError::SameId(position));
            }
            // Two names of one key would give one token two spellings.
            if secrets.iter().any(|(_, known)| *known == text) {
                return Err(SecretsError::SameText(position));
            }
            secrets.push((id.to_owned(), text));
        }
        // `split` gives at least one part, if only an empty one, and that is too short.
        KeySet::new(secrets)
            .map(|texts| Self { texts })
            .ok_or(SecretsError::Short(1))
    }

    /// From each secret its key for `purpose`, made into what works with it.
    pub(crate) fn derive<T>(
        &self,
        purpose: Purpose,
        make: impl Fn(&[u8; 32]) -> Result<T, KeyFailure>,
    ) -> Result<KeySet<T>, KeyFailure> {
        let salt = Salt::new(HKDF_SHA256, SALT);
        self.texts.try_map(|text| {
            let mut key = Zeroizing::new([0; 32]);
            salt.extract(text.expose().as_bytes())
                .expand(&[purpose.info()], Key256)
                .and_then(|okm| okm.fill(key.as_mut()))
                .map_err(|_| KeyFailure("HKDF"))?;
            make(&key)
        })
    }
}

pub(crate) fn is_id(text: &str) -> bool {
    (1..=Secrets::LONGEST_ID).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn parse(list: &str) -> Result<Vec<(String, String)>, SecretsError> {
        let secrets = Secrets::parse(list)?;
        let pairs = secrets.texts.iter();
        Ok(pairs
            .map(|(id, text)| (id.to_owned(), text.expose().to_owned()))
            .collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Result<Vec<(String, String)>, SecretsError> {
        expected
            .iter()
            .map(|(id, text)| Ok(((*id).to_owned(), (*text).to_owned())))
            .collect()
    }

    #[test]
    fn one_text_is_a_secret_and_a_list_names_its_own() {
        assert_eq!(parse(A), pairs(&[("0", A)]));
        assert_eq!(parse(&format!("new:{B},{A}")), pairs(&[("new", B), ("0", A)]));
        assert_eq!(parse(&format!("0:{A}")), pairs(&[("0", A)]));
        assert_eq!(
            parse(&format!("2026-11_b:{B},a:{A}")),
            pairs(&[("2026-11_b", B), ("a", A)])
        );
    }

    #[test]
    fn only_an_id_before_the_first_colon_is_one() {
        for whole in [
            format!(":{A}"),
            format!("seventeen-letters:{A}"),
            format!("not an id:{A}"),
            format!("é:{A}"),
            format!("{A}:{B}"),
        ] {
            assert_eq!(parse(&whole), pairs(&[("0", &whole)]), "{whole}");
        }
        assert_eq!(parse(&format!("a:b:{A}")), pairs(&[("a", &format!("b:{A}"))]));
        // Never decoded: what looks like base64 or hexadecimal is its own bytes.
        assert_eq!(parse(&format!("{A}=")), pairs(&[("0", &format!("{A}="))]));
        let greek = "ωωωωωωωωωωωωωωωω";
        assert_eq!(greek.len(), 32);
        assert_eq!(parse(greek), pairs(&[("0", greek)]));
    }

    #[test]
    fn a_weak_or_muddled_list_is_refused_by_position_without_telling_it() {
        use SecretsError::{SameId, SameText, Short, WhiteSpace};
        for (list, error) in [
            (String::new(), Short(1)),
            (A[1..].to_owned(), Short(1)),
            (format!("id:{}", &A[1..]), Short(1)),
            (format!("{A},"), Short(2)),
            (format!("a:{A},b:short"), Short(2)),
            (format!("{A} "), WhiteSpace(1)),
            (format!("{A}\n"), WhiteSpace(1)),
            (format!("a:{A}, b:{B}"), WhiteSpace(2)),
            (format!("{A},{B}"), SameId(2)),
            (format!("a:{A},a:{B}"), SameId(2)),
            (format!("a:{A},b:{A}"), SameText(2)),
        ] {
            let refused = Secrets::parse(&list).expect_err(&list);
            assert_eq!(refused, error, "{list}");
            assert!(!refused.to_string().contains("aaaa"));
        }
        let printed = format!("{:?}", Secrets::parse(A).expect("long enough"));
        assert!(!printed.contains("aaaa"), "{printed}");
    }

    #[test]
    fn each_secret_has_another_key_for_each_purpose() {
        let secrets = Secrets::parse(&format!("a:{A},b:{B}")).expect("two secrets");
        let mut keys = Vec::new();
        for purpose in [Purpose::Codes, Purpose::Refresh, Purpose::Seal] {
            let derived = secrets.derive(purpose, |key| Ok(*key)).expect("HKDF works");
            keys.extend(derived.iter().map(|(_, key)| *key));
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!((count, keys.len()), (6, 6));
    }

    /// Computed apart from this program: HKDF-SHA256 of 32 times `a`, salt `doorbell 1`, info `seal`.
    #[test]
    fn derivation_never_changes() {
        let secrets = Secrets::parse(A).expect("a secret");
        let derived = secrets.derive(Purpose::Seal, |key| Ok(*key)).expect("HKDF works");
        let (_, key) = derived.newest();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(key),
            "8tgC8YHOLEVEUlEhPAlo2LKJmKc3nbY1KMjqLPa1m44"
        );
    }
}
