//! Reading and changing the caller's own account.

use doorbell_domain::profile_change::ProfileChange;
use doorbell_domain::store::{self, Conflict, StoreError};
use doorbell_domain::user::UserConflict;
use doorbell_domain::{Caller, User};

use crate::account::AccountError;
use crate::sessions::enter;
use crate::{AccessError, Doorbell};

impl Doorbell {
    /// The caller's account.
    pub async fn me(&self, caller: Caller) -> Result<User, AccessError> {
        let found = store::read(self.ports.store.as_ref(), move |unit| unit.session_user(caller)).await?;
        let found = found.ok_or(AccessError::SessionOver)?;
        self.admit_session(caller, Some(&found.session), None).await?;
        Ok(found.found)
    }

    /// Changes the caller's profile.
    pub async fn change_profile(&self, caller: Caller, change: ProfileChange) -> Result<User, AccountError> {
        let now = self.now();
        let changed = store::transact(self.ports.store.as_ref(), move |unit| {
            let Some(mut user) = enter(unit, caller, now)? else {
                return Ok(Err(AccountError::Access(AccessError::SessionOver)));
            };
            let profile = change.apply(user.profile.clone());
            if let Err(conflict) = user.change_profile(profile, now) {
                return Ok(Err(conflict.into()));
            }
            unit.save_user(&user)?;
            Ok(Ok(user))
        })
        .await;
        match changed {
            Ok(outcome) => outcome,
            Err(StoreError::Conflict(Conflict::Username)) => Err(UserConflict::UsernameTaken.into()),
            Err(error) => Err(error.into()),
        }
    }
}
