//! When a provider believes this server no more, so that nothing that goes its way will be taken.
//!
//! One answer that says so proves little: whoever registers a subscription that they made under somebody else's VAPID key is always
//! answered so, and must not be able to silence everybody who shares their push service. So each person who is answered so has their
//! lane rest for seconds, several of them for longer; and all of them together for a few seconds of each minute while others are rung by it.

use std::collections::HashMap;

use time::Duration;

use crate::job::{self, Answer, Lane};
use crate::{Timestamp, UserId};

/// Of how many people a provider must have said it to be left alone for long.
pub const PEOPLE: usize = 5;

/// Within which time. In as much, one person has their lane rest once.
pub const WINDOW: Duration = Duration::minutes(10);

/// How long a lane rests for one person.
pub const BRIEFLY: Duration = Duration::seconds(5);

/// How long a message that was taken shows that the provider believes this server. In as much, a lane rests once for those whom it refuses
/// all the same.
pub const TRUST: Duration = Duration::minutes(1);

/// Of how many lanes it is remembered what they answered.
const MOST_LANES: usize = 1_024;

/// For how long a lane is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// For [`BRIEFLY`]: what was said of one person may be about them alone.
    Brief,
    /// As long as the job waits that found out ([`job::pause`]): it was said of [`PEOPLE`].
    Long,
}

impl Rest {
    /// Its end, when it begins at `now` by a job that had failed `failures` times.
    pub fn until(self, now: Timestamp, failures: u32) -> Timestamp {
        now + match self {
            Self::Brief => BRIEFLY,
            Self::Long => job::pause(failures),
        }
    }
}

/// What the providers of lanes answered, as far as a server has seen it.
#[derive(Debug, Default)]
pub struct Disbelief(HashMap<Lane, Doubt>);

#[derive(Debug, Default)]
struct Doubt {
    taken_at: Option<Timestamp>,
    /// When it last rested for somebody whom it refused while it took others' messages.
    rested_at: Option<Timestamp>,
    /// When it last was to rest for long.
    left_alone_at: Option<Timestamp>,
    people: Vec<(UserId, Timestamp)>,
}

impl Doubt {
    fn forget(&mut self, now: Timestamp) {
        self.people.retain(|(_, at)| now < *at + WINDOW);
        // After that it only says which of the people do not count.
        let says = if self.people.is_empty() && self.left_alone_at.is_none() {
            TRUST
        } else {
            WINDOW
        };
        self.taken_at = self.taken_at.filter(|at| now < *at + says);
        self.rested_at = self.rested_at.filter(|at| now < *at + TRUST);
        self.left_alone_at = self.left_alone_at.filter(|at| now < *at + WINDOW);
    }

    /// Whether it is known to believe this server: it took a message within [`TRUST`], or after it was to rest for long. Such a message was
    /// on its way by then, and nobody could show it anew while it rested.
    fn is_trusted(&self, now: Timestamp) -> bool {
        let showed = |at: Timestamp| now < at + TRUST || self.left_alone_at.is_some_and(|since| since <= at);
        self.taken_at.is_some_and(showed)
    }

    /// Adds a person who was not believed. Who is refused again and again counts by their last time, and no more.
    fn add(&mut self, user: UserId, now: Timestamp) -> Option<Rest> {
        self.forget(now);
        let before = self.people.len();
        self.people.retain(|(other, _)| *other != user);
        let is_new = self.people.len() == before;
        // The latest are enough to tell.
        if self.people.len() >= PEOPLE {
            self.people.remove(0);
        }
        self.people.push((user, now));
        if self.is_trusted(now) {
            let rests = is_new && self.rested_at.is_none();
            return rests.then(|| {
                self.rested_at = Some(now);
                Rest::Brief
            });
        }
        let since = |at: Timestamp| self.taken_at.is_none_or(|taken_at| taken_at < at);
        if self.people.iter().filter(|(_, at)| since(*at)).count() >= PEOPLE {
            self.people.clear();
            self.left_alone_at = Some(now);
            return Some(Rest::Long);
        }
        is_new.then_some(Rest::Brief)
    }

    const fn is_nothing(&self) -> bool {
        self.taken_at.is_none() && self.left_alone_at.is_none() && self.people.is_empty()
    }
}

impl Disbelief {
    /// Notes the answer to a message to `user` at `now`. Gives how the lane is to rest: its provider said that it does not believe
    /// this server. It rests briefly for each person in [`WINDOW`], and long once they are [`PEOPLE`] since whose first nobody's message
    /// was taken; it takes as many again for another long rest. If it took one within [`TRUST`], it rests briefly, and once in as much.
    pub fn note(&mut self, lane: &Lane, user: UserId, answer: Answer, now: Timestamp) -> Option<Rest> {
        match answer {
            Answer::Accepted => {
                self.of(lane, now)?.taken_at = Some(now);
                None
            }
            Answer::Misconfigured => self.of(lane, now)?.add(user, now),
            Answer::Gone | Answer::Refused(_) | Answer::Failed { .. } => None,
        }
    }

    /// What is known of a lane. A stranger who brings push services of their own makes no more than [`MOST_LANES`] be remembered; of
    /// more than those none rests.
    fn of(&mut self, lane: &Lane, now: Timestamp) -> Option<&mut Doubt> {
        if !self.0.contains_key(lane) {
            if self.0.len() >= MOST_LANES {
                self.0.retain(|_, doubt| {
                    doubt.forget(now);
                    !doubt.is_nothing()
                });
            }
            if self.0.len() >= MOST_LANES {
                return None;
            }
            self.0.insert(lane.clone(), Doubt::default());
        }
        self.0.get_mut(lane)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn user(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    /// A push service, asked for one person after the other.
    struct Service(Disbelief, Lane);

    impl Service {
        fn new() -> Self {
            Self(Disbelief::default(), Lane::restore("push.example.com"))
        }

        fn disbelieves(&mut self, person: u128, seconds: i64) -> Option<Rest> {
            self.0
                .note(&self.1, user(person), Answer::Misconfigured, at(seconds))
        }

        fn takes(&mut self, person: u128, seconds: i64) {
            assert_eq!(
                self.0.note(&self.1, user(person), Answer::Accepted, at(seconds)),
                None
            );
        }
    }

    #[test]
    fn one_person_delays_others_for_seconds_once_in_ten_minutes() {
        let mut service = Service::new();
        assert_eq!(service.disbelieves(1, 0), Some(Rest::Brief));
        assert!((0..1_000).all(|n| service.disbelieves(1, n).is_none()));
        assert_eq!(service.disbelieves(1, 999 + 599), None);
        assert_eq!(service.disbelieves(1, 999 + 599 + 600), Some(Rest::Brief));
    }

    #[test]
    fn a_service_that_refuses_everybody_rests_long_and_is_asked_again() {
        let mut service = Service::new();
        assert!((1..5).all(|person| service.disbelieves(person, 0) == Some(Rest::Brief)));
        assert_eq!(service.disbelieves(5, 599), Some(Rest::Long));
        // It takes as many again.
        assert!((1..5).all(|person| service.disbelieves(person, 700) == Some(Rest::Brief)));
        assert_eq!(service.disbelieves(5, 700), Some(Rest::Long));
    }

    #[test]
    fn people_who_were_refused_long_ago_do_not_count() {
        let mut service = Service::new();
        assert!((1..5).all(|person| service.disbelieves(person, 0) == Some(Rest::Brief)));
        assert!((5..9).all(|person| service.disbelieves(person, 600) == Some(Rest::Brief)));
        assert_eq!(service.disbelieves(9, 601), Some(Rest::Long));
    }

    #[test]
    fn a_service_that_takes_somebodys_message_believes_this_server() {
        let mut service = Service::new();
        assert!((1..5).all(|person| service.disbelieves(person, 0) == Some(Rest::Brief)));
        service.takes(100, 1);
        assert!((1..5).all(|person| service.disbelieves(person, 60).is_none()));
        // A minute later nobody knows, and those who were refused since tell.
        assert_eq!(service.disbelieves(100, 61), Some(Rest::Long));
    }

    #[test]
    fn however_many_are_refused_by_a_service_that_takes_others_it_rests_seconds_of_each_minute() {
        let mut service = Service::new();
        for minute in 0..30 {
            service.takes(0, 60 * minute);
            let mut rests = (0..60).filter_map(|n| {
                let seconds = 60 * minute + n;
                service.takes(0, seconds);
                service.disbelieves(u128::from(seconds.unsigned_abs()) + 1, seconds)
            });
            assert_eq!((rests.next(), rests.next()), (Some(Rest::Brief), None));
        }
        // And for one person once in ten minutes, as ever.
        assert!(
            (1_800..2_400)
                .filter_map(|seconds| {
                    service.takes(0, seconds);
                    service.disbelieves(7, seconds)
                })
                .eq([Rest::Brief])
        );
    }

    #[test]
    fn what_is_taken_as_a_long_rest_begins_keeps_another_from_following() {
        let mut service = Service::new();
        let rests = |service: &mut Service, seconds| -> Vec<Rest> {
            (1..6)
                .filter_map(|person| service.disbelieves(person, seconds))
                .collect()
        };
        assert!(rests(&mut service, 0).contains(&Rest::Long));
        service.takes(100, 0);
        // As it ends, those are asked first who are refused again.
        assert_eq!(rests(&mut service, 64), [Rest::Brief]);
        assert_eq!(rests(&mut service, 124), []);
        // What it took then says nothing of ten minutes later.
        assert!(rests(&mut service, 600).contains(&Rest::Long));
    }

    #[test]
    fn a_rest_is_seconds_for_one_and_minutes_for_several() {
        assert_eq!(Rest::Brief.until(at(1), 7), at(6));
        assert_eq!(Rest::Long.until(at(1), 0), at(1) + job::pause(0));
        assert!(Rest::Long.until(at(1), 0) > at(61));
    }

    #[test]
    fn lanes_are_told_apart_and_not_remembered_without_end() {
        let mut service = Service::new();
        for n in 0..10_000 {
            service.1 = Lane::restore(&format!("push-{n}.example.com"));
            service.takes(1, 0);
        }
        assert_eq!(service.0.0.len(), MOST_LANES);
        service.takes(1, 60);
        assert_eq!(service.0.0.len(), 1, "what says nothing any more makes room");
        let (one, other) = (Lane::restore("a"), Lane::restore("b"));
        for (person, lane) in (1..).zip([&one, &other].into_iter().cycle().take(8)) {
            let rest = service.0.note(lane, user(person), Answer::Misconfigured, at(60));
            assert_eq!(rest, Some(Rest::Brief));
        }
        let rest = service.0.note(&one, user(9), Answer::Misconfigured, at(60));
        assert_eq!(rest, Some(Rest::Long));
    }
}
