//! A client that knows no devices registers a token for one of its applications.

use doorbell_domain::registration::{Credential, DeviceChange, Registered, Target, WhenMissing, WhenRevoked};
use doorbell_domain::store::RegisterError;
use doorbell_domain::text::{AppName, DeviceId};
use doorbell_domain::{Caller, Platform, Provider, PushToken};

use crate::Doorbell;
use crate::register::Asked;

/// Which device the token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichDevice {
    /// The caller's device of that name, made if it is unknown.
    Named(DeviceId),
    /// The caller's device that already holds the value, or else one made for it.
    Holder,
}

/// A token and where it belongs.
#[derive(Clone, Debug)]
pub struct RegisterPushToken {
    /// Which device.
    pub device: WhichDevice,
    /// Who carries it.
    pub provider: Provider,
    /// Which application.
    pub app: AppName,
    /// Its value.
    pub value: PushToken,
}

impl Doorbell {
    /// Registers an alert token under the caller's session.
    pub async fn register_push_token(
        &self,
        caller: Caller,
        command: RegisterPushToken,
    ) -> Result<Registered, RegisterError> {
        let RegisterPushToken {
            device,
            provider,
            app,
            value,
        } = command;
        let platform = if provider == Provider::Apns {
            Platform::Ios
        } else {
            Platform::Android
        };
        let target = match device {
            WhichDevice::Named(device_id) => Target::Named {
                device_id,
                when_missing: WhenMissing::Make(platform),
            },
            WhichDevice::Holder => Target::Holder { platform },
        };
        let asked = Asked {
            fingerprint: None,
            target,
            when_revoked: WhenRevoked::Refuse,
            change: DeviceChange::default(),
            credentials: vec![Credential::Alert {
                provider: Some(provider),
                app,
                value,
            }],
        };
        self.register(caller, asked).await
    }
}
