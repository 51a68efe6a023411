//! A Live Activity tells the token that updates it.

use doorbell_domain::registration::{Credential, DeviceChange, Registered, Target, WhenMissing, WhenRevoked};
use doorbell_domain::store::RegisterError;
use doorbell_domain::text::{ActivityId, DeviceId, StreamId};
use doorbell_domain::{Caller, PushToken};

use crate::Doorbell;
use crate::register::Asked;

/// An activity and its token.
#[derive(Clone, Debug)]
pub struct RecordLiveActivity {
    /// The device that shows it.
    pub device_id: DeviceId,
    /// Which activity.
    pub activity: ActivityId,
    /// Which stream it shows.
    pub stream: StreamId,
    /// The token that updates it.
    pub token: PushToken,
}

impl Doorbell {
    /// Keeps the activity's token; the same activity again replaces it.
    pub async fn record_live_activity(
        &self,
        caller: Caller,
        command: RecordLiveActivity,
    ) -> Result<Registered, RegisterError> {
        let RecordLiveActivity {
            device_id,
            activity,
            stream,
            token,
        } = command;
        let asked = Asked {
            fingerprint: None,
            target: Target::Named {
                device_id,
                when_missing: WhenMissing::Refuse,
            },
            when_revoked: WhenRevoked::Refuse,
            change: DeviceChange::default(),
            credentials: vec![Credential::LiveActivity {
                activity,
                stream,
                value: token,
            }],
        };
        self.register(caller, asked).await
    }
}
