//! Devices: what a user is at.

use crate::address::Provider;
use crate::push_token::{PushToken, Token, TokenKind};
use crate::text::{AppName, DeviceId, Environment, Text};
use crate::{DeviceUid, TimeZoneName, Timestamp, UserId};

/// What kind of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// An iPhone or iPad.
    Ios,
    /// An Android device.
    Android,
    /// A browser.
    Web,
}

impl Platform {
    /// All platforms.
    pub const ALL: [Self; 3] = [Self::Ios, Self::Android, Self::Web];

    /// The name in every dialect and in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Web => "web",
        }
    }

    /// The platform of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }

    /// Who carries pushes to such a device where its dialect does not say.
    pub const fn provider(self) -> Provider {
        match self {
            Self::Ios => Provider::Apns,
            Self::Android | Self::Web => Provider::Fcm,
        }
    }
}

/// Whether a device may be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceStatus {
    /// It may.
    Active,
    /// Its user took it off; its credentials are suspended.
    Revoked,
}

impl DeviceStatus {
    /// All statuses.
    pub const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What an installed application tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MobileSettings {
    /// The installation's own identity.
    pub app_instance_id: Option<Text>,
    /// The application's version.
    pub app_version: Option<Text>,
    /// The operating system's version.
    pub os_version: Option<Text>,
    /// The model of the device.
    pub device_model: Option<Text>,
}

impl MobileSettings {
    /// Takes over what `told` says; what it does not say stays.
    pub fn learn(&mut self, told: &Self) {
        learn(&mut self.app_instance_id, told.app_instance_id.as_ref());
        learn(&mut self.app_version, told.app_version.as_ref());
        learn(&mut self.os_version, told.os_version.as_ref());
        learn(&mut self.device_model, told.device_model.as_ref());
    }
}

fn learn(known: &mut Option<Text>, told: Option<&Text>) {
    if let Some(text) = told {
        *known = Some(text.clone());
    }
}

/// What a browser tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSettings {
    /// Its `User-Agent`.
    pub user_agent: Option<Text>,
    /// The address it was seen at.
    pub ip_address: Option<Text>,
}

impl WebSettings {
    /// Takes over what `told` says; what it does not say stays.
    pub fn learn(&mut self, told: &Self) {
        learn(&mut self.user_agent, told.user_agent.as_ref());
        learn(&mut self.ip_address, told.ip_address.as_ref());
    }
}

/// A device's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The row's identity.
    pub id: DeviceUid,
    /// Whose it is.
    pub user: UserId,
    /// The client's name for it, unique within the user.
    pub device_id: DeviceId,
    /// What kind it is.
    pub platform: Platform,
    /// Where its application was built for.
    pub environment: Environment,
    /// Whether it may be rung.
    pub status: DeviceStatus,
    /// The zone that it last sent.
    pub timezone: Option<TimeZoneName>,
    /// What its application told; shown for ios and android.
    pub mobile: MobileSettings,
    /// What its browser told; shown for web.
    pub web: WebSettings,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its last registration, refresh or update.
    pub last_seen_at: Timestamp,
    /// The last authenticated write that named it.
    pub last_used_at: Timestamp,
}

/// A device as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// The row.
    pub device: Device,
    /// The alert token to show for it; `None` where it has none that is not suspended.
    pub push_token: Option<PushToken>,
}

impl DeviceView {
    /// The view of `device` given all tokens that may be its own.
    pub fn of<'a>(device: &Device, tokens: impl IntoIterator<Item = &'a Token>) -> Self {
        Self {
            device: device.clone(),
            push_token: shown_token(device, tokens).map(|t| t.value.clone()),
        }
    }
}

/// The alert token that stands for a device: that of app `default`, else the newest; never a suspended one.
pub fn shown_token<'a>(device: &Device, tokens: impl IntoIterator<Item = &'a Token>) -> Option<&'a Token> {
    if device.status == DeviceStatus::Revoked {
        return None;
    }
    let default_app = AppName::default_app();
    tokens
        .into_iter()
        .filter(|token| token.device == device.id && token.kind == TokenKind::Alert && !token.session_ended)
        .max_by_key(|token| (token.app == default_app, token.updated_at, token.id))
}
