//! What all registrations share: the draw of ids and instants, and the one way into the store.

use doorbell_domain::Caller;
use doorbell_domain::registration::{
    Credential, DeviceChange, Registered, Registration, Target, WhenRevoked,
};
use doorbell_domain::store::{RegisterError, StoreError};
use doorbell_domain::text::Fingerprint;

use crate::Doorbell;

/// What a registration asks for, beside who asks and when.
pub(crate) struct Asked {
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) target: Target,
    pub(crate) when_revoked: WhenRevoked,
    pub(crate) change: DeviceChange,
    pub(crate) credentials: Vec<Credential>,
}

impl Doorbell {
    pub(crate) async fn register(&self, caller: Caller, asked: Asked) -> Result<Registered, RegisterError> {
        let Asked {
            fingerprint,
            target,
            when_revoked,
            change,
            credentials,
        } = asked;
        let ids = self.fresh_ids();
        let registration = Registration {
            caller,
            fingerprint,
            at: self.now(),
            ids,
            max_devices: self.policy.max_devices,
            target,
            when_revoked,
            change,
            credentials,
        };
        let mut answers = self.ports.store.register(vec![registration]).await;
        let lost = || StoreError::Failed("a registration was not answered".to_owned());
        answers.pop().unwrap_or_else(|| Err(lost().into()))
    }
}
