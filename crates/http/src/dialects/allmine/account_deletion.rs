//! Asking for the account's deletion, and taking that back.

use actix_web::HttpResponse;
use doorbell_domain::user::Deletion;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::ErrorEnvelope;
use crate::call::Call;
use crate::instant::Instant;
use crate::routing::Answer;

/// Where the account's deletion stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletionAnswer {
    /// pending, cancelled or finalized.
    #[schema(example = "pending")]
    status: &'static str,
    requested_at: Instant,
    /// When it is due.
    scheduled_for: Instant,
    cancelled_at: Option<Instant>,
    finalized_at: Option<Instant>,
}

impl From<Deletion> for DeletionAnswer {
    fn from(deletion: Deletion) -> Self {
        Self {
            status: deletion.status.name(),
            requested_at: Instant(deletion.requested_at),
            scheduled_for: Instant(deletion.scheduled_for),
            cancelled_at: deletion.cancelled_at.map(Instant),
            finalized_at: deletion.finalized_at.map(Instant),
        }
    }
}

/// Ask for the deletion of the caller's account.
#[utoipa::path(post, path = "/api/v1/users/me/account-deletion", tag = "Allmine", security(("bearer" = [])),
    responses(
        (status = 200, description = "Pending; every session but the caller's has ended.", body = DeletionAnswer),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 409, description = "Pending already.", body = ErrorEnvelope),
    ))]
pub(crate) async fn request(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let deletion = call.api.doorbell.request_deletion(caller).await?;
    Ok(HttpResponse::Ok().json(DeletionAnswer::from(deletion)))
}

/// Take the deletion of the caller's account back.
#[utoipa::path(delete, path = "/api/v1/users/me/account-deletion", tag = "Allmine", security(("bearer" = [])),
    responses(
        (status = 200, description = "Cancelled.", body = DeletionAnswer),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 409, description = "None is pending.", body = ErrorEnvelope),
    ))]
pub(crate) async fn cancel(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let deletion = call.api.doorbell.cancel_deletion(caller).await?;
    Ok(HttpResponse::Ok().json(DeletionAnswer::from(deletion)))
}
