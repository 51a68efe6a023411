//! Delivering messages: jobs are claimed and judged in one transaction, attempted, and settled in another, many at a time.

mod seen;

use std::collections::BTreeSet;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::job::{
    Answer, Claimed, CredentialFate, CredentialId, Fate, FinalState, Finished, LEASE, Lane, Postponed,
    Reason, Schedule, Settled, admit, is_fresh, settle,
};
use doorbell_domain::outbox::Fence;
use doorbell_domain::ports::Push;
use doorbell_domain::store::{self, Found, StoreError, Unit};
use doorbell_domain::{AuditId, DeviceUid, FreshIds, JobId, Provider, Timestamp, UserId};

use self::seen::Said;
pub(crate) use self::seen::Seen;
use crate::Doorbell;

/// A job that may be sent: claimed, and judged as it was claimed.
#[derive(Clone, Debug)]
pub struct Dispatch {
    push: Push,
    user: UserId,
    device: DeviceUid,
    credential: CredentialId,
    lane: Lane,
    schedule: Schedule,
    expires_at: Timestamp,
    suspect_at: Option<Timestamp>,
    claimed_at: Timestamp,
}

impl Dispatch {
    /// Where it queues.
    pub const fn lane(&self) -> &Lane {
        &self.lane
    }

    const fn claim(&self) -> (JobId, Fence) {
        (self.push.job, self.schedule.fence)
    }
}

/// A dispatch and what came of it.
#[derive(Clone, Debug)]
pub struct Attempted {
    dispatch: Dispatch,
    /// `None` where it came too late to be sent as it was judged.
    answer: Option<(Answer, Said)>,
}

impl Attempted {
    /// Whether its provider gave no answer in time; `None` where it was not asked.
    pub fn hung(&self) -> Option<bool> {
        self.answer.map(|(answer, _)| answer.was_too_slow())
    }
}

/// What a batch of attempts left to do once it was written down.
struct WrittenDown {
    ends: Vec<(Provider, FinalState)>,
    stopped: Option<bool>,
    dead: Vec<(UserId, DeviceUid, CredentialId, Timestamp)>,
}

impl Doorbell {
    /// Claims at most `most` jobs that are due, of no lane in `busy`; what may not be rung any more is ended in the same transaction.
    /// Gives those that are to be sent: at once, since their lease runs.
    pub async fn claim_jobs(&self, most: u32, busy: Vec<Lane>) -> Result<Claims, StoreError> {
        let now = self.now();
        let push = self.ports.push.clone();
        let (claims, ended) = store::transact(self.ports.store.as_ref(), move |unit| {
            let claimed = unit.claim_jobs(now, LEASE, most, &busy)?;
            let count = claimed.len();
            let mut finished = Vec::new();
            let mut ends = Vec::new();
            let mut dispatches = Vec::with_capacity(count);
            for job in claimed {
                let provider = job.job.credential.provider();
                let verdict = admit(&job, now).and_then(|()| {
                    if push.carries(provider) {
                        Ok(())
                    } else {
                        Err((FinalState::Failed, Reason::ProviderOff))
                    }
                });
                match verdict {
                    Ok(()) => dispatches.extend(dispatch(job, now)),
                    Err((end, reason)) => {
                        ends.push((provider, end));
                        finished.push(Finished::unattempted(&job, end, reason));
                    }
                }
            }
            if !finished.is_empty() {
                unit.finish_jobs(&finished, now)?;
            }
            Ok((Claims { count, dispatches }, ends))
        })
        .await?;
        for (provider, end) in ended {
            self.ports.push_tally.end(provider, end);
        }
        Ok(claims)
    }

    /// Attempts a delivery, unless it waited too long for that.
    pub async fn attempt(&self, dispatch: Dispatch) -> Attempted {
        if !is_fresh(dispatch.claimed_at, self.now()) {
            return Attempted {
                dispatch,
                answer: None,
            };
        }
        let answer = self.ports.push.send(&dispatch.push).await;
        self.ports
            .push_tally
            .attempt(dispatch.credential.provider(), answer.into());
        let said = self.seen.count(&dispatch.lane, dispatch.user, answer, self.now());
        Attempted {
            dispatch,
            answer: Some((answer, said)),
        }
    }

    /// Writes down what attempts came to, in one transaction; credentials that are dead are removed after it, each in its own. Can be
    /// repeated: what a later claim has overtaken changes nothing.
    pub async fn settle_jobs(&self, attempts: Vec<Attempted>) -> Result<(), StoreError> {
        let now = self.now();
        let mut too_many_gone = false;
        let (mut settled, mut unused) = (Vec::with_capacity(attempts.len()), Vec::new());
        let mut resting = Vec::new();
        for Attempted { dispatch, answer } in attempts {
            let Some((answer, said)) = answer else {
                unused.push(dispatch.claim());
                continue;
            };
            too_many_gone |= said.too_many_gone;
            let roll = u16::from_be_bytes(self.ports.entropy.bytes());
            let outcome = settle(
                answer,
                &dispatch.schedule,
                dispatch.expires_at,
                dispatch.suspect_at,
                now,
                roll,
            );
            if let Some(rest) = said.rest {
                let until = rest.until(now, dispatch.schedule.failures);
                resting.push((dispatch.lane.clone(), until));
            }
            settled.push((dispatch, outcome));
        }
        let mut ids = self.fresh_ids();
        let written = store::transact(self.ports.store.as_ref(), move |unit| {
            if !unused.is_empty() {
                unit.return_jobs(&unused, now)?;
            }
            for (lane, until) in &resting {
                unit.rest_lane(lane, *until)?;
            }
            let written = write_down(unit, &settled, now)?;
            let fates: Vec<_> = settled
                .iter()
                .filter(|(dispatch, _)| written.binary_search(&dispatch.push.job).is_ok())
                .collect();
            let stopped = prune(unit, &fates, too_many_gone, now, &mut ids)?;
            let ends = fates.iter().filter_map(|(dispatch, outcome)| match outcome.fate {
                Fate::Over(end, _) => Some((dispatch.credential.provider(), end)),
                Fate::Again { .. } => None,
            });
            let ends = ends.collect();
            let dead = fates
                .iter()
                .filter(|(_, outcome)| stopped != Some(true) && outcome.credential == CredentialFate::Remove);
            let dead = dead.map(|(d, _)| (d.user, d.device, d.credential, d.claimed_at));
            Ok(WrittenDown {
                ends,
                stopped,
                dead: dead.collect(),
            })
        })
        .await?;
        for (provider, end) in written.ends {
            self.ports.push_tally.end(provider, end);
        }
        if let Some(stopped) = written.stopped {
            self.ports.push_tally.pruning(stopped);
        }
        for (user, device, credential, claimed_at) in written.dead {
            self.remove_dead(user, device, credential, claimed_at).await?;
        }
        Ok(())
    }

    /// Gives back claims that were not used.
    pub async fn return_jobs(&self, unused: Vec<Dispatch>) -> Result<(), StoreError> {
        let now = self.now();
        let claims: Vec<_> = unused.iter().map(Dispatch::claim).collect();
        store::transact(self.ports.store.as_ref(), move |unit| {
            unit.return_jobs(&claims, now)
        })
        .await
    }

    /// Removes a credential that proved dead twice, in a transaction of its own: it locks the user, as every removal does.
    async fn remove_dead(
        &self,
        user: UserId,
        device: DeviceUid,
        credential: CredentialId,
        claimed_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut ids = self.fresh_ids();
        store::transact(self.ports.store.as_ref(), move |unit| {
            if unit.pruning_stopped()?.is_none() && unit.remove_dead(user, credential, claimed_at)? {
                let provider = credential.provider();
                unit.record(&[proof(
                    &mut ids,
                    AuditAction::CredentialDead,
                    user,
                    device,
                    provider,
                    now,
                )])?;
            }
            Ok(())
        })
        .await
    }

    /// Puts jobs back that were set aside and whose time is not over; how many.
    pub async fn redrive_jobs(&self, limit: u32) -> Result<u64, StoreError> {
        let now = self.now();
        let redriven = store::transact(self.ports.store.as_ref(), move |unit| {
            unit.redrive_jobs(now, limit)
        });
        let redriven = redriven.await?;
        self.ports.push_wake.wake();
        Ok(redriven)
    }

    /// Tells whoever watches whether credentials are held for dead: another server may have stopped that, or an operator resumed it.
    pub async fn note_pruning(&self) -> Result<(), StoreError> {
        let stopped = store::read(self.ports.store.as_ref(), |unit| unit.pruning_stopped()).await?;
        self.ports.push_tally.pruning(stopped.is_some());
        Ok(())
    }

    /// Has credentials held for dead again; whether that was not so.
    pub async fn resume_pruning(&self) -> Result<bool, StoreError> {
        store::transact(self.ports.store.as_ref(), |unit| unit.stop_pruning(None)).await
    }
}

/// What a claim came to.
#[derive(Debug)]
pub struct Claims {
    /// How many jobs were claimed, those included that were ended at once: as many as were asked for mean that there may be more.
    pub count: usize,
    /// What is to be sent.
    pub dispatches: Vec<Dispatch>,
}

/// What is to be sent of a job that was admitted.
fn dispatch(claimed: Claimed, now: Timestamp) -> Option<Dispatch> {
    let Claimed {
        job,
        schedule,
        held,
        message,
        ..
    } = claimed;
    let (held, message) = (held?, message?);
    let suspect_at = held.target.suspect_at();
    let ttl = message.ttl.left(message.send_at, now);
    Some(Dispatch {
        user: job.user,
        device: job.device,
        credential: job.credential,
        lane: job.lane,
        schedule,
        expires_at: job.expires_at,
        suspect_at,
        claimed_at: now,
        push: Push {
            job: job.id,
            message,
            target: held.target,
            ttl,
        },
    })
}

/// Writes down what became of jobs; gives the jobs whose claim was still the latest, in order.
fn write_down(unit: &mut dyn Unit, settled: &[(Dispatch, Settled)], now: Timestamp) -> Found<Vec<JobId>> {
    let (mut finished, mut postponed) = (Vec::new(), Vec::new());
    for (dispatch, outcome) in settled {
        let (id, fence) = dispatch.claim();
        match outcome.fate {
            Fate::Over(end, reason) => finished.push(Finished {
                id,
                fence,
                end,
                reason,
                attempts: dispatch.schedule.failures.saturating_add(1),
            }),
            Fate::Again { due_at, reason } => postponed.push(Postponed {
                id,
                fence,
                due_at,
                reason,
            }),
        }
    }
    let mut written = Vec::with_capacity(settled.len());
    if !finished.is_empty() {
        written.extend(unit.finish_jobs(&finished, now)?.jobs);
    }
    if !postponed.is_empty() {
        written.extend(unit.postpone_jobs(&postponed, now)?);
    }
    written.sort_unstable();
    Ok(written)
}

/// Notes which credentials rang and which are suspects. Gives whether holding credentials for dead is stopped, where anybody asked.
fn prune(
    unit: &mut dyn Unit,
    fates: &[&(Dispatch, Settled)],
    too_many_gone: bool,
    now: Timestamp,
    ids: &mut FreshIds,
) -> Found<Option<bool>> {
    let those = |fate: CredentialFate| {
        let those = fates
            .iter()
            .filter(move |(_, outcome)| outcome.credential == fate);
        those.map(|(dispatch, _)| dispatch)
    };
    let rang: Vec<CredentialId> = those(CredentialFate::Rang).map(|d| d.credential).collect();
    if !rang.is_empty() {
        unit.note_rung(&rang, now)?;
    }
    let anybody = those(CredentialFate::Suspect)
        .chain(those(CredentialFate::Remove))
        .next()
        .is_some();
    if !anybody && !too_many_gone {
        return Ok(None);
    }
    if too_many_gone {
        unit.stop_pruning(Some(now))?;
        return Ok(Some(true));
    }
    if unit.pruning_stopped()?.is_some() {
        return Ok(Some(true));
    }
    let suspects: Vec<CredentialId> = those(CredentialFate::Suspect).map(|d| d.credential).collect();
    let claimed_at = those(CredentialFate::Suspect).map(|d| d.claimed_at).min();
    if let Some(claimed_at) = claimed_at {
        let mut suspected: BTreeSet<_> = unit.suspect(&suspects, claimed_at, now)?.into_iter().collect();
        // Several messages may have found out together: one line each credential.
        let lines: Vec<AuditEvent> = those(CredentialFate::Suspect)
            .filter(|d| suspected.remove(&d.credential))
            .map(|d| {
                let provider = d.credential.provider();
                proof(
                    ids,
                    AuditAction::CredentialSuspect,
                    d.user,
                    d.device,
                    provider,
                    now,
                )
            })
            .collect();
        if !lines.is_empty() {
            unit.record(&lines)?;
        }
    }
    Ok(Some(false))
}

/// The line that says that a credential is held for dead, for now or for good.
pub(crate) fn proof(
    ids: &mut FreshIds,
    action: AuditAction,
    user: UserId,
    device: DeviceUid,
    provider: Provider,
    at: Timestamp,
) -> AuditEvent {
    AuditEvent {
        id: AuditId::from_uuid(ids.take()),
        user,
        at,
        action,
        session: None,
        device: Some(device),
        reason: Some(provider.name()),
    }
}
