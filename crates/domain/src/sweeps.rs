//! The port by which the registry is rid of what is over.
//!
//! Every method does a bounded piece, oldest first, and finds it by an index. Servers may sweep at once: a row that another
//! transaction holds is passed over, for a later pass.

use crate::store::Found;
use crate::{DeviceUid, PhoneNumber, Provider, Timestamp, User, UserId};

/// What one sweep of one kind did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// How many rows it removed.
    pub removed: usize,
    /// Whether it met its limit, so that there may be more to do at once.
    pub full: bool,
}

impl Sweep {
    /// A sweep that looked at `seen` rows, of at most `limit`, and removed some of them. One that got nowhere, because others
    /// hold what it saw, is not full: it would only meet them again.
    pub fn of(removed: usize, seen: usize, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            removed,
            full: removed > 0 && seen >= limit,
        }
    }
}

/// What a sweep of ended sessions did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionSweep {
    /// The sessions.
    pub sessions: usize,
    /// Push tokens that were suspended with them.
    pub tokens: usize,
    /// Subscriptions that were.
    pub subscriptions: usize,
    /// Whether it met its limit in any of them.
    pub full: bool,
}

/// A credential that was removed since nobody revived it: whose it was, on which device, and who carried to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Whose.
    pub user: UserId,
    /// On which device.
    pub device: DeviceUid,
    /// By whom it was rung.
    pub provider: Provider,
}

/// What a sweep of suspects did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuspectSweep {
    /// What it removed.
    pub dead: Vec<Dead>,
    /// Whether it met its limit.
    pub full: bool,
}

impl SuspectSweep {
    /// As [`Sweep::of`].
    pub fn of(dead: Vec<Dead>, seen: usize, limit: u32) -> Self {
        let full = Sweep::of(dead.len(), seen, limit).full;
        Self { dead, full }
    }
}

/// Sweeps. `until` is the newest instant that is over ([`Over`](crate::retention::Over)), `limit` the most rows of a kind.
pub trait Sweeps {
    /// Whose deletion is pending and due at `now`, soonest due first. Nothing is locked: the account is judged once it is
    /// claimed.
    fn due_deletions(&mut self, now: Timestamp, limit: u32) -> Found<Vec<UserId>>;

    /// The account, locked; `None` where another transaction holds it, or it is not there. Waits for nobody.
    fn claim_user(&mut self, id: UserId) -> Found<Option<User>>;

    /// Removes all that hangs on a claimed account: its devices with their tokens and subscriptions, the addresses of these, its
    /// sessions, its jobs, those too that are not over, the events of it that nobody has taken, and what is known of `phone`, also codes
    /// that wait for a sender. Its row and its trail stay. Messages that lose their last open job are over at `at`. Addresses are locked
    /// in their order.
    fn erase_user(&mut self, user: UserId, phone: Option<&PhoneNumber>, at: Timestamp) -> Found<()>;

    /// Removes push tokens last registered by `until`, and with the last row that has it an address.
    fn sweep_tokens(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes sessions ended by `until`, and first the tokens and subscriptions that they suspended: at most `limit` of each. A
    /// subscription's device goes along unless something else lies on it. A session under which anything is left stays.
    fn sweep_ended_sessions(&mut self, until: Timestamp, limit: u32) -> Found<SessionSweep>;

    /// Removes sessions that expired by `until` without being ended, if nothing is registered under them any more. Others, whose
    /// credentials still ring, are seen again as though they had expired at `again`.
    fn sweep_expired_sessions(&mut self, until: Timestamp, again: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes codes that expired by `until`.
    fn sweep_codes(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes the rows of phones that were last sent a code by `until`, and at whose codes nobody has guessed wrong since
    /// the last sign-in.
    fn sweep_phones(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes the rows of phones that were last sent a code by `until`, and at whose codes somebody last guessed wrong by
    /// `failed_until`, without a sign-in since.
    fn sweep_failed_phones(&mut self, until: Timestamp, failed_until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes counters whose window ended by `until`.
    fn sweep_counters(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes lines of the trail of what happened by `until`. They are found by their ids, which hold the time too.
    fn sweep_audit(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_that_met_its_limit_and_got_somewhere_is_full() {
        let full = |removed, seen| Sweep::of(removed, seen, 3).full;
        assert!(full(3, 3) && full(1, 3));
        assert!(!full(2, 2) && !full(0, 3) && !full(0, 0));
    }
}
