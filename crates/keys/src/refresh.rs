//! Refresh tokens.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorbell_domain::SessionId;
use doorbell_domain::ports::{InvalidToken, KeyFailure, RefreshTokens};
use doorbell_domain::secret::Secret;
use doorbell_domain::session::RefreshClaim;
use uuid::Uuid;

use crate::key_set::KeySet;
use crate::secrets::{Purpose, Secrets};

/// Refresh tokens derived, not stored: `drt_<secret's id>.<base64url>` of the session's 16 octets, its counter's 4
/// and an HMAC-SHA-256 over both and the session's salt.
///
/// Deriving is deterministic, so any server that was given the same secrets gives the same successor to a token
/// that comes twice. In the moment of a change of secret two servers may spell it differently; either is right.
pub struct RefreshMacs {
    keys: KeySet<hmac::Key>,
}

/// So that scanners of leaked secrets can know one.
const PREFIX: &str = "drt_";
const BYTES: usize = 16 + 4 + 32;
/// `BYTES` in base64url without padding.
const ENCODED: usize = 70;

impl RefreshMacs {
    /// Tokens under `secrets`.
    pub fn new(secrets: &Secrets) -> Result<Self, KeyFailure> {
        let keys = secrets.derive(Purpose::Refresh, |key| Ok(hmac::Key::new(hmac::HMAC_SHA256, key)))?;
        Ok(Self { keys })
    }

    fn read(&self, token: &str) -> Result<Parts<'_>, InvalidToken> {
        let (id, encoded) = token
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('.'))
            .filter(|(_, encoded)| encoded.len() == ENCODED)
            .ok_or(InvalidToken)?;
        let key = self.keys.named(id).ok_or(InvalidToken)?;
        // The engine takes neither padding nor loose bits at the end: a token has one spelling.
        let mut bytes = [0; BYTES];
        match URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes) {
            Ok(BYTES) => {}
            _ => return Err(InvalidToken),
        }
        let (session, rest) = bytes.split_first_chunk::<16>().ok_or(InvalidToken)?;
        let (counter, mac) = rest.split_first_chunk::<4>().ok_or(InvalidToken)?;
        Ok(Parts {
            key,
            claim: RefreshClaim {
                session: SessionId::from_uuid(Uuid::from_bytes(*session)),
                counter: u32::from_be_bytes(*counter),
            },
            mac: mac.try_into().map_err(|_| InvalidToken)?,
        })
    }
}

struct Parts<'a> {
    key: &'a hmac::Key,
    claim: RefreshClaim,
    mac: [u8; 32],
}

/// Three fields of fixed length, so no two claims make one message.
fn message(claim: &RefreshClaim, salt: &[u8; 16]) -> Vec<u8> {
    let session = claim.session.uuid();
    [&session.as_bytes()[..], &claim.counter.to_be_bytes(), salt].concat()
}

impl RefreshTokens for RefreshMacs {
    fn derive(&self, claim: &RefreshClaim, salt: &[u8; 16]) -> Result<Secret, KeyFailure> {
        let (id, key) = self.keys.newest();
        let mac = hmac::sign(key, &message(claim, salt));
        let session = claim.session.uuid();
        let bytes = [
            &session.as_bytes()[..],
            &claim.counter.to_be_bytes(),
            mac.as_ref(),
        ]
        .concat();
        Ok(Secret::new(format!(
            "{PREFIX}{id}.{}",
            URL_SAFE_NO_PAD.encode(bytes)
        )))
    }

    fn claim(&self, token: &str) -> Result<RefreshClaim, InvalidToken> {
        self.read(token).map(|parts| parts.claim)
    }

    fn verify(&self, token: &str, salt: &[u8; 16]) -> Result<(), InvalidToken> {
        let Parts { key, claim, mac } = self.read(token)?;
        hmac::verify(key, &message(&claim, salt), &mac).map_err(|_| InvalidToken)
    }
}

impl fmt::Debug for RefreshMacs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshMacs([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NEW: &str = "b:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const SALT: [u8; 16] = [9; 16];

    fn macs(list: &str) -> RefreshMacs {
        RefreshMacs::new(&Secrets::parse(list).expect("well-formed")).expect("keys derive")
    }

    fn claim(counter: u32) -> RefreshClaim {
        RefreshClaim {
            session: SessionId::from_uuid(Uuid::from_u128(0x0192_f0c1_2b3d_7c4e_8f50_1234_5678_9abc)),
            counter,
        }
    }

    fn token(macs: &RefreshMacs, counter: u32) -> String {
        let token = macs.derive(&claim(counter), &SALT).expect("derives");
        token.expose().to_owned()
    }

    /// Computed apart from this program, so that a token outlives an upgrade.
    #[test]
    fn every_server_derives_the_same_token() {
        assert_eq!(token(&macs(OLD), 1), token(&macs(OLD), 1));
        assert_eq!(
            token(&macs(OLD), 1),
            "drt_a.AZLwwSs9fE6PUBI0VniavAAAAAEOg0NMdjG-c0rvdiVPpM2NjknSe4dldVSkeDyRjWQwQg"
        );
    }

    #[test]
    fn a_token_says_its_claim_and_is_right_for_its_salt_only() {
        let macs = macs(OLD);
        for counter in [0, 1, 255, 256, u32::MAX] {
            let token = token(&macs, counter);
            assert!(macs.claim(&token) == Ok(claim(counter)), "{counter}");
            assert_eq!(macs.verify(&token, &SALT), Ok(()));
            assert_eq!(macs.verify(&token, &[8; 16]), Err(InvalidToken));
        }
    }

    #[test]
    fn a_token_outlives_a_change_of_secret_while_the_old_one_is_given() {
        let old = token(&macs(OLD), 3);
        let during = macs(&format!("{NEW},{OLD}"));
        assert_eq!(during.verify(&old, &SALT), Ok(()));
        assert!(token(&during, 4).starts_with("drt_b."));
        assert_eq!(macs(NEW).verify(&old, &SALT), Err(InvalidToken));
        // The old token under the new key's name.
        let renamed = old.replacen("drt_a.", "drt_b.", 1);
        assert_eq!(during.verify(&renamed, &SALT), Err(InvalidToken));
    }

    #[test]
    fn what_is_no_token_of_ours_is_refused() {
        let macs = macs(OLD);
        let whole = token(&macs, 1);
        let encoded = whole.strip_prefix("drt_a.").expect("our form");
        for text in [
            String::new(),
            "drt_".to_owned(),
            "drt_a".to_owned(),
            "drt_a.".to_owned(),
            encoded.to_owned(),
            format!("a.{encoded}"),
            format!("DRT_a.{encoded}"),
            format!("drt_.{encoded}"),
            format!("drt_A.{encoded}"),
            format!("drt_../a.{encoded}"),
            format!("drt_a..{encoded}"),
            format!("drt_a.{encoded}=="),
            format!("drt_a.{encoded}A"),
            format!(" {whole}"),
            format!("{whole}\n"),
            format!("drt_a.{}", "A".repeat(1_000_000)),
            format!("drt_a.{}", "é".repeat(35)),
            "eyJhbGciOiJFZERTQSJ9.e30.c2ln".to_owned(),
        ] {
            assert!(macs.claim(&text).is_err(), "{text:.80}");
            assert!(macs.verify(&text, &SALT).is_err(), "{text:.80}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_token_with_any_one_character_changed_is_refused(at in 0_usize..76, to in any::<char>()) {
            let macs = macs(OLD);
            let whole = token(&macs, 7);
            prop_assert_eq!(whole.len(), 76);
            let changed: String = whole.chars().enumerate().map(|(i, c)| if i == at { to } else { c }).collect();
            if changed == whole {
                return Ok(());
            }
            prop_assert_eq!(macs.verify(&changed, &SALT), Err(InvalidToken));
        }

        #[test]
        fn one_base64_character_changed_is_refused_too(at in 6_usize..76, to in "[A-Za-z0-9_-]") {
            let macs = macs(OLD);
            let whole = token(&macs, 7);
            let mut changed = whole.clone();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(macs.verify(&changed, &SALT).is_ok(), changed == whole);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,100}") {
            let macs = macs(OLD);
            prop_assert!(macs.verify(&text, &SALT).is_err());
            let prefixed = format!("drt_a.{text}");
            prop_assert!(macs.verify(&prefixed, &SALT).is_err());
        }
    }
}
