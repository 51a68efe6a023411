//! Changing facts of a known device.

use doorbell_domain::device::{DeviceStatus, MobileSettings, WebSettings};
use doorbell_domain::registration::{Credential, DeviceChange, Registered, Target, WhenRevoked};
use doorbell_domain::store::RegisterError;
use doorbell_domain::text::{AppName, Environment, Fingerprint};
use doorbell_domain::{Caller, DeviceUid, PushToken};

use crate::Doorbell;
use crate::register::Asked;

/// What to change; `None` leaves as it is.
#[derive(Clone, Debug)]
pub struct UpdateDevice {
    /// Which device.
    pub id: DeviceUid,
    /// Where its application was built for.
    pub environment: Option<Environment>,
    /// Whether it may be rung.
    pub status: Option<DeviceStatus>,
    /// Its alert token.
    pub push_token: Option<PushToken>,
    /// What its application tells.
    pub mobile: Option<MobileSettings>,
    /// What its browser tells.
    pub web: Option<WebSettings>,
}

impl Doorbell {
    /// Changes the device. Revoking it suspends its credentials; a token for a device that is revoked and
    /// stays so is refused.
    pub async fn update_device(
        &self,
        caller: Caller,
        fingerprint: Fingerprint,
        command: UpdateDevice,
    ) -> Result<Registered, RegisterError> {
        let UpdateDevice {
            id,
            environment,
            status,
            push_token,
            mobile,
            web,
        } = command;
        let alert = push_token.map(|value| Credential::Alert {
            provider: None,
            app: AppName::default_app(),
            value,
        });
        let asked = Asked {
            fingerprint: Some(fingerprint),
            target: Target::Uid(id),
            when_revoked: WhenRevoked::KeepRevoked,
            change: DeviceChange {
                environment,
                status,
                mobile,
                web,
                ..DeviceChange::default()
            },
            credentials: alert.into_iter().collect(),
        };
        self.register(caller, asked).await
    }
}
