//! `push_jobs` and `finished_jobs`.

use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use doorbell_domain::job::{Job, Lane, Schedule, State};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Found, JobLine, StoreError};
use doorbell_storage::parts;

use crate::schema::push_jobs;
use crate::values::{Id, Instant};

const TABLE: &str = "push_jobs";

/// The types of a [`JobRow`]'s columns.
pub(crate) type JobTypes = SqlTypeOf<<JobRow as Selectable<Sqlite>>::SelectExpression>;

/// A job that is not over.
#[derive(Queryable, Selectable)]
#[diesel(table_name = push_jobs)]
#[diesel(check_for_backend(Sqlite))]
pub(crate) struct JobRow {
    id: Id,
    message_id: Id,
    user_id: Id,
    device_id: Id,
    provider: String,
    credential_id: Id,
    lane: String,
    expires_at: Instant,
    due_at: Instant,
    claimed: bool,
    fence: i64,
    failures: i64,
    receives: i64,
}

impl JobRow {
    /// The job, and where it stands.
    pub(crate) fn read(self) -> Found<(Job, Schedule)> {
        let job = Job {
            id: self.id.into(),
            message: self.message_id.into(),
            user: self.user_id.into(),
            device: self.device_id.into(),
            credential: parts::credential(&self.provider, self.credential_id.0, TABLE)?,
            lane: Lane::restore(&self.lane),
            expires_at: self.expires_at.into(),
        };
        let schedule = Schedule {
            due_at: self.due_at.into(),
            claimed: self.claimed,
            fence: Fence(parts::count(self.fence, TABLE, "fence")?),
            failures: parts::count(self.failures, TABLE, "failures")?,
            receives: parts::count(self.receives, TABLE, "receives")?,
        };
        Ok((job, schedule))
    }
}

/// The types of a [`JobLineRow`]'s columns.
pub(crate) type JobLineTypes = (
    Binary,
    Binary,
    Binary,
    Binary,
    Text,
    Nullable<Text>,
    Bool,
    BigInt,
    Nullable<Text>,
    BigInt,
);

/// A job of either table as it is told of.
#[derive(Queryable)]
pub(crate) struct JobLineRow {
    id: Id,
    message_id: Id,
    user_id: Id,
    device_id: Id,
    provider: String,
    /// How it ended, if it has.
    state: Option<String>,
    claimed: bool,
    attempts: i64,
    reason: Option<String>,
    updated_at: Instant,
}

impl TryFrom<JobLineRow> for JobLine {
    type Error = StoreError;

    fn try_from(row: JobLineRow) -> Found<Self> {
        let attempts = parts::count(row.attempts, TABLE, "attempts")?;
        Ok(Self {
            id: row.id.into(),
            message: row.message_id.into(),
            user: row.user_id.into(),
            device: row.device_id.into(),
            provider: parts::provider(&row.provider, TABLE)?,
            state: match row.state {
                Some(end) => State::Over(parts::final_state(&end, TABLE)?),
                None => State::of_open(row.claimed, attempts),
            },
            reason: parts::reason(row.reason.as_deref(), TABLE)?,
            attempts,
            updated_at: row.updated_at.into(),
        })
    }
}
