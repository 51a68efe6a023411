//! Jobs.

use diesel::prelude::*;
use doorbell_domain::job::{CredentialId, Job, Lane, Schedule, State};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Found, JobLine};
use doorbell_domain::{DeviceUid, JobId, MessageId, UserId};
use doorbell_storage::parts;
use uuid::Uuid;

use crate::moment::Moment;

const OPEN: &str = "push_jobs";
const FINISHED: &str = "finished_jobs";

/// A job that is not over.
#[derive(Queryable)]
pub(crate) struct JobRow {
    pub(crate) id: Uuid,
    pub(crate) message_id: Uuid,
    pub(crate) user_id: Uuid,
    device_id: Uuid,
    provider: String,
    pub(crate) credential_id: Uuid,
    lane: String,
    expires_at: Moment,
    due_at: Moment,
    claimed: bool,
    fence: i64,
    failures: i64,
    receives: i64,
    _reason: Option<String>,
    _updated_at: Moment,
}

impl JobRow {
    /// What it rings.
    pub(crate) fn credential(&self) -> Found<CredentialId> {
        parts::credential(&self.provider, self.credential_id, OPEN)
    }

    pub(crate) fn read(self) -> Found<(Job, Schedule)> {
        let job = Job {
            id: JobId::from_uuid(self.id),
            message: MessageId::from_uuid(self.message_id),
            user: UserId::from_uuid(self.user_id),
            device: DeviceUid::from_uuid(self.device_id),
            credential: self.credential()?,
            lane: Lane::restore(&self.lane),
            expires_at: self.expires_at.0,
        };
        let schedule = Schedule {
            due_at: self.due_at.0,
            claimed: self.claimed,
            fence: Fence(parts::count(self.fence, OPEN, "fence")?),
            failures: parts::count(self.failures, OPEN, "failures")?,
            receives: parts::count(self.receives, OPEN, "receives")?,
        };
        Ok((job, schedule))
    }
}

/// What is told of a job, over or not.
#[derive(Queryable)]
pub(crate) struct JobLineRow {
    id: Uuid,
    message_id: Uuid,
    user_id: Uuid,
    device_id: Uuid,
    provider: String,
    claimed: bool,
    attempts: i64,
    end: Option<String>,
    reason: Option<String>,
    updated_at: Moment,
}

impl JobLineRow {
    pub(crate) fn read(self) -> Found<JobLine> {
        let table = if self.end.is_some() { FINISHED } else { OPEN };
        let attempts = parts::count(self.attempts, table, "attempts")?;
        Ok(JobLine {
            id: JobId::from_uuid(self.id),
            message: MessageId::from_uuid(self.message_id),
            user: UserId::from_uuid(self.user_id),
            device: DeviceUid::from_uuid(self.device_id),
            provider: parts::provider(&self.provider, table)?,
            state: state(self.claimed, attempts, self.end.as_deref())?,
            reason: parts::reason(self.reason.as_deref(), table)?,
            attempts,
            updated_at: self.updated_at.0,
        })
    }
}

/// What a job is said to be doing, by its row's columns.
pub(crate) fn state(claimed: bool, failures: u32, end: Option<&str>) -> Found<State> {
    match end {
        Some(end) => parts::final_state(end, FINISHED).map(State::Over),
        None => Ok(State::of_open(claimed, failures)),
    }
}
