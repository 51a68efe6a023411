//! A browser subscribes.

use doorbell_domain::Caller;
use doorbell_domain::device::{Platform, WebSettings};
use doorbell_domain::registration::{Credential, DeviceChange, Target, WhenRevoked};
use doorbell_domain::store::{RegisterError, StoreError};
use doorbell_domain::text::Text;
use doorbell_domain::web_push::{Subscription, SubscriptionKeys, WebPushEndpoint};

use crate::Doorbell;
use crate::register::Asked;

/// A browser's subscription.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// Its mailbox.
    pub endpoint: WebPushEndpoint,
    /// What to encrypt for.
    pub keys: SubscriptionKeys,
    /// The person's name for the browser.
    pub device_name: Option<Text>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<Text>,
}

impl Doorbell {
    /// Keeps the subscription on a device of its own; the same endpoint again renews it.
    pub async fn subscribe(&self, caller: Caller, command: Subscribe) -> Result<Subscription, RegisterError> {
        let Subscribe {
            endpoint,
            keys,
            device_name,
            user_agent,
        } = command;
        let web = WebSettings {
            user_agent: user_agent.clone(),
            ip_address: None,
        };
        let asked = Asked {
            fingerprint: None,
            target: Target::Holder {
                platform: Platform::Web,
            },
            when_revoked: WhenRevoked::Refuse,
            change: DeviceChange {
                web: Some(web),
                ..DeviceChange::default()
            },
            credentials: vec![Credential::WebPush {
                endpoint,
                keys,
                vapid_key: self.ports.vapid.current_id().to_owned(),
                device_name,
                user_agent,
            }],
        };
        let registered = self.register(caller, asked).await?;
        let none = || StoreError::Failed("a subscription was registered without its row".to_owned());
        registered.subscription.ok_or_else(|| none().into())
    }
}
