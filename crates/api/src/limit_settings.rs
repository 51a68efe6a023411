//! How much may be asked for, as it is set.

use clap::Args;
use doorbell_domain::limits::{Limit, LimitPolicy, PhoneLock};

/// How many are accepted, each within its window.
#[derive(Debug, Args)]
pub(crate) struct LimitSettings {
    /// Codes that a phone is sent in 10 minutes.
    #[arg(long = "limit-phone-burst", env = "DOORBELL_LIMIT_PHONE_BURST", default_value_t = 5, value_parser = at_least_one())]
    phone_burst: u32,

    /// Codes that a phone is sent in a day.
    #[arg(long = "limit-phone-day", env = "DOORBELL_LIMIT_PHONE_DAY", default_value_t = 10, value_parser = at_least_one())]
    phone_day: u32,

    /// Wrong codes in a row after which a phone is locked, for 30 seconds at first and up to an hour.
    #[arg(long = "limit-phone-failures", env = "DOORBELL_LIMIT_PHONE_FAILURES", default_value_t = 20, value_parser = at_least_one())]
    phone_failures: u32,

    /// Codes sent for an IPv4 address or IPv6 /64 in an hour.
    #[arg(long = "limit-network-sends", env = "DOORBELL_LIMIT_NETWORK_SENDS", default_value_t = 150, value_parser = at_least_one())]
    network_sends: u32,

    /// Guesses from an IPv4 address or IPv6 /64 in an hour.
    #[arg(long = "limit-network-verifies", env = "DOORBELL_LIMIT_NETWORK_VERIFIES", default_value_t = 600, value_parser = at_least_one())]
    network_verifies: u32,

    /// Refreshes from an IPv4 address or IPv6 /64 in 5 minutes.
    #[arg(long = "limit-network-refreshes", env = "DOORBELL_LIMIT_NETWORK_REFRESHES", default_value_t = 600, value_parser = at_least_one())]
    network_refreshes: u32,

    /// Codes sent in an hour to numbers that differ in their last four digits only.
    #[arg(long = "limit-prefix-sends", env = "DOORBELL_LIMIT_PREFIX_SENDS", default_value_t = 60, value_parser = at_least_one())]
    prefix_sends: u32,

    /// Codes sent to a country in an hour.
    #[arg(long = "limit-country-sends", env = "DOORBELL_LIMIT_COUNTRY_SENDS", default_value_t = 5_000, value_parser = at_least_one())]
    country_sends: u32,

    /// Codes sent in an hour in all.
    #[arg(long = "limit-all-sends", env = "DOORBELL_LIMIT_ALL_SENDS", default_value_t = 20_000, value_parser = at_least_one())]
    all_sends: u32,
}

fn at_least_one() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

impl LimitSettings {
    /// The limits as the domain judges by them.
    pub(crate) fn policy(&self) -> LimitPolicy {
        let usual = LimitPolicy::STANDARD;
        let of = |most, limit: Limit| Limit { most, ..limit };
        LimitPolicy {
            phone_burst: of(self.phone_burst, usual.phone_burst),
            phone_day: of(self.phone_day, usual.phone_day),
            network_sends: of(self.network_sends, usual.network_sends),
            network_verifies: of(self.network_verifies, usual.network_verifies),
            network_refreshes: of(self.network_refreshes, usual.network_refreshes),
            prefix_sends: of(self.prefix_sends, usual.prefix_sends),
            country_sends: of(self.country_sends, usual.country_sends),
            all_sends: of(self.all_sends, usual.all_sends),
            push_tests: usual.push_tests,
            lock: PhoneLock {
                failures: self.phone_failures,
            },
        }
    }
}
