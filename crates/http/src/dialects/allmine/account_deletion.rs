//! Asking for the account's deletion, and taking that back.

use actix_web::HttpResponse;
use doorbell_domain::user::Deletion;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::Call;
use crate::instant::Instant;
use crate::openapi::vocabulary::AccountDeletionStatus;
use crate::routing::Answer;

/// Where the account's deletion stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineAccountDeletion)]
pub(crate) struct DeletionAnswer {
    /// pending, cancelled or finalized.
    #[schema(value_type = AccountDeletionStatus)]
    status: &'static str,
    /// When it was asked for.
    requested_at: Instant,
    /// When it is due.
    scheduled_for: Instant,
    /// When it was taken back; null where it was not.
    #[schema(required)]
    cancelled_at: Option<Instant>,
    /// When the account was deleted; null where it was not.
    #[schema(required)]
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
///
/// The account waits until `scheduledFor`, and the deletion can be taken back until then. Every session but
/// the caller's ends at once.
#[utoipa::path(post, path = "/api/v1/users/me/account-deletion", tag = "Allmine",
    operation_id = "requestAccountDeletion", security(("bearer" = [])),
    responses(
        (status = 200, description = "Pending; every session but the caller's has ended.", body = DeletionAnswer,
            example = json!({"status": "pending", "requestedAt": "2026-01-15T10:30:00.000Z", "scheduledFor": "2026-02-14T10:30:00.000Z",
                "cancelledAt": null, "finalizedAt": null})),
        (status = 409, description = "A deletion is pending already."),
    ))]
pub(crate) async fn request(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let deletion = call.api.doorbell.request_deletion(caller).await?;
    Ok(HttpResponse::Ok().json(DeletionAnswer::from(deletion)))
}

/// Cancel the deletion of the caller's account.
///
/// Sessions that ended when it was asked for stay ended.
#[utoipa::path(delete, path = "/api/v1/users/me/account-deletion", tag = "Allmine",
    operation_id = "cancelAccountDeletion", security(("bearer" = [])),
    responses(
        (status = 200, description = "Cancelled.", body = DeletionAnswer,
            example = json!({"status": "cancelled", "requestedAt": "2026-01-15T10:30:00.000Z", "scheduledFor": "2026-02-14T10:30:00.000Z",
                "cancelledAt": "2026-01-16T09:00:00.000Z", "finalizedAt": null})),
        (status = 409, description = "None is pending."),
    ))]
pub(crate) async fn cancel(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let deletion = call.api.doorbell.cancel_deletion(caller).await?;
    Ok(HttpResponse::Ok().json(DeletionAnswer::from(deletion)))
}
