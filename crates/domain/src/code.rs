//! One-time codes: how they are made, guessed and used up.

use std::fmt;

use thiserror::Error;
use time::Duration;

use crate::secret::Secret;
use crate::{Entropy, OtpSessionId, PhoneNumber, Timestamp};

/// A one-time code: 4 to 8 ASCII digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Secret);

impl Code {
    /// Reads what a person typed; `None` unless it is 4 to 8 ASCII digits.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        well_formed.then(|| Self(Secret::new(text)))
    }

    /// A new code of that many digits, every value equally likely, leading zeros kept.
    pub fn draw(length: CodeLength, entropy: &dyn Entropy) -> Self {
        let mut digits = String::with_capacity(usize::from(length.0));
        while digits.len() < usize::from(length.0) {
            let [byte] = entropy.bytes();
            // 250 is the largest multiple of ten in a byte: what lies above would favour the low digits.
            if byte < 250 {
                digits.push(char::from(b'0' + byte % 10));
            }
        }
        Self(Secret::new(digits))
    }

    /// The digits, for the person's phone and the keyed hash.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([redacted])")
    }
}

/// How many digits a code has, 4 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLength(u8);

impl CodeLength {
    /// 4 to 8 digits.
    pub fn new(digits: u8) -> Option<Self> {
        (4..=8).contains(&digits).then_some(Self(digits))
    }

    /// The number of digits.
    pub const fn digits(self) -> u8 {
        self.0
    }
}

/// What a code is for. A code of one purpose is worth nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in.
    SignIn,
}

impl Purpose {
    /// The name that rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
        }
    }
}

/// How codes are issued and judged.
#[derive(Clone, Copy, Debug)]
pub struct CodePolicy {
    /// Digits of a code.
    pub length: CodeLength,
    /// How long a code lives.
    pub ttl: Duration,
    /// How many guesses of one code are compared.
    pub attempts: u32,
    /// How long a phone waits for its next code; zero where limits are off.
    pub cooldown: Duration,
}

/// A keyed hash of (phone, purpose, code), under the key named by `key_id`.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeHash {
    /// Which secret it was made with.
    pub key_id: String,
    /// HMAC-SHA-256.
    pub mac: [u8; 32],
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeHash({})", self.key_id)
    }
}

/// An issued code. At most one per (phone, purpose) is current: a new one supersedes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtpSession {
    /// The row's identity.
    pub id: OtpSessionId,
    /// Who may use it.
    pub phone: PhoneNumber,
    /// What for.
    pub purpose: Purpose,
    /// The code, hashed.
    pub hash: CodeHash,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// Guesses counted so far.
    pub attempts: u32,
    /// When the right guess came.
    pub used_at: Option<Timestamp>,
}

/// Why a code takes no guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodeRefusal {
    /// No code lives for this phone and purpose.
    #[error("no live code")]
    Absent,
    /// The code has been used.
    #[error("the code has been used")]
    Used,
    /// Its attempts are spent.
    #[error("the code's attempts are spent")]
    Spent,
    /// The guess was compared and is wrong.
    #[error("wrong code")]
    Wrong,
}

impl OtpSession {
    /// Whether a guess at `now` may be counted and compared. A store's `count_guess` counts exactly when this
    /// is `Ok`.
    pub fn admits_guess(&self, now: Timestamp, attempts: u32) -> Result<(), CodeRefusal> {
        if now >= self.expires_at {
            Err(CodeRefusal::Absent)
        } else if self.used_at.is_some() {
            Err(CodeRefusal::Used)
        } else if self.attempts >= attempts {
            Err(CodeRefusal::Spent)
        } else {
            Ok(())
        }
    }
}

/// How long a phone whose last code was sent at `last_sent` must wait at `now` for the next one.
pub fn cooldown_left(policy: &CodePolicy, last_sent: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    let ready = last_sent? + policy.cooldown;
    // The last send may have been by a server whose clock is ahead: that makes nobody wait longer.
    (policy.cooldown.is_positive() && now < ready).then(|| ready.since(now).min(policy.cooldown))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use uuid::Uuid;

    struct Counting(Cell<u8>);
    // The tests run on one thread; the port asks for more.
    struct Sequence(std::sync::Mutex<Counting>);

    impl Entropy for Sequence {
        fn fill(&self, bytes: &mut [u8]) {
            let counting = self.0.lock().expect("not poisoned");
            for byte in bytes {
                *byte = counting.0.get();
                counting.0.set(byte.wrapping_add(1));
            }
        }
    }

    fn session(expires_at: i64) -> OtpSession {
        OtpSession {
            id: OtpSessionId::from_uuid(Uuid::nil()),
            phone: PhoneNumber::from_parts(90, "5551234567").expect("well-formed"),
            purpose: Purpose::SignIn,
            hash: CodeHash {
                key_id: "0".to_owned(),
                mac: [0; 32],
            },
            created_at: Timestamp::from_micros(0),
            expires_at: Timestamp::from_micros(expires_at),
            attempts: 0,
            used_at: None,
        }
    }

    #[test]
    fn a_code_is_digits_only() {
        for text in ["1234", "12345678", "000000"] {
            assert!(Code::parse(text).is_some(), "{text}");
        }
        for text in ["", "123", "123456789", "12 34", "١٢٣٤", "12a4", "-123"] {
            assert!(Code::parse(text).is_none(), "{text}");
        }
        let code = Code::parse("123456").expect("digits");
        assert!(!format!("{code:?}").contains("123456"));
    }

    #[test]
    fn every_digit_is_equally_likely_whatever_the_bytes() {
        let entropy = Sequence(std::sync::Mutex::new(Counting(Cell::new(0))));
        let length = CodeLength::new(5).expect("in range");
        let mut counts = [0_u32; 10];
        // 50 codes of 5 digits use the bytes 0 to 249 once each.
        for _ in 0..50 {
            for digit in Code::draw(length, &entropy).expose().bytes() {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        assert_eq!(counts, [25; 10]);
    }

    #[test]
    fn expiry_wins_over_use_and_use_over_spent_attempts() {
        let now = Timestamp::from_micros(10);
        let mut code = session(11);
        code.attempts = 5;
        assert_eq!(code.admits_guess(now, 5), Err(CodeRefusal::Spent));
        code.used_at = Some(now);
        assert_eq!(code.admits_guess(now, 5), Err(CodeRefusal::Used));
        assert_eq!(
            code.admits_guess(Timestamp::from_micros(11), 5),
            Err(CodeRefusal::Absent)
        );
    }

    #[test]
    fn the_cool_down_counts_from_the_last_send() {
        let policy = CodePolicy {
            length: CodeLength::new(6).expect("in range"),
            ttl: Duration::minutes(5),
            attempts: 5,
            cooldown: Duration::seconds(60),
        };
        let sent = Timestamp::from_micros(0);
        let at = |seconds| sent + Duration::seconds(seconds);
        assert_eq!(cooldown_left(&policy, None, at(0)), None);
        assert_eq!(
            cooldown_left(&policy, Some(sent), at(1)),
            Some(Duration::seconds(59))
        );
        assert_eq!(cooldown_left(&policy, Some(sent), at(60)), None);
        assert_eq!(
            cooldown_left(&policy, Some(sent), at(-3600)),
            Some(policy.cooldown)
        );
        let none = CodePolicy {
            cooldown: Duration::ZERO,
            ..policy
        };
        assert_eq!(cooldown_left(&none, Some(sent), at(-1)), None);
    }

    proptest! {
        #[test]
        fn a_code_compares_at_most_its_attempts_whatever_the_order_of_events(
            events in prop::collection::vec((0_i64..200, any::<bool>()), 0..60),
            attempts in 1_u32..8,
        ) {
            let mut code = session(100);
            let (mut compared, mut accepted) = (0, 0);
            for (at, right) in events {
                let now = Timestamp::from_micros(at);
                if code.admits_guess(now, attempts).is_ok() {
                    code.attempts += 1;
                    compared += 1;
                    prop_assert!(now < code.expires_at);
                    if right {
                        code.used_at = Some(now);
                        accepted += 1;
                    }
                }
            }
            prop_assert!(compared <= attempts);
            prop_assert!(accepted <= 1);
        }
    }
}
