//! A device tells its token, zone and push-to-start token, each only where it has one to tell.

use doorbell_domain::registration::{Credential, DeviceChange, Registered, Target, WhenMissing, WhenRevoked};
use doorbell_domain::store::RegisterError;
use doorbell_domain::text::{AppName, DeviceId};
use doorbell_domain::{Caller, Platform, PushToken, TimeZoneName};

use crate::Doorbell;
use crate::register::Asked;

/// What a device tells.
#[derive(Clone, Debug)]
pub struct RegisterDeviceToken {
    /// Its name for itself.
    pub device_id: DeviceId,
    /// What it is.
    pub platform: Platform,
    /// Its alert token; `None` leaves the token as it is, and a known device's platform too.
    pub token: Option<PushToken>,
    /// Its zone.
    pub timezone: Option<TimeZoneName>,
    /// Its push-to-start token.
    pub push_to_start: Option<PushToken>,
}

impl Doorbell {
    /// Registers a device under the caller's session, making it if it is unknown.
    pub async fn register_device_token(
        &self,
        caller: Caller,
        command: RegisterDeviceToken,
    ) -> Result<Registered, RegisterError> {
        let RegisterDeviceToken {
            device_id,
            platform,
            token,
            timezone,
            push_to_start,
        } = command;
        let change = DeviceChange {
            platform: token.is_some().then_some(platform),
            timezone,
            ..DeviceChange::default()
        };
        let alert = token.map(|value| Credential::Alert {
            // Told, so that one address is locked and not the two that an unknown platform could mean.
            provider: Some(platform.provider()),
            app: AppName::default_app(),
            value,
        });
        let push_to_start = push_to_start.map(|value| Credential::PushToStart { value });
        let asked = Asked {
            fingerprint: None,
            target: Target::Named {
                device_id,
                when_missing: WhenMissing::Make(platform),
            },
            when_revoked: WhenRevoked::Refuse,
            change,
            credentials: alert.into_iter().chain(push_to_start).collect(),
        };
        self.register(caller, asked).await
    }
}
