//! When a key that signs access tokens does what.
//!
//! A key is published from the moment it is made, signs from a later one, and in the end retires. All servers judge this by the
//! time of each use, so they change over together, and a token's readers have met the key before its first token.

use thiserror::Error;
use time::Duration;
use uuid::Uuid;

use crate::Timestamp;
use crate::session::SessionPolicy;

/// A key's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// From when on it signs, while no later key does.
    pub starts_at: Timestamp,
    /// From when on it is good for nothing; `None` while no successor is there.
    pub retires_at: Option<Timestamp>,
}

impl KeyLife {
    /// The life of a key that signs from `starts_at` and has no successor.
    pub const fn since(starts_at: Timestamp) -> Self {
        Self {
            starts_at,
            retires_at: None,
        }
    }

    /// Whether it is over at `now`.
    pub fn is_retired(&self, now: Timestamp) -> bool {
        self.retires_at.is_some_and(|at| now >= at)
    }

    /// Whether it waits for its start at `now`.
    pub fn is_pending(&self, now: Timestamp) -> bool {
        now < self.starts_at && !self.is_retired(now)
    }

    /// Whether tokens that it signed are believed at `now`, and the set of public keys shows it. Before its start too: a server
    /// whose clock is ahead may have signed with it already.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.is_retired(now)
    }
}

/// A thing with a key's times.
pub trait HasLife {
    /// Its times.
    fn life(&self) -> KeyLife;
}

/// Which of `keys`, newest first, signs at `now`: of those that have begun and are not retired the one that began last.
///
/// Where none has begun yet, as for a server whose clock is behind, it is the one that begins first. `None` where all are
/// retired.
pub fn signer<K: HasLife>(keys: &[K], now: Timestamp) -> Option<&K> {
    let good = || keys.iter().filter(move |key| key.life().is_good(now));
    good()
        .filter(|key| key.life().starts_at <= now)
        // Of two that began at once the first in order.
        .reduce(|last, key| {
            if key.life().starts_at > last.life().starts_at {
                key
            } else {
                last
            }
        })
        .or_else(|| good().min_by_key(|key| key.life().starts_at))
}

/// How a rotation is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    /// How long a new key is shown before it signs.
    pub notice: Duration,
    /// How long an access token lives.
    pub access: Duration,
    /// How much longer than its last token an old key is kept, for servers that learned late and clocks that differ.
    pub slack: Duration,
}

impl RotationPolicy {
    /// Six minutes of notice: the public keys are cached for five by those who verify tokens by them, and servers look for new
    /// keys every few seconds. Ten minutes of slack.
    pub const STANDARD: Self = Self {
        notice: Duration::minutes(6),
        access: SessionPolicy::STANDARD.access,
        slack: Duration::minutes(10),
    };

    /// When keys retire whose successor starts at `start`: no token of theirs is alive then.
    fn end_after(&self, start: Timestamp) -> Timestamp {
        start + self.access + self.slack
    }
}

/// How urgent a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// With notice, so that nobody meets a token whose key they cannot know.
    Planned,
    /// The new key signs at once; tokens of the old ones live to their end.
    Now,
    /// The new key signs at once, and tokens of all others are refused from now on.
    Revoke,
}

/// A key that is there, as whoever adds another sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Its row, and the text of it the `kid`.
    pub id: Uuid,
    /// Its times.
    pub life: KeyLife,
}

impl HasLife for KnownKey {
    fn life(&self) -> KeyLife {
        self.life
    }
}

/// What a rotation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// When the new key signs.
    pub starts_at: Timestamp,
    /// Which keys get which end.
    pub retire: Vec<(Uuid, Timestamp)>,
    /// Which keys were retired already, and go.
    pub remove: Vec<Uuid>,
}

/// Why no key is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RotationRefused {
    /// Another rotation is under way.
    #[error("the key {id} was added already and has not begun to sign")]
    Pending {
        /// The key that it added.
        id: Uuid,
        /// When that signs.
        starts_at: Timestamp,
    },
    /// There is no key yet: the first server that starts makes one.
    #[error("this database has no signing key yet; a server that starts makes one")]
    NoKey,
}

impl KeyRotation {
    /// Decides a rotation of `keys` at `now`.
    ///
    /// A planned one is refused while an earlier one's key waits for its start: two that are asked for at once add one key. One that
    /// cannot wait is never refused for that; the waiting key, which has signed nothing, retires at once.
    pub fn decide(
        keys: &[KnownKey],
        now: Timestamp,
        urgency: Urgency,
        policy: &RotationPolicy,
    ) -> Result<Self, RotationRefused> {
        if keys.is_empty() {
            return Err(RotationRefused::NoKey);
        }
        let pending = keys.iter().find(|key| key.life.is_pending(now));
        if let (Urgency::Planned, Some(KnownKey { id, life })) = (urgency, pending) {
            return Err(RotationRefused::Pending {
                id: *id,
                starts_at: life.starts_at,
            });
        }
        let starts_at = match urgency {
            Urgency::Planned => now + policy.notice,
            Urgency::Now | Urgency::Revoke => now,
        };
        let (gone, good): (Vec<&KnownKey>, Vec<&KnownKey>) =
            keys.iter().partition(|key| key.life.is_retired(now));
        let retire = good.into_iter().filter_map(|key| {
            let end = match urgency {
                Urgency::Revoke => now,
                Urgency::Now if key.life.is_pending(now) => now,
                Urgency::Planned | Urgency::Now => policy.end_after(starts_at),
            };
            // An end that is there already is never put off.
            let is_news = key.life.retires_at.is_none_or(|at| end < at);
            is_news.then_some((key.id, end))
        });
        Ok(Self {
            starts_at,
            retire: retire.collect(),
            remove: gone.into_iter().map(|key| key.id).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RotationPolicy = RotationPolicy::STANDARD;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn key(n: u128, starts: i64, retires: Option<i64>) -> KnownKey {
        KnownKey {
            id: Uuid::from_u128(n),
            life: KeyLife {
                starts_at: at(starts),
                retires_at: retires.map(at),
            },
        }
    }

    fn signs(keys: &[KnownKey], now: i64) -> Option<u128> {
        signer(keys, at(now)).map(|key| key.id.as_u128())
    }

    fn decide(keys: &[KnownKey], now: i64, urgency: Urgency) -> Result<KeyRotation, RotationRefused> {
        KeyRotation::decide(keys, at(now), urgency, &POLICY)
    }

    /// The keys after a rotation that adds key `n`, newest first.
    fn rotated(keys: &[KnownKey], now: i64, urgency: Urgency, n: u128) -> Vec<KnownKey> {
        let rotation = decide(keys, now, urgency).expect("rotates");
        let mut after: Vec<_> = keys
            .iter()
            .filter(|key| !rotation.remove.contains(&key.id))
            .copied()
            .collect();
        for key in &mut after {
            if let Some((_, end)) = rotation.retire.iter().find(|(id, _)| *id == key.id) {
                key.life.retires_at = Some(*end);
            }
        }
        after.insert(
            0,
            KnownKey {
                id: Uuid::from_u128(n),
                life: KeyLife::since(rotation.starts_at),
            },
        );
        after
    }

    #[test]
    fn a_key_is_good_until_it_retires_and_not_a_moment_longer() {
        let KnownKey { life, .. } = key(1, 10, Some(20));
        let just_before = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 - 1);
        assert!(life.is_pending(at(0)) && life.is_good(at(0)));
        assert!(life.is_pending(just_before(10)) && !life.is_pending(at(10)));
        assert!(life.is_good(just_before(20)) && !life.is_good(at(20)));
        assert!(
            !key(1, 10, Some(5)).life.is_pending(at(7)),
            "revoked before it began"
        );
    }

    #[test]
    fn the_key_that_began_last_signs() {
        let keys = [key(3, 200, None), key(2, 100, Some(300)), key(1, 0, Some(250))];
        assert_eq!(signs(&keys, 0), Some(1));
        assert_eq!(signs(&keys, 99), Some(1));
        assert_eq!(signs(&keys, 100), Some(2));
        assert_eq!(signs(&keys, 199), Some(2));
        assert_eq!(signs(&keys, 200), Some(3));
        // A clock that is behind all starts signs with what began first.
        assert_eq!(signs(&keys, -1), Some(1));
        // Two that began at once: the newest.
        assert_eq!(signs(&[key(2, 0, None), key(1, 0, None)], 0), Some(2));
        assert_eq!(signs(&[key(1, 0, Some(5))], 5), None);
        assert_eq!(signs(&[], 0), None);
    }

    #[test]
    fn a_planned_rotation_gives_notice_and_lets_old_tokens_live_out() {
        let rotation = decide(&[key(1, 0, None)], 1_000, Urgency::Planned).expect("rotates");
        assert_eq!(
            rotation,
            KeyRotation {
                starts_at: at(1_360),
                retire: vec![(Uuid::from_u128(1), at(1_360 + 3_600 + 600))],
                remove: vec![],
            }
        );
    }

    #[test]
    fn a_second_rotation_is_refused_until_the_first_ones_key_signs() {
        let keys = rotated(&[key(1, 0, None)], 1_000, Urgency::Planned, 2);
        for now in [1_000, 1_359] {
            let refused = RotationRefused::Pending {
                id: Uuid::from_u128(2),
                starts_at: at(1_360),
            };
            assert_eq!(decide(&keys, now, Urgency::Planned), Err(refused));
        }
        // Then it is not, and an end that was set stays.
        let rotation = decide(&keys, 1_360, Urgency::Planned).expect("rotates");
        assert_eq!(rotation.retire, [(Uuid::from_u128(2), at(1_720 + 4_200))]);
        assert_eq!(decide(&[], 0, Urgency::Planned), Err(RotationRefused::NoKey));
    }

    #[test]
    fn what_cannot_wait_starts_at_once_and_puts_the_waiting_key_aside() {
        let keys = rotated(&[key(1, 0, None)], 1_000, Urgency::Planned, 2);
        let rotation = decide(&keys, 1_100, Urgency::Now).expect("rotates");
        assert_eq!(rotation.starts_at, at(1_100));
        // Its end was at 5,560; it need not live longer than its tokens.
        assert_eq!(
            rotation.retire,
            [(Uuid::from_u128(2), at(1_100)), (Uuid::from_u128(1), at(5_300))]
        );
        let rotation = decide(&keys, 1_100, Urgency::Revoke).expect("rotates");
        assert_eq!(
            rotation.retire,
            [(Uuid::from_u128(2), at(1_100)), (Uuid::from_u128(1), at(1_100))]
        );
        let keys = rotated(&keys, 1_100, Urgency::Revoke, 3);
        assert_eq!(signs(&keys, 1_100), Some(3));
        assert_eq!(keys.iter().filter(|key| key.life.is_good(at(1_100))).count(), 1);
    }

    #[test]
    fn retired_keys_go_with_the_next_rotation() {
        let keys = [key(2, 100, None), key(1, 0, Some(500))];
        let early = decide(&keys, 499, Urgency::Planned).expect("rotates");
        assert!(early.remove.is_empty());
        let rotation = decide(&keys, 500, Urgency::Planned).expect("rotates");
        assert_eq!(rotation.remove, [Uuid::from_u128(1)]);
        assert!(rotation.retire.iter().all(|(id, _)| *id == Uuid::from_u128(2)));
    }

    proptest! {
        /// However often keys are rotated with notice, and whenever: a token is believed as long as it lives, and whoever looked
        /// for the keys within the five minutes before knows the one that signed it.
        #[test]
        fn nobody_meets_a_token_whose_key_they_cannot_know(
            gaps in prop::collection::vec(0_i64..10_000, 1..8),
            signed_at in 0_i64..60_000,
        ) {
            let mut keys = vec![key(1, 0, None)];
            let (mut all, mut now) = (vec![(0, keys.clone())], 0);
            for (n, gap) in (2..).zip(gaps) {
                now += gap;
                if decide(&keys, now, Urgency::Planned).is_ok() {
                    keys = rotated(&keys, now, Urgency::Planned, n);
                    all.push((now, keys.clone()));
                }
            }
            // What servers hold at an instant: the keys after the last rotation before it.
            let held = |now: i64| &all.iter().rev().find(|(from, _)| *from <= now).expect("the first").1;
            let by = signer(held(signed_at), at(signed_at)).expect("some key signs").id;
            for later in [0, 1, 1_800, 3_600, 3_605] {
                let good = |key: &KnownKey| key.id == by && key.life.is_good(at(signed_at + later));
                prop_assert!(held(signed_at + later).iter().any(good), "{later} s later");
            }
            let before = (signed_at - 300).max(0);
            let shown = |key: &KnownKey| key.id == by && key.life.is_good(at(before));
            prop_assert!(held(before).iter().any(shown));
        }
    }
}
