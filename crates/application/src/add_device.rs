//! Adding a device with everything that is known of it.

use doorbell_domain::device::{MobileSettings, WebSettings};
use doorbell_domain::registration::{Credential, DeviceChange, Registered, Target, WhenMissing, WhenRevoked};
use doorbell_domain::store::RegisterError;
use doorbell_domain::text::{AppName, DeviceId, Environment, Fingerprint};
use doorbell_domain::{Caller, Platform, PushToken};

use crate::Doorbell;
use crate::register::Asked;

/// A device as its client describes it.
#[derive(Clone, Debug)]
pub struct AddDevice {
    /// Its name for itself.
    pub device_id: DeviceId,
    /// What it is.
    pub platform: Platform,
    /// Where its application was built for.
    pub environment: Environment,
    /// Its alert token.
    pub push_token: PushToken,
    /// What its application tells.
    pub mobile: Option<MobileSettings>,
    /// What its browser tells.
    pub web: Option<WebSettings>,
}

impl Doorbell {
    /// Makes the device or renews it whole; a revoked one becomes active again.
    pub async fn add_device(
        &self,
        caller: Caller,
        fingerprint: Fingerprint,
        command: AddDevice,
    ) -> Result<Registered, RegisterError> {
        let AddDevice {
            device_id,
            platform,
            environment,
            push_token,
            mobile,
            web,
        } = command;
        let asked = Asked {
            fingerprint: Some(fingerprint),
            target: Target::Named {
                device_id,
                when_missing: WhenMissing::Make(platform),
            },
            when_revoked: WhenRevoked::Revive,
            change: DeviceChange {
                platform: Some(platform),
                environment: Some(environment),
                mobile,
                web,
                ..DeviceChange::default()
            },
            credentials: vec![Credential::Alert {
                provider: Some(platform.provider()),
                app: AppName::default_app(),
                value: push_token,
            }],
        };
        self.register(caller, asked).await
    }
}
