//! Asking for the account's deletion, and taking that back.

use doorbell_domain::audit::AuditAction;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{self, StoreError};
use doorbell_domain::user::{Deletion, UserConflict};
use doorbell_domain::{Caller, Timestamp, User};
use thiserror::Error;

use crate::sessions::{ended_events, enter};
use crate::{AccessError, Doorbell};

/// Why an account was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AccountError {
    /// The caller is not let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The account is not in a state that allows it.
    #[error(transparent)]
    Conflict(#[from] UserConflict),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Access(AccessError::Store(error))
    }
}

impl Doorbell {
    /// Asks for the deletion of the caller's account after the grace period. Every session but the caller's
    /// ends.
    pub async fn request_deletion(&self, caller: Caller) -> Result<Deletion, AccountError> {
        let grace = self.policy.deletion_grace;
        self.change_deletion(caller, AuditAction::DeletionRequested, move |user, now| {
            user.request_deletion(now, grace)
        })
        .await
    }

    /// Takes the pending deletion of the caller's account back.
    pub async fn cancel_deletion(&self, caller: Caller) -> Result<Deletion, AccountError> {
        self.change_deletion(caller, AuditAction::DeletionCancelled, User::cancel_deletion)
            .await
    }

    async fn change_deletion<F>(
        &self,
        caller: Caller,
        action: AuditAction,
        change: F,
    ) -> Result<Deletion, AccountError>
    where
        F: FnOnce(&mut User, Timestamp) -> Result<Deletion, UserConflict> + Send + 'static,
    {
        let now = self.now();
        let mut ids = self.fresh_ids();
        let asked = self.audit(&mut ids, caller, action, None);
        store::transact(self.ports.store.as_ref(), move |unit| {
            let Some(mut user) = enter(unit, caller, now)? else {
                return Ok(Err(AccountError::Access(AccessError::SessionOver)));
            };
            let deletion = match change(&mut user, now) {
                Ok(deletion) => deletion,
                Err(conflict) => return Ok(Err(conflict.into())),
            };
            unit.save_user(&user)?;
            let mut events = vec![asked];
            if action == AuditAction::DeletionRequested {
                let reason = EndReason::AccountDeletion;
                let ended = unit.end_sessions_of(caller.user, Some(caller.session), now, reason)?;
                events.extend(ended_events(&mut ids, caller, &ended, now, reason));
            }
            unit.record(&events)?;
            Ok(Ok(deletion))
        })
        .await?
    }
}
