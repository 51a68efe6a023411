//! Keyed hashes of one-time codes.

use std::fmt;

use aws_lc_rs::hmac;
use doorbell_domain::PhoneNumber;
use doorbell_domain::code::{Code, CodeHash, Purpose};
use doorbell_domain::ports::{CodeHasher, KeyFailure};

use crate::key_set::KeySet;
use crate::secrets::{self, Secrets};

/// HMAC-SHA-256 over purpose, phone and code. A code has a million values, so only the secret keeps a stolen
/// table from telling them.
pub struct CodeMacs {
    keys: KeySet<hmac::Key>,
}

impl CodeMacs {
    /// Hashing under `secrets`.
    pub fn new(secrets: &Secrets) -> Result<Self, KeyFailure> {
        let keys = secrets.derive(secrets::Purpose::Codes, |key| {
            Ok(hmac::Key::new(hmac::HMAC_SHA256, key))
        })?;
        Ok(Self { keys })
    }
}

/// The three parts apart from each other: no name, number or code holds the octet between them.
fn message(phone: &PhoneNumber, purpose: Purpose, code: &Code) -> Vec<u8> {
    [purpose.name(), &phone.e164(), code.expose()]
        .join("\0")
        .into_bytes()
}

impl CodeHasher for CodeMacs {
    fn hash(&self, phone: &PhoneNumber, purpose: Purpose, code: &Code) -> CodeHash {
        let (key_id, key) = self.keys.newest();
        let tag = hmac::sign(key, &message(phone, purpose, code));
        let mut mac = [0; 32];
        for (to, from) in mac.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        CodeHash {
            key_id: key_id.to_owned(),
            mac,
        }
    }

    fn matches(&self, hash: &CodeHash, phone: &PhoneNumber, purpose: Purpose, code: &Code) -> bool {
        self.keys
            .named(&hash.key_id)
            .is_some_and(|key| hmac::verify(key, &message(phone, purpose, code), &hash.mac).is_ok())
    }
}

impl fmt::Debug for CodeMacs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeMacs([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NEW: &str = "b:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn macs(list: &str) -> CodeMacs {
        CodeMacs::new(&Secrets::parse(list).expect("well-formed")).expect("keys derive")
    }

    fn phone(national: &str) -> PhoneNumber {
        PhoneNumber::from_parts(90, national).expect("well-formed")
    }

    fn code(digits: &str) -> Code {
        Code::parse(digits).expect("digits")
    }

    #[test]
    fn a_code_matches_its_own_hash_and_no_other() {
        let macs = macs(OLD);
        let hash = macs.hash(&phone("5551234567"), Purpose::SignIn, &code("012345"));
        let matches =
            |national, digits| macs.matches(&hash, &phone(national), Purpose::SignIn, &code(digits));
        assert!(matches("5551234567", "012345"));
        assert!(!matches("5551234567", "012346"));
        assert!(!matches("5551234567", "12345"));
        assert!(!matches("5551234568", "012345"));
        // The same digits, parted elsewhere.
        assert!(!matches("55512345670", "12345"));
        for at in 0..32 {
            let mut other = hash.clone();
            other.mac[at] ^= 1;
            assert!(!macs.matches(&other, &phone("5551234567"), Purpose::SignIn, &code("012345")));
        }
    }

    #[test]
    fn a_code_outlives_a_change_of_secret_while_the_old_one_is_given() {
        let (phone, code) = (phone("5551234567"), code("012345"));
        let hash = macs(OLD).hash(&phone, Purpose::SignIn, &code);
        assert_eq!(hash.key_id, "a");
        let during = macs(&format!("{NEW},{OLD}"));
        assert!(during.matches(&hash, &phone, Purpose::SignIn, &code));
        assert_eq!(during.hash(&phone, Purpose::SignIn, &code).key_id, "b");
        assert!(!macs(NEW).matches(&hash, &phone, Purpose::SignIn, &code));
    }
}
