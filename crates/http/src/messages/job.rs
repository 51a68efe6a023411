//! What became of a delivery, as answers tell it.

use doorbell_domain::store::JobLine;
use serde::Serialize;
use utoipa::ToSchema;

use crate::instant::Instant;
use crate::openapi::vocabulary;

/// The delivery of a message to one token or subscription.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageJob)]
pub(crate) struct JobAnswer {
    /// What it is known by.
    #[schema(format = "uuid")]
    id: String,
    /// Whom to.
    #[schema(format = "uuid")]
    user_id: String,
    /// To which of their devices, by the `id` that easyflow shows.
    #[schema(format = "uuid")]
    device_id: String,
    /// By whom.
    #[schema(value_type = vocabulary::PushProvider)]
    provider: &'static str,
    /// What it is doing, or how it ended.
    #[schema(value_type = vocabulary::JobState)]
    state: &'static str,
    /// Why it was postponed, or ended so; null where there is nothing to say.
    #[schema(value_type = Option<vocabulary::JobReason>, required)]
    reason: Option<&'static str>,
    /// How many attempts ended, the one that ended it included.
    attempts: u32,
    /// When it was last postponed, or ended; else when it was accepted.
    updated_at: Instant,
}

impl From<JobLine> for JobAnswer {
    fn from(job: JobLine) -> Self {
        Self {
            id: job.id.to_string(),
            user_id: job.user.to_string(),
            device_id: job.device.to_string(),
            provider: job.provider.name(),
            state: job.state.name(),
            reason: job.reason.map(doorbell_domain::job::Reason::name),
            attempts: job.attempts,
            updated_at: Instant(job.updated_at),
        }
    }
}
