//! Ridding the registry of what is over, and of what an account had.
//!
//! What hangs on a user is removed as everywhere: users first, then addresses in their order, then the rows. But a user whom
//! another transaction holds is passed over, and so is every row that is locked, so that sweeps of several servers share the
//! work and none waits for a request.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::store::Found;
use doorbell_domain::sweeps::{SessionSweep, Sweep, Sweeps};
use doorbell_domain::user::DeletionStatus;
use doorbell_domain::{Address, FreshIds, PhoneNumber, Timestamp, User, UserId};
use uuid::Uuid;

use super::Repositories;
use super::credentials::address;
use crate::moment::Moment;
use crate::rows::UserRow;
use crate::schema::{devices, push_tokens, sessions, subscriptions, users};
use crate::statement::statement;

statement! {
    /// Tokens that were last registered long ago, by the week of that.
    UnseenTokens -> (SqlUuid, SqlUuid, Text, Binary):
    "SELECT t.id, t.user_id, t.provider, t.value_hash FROM push_tokens t
    WHERE t.seen_week <= date_trunc('week', " [until: Moment => Timestamptz]
    " AT TIME ZONE 'UTC')::date AND t.updated_at <= $1
    ORDER BY t.seen_week, t.updated_at LIMIT " [limit: i64 => BigInt]
}

statement! {
    /// Sessions that expired long ago, by the week of that, and whether anything is registered under them.
    ExpiredSessions -> (SqlUuid, Bool):
    "SELECT s.id, EXISTS (SELECT FROM push_tokens t WHERE t.session_id = s.id)
        OR EXISTS (SELECT FROM subscriptions b WHERE b.session_id = s.id)
    FROM sessions s
    WHERE s.ended_at IS NULL AND s.over_week <= date_trunc('week', " [until: Moment => Timestamptz]
    " AT TIME ZONE 'UTC')::date AND greatest(s.expires_at, s.held_at) <= $1
    ORDER BY s.over_week, greatest(s.expires_at, s.held_at) LIMIT " [limit: i64 => BigInt]
    " FOR UPDATE OF s SKIP LOCKED"
}

statement! {
    /// Has sessions looked at again later.
    HoldSessions:
    "UPDATE sessions SET held_at = " [at: Moment => Timestamptz]
    " WHERE id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>] ")"
}

// Locked first, in a list that is made once: a condition might be asked anew for every row.

statement! {
    /// Removes those of the sessions under which nothing is registered.
    DropSessions:
    "WITH old AS MATERIALIZED (
        SELECT s.id FROM sessions s WHERE s.id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>]
    ") AND NOT EXISTS (SELECT FROM push_tokens t WHERE t.session_id = s.id)
        AND NOT EXISTS (SELECT FROM subscriptions b WHERE b.session_id = s.id)
        ORDER BY s.id FOR UPDATE OF s SKIP LOCKED
    ) DELETE FROM sessions USING old WHERE sessions.id = old.id"
}

statement! {
    /// Removes those of the devices on which nothing lies.
    DropEmptyDevices:
    "DELETE FROM devices WHERE id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>]
    ") AND NOT EXISTS (SELECT FROM push_tokens t WHERE t.device_id = devices.id)
    AND NOT EXISTS (SELECT FROM subscriptions b WHERE b.device_id = devices.id)"
}

statement! {
    /// Removes codes that expired long ago.
    DropCodes:
    "WITH old AS MATERIALIZED (
        SELECT c.id FROM otp_sessions c WHERE c.expires_at <= " [until: Moment => Timestamptz]
    " ORDER BY c.expires_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM otp_sessions USING old WHERE otp_sessions.id = old.id"
}

statement! {
    /// Removes phones that were last sent a code long ago.
    DropPhones:
    "WITH old AS MATERIALIZED (
        SELECT p.phone FROM otp_phones p WHERE p.failures = 0 AND p.last_sent_at <= " [until: Moment => Timestamptz]
    " ORDER BY p.last_sent_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM otp_phones USING old WHERE otp_phones.phone = old.phone"
}

statement! {
    /// Removes phones whose codes were last guessed wrong long ago.
    DropFailedPhones:
    "WITH old AS MATERIALIZED (
        SELECT p.phone FROM otp_phones p WHERE p.failures > 0 AND p.failed_at <= " [failed_until: Moment => Timestamptz]
    " AND p.last_sent_at <= " [until: Moment => Timestamptz]
    " ORDER BY p.failed_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM otp_phones USING old WHERE otp_phones.phone = old.phone"
}

statement! {
    /// Removes counters whose window ended long ago.
    DropCounters:
    "WITH old AS MATERIALIZED (
        SELECT c.scope, c.key, c.shard FROM limit_counters c WHERE c.ends_at <= " [until: Moment => Timestamptz]
    " ORDER BY c.ends_at LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM limit_counters USING old WHERE limit_counters.scope = old.scope AND limit_counters.key = old.key
        AND limit_counters.shard = old.shard"
}

statement! {
    /// Removes lines of what happened long ago.
    DropAudit:
    "WITH old AS MATERIALIZED (
        SELECT a.id FROM audit_events a WHERE a.id < " [below: Uuid => SqlUuid] " AND a.at <= "
    [until: Moment => Timestamptz] " ORDER BY a.id LIMIT " [limit: i64 => BigInt] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM audit_events USING old WHERE audit_events.id = old.id"
}

// A phone's rows are locked before its user by whoever signs in; here the user is held, so nobody is waited for. What is passed
// over expires, and goes with the other codes.

statement! {
    /// Removes a phone's codes.
    DropCodesOf:
    "WITH old AS MATERIALIZED (
        SELECT c.id FROM otp_sessions c WHERE c.phone = " [phone: String => Text] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM otp_sessions USING old WHERE otp_sessions.id = old.id"
}

statement! {
    /// Removes what of a phone's codes waits for a sender.
    DropWaitingCodesOf:
    "WITH old AS MATERIALIZED (
        SELECT c.id FROM code_outbox c WHERE c.phone = " [phone: String => Text] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM code_outbox USING old WHERE code_outbox.id = old.id"
}

statement! {
    /// Removes a phone's row.
    DropPhone:
    "WITH old AS MATERIALIZED (
        SELECT p.phone FROM otp_phones p WHERE p.phone = " [phone: String => Text] " FOR UPDATE SKIP LOCKED
    ) DELETE FROM otp_phones USING old WHERE otp_phones.phone = old.phone"
}

/// A credential's row: its id, its user, and its address.
pub(super) type Owned = (Uuid, Uuid, String, Vec<u8>);

/// Credentials whose users and addresses are locked.
#[derive(Default)]
pub(super) struct Held {
    tokens: Vec<Uuid>,
    pub(super) subscriptions: Vec<Uuid>,
    pub(super) addresses: Vec<Address>,
}

impl Sweeps for Repositories<'_> {
    fn due_deletions(&mut self, now: Timestamp, limit: u32) -> Found<Vec<UserId>> {
        let due: Vec<Uuid> = self.ask(|connection| {
            users::table
                .filter(users::deletion_status.eq(DeletionStatus::Pending.name()))
                .filter(users::deletion_scheduled_for.le(Moment(now)))
                .order(users::deletion_scheduled_for)
                .limit(i64::from(limit))
                .select(users::id)
                .load(connection)
        })?;
        Ok(due.into_iter().map(UserId::from_uuid).collect())
    }

    fn claim_user(&mut self, id: UserId) -> Found<Option<User>> {
        let row = self.ask(|connection| {
            users::table
                .filter(users::id.eq(id.uuid()))
                .for_update()
                .skip_locked()
                .first::<UserRow>(connection)
                .optional()
        })?;
        row.map(UserRow::read).transpose()
    }

    fn erase_user(&mut self, user: UserId, phone: Option<&PhoneNumber>, at: Timestamp) -> Found<()> {
        let addresses = self.addresses_of(user)?;
        self.hold_addresses(&addresses)?;
        // Whatever lies on them goes with them.
        self.ask(|connection| {
            diesel::delete(devices::table)
                .filter(devices::user_id.eq(user.uuid()))
                .execute(connection)
        })?;
        self.drop_unused(&addresses)?;
        self.ask(|connection| {
            diesel::delete(sessions::table)
                .filter(sessions::user_id.eq(user.uuid()))
                .execute(connection)
        })?;
        self.erase_jobs(user, at)?;
        self.erase_events(user)?;
        let Some(phone) = phone.map(PhoneNumber::e164) else {
            return Ok(());
        };
        let codes = DropCodesOf { phone: phone.clone() };
        self.ask(|connection| (&codes).execute(connection))?;
        let waiting = DropWaitingCodesOf { phone: phone.clone() };
        self.ask(|connection| (&waiting).execute(connection))?;
        let phone = DropPhone { phone };
        self.ask(|connection| (&phone).execute(connection))?;
        Ok(())
    }

    fn sweep_tokens(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = UnseenTokens {
            until: Moment(until),
            limit: i64::from(limit),
        };
        let unseen: Vec<Owned> = self.ask(|connection| (&statement).load(connection))?;
        let seen = unseen.len();
        let held = self.hold(unseen, Vec::new())?;
        if held.tokens.is_empty() {
            return Ok(Sweep::default());
        }
        let removed = self.ask(|connection| {
            diesel::delete(push_tokens::table)
                .filter(push_tokens::id.eq_any(&held.tokens))
                // Unless it was registered again before its user was held.
                .filter(push_tokens::updated_at.le(Moment(until)))
                .execute(connection)
        })?;
        self.drop_unused(&held.addresses)?;
        Ok(Sweep::of(removed, seen, limit))
    }

    fn sweep_ended_sessions(&mut self, until: Timestamp, limit: u32) -> Found<SessionSweep> {
        let ended: Vec<Uuid> = self.ask(|connection| {
            sessions::table
                .filter(sessions::ended_at.le(Some(Moment(until))))
                .order(sessions::ended_at)
                .limit(i64::from(limit))
                .select(sessions::id)
                .load(connection)
        })?;
        if ended.is_empty() {
            return Ok(SessionSweep::default());
        }
        let (tokens, subscriptions) = self.registered_under(&ended, limit)?;
        let (tokens_seen, subscriptions_seen) = (tokens.len(), subscriptions.len());
        let held = self.hold(tokens, subscriptions)?;
        let (tokens, subscriptions) = self.drop_suspended(&held, &ended)?;
        let seen = ended.len();
        let statement = DropSessions { ids: ended };
        let sessions = self.ask(|connection| (&statement).execute(connection))?;
        let full = Sweep::of(sessions, seen, limit).full
            || Sweep::of(tokens, tokens_seen, limit).full
            || Sweep::of(subscriptions, subscriptions_seen, limit).full;
        Ok(SessionSweep {
            sessions,
            tokens,
            subscriptions,
            full,
        })
    }

    fn sweep_expired_sessions(&mut self, until: Timestamp, again: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = ExpiredSessions {
            until: Moment(until),
            limit: i64::from(limit),
        };
        let expired: Vec<(Uuid, bool)> = self.ask(|connection| (&statement).load(connection))?;
        let seen = expired.len();
        let (needed, idle): (Vec<_>, Vec<_>) = expired.into_iter().partition(|(_, needed)| *needed);
        let ids = |sessions: Vec<(Uuid, bool)>| sessions.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        let (needed, idle) = (ids(needed), ids(idle));
        let mut done = needed.len();
        if !needed.is_empty() {
            let statement = HoldSessions {
                at: Moment(again),
                ids: needed,
            };
            self.ask(|connection| (&statement).execute(connection))?;
        }
        let mut removed = 0;
        if !idle.is_empty() {
            let statement = DropSessions { ids: idle };
            removed = self.ask(|connection| (&statement).execute(connection))?;
            done += removed;
        }
        Ok(Sweep {
            removed,
            full: Sweep::of(done, seen, limit).full,
        })
    }

    fn sweep_codes(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropCodes {
            until: Moment(until),
            limit: i64::from(limit),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_phones(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropPhones {
            until: Moment(until),
            limit: i64::from(limit),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_failed_phones(&mut self, until: Timestamp, failed_until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropFailedPhones {
            failed_until: Moment(failed_until),
            until: Moment(until),
            limit: i64::from(limit),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_counters(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropCounters {
            until: Moment(until),
            limit: i64::from(limit),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }

    fn sweep_audit(&mut self, until: Timestamp, limit: u32) -> Found<Sweep> {
        let statement = DropAudit {
            below: FreshIds::beyond(until),
            until: Moment(until),
            limit: i64::from(limit),
        };
        let removed = self.ask(|connection| (&statement).execute(connection))?;
        Ok(Sweep::of(removed, removed, limit))
    }
}

impl Repositories<'_> {
    /// The addresses of a user's tokens and subscriptions.
    fn addresses_of(&mut self, user: UserId) -> Found<Vec<Address>> {
        let tokens: Vec<(String, Vec<u8>)> = self.ask(|connection| {
            devices::table
                .inner_join(push_tokens::table.on(push_tokens::device_id.eq(devices::id)))
                .filter(devices::user_id.eq(user.uuid()))
                .select((push_tokens::provider, push_tokens::value_hash))
                .load(connection)
        })?;
        let endpoints: Vec<(String, Vec<u8>)> = self.ask(|connection| {
            subscriptions::table
                .filter(subscriptions::user_id.eq(user.uuid()))
                .select((subscriptions::provider, subscriptions::endpoint_hash))
                .load(connection)
        })?;
        let rows = tokens.iter().chain(&endpoints);
        rows.map(|(provider, hash)| address(provider, hash)).collect()
    }

    /// What is registered under sessions, at most `limit` tokens and as many subscriptions.
    fn registered_under(&mut self, sessions: &[Uuid], limit: u32) -> Found<(Vec<Owned>, Vec<Owned>)> {
        let limit = i64::from(limit);
        let tokens = self.ask(|connection| {
            push_tokens::table
                .filter(push_tokens::session_id.eq_any(sessions))
                .limit(limit)
                .select((
                    push_tokens::id,
                    push_tokens::user_id,
                    push_tokens::provider,
                    push_tokens::value_hash,
                ))
                .load(connection)
        })?;
        let subscriptions = self.ask(|connection| {
            subscriptions::table
                .filter(subscriptions::session_id.eq_any(sessions))
                .limit(limit)
                .select((
                    subscriptions::id,
                    subscriptions::user_id,
                    subscriptions::provider,
                    subscriptions::endpoint_hash,
                ))
                .load(connection)
        })?;
        Ok((tokens, subscriptions))
    }

    /// Locks the users whom nobody else holds, then the addresses of their rows; gives these rows.
    pub(super) fn hold(&mut self, tokens: Vec<Owned>, subscriptions: Vec<Owned>) -> Found<Held> {
        let rows = tokens.iter().chain(&subscriptions);
        let owners: BTreeSet<Uuid> = rows.map(|(_, user, ..)| *user).collect();
        if owners.is_empty() {
            return Ok(Held::default());
        }
        let owners: Vec<Uuid> = owners.into_iter().collect();
        let held: Vec<Uuid> = self.ask(|connection| {
            users::table
                .filter(users::id.eq_any(&owners))
                .order(users::id)
                .select(users::id)
                .for_no_key_update()
                .skip_locked()
                .load(connection)
        })?;
        let held: BTreeSet<Uuid> = held.into_iter().collect();
        let mut addresses = BTreeSet::new();
        let mut ids = |rows: Vec<Owned>| -> Found<Vec<Uuid>> {
            let ours = rows.into_iter().filter(|(_, user, ..)| held.contains(user));
            ours.map(|(id, _, provider, hash)| {
                addresses.insert(address(&provider, &hash)?);
                Ok(id)
            })
            .collect()
        };
        let (tokens, subscriptions) = (ids(tokens)?, ids(subscriptions)?);
        let addresses: Vec<Address> = addresses.into_iter().collect();
        if !addresses.is_empty() {
            self.hold_addresses(&addresses)?;
        }
        Ok(Held {
            tokens,
            subscriptions,
            addresses,
        })
    }

    /// Removes what is held, if it is still registered under one of the sessions: how many tokens and subscriptions that were.
    fn drop_suspended(&mut self, held: &Held, sessions: &[Uuid]) -> Found<(usize, usize)> {
        let mut tokens = 0;
        if !held.tokens.is_empty() {
            tokens = self.ask(|connection| {
                diesel::delete(push_tokens::table)
                    .filter(push_tokens::id.eq_any(&held.tokens))
                    .filter(push_tokens::session_id.eq_any(sessions))
                    .execute(connection)
            })?;
        }
        let mut emptied = Vec::new();
        if !held.subscriptions.is_empty() {
            emptied = self.ask(|connection| {
                diesel::delete(subscriptions::table)
                    .filter(subscriptions::id.eq_any(&held.subscriptions))
                    .filter(subscriptions::session_id.eq_any(sessions))
                    .returning(subscriptions::device_id)
                    .get_results::<Uuid>(connection)
            })?;
        }
        let removed = (tokens, emptied.len());
        if !emptied.is_empty() {
            self.drop_emptied(emptied)?;
        }
        if !held.addresses.is_empty() {
            self.drop_unused(&held.addresses)?;
        }
        Ok(removed)
    }

    /// Removes those of the devices on which nothing lies.
    pub(super) fn drop_emptied(&mut self, devices: Vec<Uuid>) -> Found<()> {
        let statement = DropEmptyDevices { ids: devices };
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }
}
