//! Counters that all servers share, one a key, and several for a key that everybody counts against.
//!
//! A counter that everybody writes would let writers wait for each other. Such a key has shards, each with its share of
//! the limit: who counts takes any that has room, so that together they never accept more than the limit.

use std::fmt;

use time::Duration;

use super::Limit;
use crate::Timestamp;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Codes sent.
    AllSends,
    /// Codes sent to a country.
    CountrySends,
    /// Guesses from a network.
    NetworkVerifies,
    /// Refreshes from a network.
    NetworkRefreshes,
    /// Codes sent for a network.
    NetworkSends,
    /// Codes sent to a range of numbers.
    PrefixSends,
    /// Messages that a user sends to themselves.
    PushTests,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 7] = [
        Self::AllSends,
        Self::CountrySends,
        Self::NetworkVerifies,
        Self::NetworkRefreshes,
        Self::NetworkSends,
        Self::PrefixSends,
        Self::PushTests,
    ];

    /// The name that rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllSends => "all_sends",
            Self::CountrySends => "country_sends",
            Self::NetworkVerifies => "network_verifies",
            Self::NetworkRefreshes => "network_refreshes",
            Self::NetworkSends => "network_sends",
            Self::PrefixSends => "prefix_sends",
            Self::PushTests => "push_tests",
        }
    }

    /// The scope of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    const fn shards(self) -> u32 {
        match self {
            Self::AllSends | Self::CountrySends => 16,
            Self::NetworkVerifies
            | Self::NetworkRefreshes
            | Self::NetworkSends
            | Self::PrefixSends
            | Self::PushTests => 1,
        }
    }
}

/// One more of `scope` for `key`, if its limit allows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// What.
    pub scope: Scope,
    /// Whose.
    pub key: String,
    /// Up to how many.
    pub limit: Limit,
}

impl Claim {
    pub(super) fn new(scope: Scope, key: String, limit: Limit) -> Self {
        Self { scope, key, limit }
    }

    /// The shards that have a share of the limit.
    fn shards(&self) -> u32 {
        self.scope.shards().min(self.limit.most).max(1)
    }

    fn share(&self, shard: u32) -> u32 {
        let shards = self.shards();
        self.limit.most / shards + u32::from(shard < self.limit.most % shards)
    }

    fn place(&self, shard: u32, now: Timestamp) -> Place {
        Place {
            scope: self.scope,
            key: self.key.clone(),
            shard,
            most: self.share(shard),
            ends_at: now + self.limit.window,
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({:?}, {:?})", self.scope, self.limit)
    }
}

/// One counter to count in.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// What.
    pub scope: Scope,
    /// Whose.
    pub key: String,
    /// Which of the key's counters.
    pub shard: u32,
    /// Up to how many in this one.
    pub most: u32,
    /// When the window ends, if this request begins it.
    pub ends_at: Timestamp,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({:?}, {}, {})", self.scope, self.shard, self.most)
    }
}

/// A counter as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// What it counts.
    pub scope: Scope,
    /// For whom.
    pub key: String,
    /// Which of the key's counters.
    pub shard: u32,
    /// When its window ends.
    pub ends_at: Timestamp,
    /// How many were accepted in it.
    pub count: u32,
}

impl Counter {
    /// Whether one more is accepted at `now`: its window is over, or has room. A store counts exactly when it is.
    pub fn admits(&self, most: u32, now: Timestamp) -> bool {
        self.ends_at <= now || self.count < most
    }
}

/// A place for each claim, none of them looked at: `pick` chooses among a key's counters.
///
/// They are in the order in which rows are locked.
pub fn places(claims: &[Claim], pick: u32, now: Timestamp) -> Vec<Place> {
    sorted(claims.iter().map(|claim| claim.place(pick % claim.shards(), now)))
}

/// A place with room for each claim, or how long until there may be one for all.
pub fn find_room(
    claims: &[Claim],
    counters: &[Counter],
    pick: u32,
    now: Timestamp,
) -> Result<Vec<Place>, Duration> {
    let mut found = Vec::with_capacity(claims.len());
    let mut longest: Option<Duration> = None;
    for claim in claims {
        match claim.room(counters, pick, now) {
            Ok(shard) => found.push(claim.place(shard, now)),
            Err(wait) => longest = longest.max(Some(wait)),
        }
    }
    match longest {
        None => Ok(sorted(found.into_iter())),
        Some(wait) => Err(wait),
    }
}

impl Claim {
    /// A counter of the key that has room, looked for from `pick` on, or when the first will have some.
    fn room(&self, counters: &[Counter], pick: u32, now: Timestamp) -> Result<u32, Duration> {
        let shards = self.shards();
        let mut soonest: Option<Duration> = None;
        for step in 0..shards {
            let shard = (pick % shards + step) % shards;
            let counter = counters
                .iter()
                .find(|c| (c.scope, c.key.as_str(), c.shard) == (self.scope, self.key.as_str(), shard));
            match counter.filter(|counter| !counter.admits(self.share(shard), now)) {
                None => return Ok(shard),
                Some(full) => {
                    // A window begun by a clock that is ahead makes nobody wait longer than a window.
                    let wait = full.ends_at.since(now).min(self.limit.window);
                    soonest = Some(soonest.map_or(wait, |known| known.min(wait)));
                }
            }
        }
        Err(soonest.unwrap_or(self.limit.window))
    }
}

fn sorted(places: impl Iterator<Item = Place>) -> Vec<Place> {
    let mut places: Vec<Place> = places.collect();
    places.sort_by(|a, b| (a.scope.name(), &a.key, a.shard).cmp(&(b.scope.name(), &b.key, b.shard)));
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(0) + Duration::seconds(seconds)
    }

    fn claim(scope: Scope, most: u32) -> Claim {
        let limit = Limit {
            most,
            window: Duration::hours(1),
        };
        Claim::new(scope, "k".to_owned(), limit)
    }

    /// What a store does with a place that has room.
    fn count(counters: &mut Vec<Counter>, place: &Place, now: Timestamp) -> bool {
        let known = counters
            .iter_mut()
            .find(|c| (c.scope, &c.key, c.shard) == (place.scope, &place.key, place.shard));
        match known {
            None => counters.push(Counter {
                scope: place.scope,
                key: place.key.clone(),
                shard: place.shard,
                ends_at: place.ends_at,
                count: 1,
            }),
            Some(counter) if !counter.admits(place.most, now) => return false,
            Some(counter) if counter.ends_at <= now => {
                counter.ends_at = place.ends_at;
                counter.count = 1;
            }
            Some(counter) => counter.count += 1,
        }
        true
    }

    #[test]
    fn a_window_begins_with_its_first_request_and_ends_for_whoever_waits_as_told() {
        let (claims, mut counters) = ([claim(Scope::NetworkSends, 2)], Vec::new());
        for now in [at(0), at(10)] {
            let [place] = &find_room(&claims, &counters, 0, now).expect("room")[..] else {
                panic!("one claim has one place")
            };
            assert!(count(&mut counters, place, now));
        }
        assert_eq!(
            find_room(&claims, &counters, 0, at(600)),
            Err(Duration::seconds(3_000))
        );
        assert!(find_room(&claims, &counters, 0, at(3_600)).is_ok());
    }

    #[test]
    fn of_several_claims_the_longest_wait_is_told() {
        let claims = [claim(Scope::NetworkSends, 1), claim(Scope::PrefixSends, 1)];
        let mut counters = Vec::new();
        assert!(count(&mut counters, &claims[0].place(0, at(0)), at(0)));
        assert!(count(&mut counters, &claims[1].place(0, at(60)), at(60)));
        assert_eq!(find_room(&claims, &counters, 0, at(60)), Err(Duration::hours(1)));
    }

    #[test]
    fn places_come_in_one_order_whatever_the_claims() {
        let claims = [
            claim(Scope::PrefixSends, 9),
            claim(Scope::AllSends, 9),
            claim(Scope::NetworkSends, 9),
        ];
        let names: Vec<_> = places(&claims, 3, at(0))
            .iter()
            .map(|place| place.scope.name())
            .collect();
        assert_eq!(names, ["all_sends", "network_sends", "prefix_sends"]);
    }

    #[test]
    fn scopes_are_read_by_their_names() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
    }

    proptest! {
        /// However requests choose, a key's counters together accept its limit and no more within a window, and refuse
        /// only when all are full.
        #[test]
        fn shards_accept_the_limit_exactly(most in 1_u32..80, picks in prop::collection::vec(any::<u32>(), 100)) {
            let (claims, mut counters) = ([claim(Scope::AllSends, most)], Vec::new());
            let mut accepted = 0;
            for pick in picks {
                match find_room(&claims, &counters, pick, at(1)) {
                    Ok(places) => {
                        prop_assert!(count(&mut counters, &places[0], at(1)));
                        accepted += 1;
                    }
                    Err(wait) => prop_assert_eq!((accepted, wait), (most, Duration::hours(1))),
                }
            }
            prop_assert_eq!(accepted, most.min(100));
        }
    }
}
