//! Ridding the registry of what is over, and of what an account had. Whatever else writes waits for the same thread, so a row that
//! was found is there until it is removed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use doorbell_domain::store::{Found, Users};
use doorbell_domain::sweeps::{SessionSweep, Sweep, Sweeps};
use doorbell_domain::user::DeletionStatus;
use doorbell_domain::{Address, FreshIds, PhoneNumber, Provider, Timestamp, User, UserId};

use super::Repositories;
use crate::addresses;
use crate::schema::{
    code_outbox, devices, otp_phones, otp_sessions, push_tokens, sessions, subscriptions, users,
};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const CODES: &str = "otp_sessions";
const DEVICES: &str = "devices";
const OUTBOX: &str = "code_outbox";
const PHONES: &str = "otp_phones";
const SESSIONS: &str = "sessions";
const SUBSCRIPTIONS: &str = "subscriptions";
const TOKENS: &str = "push_tokens";

statement! {
    /// Removes codes that expired long ago.
    struct DropCodes<'a> { until: Instant, limit: i64 }
    "DELETE FROM otp_sessions WHERE id IN \
        (SELECT id FROM otp_sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

statement! {
    /// Removes phones that were last sent a code long ago.
    struct DropPhones<'a> { until: Instant, limit: i64 }
    "DELETE FROM otp_phones WHERE phone IN \
        (SELECT phone FROM otp_phones WHERE failures = 0 AND last_sent_at <= ? ORDER BY last_sent_at LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

statement! {
    /// Removes phones whose codes were last guessed wrong long ago.
    struct DropFailedPhones<'a> { failed_until: Instant, until: Instant, limit: i64 }
    "DELETE FROM otp_phones WHERE phone IN \
        (SELECT phone FROM otp_phones WHERE failures > 0 AND failed_at <= ? AND last_sent_at <= ? ORDER BY failed_at LIMIT ?)"
    [BigInt = failed_until, BigInt = until, BigInt = limit]
}

statement! {
    /// Removes counters whose window ended long ago.
    struct DropCounters<'a> { until: Instant, limit: i64 }
    "DELETE FROM limit_counters WHERE (scope, key, shard) IN \
        (SELECT scope, key, shard FROM limit_counters WHERE ends_at <= ? ORDER BY ends_at LIMIT ?)"
    [BigInt = until, BigInt = limit]
}

statement! {
    /// Removes lines of what happened long ago.
    struct DropAudit<'a> { below: Id, until: Instant, limit: i64 }
    "DELETE FROM audit_events WHERE id IN \
        (SELECT id FROM audit_events WHERE id < ? AND at <= ? ORDER BY id LIMIT ?)"
    [Binary = below, BigInt = until, BigInt = limit]
}

statement! {
    /// Has the oldest expired sessions under which something is registered looked at again later.
    struct HoldSessions<'a> { at: Instant, until: Instant, limit: i64 }
    "UPDATE sessions SET held_at = ? WHERE id IN \
        (SELECT id FROM sessions WHERE ended_at IS NULL AND over_at <= ? ORDER BY over_at LIMIT ?) \
     AND (EXISTS (SELECT 1 FROM push_tokens AS t WHERE t.session_id = sessions.id) \
        OR EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.session_id = sessions.id))"
    [BigInt = at, BigInt = until, BigInt = limit]
}

statement! {
    /// Removes those of the oldest expired sessions under which nothing is registered.
    struct DropExpiredSessions<'a> { until: Instant, limit: i64 }
    "DELETE FROM sessions WHERE id IN \
        (SELECT id FROM sessions WHERE ended_at IS NULL AND over_at <= ? ORDER BY over_at LIMIT ?) \
     AND NOT EXISTS (SELECT 1 FROM push_tokens AS t WHERE t.session_id = sessions.id) \
     AND NOT EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.session_id = sessions.id)"
    [BigInt = until, BigInt = limit]
}

statement! {
    /// Removes a session if nothing is registered under it.
    struct DropSession<'a> { id: Id }
    "DELETE FROM sessions WHERE id = ? \
     AND NOT EXISTS (SELECT 1 FROM push_tokens AS t WHERE t.session_id = sessions.id) \
     AND NOT EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.session_id = sessions.id)"
    [Binary = id]
}

statement! {
    /// Removes a device if nothing lies on it.
    struct DropEmptyDevice<'a> { id: Id }
    "DELETE FROM devices WHERE id = ? \
     AND NOT EXISTS (SELECT 1 FROM push_tokens AS t WHERE t.device_id = devices.id) \
     AND NOT EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.device_id = devices.id)"
    [Binary = id]
}

/// A token's row: its id and its address.
type TokenLine = (Id, String, Vec<u8>);

/// A subscription's row: its id, its device, and its endpoint's hash.
pub(super) type SubscriptionLine = (Id, Id, Vec<u8>);

impl Sweeps for Repositories<'_> {
    fn due_deletions(&mut self, now: Timestamp, limit: u32) -> Found<Vec<UserId>> {
        let due: Vec<Id> = users::table
            .filter(users::deletion_status.eq(DeletionStatus::Pending.name()))
            .filter(users::deletion_scheduled_for.le(Instant(now)))
            .order(users::deletion_scheduled_for)
            .limit(limit.into())
            .select(users::id)
            .load(self.connection)
            .around("users")?;
        Ok(due.into_iter().map(UserId::from).collect())
    }

    fn claim_user(&mut self, id: UserId) -> Found<Option<User>> {
        self.lock_user(id)
    }

    fn erase_user(&mut self, user: UserId, phone: Option<&PhoneNumber>, at: Timestamp) -> Found<()> {
        let owned = self.addresses_of(user)?;
        // Whatever lies on them goes with them.
        diesel::delete(devices::table.filter(devices::user_id.eq(Id::from(user))))
            .execute(self.connection)
            .around(DEVICES)?;
        addresses::release(self.connection, owned)?;
        diesel::delete(sessions::table.filter(sessions::user_id.eq(Id::from(user))))
            .execute(self.connection)
            .around(SESSIONS)?;
        self.erase_jobs(user, at)?;
        self.erase_events(user)?;
        let Some(phone) = phone.map(PhoneNumber::e164) else {
            return Ok(());
        };
        diesel::delete(otp_sessions::table.filter(otp_sessions::phone.eq(&phone)))
            .execute(self.connection)
            .around(CODES)?;
        diesel::delete(code_outbox::table.filter(code_outbox::phone.eq(&phone)))
            .execute(self.connection)
            .around(OUTBOX)?;
        diesel::delete(otp_phones::table.find(&phone))
            .execute(self.connection)
            .around(PHONES)
            .map(drop)
    }

    fn sweep_tokens(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let unseen: Vec<TokenLine> = push_tokens::table
            .filter(push_tokens::updated_at.le(Instant(until)))
            .order(push_tokens::updated_at)
            .limit(limit.into())
            .select((push_tokens::id, push_tokens::provider, push_tokens::value_hash))
            .load(self.connection)
            .around(TOKENS)?;
        let removed = unseen.len();
        self.drop_tokens(unseen)?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_ended_sessions(&mut self, until: Timestamp, limit: u32) -> Found<SessionSweep> {
        let ended: Vec<Id> = sessions::table
            .filter(sessions::ended_at.le(Some(Instant(until))))
            .order(sessions::ended_at)
            .limit(limit.into())
            .select(sessions::id)
            .load(self.connection)
            .around(SESSIONS)?;
        let seen = ended.len();
        let mut swept = SessionSweep::default();
        for session in ended {
            swept.tokens += self.drop_tokens_under(session, left(limit, swept.tokens))?;
            swept.subscriptions +=
                self.drop_subscriptions_under(session, left(limit, swept.subscriptions))?;
            let dropped = DropSession { id: &session };
            swept.sessions += dropped.execute(self.connection).around(SESSIONS)?;
        }
        swept.full = Sweep::of(swept.sessions, seen, limit).full
            || left(limit, swept.tokens) == 0
            || left(limit, swept.subscriptions) == 0;
        Ok(swept)
    }

    fn sweep_expired_sessions(&mut self, until: Timestamp, again: Timestamp, limit: u32) -> Found<Sweep> {
        let (until, limit_of_each) = (Instant(until), i64::from(limit));
        let hold = HoldSessions {
            at: &Instant(again),
            until: &until,
            limit: &limit_of_each,
        };
        let held = hold.execute(self.connection).around(SESSIONS)?;
        let drop = DropExpiredSessions {
            until: &until,
            limit: &limit_of_each,
        };
        let removed = drop.execute(self.connection).around(SESSIONS)?;
        Ok(Sweep {
            removed,
            full: Sweep::of(held + removed, held + removed, limit).full,
        })
    }

    fn sweep_codes(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropCodes {
            until: &Instant(until),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around(CODES)?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_phones(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropPhones {
            until: &Instant(until),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around(PHONES)?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_failed_phones(&mut self, until: Timestamp, failed_until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropFailedPhones {
            failed_until: &Instant(failed_until),
            until: &Instant(until),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around(PHONES)?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_counters(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropCounters {
            until: &Instant(until),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("limit_counters")?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_audit(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let drop = DropAudit {
            below: &Id(FreshIds::beyond(until)),
            until: &Instant(until),
            limit: &limit.into(),
        };
        let removed = drop.execute(self.connection).around("audit_events")?;
        Ok(Sweep::of(removed, removed, limit))
    }
}

/// What is left of a limit.
fn left(limit: u32, done: usize) -> i64 {
    i64::try_from(done).map_or(0, |done| (i64::from(limit) - done).max(0))
}

impl Repositories<'_> {
    /// The addresses of a user's tokens and subscriptions.
    fn addresses_of(&mut self, user: UserId) -> Found<Vec<Address>> {
        let tokens: Vec<(String, Vec<u8>)> = devices::table
            .inner_join(push_tokens::table.on(push_tokens::device_id.eq(devices::id)))
            .filter(devices::user_id.eq(Id::from(user)))
            .select((push_tokens::provider, push_tokens::value_hash))
            .load(self.connection)
            .around(TOKENS)?;
        let endpoints: Vec<Vec<u8>> = subscriptions::table
            .filter(subscriptions::user_id.eq(Id::from(user)))
            .select(subscriptions::endpoint_hash)
            .load(self.connection)
            .around(SUBSCRIPTIONS)?;
        let of_tokens = tokens
            .iter()
            .map(|(provider, hash)| addresses::read(provider, hash, TOKENS));
        let of_endpoints = endpoints
            .iter()
            .map(|hash| addresses::read(Provider::WebPush.name(), hash, SUBSCRIPTIONS));
        of_tokens.chain(of_endpoints).collect()
    }

    fn drop_tokens(&mut self, tokens: Vec<TokenLine>) -> Found<()> {
        for (id, provider, hash) in tokens {
            diesel::delete(push_tokens::table.find(id))
                .execute(self.connection)
                .around(TOKENS)?;
            let address = addresses::read(&provider, &hash, TOKENS)?;
            addresses::release(self.connection, [address])?;
        }
        Ok(())
    }

    fn drop_tokens_under(&mut self, session: Id, limit: i64) -> Found<usize> {
        let tokens: Vec<TokenLine> = push_tokens::table
            .filter(push_tokens::session_id.eq(session))
            .limit(limit)
            .select((push_tokens::id, push_tokens::provider, push_tokens::value_hash))
            .load(self.connection)
            .around(TOKENS)?;
        let removed = tokens.len();
        self.drop_tokens(tokens)?;
        Ok(removed)
    }

    fn drop_subscriptions_under(&mut self, session: Id, limit: i64) -> Found<usize> {
        let subscriptions: Vec<SubscriptionLine> = subscriptions::table
            .filter(subscriptions::session_id.eq(session))
            .limit(limit)
            .select((
                subscriptions::id,
                subscriptions::device_id,
                subscriptions::endpoint_hash,
            ))
            .load(self.connection)
            .around(SUBSCRIPTIONS)?;
        let removed = subscriptions.len();
        self.drop_subscriptions(subscriptions)?;
        Ok(removed)
    }

    /// Removes subscriptions, and their devices unless something else lies on them.
    pub(super) fn drop_subscriptions(&mut self, subscriptions: Vec<SubscriptionLine>) -> Found<()> {
        for (id, device, hash) in subscriptions {
            diesel::delete(subscriptions::table.find(id))
                .execute(self.connection)
                .around(SUBSCRIPTIONS)?;
            let emptied = DropEmptyDevice { id: &device };
            emptied.execute(self.connection).around(DEVICES)?;
            let address = addresses::read(Provider::WebPush.name(), &hash, SUBSCRIPTIONS)?;
            addresses::release(self.connection, [address])?;
        }
        Ok(())
    }
}
