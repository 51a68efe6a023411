//! How the server fares.

use actix_web::HttpResponse;
use serde::Serialize;

use crate::call::Call;
use crate::failure::Failure;
use crate::openapi::vocabulary::always_ok;
use crate::routing::Answer;

/// How the server fares.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// Always `ok`.
    #[schema(schema_with = always_ok)]
    status: &'static str,
}

/// Check that the process runs.
///
/// For a supervisor: asks nothing of the database.
#[utoipa::path(get, path = "/health/live", tag = "Service", operation_id = "getLiveness",
    responses((status = 200, description = "The process runs.", body = Health, example = json!({"status": "ok"}))))]
pub(super) async fn live(_call: &mut Call) -> Answer {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Check that requests can be served.
///
/// For a load balancer: the database answers, and its schema is this program's.
#[utoipa::path(get, path = "/health/ready", tag = "Service", operation_id = "getReadiness",
    responses(
        (status = 200, description = "Requests can be served.", body = Health, example = json!({"status": "ok"})),
        (status = 503, description = "The database cannot be reached or is not migrated."),
    ))]
pub(super) async fn ready(call: &mut Call) -> Answer {
    call.api.doorbell.ready().await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        Failure::Unavailable
    })?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}
