//! How long the registry keeps what nobody uses any more.

use time::Duration;

use crate::limits::PhoneLock;
use crate::{Timestamp, event, idempotency, suspicion};

/// How many rows of a kind one pass removes at most, so that no pass holds locks, or SQLite's one writer, for long.
pub const PASS: u32 = 1_000;

/// How long each kind of row is kept once it has no more use. A row is over from the instant that its time has passed, to the
/// microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// One-time codes, from their expiry: long enough to answer for what happened to them.
    pub codes: Duration,
    /// When a phone was last sent a code, from that send. Far longer than the longest cool-down, so that no limit ends with its
    /// row.
    pub phones: Duration,
    /// How often in a row codes of a phone were guessed wrong, from the last time. As much longer as the longest lock, so that
    /// it too has been over for as long as all else of the phone.
    pub failures: Duration,
    /// Counters of accepted requests, from the end of their window.
    pub counters: Duration,
    /// Sessions, from their end or their expiry. What an ended one suspended goes with it; an expired one stays as long as
    /// anything is registered under it.
    pub sessions: Duration,
    /// How much later an expired session that had to stay is looked at again.
    pub sessions_again: Duration,
    /// Push tokens, from their last registration. A provider has forgotten them by then.
    pub tokens: Duration,
    /// Lines of the audit trail, from when they happened.
    pub audit: Duration,
    /// Finished jobs, from their end, and messages none of whose jobs is left, from their acceptance.
    pub jobs: Duration,
    /// Idempotency keys, from their use.
    pub idempotency: Duration,
    /// Credentials suspected to be dead, from the first proof.
    pub suspects: Duration,
    /// Events that nobody claims, since no server is told where to post them any more, from when they were due.
    pub untold: Duration,
    /// Rests of lanes, from their end. Servers' clocks may differ.
    pub rests: Duration,
}

impl Retention {
    /// 24 hours, 30 days, an hour more, 1 hour, 90 days and 30 more, 270 days, 400 days, 30 days, 7 days, 30 days, 3 days, 1 hour.
    pub const STANDARD: Self = Self {
        codes: Duration::hours(24),
        phones: Duration::days(30),
        failures: Duration::days(30).saturating_add(PhoneLock::LONGEST),
        counters: Duration::hours(1),
        sessions: Duration::days(90),
        sessions_again: Duration::days(30),
        tokens: Duration::days(270),
        audit: Duration::days(400),
        jobs: Duration::days(30),
        idempotency: idempotency::KEPT,
        suspects: suspicion::LONGEST,
        untold: event::WORTH,
        rests: Duration::hours(1),
    };

    /// The newest instants that are over at `now`.
    pub fn over_at(&self, now: Timestamp) -> Over {
        Over {
            codes: now - self.codes,
            phones: now - self.phones,
            failures: now - self.failures,
            counters: now - self.counters,
            sessions: now - self.sessions,
            sessions_again: now - self.sessions + self.sessions_again,
            tokens: now - self.tokens,
            audit: now - self.audit,
            jobs: now - self.jobs,
            idempotency: now - self.idempotency,
            suspects: now - self.suspects,
            untold: now - self.untold,
            rests: now - self.rests,
        }
    }
}

/// Up to which instant, and with it, each kind of row is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Codes that expired.
    pub codes: Timestamp,
    /// Phones that were last sent a code.
    pub phones: Timestamp,
    /// Phones whose codes were last guessed wrong.
    pub failures: Timestamp,
    /// Counters' windows.
    pub counters: Timestamp,
    /// Sessions that ended or expired.
    pub sessions: Timestamp,
    /// As though it had expired then, a session that had to stay is looked at again.
    pub sessions_again: Timestamp,
    /// Push tokens that were last registered.
    pub tokens: Timestamp,
    /// What happened.
    pub audit: Timestamp,
    /// Jobs that ended, messages that were accepted.
    pub jobs: Timestamp,
    /// Idempotency keys that were used.
    pub idempotency: Timestamp,
    /// Credentials that became suspects.
    pub suspects: Timestamp,
    /// Events that were due.
    pub untold: Timestamp,
    /// Rests of lanes that ended.
    pub rests: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::SessionPolicy;

    #[test]
    fn a_row_is_over_exactly_when_its_time_has_passed() {
        let now = Timestamp::from_micros(1_790_000_000_123_457);
        let over = Retention::STANDARD.over_at(now);
        assert_eq!(over.codes, now - Duration::hours(24));
        assert_eq!(over.phones, now - Duration::days(30));
        assert_eq!(over.failures, now - Duration::days(30) - Duration::hours(1));
        assert_eq!(over.counters, now - Duration::hours(1));
        assert_eq!(over.sessions, now - Duration::days(90));
        assert_eq!(over.sessions_again, now - Duration::days(60));
        assert_eq!(over.tokens, now - Duration::days(270));
        assert_eq!(over.audit, now - Duration::days(400));
        assert_eq!(over.untold, now - Duration::days(3));
        assert_eq!(over.rests, now - Duration::hours(1));
    }

    #[test]
    fn nothing_goes_that_something_which_lives_longer_is_judged_by() {
        let Retention {
            codes,
            phones,
            failures,
            sessions,
            tokens,
            audit,
            ..
        } = Retention::STANDARD;
        // The longest cool-down that can be set is an hour, and a code lives ten minutes at most.
        assert!(phones > Duration::hours(1) && phones > codes + Duration::minutes(10));
        // However long a lock lasts, it has been over for as long as a phone is kept.
        assert!(failures >= phones + PhoneLock::LONGEST);
        // A refresh token outlives neither its session nor what is kept of it, and a token may outlive its session's idle end.
        assert!(tokens > sessions + SessionPolicy::STANDARD.idle);
        // The trail tells of all of them.
        assert!(audit > tokens && audit > SessionPolicy::STANDARD.absolute + sessions);
    }

    proptest! {
        #[test]
        fn what_is_over_stays_over(now in 0_i64..4_000_000_000_000_000, later in 0_i64..1_000_000_000_000) {
            let at = Timestamp::from_micros;
            let (early, late) = (Retention::STANDARD.over_at(at(now)), Retention::STANDARD.over_at(at(now + later)));
            prop_assert!(early.codes <= late.codes && early.phones <= late.phones);
            prop_assert!(early.sessions <= late.sessions && early.tokens <= late.tokens && early.audit <= late.audit);
            prop_assert!(early.sessions < early.sessions_again && early.sessions_again < at(now));
        }
    }
}
