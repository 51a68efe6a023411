//! Jobs on their way out.
//!
//! Whoever holds a job's row is claiming it, ending it or putting it off, so nobody waits for one: to a claim it is taken, and the
//! claim whose end is to be written down is the latest no more. Messages are locked after jobs, in their order; credentials and
//! lanes that another transaction holds are passed over, since that one notes as much.

mod claim;
mod credentials;
mod settle;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text, Timestamptz};
use doorbell_domain::job::{Claimed, CredentialId, Finished, Lane, Postponed};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Ended, Found, Jobs, StoreError};
use doorbell_domain::{JobId, Timestamp, UserId};
use time::Duration;

use super::Repositories;
use crate::moment::Moment;
use crate::schema::pruning_stops;
use crate::statement::statement;

statement! {
    /// Has a lane rest, unless another transaction says so at this moment: two that wait for each other's lanes would never end.
    RestLane:
    "INSERT INTO resting_lanes (lane, until) SELECT lane, until FROM (VALUES (" [lane: String => Text] ", "
    [until: Moment => Timestamptz] ")) AS resting (lane, until) WHERE pg_try_advisory_xact_lock("
    [lock: i32 => Integer] ", hashtext(lane))
    ON CONFLICT (lane) DO UPDATE SET until = excluded.until WHERE resting_lanes.until < excluded.until"
}

/// The first half of what [`RestLane`] locks: a number of no other meaning.
const LANES: i32 = 723_683_552;

impl Jobs for Repositories<'_> {
    fn claim_jobs(
        &mut self,
        now: Timestamp,
        lease: Duration,
        most: u32,
        busy: &[Lane],
    ) -> Found<Vec<Claimed>> {
        self.claim(now, now + lease, most, busy)
    }

    fn finish_jobs(&mut self, jobs: &[Finished], now: Timestamp) -> Found<Ended> {
        self.finish(jobs, now)
    }

    fn postpone_jobs(&mut self, jobs: &[Postponed], now: Timestamp) -> Found<Vec<JobId>> {
        self.postpone(jobs, now)
    }

    fn return_jobs(&mut self, jobs: &[(JobId, Fence)], now: Timestamp) -> Found<()> {
        self.give_back(jobs, now)
    }

    fn rest_lane(&mut self, lane: &Lane, until: Timestamp) -> Found<()> {
        let statement = RestLane {
            lane: lane.name().to_owned(),
            until: Moment(until),
            lock: LANES,
        };
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }

    fn note_rung(&mut self, credentials: &[CredentialId], at: Timestamp) -> Found<()> {
        self.note_use(credentials, at)
    }

    fn suspect(
        &mut self,
        credentials: &[CredentialId],
        claimed_at: Timestamp,
        at: Timestamp,
    ) -> Found<Vec<CredentialId>> {
        self.note_suspects(credentials, claimed_at, at)
    }

    fn remove_dead(&mut self, user: UserId, credential: CredentialId, claimed_at: Timestamp) -> Found<bool> {
        match credential {
            CredentialId::WebPush(subscription) => self.remove_suspect(user, subscription, claimed_at),
            CredentialId::Apns(_) | CredentialId::Fcm(_) => Ok(false),
        }
    }

    fn redrive_jobs(&mut self, now: Timestamp, limit: u32) -> Found<u64> {
        self.redrive(now, limit)
    }

    fn stop_pruning(&mut self, since: Option<Timestamp>) -> Found<bool> {
        let changed = self.ask(|connection| match since {
            Some(since) => diesel::insert_into(pruning_stops::table)
                .values((
                    pruning_stops::sole.eq(true),
                    pruning_stops::since.eq(Moment(since)),
                ))
                .on_conflict_do_nothing()
                .execute(connection),
            None => diesel::delete(pruning_stops::table.find(true)).execute(connection),
        })?;
        Ok(changed == 1)
    }
}

/// What a row says, or nothing if it cannot be read: one bad row keeps nobody else's message.
pub(super) fn readable<T>(read: Found<T>) -> Found<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ StoreError::Inconsistent { .. }) => {
            tracing::warn!(%error, "a row that is to be delivered cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
