//! The service's own operations: health and public keys.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::ServiceConfig;
use serde::Serialize;

use crate::call::Call;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::routing::{self, Answer, operation};

/// How the server fares.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Mounts `/health/live`, `/health/ready` and `/.well-known/jwks.json`.
pub(crate) fn mount(config: &mut ServiceConfig) {
    routing::mount(
        config,
        Dialect::Problem,
        vec![
            operation(Dialect::Problem, Method::GET, "/health/live", live),
            operation(Dialect::Problem, Method::GET, "/health/ready", ready),
            operation(Dialect::Problem, Method::GET, "/.well-known/jwks.json", jwks),
        ],
    );
}

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", tag = "Service",
    responses((status = 200, description = "The process runs.", body = Health)))]
async fn live(_call: &mut Call) -> Answer {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// Whether the store answers and its schema is this program's.
#[utoipa::path(get, path = "/health/ready", tag = "Service",
    responses(
        (status = 200, description = "Requests can be served.", body = Health),
        (status = 503, description = "The store cannot be reached or is not migrated."),
    ))]
async fn ready(call: &mut Call) -> Answer {
    call.api.doorbell.ready().await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        Failure::Unavailable
    })?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// The public keys that sign access tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Service",
    responses((status = 200, description = "A JWK set.", content_type = "application/json")))]
async fn jwks(call: &mut Call) -> Answer {
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(call.api.jwks.clone()))
}
