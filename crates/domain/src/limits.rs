//! How much may be asked for: codes, guesses and refreshes, by phone, by network, by range of numbers, by country and
//! in all. Only what is accepted counts.
//!
//! What a phone is sent is counted from its codes themselves, over a window that slides ([`sends_wait`]). The others are
//! counters that all servers share ([`counters`]), each with a window that begins with the first request it counts.

pub mod counters;

use std::fmt;
use std::net::IpAddr;

use time::Duration;

use crate::destination::Country;
use crate::{PhoneNumber, Timestamp, UserId};

pub use counters::{Claim, Counter, Place, Scope};

/// So many within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many are accepted, at least 1.
    pub most: u32,
    /// Within how long.
    pub window: Duration,
}

impl Limit {
    const fn new(most: u32, window: Duration) -> Self {
        Self { most, window }
    }
}

/// All limits.
#[derive(Clone, Copy, Debug)]
pub struct LimitPolicy {
    /// Codes that a phone is sent in 10 minutes.
    pub phone_burst: Limit,
    /// Codes that a phone is sent in a day.
    pub phone_day: Limit,
    /// Codes sent for a network in an hour.
    pub network_sends: Limit,
    /// Guesses from a network in an hour.
    pub network_verifies: Limit,
    /// Refreshes from a network in 5 minutes.
    pub network_refreshes: Limit,
    /// Codes sent to numbers that differ in their last four digits, in an hour.
    pub prefix_sends: Limit,
    /// Codes sent to a country in an hour.
    pub country_sends: Limit,
    /// Codes sent in an hour.
    pub all_sends: Limit,
    /// Messages that a user sends to themselves, in a second.
    pub push_tests: Limit,
    /// When a phone is locked.
    pub lock: PhoneLock,
}

impl LimitPolicy {
    /// 5 in 10 minutes and 10 a day a phone; 150 sends and 600 guesses an hour and 600 refreshes in 5 minutes a network;
    /// 60 an hour a range of numbers, 5,000 a country, 20,000 in all; locked from the 20th failure in a row.
    pub const STANDARD: Self = Self {
        phone_burst: Limit::new(5, Duration::minutes(10)),
        phone_day: Limit::new(10, Duration::days(1)),
        network_sends: Limit::new(150, Duration::hours(1)),
        network_verifies: Limit::new(600, Duration::hours(1)),
        network_refreshes: Limit::new(600, Duration::minutes(5)),
        prefix_sends: Limit::new(60, Duration::hours(1)),
        country_sends: Limit::new(5_000, Duration::hours(1)),
        all_sends: Limit::new(20_000, Duration::hours(1)),
        push_tests: Limit::new(1, Duration::seconds(1)),
        lock: PhoneLock { failures: 20 },
    };

    /// What one code sent to `phone` counts against, beside the phone's own limits.
    pub fn send_claims(&self, phone: &PhoneNumber, country: Country, from: Option<Network>) -> Vec<Claim> {
        let mut claims = vec![
            Claim::new(Scope::AllSends, String::new(), self.all_sends),
            Claim::new(Scope::CountrySends, country.to_string(), self.country_sends),
            Claim::new(Scope::PrefixSends, prefix(phone), self.prefix_sends),
        ];
        claims.extend(from.map(|from| Claim::new(Scope::NetworkSends, from.to_string(), self.network_sends)));
        claims
    }

    /// What one guess counts against.
    pub fn verify_claims(&self, from: Option<Network>) -> Vec<Claim> {
        let claim =
            |from: Network| Claim::new(Scope::NetworkVerifies, from.to_string(), self.network_verifies);
        from.map(claim).into_iter().collect()
    }

    /// What one refresh counts against.
    pub fn refresh_claims(&self, from: Option<Network>) -> Vec<Claim> {
        let claim =
            |from: Network| Claim::new(Scope::NetworkRefreshes, from.to_string(), self.network_refreshes);
        from.map(claim).into_iter().collect()
    }

    /// What one message that `user` sends to themselves counts against.
    pub fn push_test_claims(&self, user: UserId) -> Vec<Claim> {
        vec![Claim::new(Scope::PushTests, user.to_string(), self.push_tests)]
    }

    /// How long a phone waits at `now` for its next code, given when it was sent the last ones, newest first: until both
    /// of its windows have room.
    pub fn sends_wait(&self, sent: &[Timestamp], now: Timestamp) -> Option<Duration> {
        [self.phone_burst, self.phone_day]
            .iter()
            .filter_map(|limit| sends_wait(limit, sent, now))
            .max()
    }

    /// How many of a phone's last sends [`Self::sends_wait`] looks at, and since when.
    pub fn sends_asked(&self, now: Timestamp) -> (Timestamp, u32) {
        let longest = self.phone_burst.window.max(self.phone_day.window);
        (now - longest, self.phone_burst.most.max(self.phone_day.most))
    }
}

/// How long until a window that slides has room, given what is in it, newest first.
fn sends_wait(limit: &Limit, sent: &[Timestamp], now: Timestamp) -> Option<Duration> {
    let at = usize::try_from(limit.most).ok()?.checked_sub(1)?;
    let frees = *sent.get(at)? + limit.window;
    // What a server whose clock is ahead has sent makes nobody wait longer than the window.
    (now < frees).then(|| frees.since(now).min(limit.window))
}

/// The digits of a number without its last four: a range that one attacker may hold whole.
fn prefix(phone: &PhoneNumber) -> String {
    let mut digits = phone.e164();
    digits.truncate(digits.len().saturating_sub(4));
    digits
}

/// The client's network: an IPv4 address, or the 64 bits of an IPv6 address that a site is given as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address; an IPv4 address written as IPv6 is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::from((v6.to_bits() & !u128::from(u64::MAX)).to_be_bytes()),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network([redacted])")
    }
}

/// From how many failures in a row a phone is locked, whatever codes they were at.
///
/// A resend never resets them (NIST SP 800-63B-4 §3.1.3.2), success does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneLock {
    /// The first failure that locks, at least 1.
    pub failures: u32,
}

impl PhoneLock {
    const SHORTEST: Duration = Duration::seconds(30);
    /// The longest that a phone is locked after a failure.
    pub const LONGEST: Duration = Duration::hours(1);

    /// How long a phone with so many failures is locked after the last one: 30 seconds, twice that with each further
    /// one, one hour at most.
    pub fn delay(&self, failures: u32) -> Option<Duration> {
        let further = failures.checked_sub(self.failures)?;
        // Seven doublings pass the hour.
        let doubled = Self::SHORTEST * 2_i32.pow(further.min(7));
        Some(doubled.min(Self::LONGEST))
    }

    /// How long the phone is still locked at `now`.
    pub fn wait(&self, failures: u32, failed_at: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
        let delay = self.delay(failures)?;
        let opens = failed_at? + delay;
        (now < opens).then(|| opens.since(now).min(delay))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: LimitPolicy = LimitPolicy::STANDARD;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(0) + Duration::seconds(seconds)
    }

    #[test]
    fn a_lock_grows_from_30_seconds_to_an_hour() {
        let lock = POLICY.lock;
        let seconds = |failures| lock.delay(failures).map(Duration::whole_seconds);
        assert_eq!(seconds(19), None);
        assert_eq!(
            (20..30).map(|n| seconds(n).unwrap_or(0)).collect::<Vec<_>>(),
            [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
        );
        assert_eq!(seconds(u32::MAX), Some(3600));
        assert_eq!(lock.wait(20, Some(at(0)), at(29)), Some(Duration::seconds(1)));
        assert_eq!(lock.wait(20, Some(at(0)), at(30)), None);
        assert_eq!(lock.wait(20, Some(at(9_999)), at(0)), Some(Duration::seconds(30)));
        assert_eq!(lock.wait(20, None, at(0)), None);
    }

    #[test]
    fn a_phone_is_sent_five_in_ten_minutes_and_ten_a_day() {
        let mut sent: Vec<Timestamp> = (0..5).rev().map(|n| at(n * 60)).collect();
        assert_eq!(POLICY.sends_wait(&sent, at(300)), Some(Duration::seconds(300)));
        assert_eq!(POLICY.sends_wait(&sent, at(600)), None);
        for n in 0..5 {
            sent.insert(0, at(3_600 + n * 120));
        }
        let wait = POLICY.sends_wait(&sent, at(7_200)).expect("ten today");
        assert_eq!(wait, Duration::days(1) - Duration::seconds(7_200));
        assert_eq!(POLICY.sends_wait(&sent, at(86_400)), None);
    }

    #[test]
    fn an_ipv6_site_is_one_network_and_ipv4_in_ipv6_is_ipv4() {
        let of = |text: &str| Network::of(text.parse().expect("an address")).to_string();
        assert_eq!(of("203.0.113.9"), "203.0.113.9");
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(of("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2:ffff:ffff:ffff:ffff"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
        assert!(!format!("{:?}", Network::of([203, 0, 113, 9].into())).contains("203"));
    }

    #[test]
    fn numbers_that_differ_in_four_digits_are_one_range() {
        let phone = |national| PhoneNumber::from_parts(90, national).expect("well-formed");
        assert_eq!(prefix(&phone("5551234567")), "+90555123");
        assert_eq!(prefix(&phone("5551239999")), "+90555123");
        assert_ne!(prefix(&phone("5551244567")), "+90555123");
    }

    proptest! {
        /// Whatever the order of requests, no window of 10 minutes has six accepted sends, and no day eleven; and whoever
        /// waits as told is accepted.
        #[test]
        fn no_sliding_window_is_ever_passed(steps in prop::collection::vec(0_i64..9_000, 1..80)) {
            let mut sent: Vec<Timestamp> = Vec::new();
            let mut now = at(0);
            for step in steps {
                now = now + Duration::seconds(step);
                match POLICY.sends_wait(&sent, now) {
                    Some(wait) => prop_assert_eq!(POLICY.sends_wait(&sent, now + wait), None),
                    None => sent.insert(0, now),
                }
                for limit in [POLICY.phone_burst, POLICY.phone_day] {
                    let within = sent.iter().filter(|at| **at + limit.window > now).count();
                    prop_assert!(within <= usize::try_from(limit.most).unwrap_or(0));
                }
            }
        }
    }
}
