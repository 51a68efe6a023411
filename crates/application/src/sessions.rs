//! Seeing and ending sessions.

use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::secret::Secret;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{self, Found, StoreError, Unit};
use doorbell_domain::{AuditId, Caller, FreshIds, Session, SessionId, Timestamp, User};
use thiserror::Error;

use crate::{AccessError, Doorbell};

/// Why a session was not ended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndSessionError {
    /// The caller is not let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The caller has no such session.
    #[error("unknown session")]
    Unknown,
}

impl From<StoreError> for EndSessionError {
    fn from(error: StoreError) -> Self {
        Self::Access(AccessError::Store(error))
    }
}

/// What a unit of work found of the caller and of what was asked for.
enum Outcome {
    Done,
    SessionOver,
    Unknown,
}

impl Outcome {
    fn into_result(self) -> Result<(), EndSessionError> {
        match self {
            Self::Done => Ok(()),
            Self::SessionOver => Err(AccessError::SessionOver.into()),
            Self::Unknown => Err(EndSessionError::Unknown),
        }
    }
}

impl Doorbell {
    /// The caller's live sessions, newest first.
    pub async fn sessions(&self, caller: Caller) -> Result<Vec<Session>, AccessError> {
        let now = self.now();
        let found = store::read(self.ports.store.as_ref(), move |unit| {
            unit.sessions_of(caller, now)
        })
        .await?;
        let found = found.ok_or(AccessError::SessionOver)?;
        self.admit_session(caller, Some(&found.session), None).await?;
        Ok(found.found)
    }

    /// Ends all of the caller's sessions.
    pub async fn logout(&self, caller: Caller) -> Result<(), AccessError> {
        let now = self.now();
        let mut ids = self.fresh_ids();
        let done = store::transact(self.ports.store.as_ref(), move |unit| {
            if enter(unit, caller, now)?.is_none() {
                return Ok(false);
            }
            let ended = unit.end_sessions_of(caller.user, None, now, EndReason::Logout)?;
            unit.record(&ended_events(&mut ids, caller, &ended, now, EndReason::Logout))?;
            Ok(true)
        })
        .await?;
        if done {
            Ok(())
        } else {
            Err(AccessError::SessionOver)
        }
    }

    /// Ends one of the caller's sessions. One that has expired is ended too: what was registered under it rings until
    /// then.
    pub async fn end_session(&self, caller: Caller, id: SessionId) -> Result<(), EndSessionError> {
        let now = self.now();
        let mut ids = self.fresh_ids();
        let outcome = store::transact(self.ports.store.as_ref(), move |unit| {
            if enter(unit, caller, now)?.is_none() {
                return Ok(Outcome::SessionOver);
            }
            match unit.lock_session(id)? {
                Some(session) if session.user == caller.user && session.ended.is_none() => {
                    unit.end_session(id, now, EndReason::Revoked)?;
                    unit.record(&ended_events(&mut ids, caller, &[id], now, EndReason::Revoked))?;
                    Ok(Outcome::Done)
                }
                _ => Ok(Outcome::Unknown),
            }
        })
        .await?;
        outcome.into_result()
    }

    /// Ends the session of one of the caller's refresh tokens, which may have ended already.
    pub async fn revoke_token(&self, caller: Caller, token: Secret) -> Result<(), EndSessionError> {
        let claim = self.ports.refresh_tokens.claim(token.expose()).ok();
        let tokens = Arc::clone(&self.ports.refresh_tokens);
        let now = self.now();
        let mut ids = self.fresh_ids();
        let outcome = store::transact(self.ports.store.as_ref(), move |unit| {
            if enter(unit, caller, now)?.is_none() {
                return Ok(Outcome::SessionOver);
            }
            let Some(claim) = claim else {
                return Ok(Outcome::Unknown);
            };
            match unit.lock_session(claim.session)? {
                Some(session)
                    if session.user == caller.user
                        && claim.counter <= session.counter
                        && tokens.verify(token.expose(), &session.salt).is_ok() =>
                {
                    if unit.end_session(session.id, now, EndReason::Revoked)? {
                        unit.record(&ended_events(
                            &mut ids,
                            caller,
                            &[session.id],
                            now,
                            EndReason::Revoked,
                        ))?;
                    }
                    Ok(Outcome::Done)
                }
                _ => Ok(Outcome::Unknown),
            }
        })
        .await?;
        outcome.into_result()
    }
}

/// Locks the caller's user, and gives it if the session lets the caller in: how every writing unit of work
/// begins, since users are locked before all else.
pub(crate) fn enter(unit: &mut dyn Unit, caller: Caller, now: Timestamp) -> Found<Option<User>> {
    let user = unit.lock_user(caller.user)?;
    let session = unit.session(caller)?;
    let admitted = session.is_some_and(|session| session.admits(caller.user, now).is_ok());
    Ok(user.filter(|_| admitted))
}

/// The lines of sessions that ended, for their user's trail.
pub(crate) fn ended_events(
    ids: &mut FreshIds,
    caller: Caller,
    ended: &[SessionId],
    at: Timestamp,
    reason: EndReason,
) -> Vec<AuditEvent> {
    ended
        .iter()
        .map(|session| AuditEvent {
            id: AuditId::from_uuid(ids.take()),
            user: caller.user,
            at,
            action: AuditAction::SessionEnded,
            session: Some(*session),
            device: None,
            reason: Some(reason.name()),
        })
        .collect()
}
