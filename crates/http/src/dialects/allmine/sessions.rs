//! Seeing and ending sign-in sessions.

use doorbell_domain::{Session, SessionId};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, ErrorEnvelope, Success, wrapped};
use super::sign_in::{RefreshBody, required_refresh_token};
use crate::call::Call;
use crate::failure::Failure;
use crate::form::Form;
use crate::instant::Instant;
use crate::routing::Answer;

/// A live session of the caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionAnswer {
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
    user_agent: Option<String>,
    /// The address that it signed in from.
    ip_address: Option<String>,
    /// The device that last registered under it.
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

/// What an access token that is good says.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValidTokenAnswer {
    /// Always true; a token that is not good is 401.
    valid: bool,
    user_id: String,
    session_id: String,
    /// When the token dies.
    expires_at: Instant,
}

/// Log out everywhere.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "Allmine", security(("bearer" = [])),
    responses(
        (status = 200, description = "All of the caller's sessions have ended.", body = Envelope<Success>),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
    ))]
pub(crate) async fn logout(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    call.api.doorbell.logout(caller).await?;
    Ok(wrapped(call, Success::DONE))
}

/// End the session of a refresh token.
#[utoipa::path(post, path = "/api/v1/auth/revoke-token", tag = "Allmine", request_body = RefreshBody,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The token's session has ended, now or before.", body = Envelope<Success>),
        (status = 400, description = "Validation failed.", body = ErrorEnvelope),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 404, description = "No refresh token of the caller.", body = ErrorEnvelope),
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
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "Allmine", security(("bearer" = [])),
    responses(
        (status = 200, description = "The live sessions, newest first.", body = Envelope<Vec<SessionAnswer>>),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
    ))]
pub(crate) async fn list(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let sessions = call.api.doorbell.sessions(caller).await?;
    let answers: Vec<SessionAnswer> = sessions
        .into_iter()
        .map(|session| SessionAnswer::of(session, caller.session))
        .collect();
    Ok(wrapped(call, answers))
}

/// End one session.
#[utoipa::path(delete, path = "/api/v1/auth/sessions/{id}", tag = "Allmine", security(("bearer" = [])),
    params(("id" = String, Path, description = "The session's id.")),
    responses(
        (status = 200, description = "The session has ended.", body = Envelope<Success>),
        (status = 401, description = "Not signed in.", body = ErrorEnvelope),
        (status = 404, description = "No live session of the caller.", body = ErrorEnvelope),
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

/// Check an access token.
#[utoipa::path(get, path = "/api/v1/auth/validate-token", tag = "Allmine", security(("bearer" = [])),
    responses(
        (status = 200, description = "The token is good.", body = Envelope<ValidTokenAnswer>),
        (status = 401, description = "It is not.", body = ErrorEnvelope),
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
