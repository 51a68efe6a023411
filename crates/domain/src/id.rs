//! Identities that the service makes: UUIDv7 (RFC 9562 §5.7), the same for the same thing in every dialect.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::{Entropy, Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that is already known, from a row or a token.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The id's 128 bits.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Reads the hyphenated text form that answers carry; anything else is `None`.
            pub fn parse(text: &str) -> Option<Self> {
                // Other spellings of a UUID (braces, no hyphens, capitals) would give one thing two names.
                let id = Uuid::try_parse(text).ok()?;
                (id.as_hyphenated().to_string() == text).then_some(Self(id))
            }

            /// When it was made, to the millisecond: what its first 48 bits say.
            pub fn made_at(self) -> Timestamp {
                let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(0);
                Timestamp::from_micros(millis * 1_000)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }
    )*};
}

ids! {
    /// A person's account.
    UserId;
    /// One sign-in of a user, over all its refreshes; a token's `sid`.
    SessionId;
    /// A device's row, as opposed to the [`DeviceId`](crate::text::DeviceId) that its client chose.
    DeviceUid;
    /// A push token's row; Rocket.Chat's `_id`.
    TokenId;
    /// A Web Push subscription.
    SubscriptionId;
    /// One issued one-time code.
    OtpSessionId;
    /// One line of the audit trail.
    AuditId;
    /// A message that was accepted for delivery.
    MessageId;
    /// The delivery of one message to one credential.
    JobId;
    /// A key by which a back end sends messages.
    ApiKeyId;
}

/// Ids drawn for one piece of work before it is decided how many it needs.
///
/// Deterministic once drawn, so that a plan can be computed again and give the same ids. Ids of one draw
/// sort in the order they were taken.
#[derive(Clone, Debug)]
pub struct FreshIds {
    at: Timestamp,
    seed: [u8; 16],
    taken: u16,
}

impl FreshIds {
    /// Draws the seed for ids made at `at`.
    pub fn draw(at: Timestamp, entropy: &dyn Entropy) -> Self {
        Self {
            at,
            seed: entropy.bytes(),
            taken: 0,
        }
    }

    /// An id that every id drawn up to `at`'s millisecond is below, and none of a later one.
    pub fn beyond(at: Timestamp) -> Uuid {
        Builder::from_unix_timestamp_millis(millis(at) + 1, &[0; 10]).into_uuid()
    }

    /// The next id of this draw.
    pub fn take(&mut self) -> Uuid {
        let digest = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.taken.to_be_bytes())
            .finalize();
        let mut tail = [0; 10];
        for (to, from) in tail.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        // The count fills `rand_a` (RFC 9562 §6.2, method 1) and keeps a draw in order; the 62 random bits
        // after it keep two draws of one millisecond apart.
        let [high, low] = self.taken.to_be_bytes();
        let [first, second, ..] = &mut tail;
        (*first, *second) = (high, low);
        self.taken = self.taken.wrapping_add(1);
        Builder::from_unix_timestamp_millis(millis(self.at), &tail).into_uuid()
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.micros().div_euclid(1_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn ids_are_version_7_carry_their_millisecond_and_never_repeat_within_a_draw() {
        let at = Timestamp::from_micros(1_790_000_000_123_456);
        let mut ids = FreshIds::draw(at, &Fixed(7));
        let drawn: Vec<_> = (0..16).map(|_| ids.take()).collect();
        for id in &drawn {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(
                UserId::from_uuid(*id).made_at(),
                Timestamp::from_micros(1_790_000_000_123_000)
            );
        }
        let mut sorted = drawn.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted, drawn, "distinct, and in the order they were taken");
    }

    #[test]
    fn a_draw_gives_the_same_ids_again_and_another_seed_gives_others() {
        let at = Timestamp::from_micros(1);
        let take = |seed| FreshIds::draw(at, &Fixed(seed)).take();
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }

    #[test]
    fn a_millisecond_can_be_told_from_the_next_by_its_ids() {
        let at = |micros: i64| Timestamp::from_micros(1_790_000_000_000_000 + micros);
        let drawn = |micros, fill| FreshIds::draw(at(micros), &Fixed(fill)).take();
        for fill in [0, 7, 255] {
            for until in [1_000, 1_999] {
                let beyond = FreshIds::beyond(at(until));
                assert!(drawn(1_000, fill) < beyond && drawn(1_999, fill) < beyond);
                assert!(drawn(2_000, fill) >= beyond);
            }
        }
    }

    #[test]
    fn only_the_canonical_spelling_names_a_thing() {
        let text = "0192f0c1-2b3d-7c4e-8f50-123456789abc";
        assert_eq!(
            UserId::parse(text).map(|id| id.to_string()).as_deref(),
            Some(text)
        );
        for other in [
            "",
            "x",
            "0192F0C1-2B3D-7C4E-8F50-123456789ABC",
            "0192f0c12b3d7c4e8f50123456789abc",
        ] {
            assert_eq!(UserId::parse(other), None, "{other}");
        }
    }
}
