//! A browser subscribes.

use doorbell_domain::Caller;
use doorbell_domain::device::{Platform, WebSettings};
use doorbell_domain::registration::{Credential, DeviceChange, MadeUnder, Target, WhenRevoked};
use doorbell_domain::store::{RegisterError, StoreError};
use doorbell_domain::text::Text;
use doorbell_domain::web_push::{Subscription, SubscriptionKeys, WebPushEndpoint};
use thiserror::Error;

use crate::Doorbell;
use crate::register::Asked;

/// A browser's subscription.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// Its mailbox.
    pub endpoint: WebPushEndpoint,
    /// What to encrypt for.
    pub keys: SubscriptionKeys,
    /// The public half of the VAPID key that it was made under, if the browser says.
    pub made_under: Option<[u8; 65]>,
    /// The person's name for the browser.
    pub device_name: Option<Text>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<Text>,
}

/// Why a browser was not subscribed.
#[derive(Debug, Error)]
pub enum SubscribeError {
    /// Messages may not be sent to its endpoint: it is at no listed push service, or at none of the public's addresses.
    #[error("messages may not be sent to that endpoint")]
    ForbiddenEndpoint,
    /// It subscribed under a key that is not this service's: nothing that is signed here would reach it.
    #[error("the subscription was made under a key that is not this service's")]
    ForeignKey,
    /// The registry refused it, or failed.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl Doorbell {
    /// Keeps the subscription on a device of its own; the same endpoint again renews it.
    pub async fn subscribe(
        &self,
        caller: Caller,
        command: Subscribe,
    ) -> Result<Subscription, SubscribeError> {
        let Subscribe {
            endpoint,
            keys,
            made_under,
            device_name,
            user_agent,
        } = command;
        if !self.ports.endpoints.admit(&endpoint).await {
            return Err(SubscribeError::ForbiddenEndpoint);
        }
        let vapid = &self.ports.vapid;
        let made_under = match made_under {
            Some(public) => MadeUnder::Said(vapid.id_of(&public).ok_or(SubscribeError::ForeignKey)?),
            None => MadeUnder::Presumed(vapid.offered(self.now()).id),
        };
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
                vapid_key: made_under,
                device_name,
                user_agent,
            }],
        };
        let registered = self.register(caller, asked).await?;
        let none = || StoreError::Failed("a subscription was registered without its row".to_owned());
        let subscription = registered.subscription.ok_or_else(|| RegisterError::from(none()));
        Ok(subscription?)
    }
}
