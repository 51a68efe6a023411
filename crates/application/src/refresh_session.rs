//! Rotating a refresh token.

use std::net::IpAddr;
use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::limits::Network;
use doorbell_domain::ports::KeyFailure;
use doorbell_domain::secret::Secret;
use doorbell_domain::session::{EndReason, RefreshClaim, Rotation};
use doorbell_domain::store::{StoreError, Unit};
use doorbell_domain::{AuditId, Session};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;
use crate::limited::{LimitedError, Tally};

/// A client asks for a session's next tokens.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// The refresh token that it has.
    pub token: Secret,
    /// The client's address.
    pub ip: Option<IpAddr>,
}

/// A session's next tokens.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// A fresh access token.
    pub access_token: Secret,
    /// The successor; the same for every replay of its predecessor.
    pub refresh_token: Secret,
    /// How long the access token lives.
    pub expires_in: Duration,
    /// How long the refresh token lives unused.
    pub refresh_expires_in: Duration,
}

/// Why a refresh token was not honoured.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RefreshError {
    /// Not ours, reused, or of a session that is over.
    #[error("invalid refresh token")]
    Invalid,
    /// The network asks too often; again after this long.
    #[error("again after {0}")]
    TooMany(Duration),
    /// A key failed.
    #[error(transparent)]
    Key(#[from] KeyFailure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LimitedError> for RefreshError {
    fn from(error: LimitedError) -> Self {
        match error {
            LimitedError::Reached(wait) => Self::TooMany(wait),
            LimitedError::Store(error) => Self::Store(error),
        }
    }
}

impl Doorbell {
    /// Exchanges a refresh token for its successor and a fresh access token.
    ///
    /// The session's row is locked, so parallel refreshes come one after the other: the first rotates, the
    /// others are its replays. A token older than the immediate predecessor ends the session, and that is
    /// committed.
    pub async fn refresh_session(&self, command: Refresh) -> Result<Refreshed, RefreshError> {
        let Refresh { token, ip } = command;
        let claim = self
            .ports
            .refresh_tokens
            .claim(token.expose())
            .map_err(|_| RefreshError::Invalid)?;
        let now = self.now();
        let policy = self.policy.sessions;
        let tokens = Arc::clone(&self.ports.refresh_tokens);
        let audit = AuditId::from_uuid(self.fresh_ids().take());
        let claims = self
            .policy
            .limits
            .map_or_else(Vec::new, |limits| limits.refresh_claims(ip.map(Network::of)));
        let rotate = move |unit: &mut dyn Unit, tally: &Tally| {
            tally.count(unit)?;
            let Some(mut session) = unit.lock_session(claim.session)? else {
                return Ok(None);
            };
            if tokens.verify(token.expose(), &session.salt).is_err() {
                return Ok(None);
            }
            match session.rotation(claim.counter, now, &policy) {
                Rotation::Over => Ok(None),
                Rotation::Replay { .. } => Ok(Some(session)),
                Rotation::Rotate { next } => {
                    session.counter = next;
                    session.rotated_at = now;
                    session.last_used_at = now;
                    session.expires_at = policy.idle_end(now, session.absolute_expires_at);
                    if unit.rotate_session(&session)? {
                        Ok(Some(session))
                    } else {
                        Err(StoreError::Failed("a locked session's counter moved".to_owned()))
                    }
                }
                Rotation::Reuse => {
                    unit.end_session(session.id, now, EndReason::Reuse)?;
                    unit.record(&[AuditEvent {
                        id: audit,
                        user: session.user,
                        at: now,
                        action: AuditAction::SessionEnded,
                        session: Some(session.id),
                        device: None,
                        reason: Some(EndReason::Reuse.name()),
                    }])?;
                    Ok(None)
                }
            }
        };
        let live: Option<Session> = self.within_limits(claims, now, rotate).await?;
        let session = live.ok_or(RefreshError::Invalid)?;
        let successor = RefreshClaim {
            session: session.id,
            counter: session.counter,
        };
        Ok(Refreshed {
            access_token: self
                .ports
                .access_tokens
                .issue(session.user, session.id, now, policy.access)?,
            refresh_token: self.ports.refresh_tokens.derive(&successor, &session.salt)?,
            expires_in: policy.access,
            refresh_expires_in: session.expires_at.since(now),
        })
    }
}
