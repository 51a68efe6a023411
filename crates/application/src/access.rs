//! Letting a caller in: the session's state, and the fingerprint where the dialect asks for one.

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::session::{FingerprintVerdict, SessionOver};
use doorbell_domain::store::{self, StoreError};
use doorbell_domain::text::Fingerprint;
use doorbell_domain::{AuditId, Caller, FreshIds, Session};
use thiserror::Error;

use crate::Doorbell;

/// Why a caller is not let in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AccessError {
    /// The session has ended or expired, or is not the caller's.
    #[error("the session is over")]
    SessionOver,
    /// Another fingerprint is pinned to the session.
    #[error("the fingerprint is not the session's")]
    ForeignFingerprint,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SessionOver> for AccessError {
    fn from(SessionOver: SessionOver) -> Self {
        Self::SessionOver
    }
}

impl Doorbell {
    /// Lets the caller in, or says why not: for requests that are refused for another reason, since who may
    /// not enter learns nothing else.
    pub async fn admit(&self, caller: Caller, shown: Option<&Fingerprint>) -> Result<(), AccessError> {
        let session = store::read(self.ports.store.as_ref(), move |unit| unit.session(caller)).await?;
        self.admit_session(caller, session.as_ref(), shown).await
    }

    /// Judges a session that was read together with what the caller asked for.
    pub(crate) async fn admit_session(
        &self,
        caller: Caller,
        session: Option<&Session>,
        shown: Option<&Fingerprint>,
    ) -> Result<(), AccessError> {
        let session = session.ok_or(AccessError::SessionOver)?;
        session.admits(caller.user, self.now())?;
        match shown.map(|shown| (shown, session.judge(shown))) {
            None | Some((_, FingerprintVerdict::Known)) => Ok(()),
            Some((_, FingerprintVerdict::Foreign)) => self.refuse_fingerprint(caller).await,
            Some((shown, FingerprintVerdict::First)) => self.pin(caller, shown).await,
        }
    }

    async fn pin(&self, caller: Caller, shown: &Fingerprint) -> Result<(), AccessError> {
        let first = shown.clone();
        let verdict = store::transact(self.ports.store.as_ref(), move |unit| {
            if unit.pin_fingerprint(caller.session, &first)? {
                return Ok(FingerprintVerdict::Known);
            }
            // Another request of the same session was faster.
            let session = unit.session(caller)?;
            Ok(session.map_or(FingerprintVerdict::Foreign, |session| session.judge(&first)))
        })
        .await?;
        match verdict {
            FingerprintVerdict::Known => Ok(()),
            FingerprintVerdict::First | FingerprintVerdict::Foreign => self.refuse_fingerprint(caller).await,
        }
    }

    async fn refuse_fingerprint(&self, caller: Caller) -> Result<(), AccessError> {
        let event = self.audit(
            &mut self.fresh_ids(),
            caller,
            AuditAction::ForeignFingerprint,
            None,
        );
        store::transact(self.ports.store.as_ref(), move |unit| unit.record(&[event])).await?;
        Err(AccessError::ForeignFingerprint)
    }

    pub(crate) fn fresh_ids(&self) -> FreshIds {
        FreshIds::draw(self.now(), self.ports.entropy.as_ref())
    }

    /// A line of the caller's trail, about the caller's session.
    pub(crate) fn audit(
        &self,
        ids: &mut FreshIds,
        caller: Caller,
        action: AuditAction,
        reason: Option<&'static str>,
    ) -> AuditEvent {
        AuditEvent {
            id: AuditId::from_uuid(ids.take()),
            user: caller.user,
            at: self.now(),
            action,
            session: Some(caller.session),
            device: None,
            reason,
        }
    }
}
