//! Seeing and ending sign-in sessions.

use doorbell_domain::{Session, SessionId};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, Success, wrapped};
use super::sign_in::{RefreshBody, required_refresh_token};
use crate::call::Call;
use crate::failure::Failure;
use crate::form::Form;
use crate::instant::Instant;
use crate::openapi::vocabulary::always_true;
use crate::routing::Answer;

/// A live session of the caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineSession)]
pub(crate) struct SessionAnswer {
    /// What ends it: the last part of the path of `endSession`.
    #[schema(format = "uuid")]
    id: String,
    /// The sign-in.
    created_at: Instant,
    /// The last sign-in or refresh.
    last_used_at: Instant,
    /// When it dies without a refresh.
    expires_at: Instant,
    /// Whether it is the one that asks.
    current: bool,
    /// The client's `User-Agent` at sign-in.
    #[schema(required)]
    user_agent: Option<String>,
    /// The address that it signed in from.
    #[schema(required)]
    ip_address: Option<String>,
    /// The device that last registered under it.
    #[schema(required)]
    device_id: Option<String>,
}

impl SessionAnswer {
    fn of(session: Session, asking: SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: Instant(session.created_at),
            last_used_at: Instant(session.last_used_at),
            expires_at: Instant(session.expires_at),
            current: session.id == asking,
            user_agent: session.user_agent.map(|agent| agent.as_str().to_owned()),
            ip_address: session.ip.map(|ip| ip.to_string()),
            device_id: session.device_id.map(|id| id.as_str().to_owned()),
        }
    }
}

/// The caller's live sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = AllmineSessions)]
pub(crate) struct SessionsAnswer(Vec<SessionAnswer>);

/// What a valid access token says.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineValidToken)]
pub(crate) struct ValidTokenAnswer {
    /// Always true; a token that is not good is 401.
    #[schema(schema_with = always_true)]
    valid: bool,
    /// Whose token it is.
    #[schema(format = "uuid")]
    user_id: String,
    /// The session that it belongs to.
    #[schema(format = "uuid")]
    session_id: String,
    /// When the token dies.
    expires_at: Instant,
}

/// Log out everywhere.
///
/// Ends all of the caller's sessions, on every device, at once. What was registered under them no longer
/// rings; signing in and registering again revives it.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "Allmine", operation_id = "logout", security(("bearer" = [])),
    responses(
        (status = 200, description = "All of the caller's sessions have ended.", body = Envelope<Success>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"success": true}, "errors": [],
                "timestamp": "2026-05-22T16:11:27.083Z"})),
    ))]
pub(crate) async fn logout(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    call.api.doorbell.logout(caller).await?;
    Ok(wrapped(call, Success::DONE))
}

/// End the session of a refresh token.
///
/// For signing out one device by the refresh token that it holds; also answers 200 when that session had
/// ended before.
#[utoipa::path(post, path = "/api/v1/auth/revoke-token", tag = "Allmine", operation_id = "revokeToken",
    request_body(content = RefreshBody, example = json!({"refreshToken": "sample"})), security(("bearer" = [])),
    responses(
        (status = 200, description = "The token's session has ended, now or before.", body = Envelope<Success>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"success": true}, "errors": [],
                "timestamp": "2026-05-22T16:11:27.083Z"})),
        (status = 400, description = "`refreshToken` is missing or has the wrong form."),
        (status = 404, description = "The caller has no such refresh token."),
    ))]
pub(crate) async fn revoke_token(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let body: RefreshBody = call.json().await?;
    let mut form = Form::of(&body);
    let Some(token) = required_refresh_token(&mut form, body) else {
        return Err(form.failure());
    };
    call.api.doorbell.revoke_token(caller, token).await?;
    Ok(wrapped(call, Success::DONE))
}

/// List the caller's live sessions.
///
/// Newest first; `current` marks the one that asks. For a screen that shows where one is signed in.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "Allmine", operation_id = "listSessions",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The live sessions, newest first.", body = Envelope<SessionsAnswer>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": [{
                "id": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70", "createdAt": "2026-01-15T10:30:00.000Z",
                "lastUsedAt": "2026-01-16T08:12:45.120Z", "expiresAt": "2026-02-15T08:12:45.120Z",
                "current": true, "userAgent": "MyApp/3.2.1 (iPhone; iOS 18.2)", "ipAddress": "203.0.113.7",
                "deviceId": "iphone-14-pro"}], "errors": [], "timestamp": "2026-01-16T08:20:00.000Z"})),
    ))]
pub(crate) async fn list(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let sessions = call.api.doorbell.sessions(caller).await?;
    let shown = sessions
        .into_iter()
        .map(|session| SessionAnswer::of(session, caller.session));
    Ok(wrapped(call, SessionsAnswer(shown.collect())))
}

/// End one session.
///
/// Signs one device out, by the id that the list of sessions gives; what was registered under it no longer
/// rings. The caller's own session can be ended too.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{id}", tag = "Allmine", operation_id = "endSession",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The session's id.", min_length = 1, max_length = 1024,
        example = "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70")),
    responses(
        (status = 200, description = "The session has ended.", body = Envelope<Success>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"success": true}, "errors": [],
                "timestamp": "2026-05-22T16:11:27.083Z"})),
        (status = 404, description = "Unknown, another user's, or already ended."),
    ))]
pub(crate) async fn end(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let id = call
        .last_segment()
        .and_then(|id| SessionId::parse(&id))
        .ok_or(Failure::NotFound)?;
    call.api.doorbell.end_session(caller, id).await?;
    Ok(wrapped(call, Success::DONE))
}

/// Check the access token.
///
/// Says whose token it is and how long it lives. The session is looked at too: a token whose session has
/// ended is 401.
#[utoipa::path(get, path = "/api/v1/auth/validate-token", tag = "Allmine", operation_id = "validateToken",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The token is good.", body = Envelope<ValidTokenAnswer>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"valid": true,
                "userId": "019ae1f2-7c1a-7b3c-8d4e-5f6a7b8c9d0e",
                "sessionId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70", "expiresAt": "2026-01-15T11:30:00.000Z"},
                "errors": [], "timestamp": "2026-01-15T10:30:00.000Z"})),
    ))]
pub(crate) async fn validate_token(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    call.api.doorbell.admit(caller, None).await?;
    let answer = ValidTokenAnswer {
        valid: true,
        user_id: caller.user.to_string(),
        session_id: caller.session.to_string(),
        expires_at: Instant(caller.expires_at),
    };
    Ok(wrapped(call, answer))
}
