//! What a client may expect of pushes here.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::coded_error::NotLoggedIn;
use crate::call::Call;
use crate::routing::Answer;

/// How pushes leave this server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PushInfoAnswer {
    /// Whether a push provider is configured.
    push_gateway_enabled: bool,
    /// Always false: pushes never pass through Rocket.Chat's own gateway.
    #[schema(example = false)]
    default_push_gateway: bool,
    /// Always true.
    #[schema(example = true)]
    success: bool,
}

/// Get push information.
#[utoipa::path(get, path = "/api/v1/push.info", tag = "Rocket.Chat",
    security(("authToken" = [], "userId" = [])),
    responses(
        (status = 200, description = "How pushes leave this server.", body = PushInfoAnswer),
        (status = 401, description = "Not signed in.", body = NotLoggedIn),
    ))]
pub(crate) async fn info(call: &mut Call) -> Answer {
    let caller = call.auth_token()?;
    call.api.doorbell.admit(caller, None).await?;
    Ok(HttpResponse::Ok().json(PushInfoAnswer {
        push_gateway_enabled: call.api.push_configured,
        default_push_gateway: false,
        success: true,
    }))
}
