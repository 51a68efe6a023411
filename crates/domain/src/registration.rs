//! Registration: the only way a credential is written, from whichever dialect it comes.
//!
//! A [`Registration`] says which device, what changes of it, and which credentials it shows. A store loads
//! what a batch [`Wants`] into a [`State`], [`plan`] decides, and the store applies the plan's [`Writes`].
//! Adapters hold no decisions.

mod credentials;
mod device;
mod plan;
mod state;
mod wants;
mod work;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod stories;

use thiserror::Error;

pub use plan::{AddressClaim, Plan, SessionTouch, Writes, plan};
pub use state::{State, UserSlice};
pub use wants::Wants;

use crate::address::{Address, Provider};
use crate::device::{DeviceStatus, DeviceView, MobileSettings, Platform, WebSettings};
use crate::push_token::{PushToken, Token, TokenKind};
use crate::text::{ActivityId, AppName, DeviceId, Environment, Fingerprint, StreamId, Text};
use crate::web_push::{Subscription, SubscriptionKeys, WebPushEndpoint};
use crate::{Caller, DeviceUid, FreshIds, TimeZoneName, Timestamp};

/// How many tokens a device may hold, and as many of Live Activities besides, of which the oldest make room. Every
/// registration reads those of its device, so that without a bound one person could slow down everybody.
pub const MAX_TOKENS: usize = 100;

/// One request to register a device, its facts or its credentials.
///
/// What is `None` or absent is left as it is: nothing is ever cleared by a registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Who registers, and under which session.
    pub caller: Caller,
    /// What the request showed, in the dialect that asks for it.
    pub fingerprint: Option<Fingerprint>,
    /// When.
    pub at: Timestamp,
    /// Ids for what it makes.
    pub ids: FreshIds,
    /// How many devices a user may have.
    pub max_devices: u32,
    /// Which device.
    pub target: Target,
    /// What to do if that device is revoked.
    pub when_revoked: WhenRevoked,
    /// What to change of it.
    pub change: DeviceChange,
    /// What it shows.
    pub credentials: Vec<Credential>,
}

/// Which device a registration means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The user's device of that name.
    Named {
        /// The client's name for it.
        device_id: DeviceId,
        /// What to do if there is none.
        when_missing: WhenMissing,
    },
    /// The user's device with that id.
    Uid(DeviceUid),
    /// The user's device that already holds the registration's first credential and is not revoked, or else
    /// one made for it, named after the credential's row.
    Holder {
        /// What kind of device to make.
        platform: Platform,
    },
}

/// What to do where the user has no such device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMissing {
    /// Refuse.
    Refuse,
    /// Make one of that platform.
    Make(Platform),
}

/// What to do where the device is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenRevoked {
    /// Refuse, unless the registration itself makes it active.
    Refuse,
    /// Make it active.
    Revive,
    /// Change it as it is, but refuse credentials.
    KeepRevoked,
}

/// What a registration changes of its device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceChange {
    /// What kind it is.
    pub platform: Option<Platform>,
    /// Where its application was built for.
    pub environment: Option<Environment>,
    /// Whether it may be rung.
    pub status: Option<DeviceStatus>,
    /// Its zone, which becomes the user's.
    pub timezone: Option<TimeZoneName>,
    /// What its application tells.
    pub mobile: Option<MobileSettings>,
    /// What its browser tells.
    pub web: Option<WebSettings>,
}

/// What a device shows to be rung by.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A token for ordinary notifications.
    Alert {
        /// Who carries it; the device's platform says where this does not.
        provider: Option<Provider>,
        /// The application it belongs to.
        app: AppName,
        /// Its value.
        value: PushToken,
    },
    /// A token that starts Live Activities.
    PushToStart {
        /// Its value.
        value: PushToken,
    },
    /// A token that updates one Live Activity.
    LiveActivity {
        /// Which activity.
        activity: ActivityId,
        /// Which stream it shows.
        stream: StreamId,
        /// Its value.
        value: PushToken,
    },
    /// A browser's subscription.
    WebPush {
        /// Its mailbox.
        endpoint: WebPushEndpoint,
        /// What to encrypt for.
        keys: SubscriptionKeys,
        /// The VAPID key it was made under.
        vapid_key: MadeUnder,
        /// The person's name for the browser.
        device_name: Option<Text>,
        /// The browser's `User-Agent`.
        user_agent: Option<Text>,
    },
}

/// Under which VAPID key a browser has subscribed. It cannot be changed afterwards: under another key the browser gets another
/// endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeUnder {
    /// Under this one: the browser says so.
    Said(String),
    /// It does not say: under the one that its endpoint was registered with before, else under this, which browsers are given now.
    Presumed(String),
}

impl MadeUnder {
    /// The key, where `before` is the one that the endpoint was registered with before.
    pub fn resolve(&self, before: Option<&str>) -> String {
        match self {
            Self::Said(key) => key.clone(),
            Self::Presumed(key) => before.unwrap_or(key).to_owned(),
        }
    }
}

impl Credential {
    /// The addresses it may come to own: one, or two where the provider waits for the device's platform.
    fn addresses(&self) -> Vec<Address> {
        match self {
            Self::Alert {
                provider: Some(provider),
                value,
                ..
            } => {
                vec![Address {
                    provider: *provider,
                    hash: value.hash(),
                }]
            }
            Self::Alert {
                provider: None,
                value,
                ..
            } => [Provider::Apns, Provider::Fcm]
                .map(|provider| Address {
                    provider,
                    hash: value.hash(),
                })
                .to_vec(),
            Self::PushToStart { value } | Self::LiveActivity { value, .. } => {
                vec![Address {
                    provider: Provider::Apns,
                    hash: value.hash(),
                }]
            }
            Self::WebPush { endpoint, .. } => vec![endpoint.address()],
        }
    }

    /// The place that a token credential takes on a device of `platform`.
    fn token_place(&self, platform: Platform) -> Option<(Provider, AppName, TokenKind, PushToken)> {
        match self {
            Self::Alert { provider, app, value } => Some((
                provider.unwrap_or_else(|| platform.provider()),
                app.clone(),
                TokenKind::Alert,
                value.clone(),
            )),
            Self::PushToStart { value } => Some((
                Provider::Apns,
                AppName::default_app(),
                TokenKind::PushToStart,
                value.clone(),
            )),
            Self::LiveActivity {
                activity,
                stream,
                value,
            } => {
                let kind = TokenKind::LiveActivity {
                    activity: activity.clone(),
                    stream: stream.clone(),
                };
                Some((Provider::Apns, AppName::default_app(), kind, value.clone()))
            }
            Self::WebPush { .. } => None,
        }
    }
}

/// What a registration came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The device as it stands now.
    pub view: DeviceView,
    /// The row of the first token credential.
    pub token: Option<Token>,
    /// The row of the subscription.
    pub subscription: Option<Subscription>,
}

/// Why the rules refuse a registration. Nothing of it is written, except that a foreign fingerprint is
/// recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The session has ended or expired, or is not the caller's.
    #[error("the session is over")]
    SessionOver,
    /// Another fingerprint is pinned to the session.
    #[error("the fingerprint is not the session's")]
    ForeignFingerprint,
    /// The user has no such device.
    #[error("unknown device")]
    UnknownDevice,
    /// The device is revoked.
    #[error("the device is revoked")]
    RevokedDevice,
    /// The user has as many devices as a user may have.
    #[error("too many devices")]
    TooManyDevices,
    /// The device holds as many tokens as a device may hold.
    #[error("too many tokens on the device")]
    TooManyTokens,
}
