//! When a credential is held for dead.
//!
//! One answer of a push service is not believed alone: a service that fails may say of everybody that they are gone. The first such
//! answer disables a credential; from a day later on messages try it again, and if it is dead then too, it is removed. Registering it
//! again ends every suspicion. And when a service says it of too many, nobody is held for dead until an operator says so.

use time::Duration;

use crate::job::CredentialFate;
use crate::{Timestamp, UserId};

/// How long after the first proof a second one may be asked for.
pub const PROBE_AFTER: Duration = Duration::days(1);

/// After which time a suspect is removed even if nobody asked for a second proof.
pub const LONGEST: Duration = Duration::days(30);

/// Whether a credential that is suspect since `since` may be rung at `now`, as a probe.
pub fn may_probe(since: Timestamp, now: Timestamp) -> bool {
    now >= since + PROBE_AFTER
}

/// What becomes of a credential that its provider says is gone, at `now`; `since` is when it became suspect, if it is.
pub fn gone(since: Option<Timestamp>, now: Timestamp) -> CredentialFate {
    match since {
        None => CredentialFate::Suspect,
        Some(since) if may_probe(since, now) => CredentialFate::Remove,
        // An attempt that was under way when the first proof came is no second one.
        Some(_) => CredentialFate::Keep,
    }
}

/// The answers of one minute, as far as a server has seen them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    minute: i64,
    all: u32,
    gone: u32,
    people: Vec<UserId>,
}

impl Answers {
    /// How many answers of a minute say anything at all.
    pub const ENOUGH: u32 = 50;

    /// Of how many people it must have been said that something of theirs is gone: one alone may register what is not there.
    pub const PEOPLE: usize = 5;

    /// Counts an answer at `now` about something of `user`'s. Gives whether too many of this minute's say that a credential is gone:
    /// more than a fifth, of at least [`Self::ENOUGH`], and of at least [`Self::PEOPLE`].
    pub fn count(&mut self, user: UserId, gone: bool, now: Timestamp) -> bool {
        let minute = now.unix_seconds().div_euclid(60);
        if minute != self.minute {
            *self = Self {
                minute,
                ..Self::default()
            };
        }
        self.all = self.all.saturating_add(1);
        self.gone = self.gone.saturating_add(gone.into());
        if gone && self.people.len() < Self::PEOPLE && !self.people.contains(&user) {
            self.people.push(user);
        }
        self.all >= Self::ENOUGH
            && u64::from(self.gone) * 5 > u64::from(self.all)
            && self.people.len() >= Self::PEOPLE
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn it_takes_two_proofs_a_day_apart() {
        assert_eq!(gone(None, at(0)), CredentialFate::Suspect);
        assert_eq!(gone(Some(at(0)), at(86_399)), CredentialFate::Keep);
        assert_eq!(gone(Some(at(0)), at(86_400)), CredentialFate::Remove);
    }

    fn user(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_fifth_of_a_minutes_answers_is_borne_and_more_is_not() {
        let mut answers = Answers::default();
        let mut count = |n, gone, now| answers.count(user(n), gone, at(now));
        assert!((0..49).all(|n| !count(n, true, 0)), "too few to say anything");
        assert!(count(49, true, 59));
        // Another minute begins anew.
        assert!((0..10).all(|n| !count(n, true, 60)) && (0..40).all(|n| !count(n, false, 61)));
        assert!(count(1, true, 62));
    }

    #[test]
    fn four_people_have_nobody_elses_death_doubted() {
        let mut answers = Answers::default();
        let mut count = |n: u128| answers.count(user(n), true, at(0));
        assert!((0..1_000).all(|n| !count(n % 4)));
        assert!(count(4));
    }
}
