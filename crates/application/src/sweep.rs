//! Ridding the registry of what is over, and carrying out deletions that are due.

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::retention::{Over, PASS, Retention};
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{self, Found, StoreError, Unit};
use doorbell_domain::sweeps::SuspectSweep;
use doorbell_domain::{AuditId, FreshIds, SessionId, Timestamp, UserId};

use crate::Doorbell;
use crate::deliver_messages::proof;

/// What one pass did: how many rows of each kind it removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Accounts whose deletion was carried out. Their rows stay, empty.
    pub accounts: usize,
    /// Push tokens, long unseen or of sessions that ended long ago.
    pub tokens: usize,
    /// Subscriptions of sessions that ended long ago.
    pub subscriptions: usize,
    /// Sessions that ended or expired long ago.
    pub sessions: usize,
    /// One-time codes.
    pub codes: usize,
    /// Phones that were long sent nothing.
    pub phones: usize,
    /// Counters of accepted requests.
    pub counters: usize,
    /// Lines of the audit trail.
    pub events: usize,
    /// Finished jobs.
    pub jobs: usize,
    /// Messages.
    pub messages: usize,
    /// Idempotency keys.
    pub idempotency_keys: usize,
    /// Events that nobody was told of.
    pub untold_events: usize,
    /// Users whom messages did not reach.
    pub unreached: usize,
    /// Rests of lanes.
    pub rests: usize,
    /// Whether some kind met its limit, so that another pass may have more to do at once.
    pub more: bool,
}

/// A pass on its way. What fails is told in the end, and keeps nothing else from being swept.
#[derive(Default)]
struct Pass {
    swept: Swept,
    failed: Option<StoreError>,
}

impl Pass {
    /// Notes what a part of the pass came to. Only a store that is away ends the pass.
    fn note<T>(&mut self, outcome: Found<T>, add: impl FnOnce(&mut Swept, T)) -> Found<()> {
        match outcome {
            Ok(done) => add(&mut self.swept, done),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error) => {
                self.failed.get_or_insert(error);
            }
        }
        Ok(())
    }
}

impl Doorbell {
    /// One pass over everything that is over: at most 1,000 rows of a kind, oldest first, each kind in a transaction of its own
    /// and each account too. Servers may do it at once, and beside any request.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let now = self.now();
        let over = Retention::STANDARD.over_at(now);
        let mut pass = Pass::default();
        self.finalize_due(now, &mut pass).await?;

        let tokens = self.write(move |unit| unit.sweep_tokens(over.tokens, PASS)).await;
        pass.note(tokens, |swept, done| {
            swept.tokens += done.removed;
            swept.more |= done.full;
        })?;
        let ended = self.write(move |unit| unit.sweep_ended_sessions(over.sessions, PASS));
        pass.note(ended.await, |swept, done| {
            swept.sessions += done.sessions;
            swept.tokens += done.tokens;
            swept.subscriptions += done.subscriptions;
            swept.more |= done.full;
        })?;
        let expired =
            self.write(move |unit| unit.sweep_expired_sessions(over.sessions, over.sessions_again, PASS));
        pass.note(expired.await, |swept, done| {
            swept.sessions += done.removed;
            swept.more |= done.full;
        })?;
        let codes = self.write(move |unit| unit.sweep_codes(over.codes, PASS)).await;
        pass.note(codes, |swept, done| {
            swept.codes += done.removed;
            swept.more |= done.full;
        })?;
        let phones = self.write(move |unit| unit.sweep_phones(over.phones, PASS)).await;
        pass.note(phones, |swept, done| {
            swept.phones += done.removed;
            swept.more |= done.full;
        })?;
        let failed = self.write(move |unit| unit.sweep_failed_phones(over.phones, over.failures, PASS));
        pass.note(failed.await, |swept, done| {
            swept.phones += done.removed;
            swept.more |= done.full;
        })?;
        let counters = self.write(move |unit| unit.sweep_counters(over.counters, PASS));
        pass.note(counters.await, |swept, done| {
            swept.counters += done.removed;
            swept.more |= done.full;
        })?;
        let events = self.write(move |unit| unit.sweep_audit(over.audit, PASS)).await;
        pass.note(events, |swept, done| {
            swept.events += done.removed;
            swept.more |= done.full;
        })?;
        self.sweep_delivery(over, &mut pass).await?;
        match pass.failed {
            None => Ok(pass.swept),
            Some(error) => Err(error),
        }
    }

    /// What delivery leaves behind.
    async fn sweep_delivery(&self, over: Over, pass: &mut Pass) -> Found<()> {
        let jobs = self
            .write(move |unit| unit.sweep_finished_jobs(over.jobs, PASS))
            .await;
        pass.note(jobs, |swept, done| {
            swept.jobs += done.removed;
            swept.more |= done.full;
        })?;
        let messages = self.write(move |unit| unit.sweep_messages(over.jobs, PASS)).await;
        pass.note(messages, |swept, done| {
            swept.messages += done.removed;
            swept.more |= done.full;
        })?;
        let keys = self.write(move |unit| unit.sweep_idempotency_keys(over.idempotency, PASS));
        pass.note(keys.await, |swept, done| {
            swept.idempotency_keys += done.removed;
            swept.more |= done.full;
        })?;
        let untold = self.write(move |unit| unit.sweep_event_outbox(over.untold, PASS));
        pass.note(untold.await, |swept, done| {
            swept.untold_events += done.removed;
            swept.more |= done.full;
        })?;
        let unreached = self.write(move |unit| unit.sweep_unreached(over.jobs, PASS));
        pass.note(unreached.await, |swept, done| {
            swept.unreached += done.removed;
            swept.more |= done.full;
        })?;
        let rests = self.write(move |unit| unit.sweep_resting_lanes(over.rests, PASS));
        pass.note(rests.await, |swept, done| {
            swept.rests += done.removed;
            swept.more |= done.full;
        })?;
        let suspects = self.sweep_suspects(over.suspects).await;
        pass.note(suspects, |swept, done| {
            swept.subscriptions += done.dead.len();
            swept.more |= done.full;
        })
    }

    /// Removes credentials that have long been held for dead, unless that is stopped, and says so of each in its user's trail.
    async fn sweep_suspects(&self, until: Timestamp) -> Found<SuspectSweep> {
        let now = self.now();
        let mut ids = self.fresh_ids();
        self.write(move |unit| {
            if unit.pruning_stopped()?.is_some() {
                return Ok(SuspectSweep::default());
            }
            let swept = unit.sweep_suspects(until, PASS)?;
            let dead = AuditAction::CredentialDead;
            let lines: Vec<AuditEvent> = swept
                .dead
                .iter()
                .map(|gone| proof(&mut ids, dead, gone.user, gone.device, gone.provider, now))
                .collect();
            unit.record(&lines)?;
            Ok(swept)
        })
        .await
    }

    /// Carries out the deletions that are due, each in a transaction of its own.
    async fn finalize_due(&self, now: Timestamp, pass: &mut Pass) -> Found<()> {
        let due = self.write(move |unit| unit.due_deletions(now, PASS)).await;
        let mut listed = Vec::new();
        pass.note(due, |_, due| listed = due)?;
        let full = u32::try_from(listed.len()).is_ok_and(|listed| listed >= PASS);
        for user in listed {
            let outcome = self.finalize(user, now).await;
            pass.note(outcome, |swept, done| swept.accounts += usize::from(done))?;
        }
        pass.swept.more |= full && pass.swept.accounts > 0;
        Ok(())
    }

    /// Carries out one deletion; whether it did. Another server may have, or its user taken it back, since it was found due.
    async fn finalize(&self, id: UserId, now: Timestamp) -> Found<bool> {
        let mut ids = self.fresh_ids();
        self.write(move |unit| {
            let Some(mut user) = unit.claim_user(id)? else {
                return Ok(false);
            };
            let Ok(phone) = user.finalize_deletion(now) else {
                return Ok(false);
            };
            let reason = EndReason::AccountDeletion;
            let ended = unit.end_sessions_of(id, None, now, reason)?;
            unit.erase_user(id, phone.as_ref(), now)?;
            unit.save_user(&user)?;
            unit.record(&last_events(&mut ids, id, &ended, now, reason))?;
            Ok(true)
        })
        .await
    }

    async fn write<T, F>(&self, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Unit) -> Found<T> + Send + 'static,
    {
        store::transact(self.ports.store.as_ref(), work).await
    }
}

/// The last lines of a user's trail: the sessions that ended with the account, and the account's own end.
fn last_events(
    ids: &mut FreshIds,
    user: UserId,
    ended: &[SessionId],
    at: Timestamp,
    reason: EndReason,
) -> Vec<AuditEvent> {
    let mut event = |action, session, reason| AuditEvent {
        id: AuditId::from_uuid(ids.take()),
        user,
        at,
        action,
        session,
        device: None,
        reason,
    };
    let mut events: Vec<AuditEvent> = ended
        .iter()
        .map(|session| event(AuditAction::SessionEnded, Some(*session), Some(reason.name())))
        .collect();
    events.push(event(AuditAction::DeletionFinalized, None, None));
    events
}
