//! When a provider believes this server no more, so that nothing that goes its way will be taken.
//!
//! One answer that says so proves nothing: whoever registers a subscription that they made under somebody else's VAPID key is always
//! answered so, and must not be able to silence everybody who shares their push service. It is believed of several people at once,
//! of whom nobody was rung meanwhile.

use std::collections::HashMap;

use time::Duration;

use crate::job::{Answer, Lane};
use crate::{Timestamp, UserId};

/// Of how many people a provider must have said it.
pub const PEOPLE: usize = 5;

/// Within which time.
pub const WINDOW: Duration = Duration::minutes(10);

/// How long a message that was taken shows that the provider believes this server.
pub const TRUST: Duration = Duration::minutes(1);

/// Of how many lanes it is remembered what they answered.
const MOST_LANES: usize = 1_024;

/// What the providers of lanes answered, as far as a server has seen it.
#[derive(Debug, Default)]
pub struct Disbelief(HashMap<Lane, Doubt>);

#[derive(Debug, Default)]
struct Doubt {
    taken_at: Option<Timestamp>,
    people: Vec<(UserId, Timestamp)>,
}

impl Doubt {
    fn forget(&mut self, now: Timestamp) {
        self.taken_at = self.taken_at.filter(|at| now < *at + TRUST);
        self.people.retain(|(_, at)| now < *at + WINDOW);
    }

    const fn is_nothing(&self) -> bool {
        self.taken_at.is_none() && self.people.is_empty()
    }
}

impl Disbelief {
    /// Notes the answer to a message to `user` at `now`. Gives whether the lane is to rest: its provider said of [`PEOPLE`] within
    /// [`WINDOW`] that it does not believe this server, and took nothing since the first of them, nor within [`TRUST`]. It takes as
    /// many again for another rest.
    pub fn note(&mut self, lane: &Lane, user: UserId, answer: Answer, now: Timestamp) -> bool {
        match answer {
            Answer::Accepted => {
                if let Some(doubt) = self.of(lane, now) {
                    doubt.taken_at = Some(now);
                    doubt.people.clear();
                }
                false
            }
            Answer::Misconfigured => {
                let Some(doubt) = self.of(lane, now) else {
                    return false;
                };
                doubt.forget(now);
                doubt.people.retain(|(other, _)| *other != user);
                // The latest are enough to tell.
                if doubt.people.len() >= PEOPLE {
                    doubt.people.remove(0);
                }
                doubt.people.push((user, now));
                let rests = doubt.taken_at.is_none() && doubt.people.len() >= PEOPLE;
                if rests {
                    doubt.people.clear();
                }
                rests
            }
            Answer::Gone | Answer::Refused(_) | Answer::Failed { .. } => false,
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

        fn disbelieves(&mut self, person: u128, seconds: i64) -> bool {
            self.0
                .note(&self.1, user(person), Answer::Misconfigured, at(seconds))
        }

        fn takes(&mut self, person: u128, seconds: i64) {
            assert!(!self.0.note(&self.1, user(person), Answer::Accepted, at(seconds)));
        }
    }

    #[test]
    fn one_person_silences_nobody_however_often_they_are_refused() {
        let mut service = Service::new();
        assert!((0..1_000).all(|n| !service.disbelieves(1, n)));
    }

    #[test]
    fn a_service_that_refuses_everybody_rests_and_is_asked_again() {
        let mut service = Service::new();
        assert!((1..5).all(|person| !service.disbelieves(person, 0)));
        assert!(service.disbelieves(5, 599));
        // It takes as many again.
        assert!((1..5).all(|person| !service.disbelieves(person, 700)));
        assert!(service.disbelieves(5, 700));
    }

    #[test]
    fn people_who_were_refused_long_ago_do_not_count() {
        let mut service = Service::new();
        assert!((1..5).all(|person| !service.disbelieves(person, 0)));
        assert!(!service.disbelieves(5, 600));
        assert!((6..9).all(|person| !service.disbelieves(person, 601)));
        assert!(service.disbelieves(9, 602));
    }

    #[test]
    fn a_service_that_takes_somebodys_message_believes_this_server() {
        let mut service = Service::new();
        assert!((1..5).all(|person| !service.disbelieves(person, 0)));
        service.takes(100, 1);
        assert!((1..100).all(|person| !service.disbelieves(person, 60)));
        // A minute later nobody knows, and those who were refused since tell.
        assert!(service.disbelieves(100, 61));
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
            assert!(!service.0.note(lane, user(person), Answer::Misconfigured, at(60)));
        }
        assert!(service.0.note(&one, user(9), Answer::Misconfigured, at(60)));
    }
}
