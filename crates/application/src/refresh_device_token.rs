//! Replacing the alert token of a known device.

use doorbell_domain::registration::{Credential, DeviceChange, Registered, Target, WhenMissing, WhenRevoked};
use doorbell_domain::store::RegisterError;
use doorbell_domain::text::{AppName, DeviceId, Fingerprint};
use doorbell_domain::{Caller, PushToken};

use crate::Doorbell;
use crate::register::Asked;

/// A device's new token.
#[derive(Clone, Debug)]
pub struct RefreshDeviceToken {
    /// Which device.
    pub device_id: DeviceId,
    /// Its alert token from now on.
    pub push_token: PushToken,
}

impl Doorbell {
    /// Replaces the device's alert token; the device must be known and not revoked.
    pub async fn refresh_device_token(
        &self,
        caller: Caller,
        fingerprint: Fingerprint,
        command: RefreshDeviceToken,
    ) -> Result<Registered, RegisterError> {
        let RefreshDeviceToken {
            device_id,
            push_token,
        } = command;
        let asked = Asked {
            fingerprint: Some(fingerprint),
            target: Target::Named {
                device_id,
                when_missing: WhenMissing::Refuse,
            },
            when_revoked: WhenRevoked::Refuse,
            change: DeviceChange::default(),
            credentials: vec![Credential::Alert {
                provider: None,
                app: AppName::default_app(),
                value: push_token,
            }],
        };
        self.register(caller, asked).await
    }
}
