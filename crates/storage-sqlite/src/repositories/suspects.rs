//! Credentials that rang, and those that are held for dead.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use doorbell_domain::job::CredentialId;
use doorbell_domain::store::Found;
use doorbell_domain::sweeps::{Dead, SuspectSweep};
use doorbell_domain::{Provider, Timestamp, UserId};

use super::Repositories;
use super::sweeps::SubscriptionLine;
use super::targets::Rows;
use crate::lists;
use crate::schema::{pruning_stops, subscriptions};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant, Json};

const TABLE: &str = "subscriptions";
const DEVICES: &str = "devices";
const STOPS: &str = "pruning_stops";

statement! {
    /// Notes that subscriptions rang.
    struct NoteSubscriptions<'a> { ids: Json, at: Instant }
    "UPDATE subscriptions SET last_used_at = max(last_used_at, ?), suspect_at = NULL \
     WHERE id IN (SELECT unhex(value) FROM json_each(?))"
    [BigInt = at, Text = ids]
}

statement! {
    /// Notes that the devices of tokens and subscriptions rang.
    struct NoteDevices<'a> { tokens: Json, subscriptions: Json, at: Instant }
    "UPDATE devices SET last_used_at = max(last_used_at, ?) WHERE id IN (\
        SELECT t.device_id FROM json_each(?) AS j CROSS JOIN push_tokens AS t ON t.id = unhex(j.value) \
        UNION ALL SELECT w.device_id FROM json_each(?) AS j CROSS JOIN subscriptions AS w ON w.id = unhex(j.value))"
    [BigInt = at, Text = tokens, Text = subscriptions]
}

statement! {
    /// Makes subscriptions suspects that are none and have not been seen since.
    struct Suspect<'a> { ids: Json, claimed_at: Instant, at: Instant } -> { Binary }
    "UPDATE subscriptions SET suspect_at = ? WHERE id IN (SELECT unhex(value) FROM json_each(?)) \
        AND suspect_at IS NULL AND last_used_at <= ? RETURNING id"
    [BigInt = at, Text = ids, BigInt = claimed_at]
}

impl Repositories<'_> {
    pub(super) fn note_ringing(&mut self, credentials: &[CredentialId], at: Timestamp) -> Found<()> {
        let rows = Rows::of(credentials.iter().copied());
        let (tokens, subscriptions) = (lists::ids(rows.tokens), lists::ids(rows.subscriptions));
        let at = Instant(at);
        let note = NoteSubscriptions {
            ids: &subscriptions,
            at: &at,
        };
        note.execute(self.connection).around(TABLE)?;
        let note = NoteDevices {
            tokens: &tokens,
            subscriptions: &subscriptions,
            at: &at,
        };
        note.execute(self.connection).around(DEVICES).map(drop)
    }

    pub(super) fn make_suspects(
        &mut self,
        credentials: &[CredentialId],
        claimed_at: Timestamp,
        at: Timestamp,
    ) -> Found<Vec<CredentialId>> {
        let suspect = Suspect {
            ids: &lists::ids(Rows::of(credentials.iter().copied()).subscriptions),
            claimed_at: &claimed_at.into(),
            at: &at.into(),
        };
        let made: Vec<Id> = suspect.load(self.connection).around(TABLE)?;
        let mut made: Vec<_> = made
            .into_iter()
            .map(|id| CredentialId::WebPush(id.into()))
            .collect();
        made.sort_unstable();
        Ok(made)
    }

    pub(super) fn remove_suspect(
        &mut self,
        user: UserId,
        credential: CredentialId,
        claimed_at: Timestamp,
    ) -> Found<bool> {
        let CredentialId::WebPush(id) = credential else {
            return Ok(false);
        };
        let dead: Option<SubscriptionLine> = subscriptions::table
            .find(Id::from(id))
            .filter(subscriptions::user_id.eq(Id::from(user)))
            .filter(subscriptions::suspect_at.is_not_null())
            .filter(subscriptions::last_used_at.le(Instant(claimed_at)))
            .select((
                subscriptions::id,
                subscriptions::device_id,
                subscriptions::endpoint_hash,
            ))
            .first(self.connection)
            .optional()
            .around(TABLE)?;
        let removed = dead.is_some();
        self.drop_subscriptions(dead.into_iter().collect())?;
        Ok(removed)
    }

    pub(super) fn remove_suspects(&mut self, until: Timestamp, limit: u32) -> Found<SuspectSweep> {
        let suspects: Vec<(Id, SubscriptionLine)> = subscriptions::table
            .filter(subscriptions::suspect_at.le(Some(Instant(until))))
            .order(subscriptions::suspect_at)
            .limit(limit.into())
            .select((
                subscriptions::user_id,
                (
                    subscriptions::id,
                    subscriptions::device_id,
                    subscriptions::endpoint_hash,
                ),
            ))
            .load(self.connection)
            .around(TABLE)?;
        let dead: Vec<Dead> = suspects
            .iter()
            .map(|(user, (_, device, _))| Dead {
                user: (*user).into(),
                device: (*device).into(),
                provider: Provider::WebPush,
            })
            .collect();
        let seen = dead.len();
        self.drop_subscriptions(suspects.into_iter().map(|(_, line)| line).collect())?;
        Ok(SuspectSweep::of(dead, seen, limit))
    }

    pub(super) fn set_pruning_stop(&mut self, since: Option<Timestamp>) -> Found<bool> {
        let changed = match since {
            Some(since) => diesel::insert_into(pruning_stops::table)
                .values((pruning_stops::only.eq(1), pruning_stops::since.eq(Instant(since))))
                .on_conflict_do_nothing()
                .execute(self.connection),
            None => diesel::delete(pruning_stops::table.find(1)).execute(self.connection),
        };
        changed.around(STOPS).map(|rows| rows > 0)
    }

    pub(super) fn pruning_stop(&mut self) -> Found<Option<Timestamp>> {
        pruning_stops::table
            .find(1)
            .select(pruning_stops::since)
            .first::<Instant>(self.connection)
            .optional()
            .around(STOPS)
            .map(|since| since.map(Timestamp::from))
    }
}
