//! Seeing one's devices and subscriptions.

use doorbell_domain::store::{self, DeviceKey, DevicePage, Page};
use doorbell_domain::text::Fingerprint;
use doorbell_domain::{Caller, DeviceView, Subscription};

use crate::{AccessError, Doorbell};

impl Doorbell {
    /// A page of the caller's devices, newest first, revoked ones too.
    pub async fn devices(
        &self,
        caller: Caller,
        shown: Option<&Fingerprint>,
        page: Page,
    ) -> Result<DevicePage, AccessError> {
        let found = store::read(self.ports.store.as_ref(), move |unit| unit.devices(caller, page)).await?;
        let found = found.ok_or(AccessError::SessionOver)?;
        self.admit_session(caller, Some(&found.session), shown).await?;
        Ok(found.found)
    }

    /// One of the caller's devices.
    pub async fn device(
        &self,
        caller: Caller,
        shown: Option<&Fingerprint>,
        key: DeviceKey,
    ) -> Result<Option<DeviceView>, AccessError> {
        let found = store::read(self.ports.store.as_ref(), move |unit| unit.device(caller, &key)).await?;
        let found = found.ok_or(AccessError::SessionOver)?;
        self.admit_session(caller, Some(&found.session), shown).await?;
        Ok(found.found)
    }

    /// The caller's Web Push subscriptions, newest first, without suspended ones.
    pub async fn subscriptions(&self, caller: Caller) -> Result<Vec<Subscription>, AccessError> {
        let found = store::read(self.ports.store.as_ref(), move |unit| unit.subscriptions(caller)).await?;
        let found = found.ok_or(AccessError::SessionOver)?;
        self.admit_session(caller, Some(&found.session), None).await?;
        Ok(found.found)
    }
}
