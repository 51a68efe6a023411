//! Removing push tokens, Live Activities and subscriptions.

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::store::{self, Found, StoreError, Unit};
use doorbell_domain::text::ActivityId;
use doorbell_domain::web_push::WebPushEndpoint;
use doorbell_domain::{AuditId, Caller, DeviceUid, PushToken};
use thiserror::Error;

use crate::sessions::enter;
use crate::{AccessError, Doorbell};

/// Why nothing was removed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RemoveError {
    /// The caller is not let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The caller has no such credential.
    #[error("unknown credential")]
    Unknown,
}

impl From<StoreError> for RemoveError {
    fn from(error: StoreError) -> Self {
        Self::Access(AccessError::Store(error))
    }
}

impl Doorbell {
    /// Removes all the caller's push tokens of that value.
    pub async fn remove_push_token(&self, caller: Caller, value: PushToken) -> Result<(), RemoveError> {
        let hash = value.hash();
        self.remove(caller, move |unit| unit.remove_tokens(caller.user, hash))
            .await
    }

    /// Removes the caller's Live Activity of that id.
    pub async fn remove_live_activity(
        &self,
        caller: Caller,
        activity: ActivityId,
    ) -> Result<(), RemoveError> {
        self.remove(caller, move |unit| {
            Ok(unit
                .remove_live_activity(caller.user, &activity)?
                .into_iter()
                .collect())
        })
        .await
    }

    /// Removes the caller's subscription with that endpoint and its device; having none is no error.
    pub async fn unsubscribe(&self, caller: Caller, endpoint: WebPushEndpoint) -> Result<(), AccessError> {
        let hash = endpoint.address().hash;
        let removed = self
            .remove(caller, move |unit| {
                Ok(unit.remove_subscription(caller.user, hash)?.into_iter().collect())
            })
            .await;
        match removed {
            Ok(()) | Err(RemoveError::Unknown) => Ok(()),
            Err(RemoveError::Access(error)) => Err(error),
        }
    }

    async fn remove<F>(&self, caller: Caller, removal: F) -> Result<(), RemoveError>
    where
        F: FnOnce(&mut dyn Unit) -> Found<Vec<DeviceUid>> + Send + 'static,
    {
        let now = self.now();
        let mut ids = self.fresh_ids();
        let removed = store::transact(self.ports.store.as_ref(), move |unit| {
            if enter(unit, caller, now)?.is_none() {
                return Ok(None);
            }
            let devices = removal(unit)?;
            let events: Vec<AuditEvent> = devices
                .iter()
                .map(|device| AuditEvent {
                    id: AuditId::from_uuid(ids.take()),
                    user: caller.user,
                    at: now,
                    action: AuditAction::CredentialRemoved,
                    session: Some(caller.session),
                    device: Some(*device),
                    reason: None,
                })
                .collect();
            if !events.is_empty() {
                unit.record(&events)?;
            }
            Ok(Some(!events.is_empty()))
        })
        .await?;
        match removed {
            None => Err(AccessError::SessionOver.into()),
            Some(false) => Err(RemoveError::Unknown),
            Some(true) => Ok(()),
        }
    }
}
