//! Messages, their jobs, and the keys by which they are sent.

use time::Duration;

use super::{Found, TrailLine};
use crate::api_key::{ApiKey, ApiKeyHash, ApiKeyName};
use crate::idempotency::{IdempotencyKey, RequestHash};
use crate::job::{Claimed, CredentialId, Finished, Job, Lane, Postponed, Reason, State, Target};
use crate::message::{Audience, Message};
use crate::outbox::Fence;
use crate::sweeps::{SuspectSweep, Sweep};
use crate::{ApiKeyId, DeviceUid, JobId, MessageId, Provider, Timestamp, UserId};

/// What an idempotency key was used for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// Nothing: it is now this request's.
    Fresh,
    /// The same request, which was accepted as this message of so many jobs (of none, once the message is forgotten).
    Same(MessageId, u32),
    /// Another request.
    Other,
}

/// A job as it is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLine {
    /// The job.
    pub id: JobId,
    /// What it delivers.
    pub message: MessageId,
    /// To whom.
    pub user: UserId,
    /// To which device.
    pub device: DeviceUid,
    /// By whom.
    pub provider: Provider,
    /// What it is doing.
    pub state: State,
    /// Why it was postponed, or ended so.
    pub reason: Option<Reason>,
    /// How many attempts ended, the one that ended it included.
    pub attempts: u32,
    /// When it was last postponed, or ended; else when it was accepted.
    pub updated_at: Timestamp,
}

/// Which jobs were ended, and with them which messages: those that have no job left that is not over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The jobs, in order.
    pub jobs: Vec<JobId>,
    /// The messages, in order.
    pub messages: Vec<MessageId>,
}

/// A message as it is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageReport {
    /// The message.
    pub id: MessageId,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// How many of its jobs are in each state, those states alone that any is in.
    pub counts: Vec<(State, u64)>,
    /// Its jobs in order of their ids, those behind `after` and no more than were asked for.
    pub jobs: Vec<JobLine>,
}

/// One line of the answer to "why did it not arrive?": what happened to the user, or what became of a message to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrailEntry {
    /// A line of the audit trail.
    Happened(TrailLine),
    /// A job.
    Job(JobLine),
    /// A message that found nothing of theirs to ring.
    Unreached(MessageId),
}

impl TrailEntry {
    /// What orders entries: ids hold the time of the event, or of the message's acceptance.
    pub const fn id(&self) -> uuid::Uuid {
        match self {
            Self::Happened(line) => line.id.uuid(),
            Self::Job(job) => job.id.uuid(),
            Self::Unreached(message) => message.uuid(),
        }
    }
}

/// Reading what became of messages, for those who hold an API key.
pub trait DeliveryReads {
    /// The key of that hash that is not revoked.
    fn api_key(&mut self, hash: &ApiKeyHash) -> Found<Option<ApiKeyId>>;

    /// Every key, oldest first.
    fn api_keys(&mut self) -> Found<Vec<ApiKey>>;

    /// What became of a message, with at most `limit` of its jobs, those behind `after`.
    fn message_report(
        &mut self,
        id: MessageId,
        after: Option<JobId>,
        limit: u32,
    ) -> Found<Option<MessageReport>>;

    /// What happened to a user and became of messages to them, newest first, at most `limit` entries, those before `before`.
    fn user_trail(&mut self, user: UserId, before: Option<uuid::Uuid>, limit: u32) -> Found<Vec<TrailEntry>>;

    /// Since when nobody is held for dead ([`suspicion`](crate::suspicion)); `None` while that is not so.
    fn pruning_stopped(&mut self) -> Found<Option<Timestamp>>;
}

/// Messages on their way in.
pub trait Messages {
    /// Notes that `key` of that API key is used at `now` for a request of that hash, which becomes `message`, unless it was used before.
    /// Waits for another who is using it.
    fn recall(
        &mut self,
        api_key: ApiKeyId,
        key: &IdempotencyKey,
        request: &RequestHash,
        message: MessageId,
        now: Timestamp,
    ) -> Found<Recalled>;

    /// What of that audience can be rung, in order of device and row: alert tokens and subscriptions on active devices, their session not
    /// ended, that are no suspects that must not be probed yet at `now`. Each once, whoever named it.
    fn reachable(&mut self, audience: &Audience, now: Timestamp) -> Found<Vec<Target>>;

    /// Writes a message, its content sealed, and its jobs, due when it is to be sent.
    fn insert_message(&mut self, message: &Message, jobs: &[Job]) -> Found<()>;

    /// Notes of that message's audience whom it found nothing to ring of: the accounts named by their ids, phones or devices that are
    /// not among those `reached`. Accounts that are not there, or were deleted, are passed over.
    fn note_unreached(&mut self, message: MessageId, audience: &Audience, reached: &[UserId]) -> Found<()>;

    /// Takes a message back at `now`, and ends those of its jobs that nobody has claimed; whoever has claimed one, or claims it when
    /// that lease runs out, sees to the rest. A message that was taken back before stays so. `None` where there is no such message.
    fn cancel_message(&mut self, id: MessageId, now: Timestamp) -> Found<Option<Ended>>;
}

/// Jobs on their way out.
pub trait Jobs {
    /// Claims at most `most` jobs that are due at `now`, those due first, for `lease`, each as [`Schedule::claimed`] would, with what
    /// it rings and says. Jobs of a lane in `busy`, and of one that rests, are passed over. Never waits for another who claims.
    ///
    /// A job is replaced by one that was accepted later for the same credential, from the same API key and with the same collapse key,
    /// that is open or delivered and not taken back, and whose message is to be sent no earlier than its own, and by `now`.
    ///
    /// [`Schedule::claimed`]: crate::job::Schedule::claimed
    fn claim_jobs(
        &mut self,
        now: Timestamp,
        lease: Duration,
        most: u32,
        busy: &[Lane],
    ) -> Found<Vec<Claimed>>;

    /// Ends jobs at `now` whose fence is still the latest. What names a job that is over changes nothing.
    fn finish_jobs(&mut self, jobs: &[Finished], now: Timestamp) -> Found<Ended>;

    /// Postpones jobs at `now` whose fence is still the latest, as [`Schedule::postponed`] would; gives which.
    ///
    /// [`Schedule::postponed`]: crate::job::Schedule::postponed
    fn postpone_jobs(&mut self, jobs: &[Postponed], now: Timestamp) -> Found<Vec<JobId>>;

    /// Gives claims back that were not used, as though they had never been made: the jobs are due at `now`. Their fences stay, so
    /// that none is given twice.
    fn return_jobs(&mut self, jobs: &[(JobId, Fence)], now: Timestamp) -> Found<()>;

    /// Has nothing claimed of a lane until then, or longer if that is noted already.
    fn rest_lane(&mut self, lane: &Lane, until: Timestamp) -> Found<()>;

    /// Notes of credentials and their devices that they rang at `at`, and that those are no suspects.
    fn note_rung(&mut self, credentials: &[CredentialId], at: Timestamp) -> Found<()>;

    /// Makes credentials suspects from `at` on that are none, and were not registered or rung after `claimed_at`; gives which, in
    /// order. Tokens are never suspects yet.
    fn suspect(
        &mut self,
        credentials: &[CredentialId],
        claimed_at: Timestamp,
        at: Timestamp,
    ) -> Found<Vec<CredentialId>>;

    /// Removes a suspect of that user that was not registered or rung after `claimed_at`, and with a subscription its device, unless
    /// something else lies on it; whether it did. Locks as [`Credentials`](super::Credentials) does.
    fn remove_dead(&mut self, user: UserId, credential: CredentialId, claimed_at: Timestamp) -> Found<bool>;

    /// Puts at most `limit` jobs back that were set aside and whose time is not over at `now`, those first whose time ends first: due
    /// at once, their failures and their fence as they were; how many.
    fn redrive_jobs(&mut self, now: Timestamp, limit: u32) -> Found<u64>;

    /// Stops (`Some`) or resumes holding credentials for dead; whether that changed anything.
    fn stop_pruning(&mut self, since: Option<Timestamp>) -> Found<bool>;
}

/// API keys.
pub trait ApiKeys {
    /// Writes a key, unless one of its name is there that is not revoked; whether it did.
    fn insert_api_key(&mut self, key: &ApiKey) -> Found<bool>;

    /// Revokes the key of that name; whether there was one that was not.
    fn revoke_api_key(&mut self, name: &ApiKeyName, at: Timestamp) -> Found<bool>;
}

/// Sweeps of what delivery leaves behind, as [`Sweeps`](crate::sweeps::Sweeps).
pub trait DeliverySweeps {
    /// Removes finished jobs that ended by `until`.
    fn sweep_finished_jobs(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes messages accepted by `until` none of whose jobs is left.
    fn sweep_messages(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes what is noted of users whom messages did not reach that were accepted by `until`, to the millisecond.
    fn sweep_unreached(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes idempotency keys used by `until`.
    fn sweep_idempotency_keys(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes rests of lanes that ended by `until`.
    fn sweep_resting_lanes(&mut self, until: Timestamp, limit: u32) -> Found<Sweep>;

    /// Removes suspects that have been so since `until` or before, as [`Jobs::remove_dead`] would; gives what they were.
    fn sweep_suspects(&mut self, until: Timestamp, limit: u32) -> Found<SuspectSweep>;
}
