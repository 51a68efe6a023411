//! Ringing the caller's own devices.

use actix_web::HttpResponse;
use doorbell_domain::text::Text;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::Call;
use crate::failure::Failure;
use crate::openapi::vocabulary::always_true;
use crate::routing::Answer;

/// What the devices show.
const TEXT: &str = "This is a test: notifications reach this device.";

/// The devices are being rung.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RocketChatPushTest)]
pub(crate) struct PushTestAnswer {
    /// To how many of the caller's tokens and browsers the test goes.
    #[schema(minimum = 1)]
    tokens_count: u32,
    /// Always true.
    #[schema(schema_with = always_true)]
    success: bool,
}

/// Send a test push.
///
/// Rings the caller's own devices, those that this server has a provider for, with a short text. The answer comes once the test is
/// accepted, which is before it arrives; it goes the way of every message, and what became of it is in the user's trail. At most
/// once a second. A body is not read.
#[utoipa::path(post, path = "/api/v1/push.test", tag = "Rocket.Chat", operation_id = "testPush",
    security(("authToken" = [], "userId" = [])),
    responses(
        (status = 200, description = "The test was accepted.", body = PushTestAnswer,
            example = json!({"tokensCount": 2, "success": true})),
        (status = 400, description = "`error-push-disabled` where this server has no provider; `error-no-tokens-for-this-user` where \
            the caller has nothing that it could ring.", body = super::CodedError, example = json!({"success": false,
                "error": "There are no tokens for this user [error-no-tokens-for-this-user]",
                "errorType": "error-no-tokens-for-this-user", "details": {"method": "push_test"}})),
        (status = 429, description = "The last test was less than a second ago."),
    ))]
pub(crate) async fn test(call: &mut Call) -> Answer {
    let caller = call.auth_token()?;
    let text = Text::parse(TEXT).map_err(|_| Failure::Internal)?;
    let accepted = call.api.doorbell.test_push(caller, text).await?;
    Ok(HttpResponse::Ok().json(PushTestAnswer {
        tokens_count: accepted.jobs,
        success: true,
    }))
}
