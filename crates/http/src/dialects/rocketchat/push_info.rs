//! What a client may expect of pushes here.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::Call;
use crate::openapi::vocabulary::{always_false, always_true};
use crate::routing::Answer;

/// How pushes leave this server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RocketChatPushInfo)]
pub(crate) struct PushInfoAnswer {
    /// Whether a push provider is configured.
    push_gateway_enabled: bool,
    /// Always false: pushes never pass through Rocket.Chat's own gateway.
    #[schema(schema_with = always_false)]
    default_push_gateway: bool,
    /// Always true.
    #[schema(schema_with = always_true)]
    success: bool,
}

/// Get push information.
///
/// Says whether this server has a push provider to ring by.
#[utoipa::path(get, path = "/api/v1/push.info", tag = "Rocket.Chat", operation_id = "getPushInfo",
    security(("authToken" = [], "userId" = [])),
    responses((status = 200, description = "How pushes leave this server.", body = PushInfoAnswer,
        example = json!({"pushGatewayEnabled": true, "defaultPushGateway": false, "success": true}))))]
pub(crate) async fn info(call: &mut Call) -> Answer {
    let caller = call.auth_token()?;
    call.api.doorbell.admit(caller, None).await?;
    Ok(HttpResponse::Ok().json(PushInfoAnswer {
        push_gateway_enabled: call.api.doorbell.push_configured(),
        default_push_gateway: false,
        success: true,
    }))
}
