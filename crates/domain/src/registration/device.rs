//! Finding and changing the device that a registration means.

use super::work::Work;
use super::{Credential, DeviceChange, MAX_TOKENS, Refusal, Registration, State, WhenRevoked};
use crate::DeviceUid;
use crate::audit::AuditAction;
use crate::device::{Device, DeviceStatus, MobileSettings, Platform, WebSettings};
use crate::push_token::Token;
use crate::text::{DeviceId, Environment};

/// The device that a registration means: one that is there, or one to be made.
pub(super) enum Found {
    Known(Box<Device>),
    /// `None` names it after the row of the credential that it is made for.
    New(Platform, Option<DeviceId>),
}

pub(super) fn check_known(device: &Device, registration: &Registration) -> Result<(), Refusal> {
    let becomes = status_after(device.status, registration);
    let refused = becomes == DeviceStatus::Revoked
        && match registration.when_revoked {
            WhenRevoked::Refuse | WhenRevoked::Revive => true,
            WhenRevoked::KeepRevoked => !registration.credentials.is_empty(),
        };
    if refused {
        Err(Refusal::RevokedDevice)
    } else {
        Ok(())
    }
}

/// Judges whether the device has room for what is shown. A place that is taken needs none, and of Live Activities the
/// oldest makes room.
pub(super) fn check_room(state: &State, device: &Device, registration: &Registration) -> Result<(), Refusal> {
    let platform = registration.change.platform.unwrap_or(device.platform);
    let held = state.tokens.values().filter(|t| t.device == device.id);
    let held: Vec<&Token> = held.filter(|t| t.kind.activity().is_none()).collect();
    let places = registration
        .credentials
        .iter()
        .filter_map(|shown| shown.token_place(platform));
    let new = places.filter(|(provider, app, kind, _)| {
        let known = |t: &&Token| t.provider == *provider && t.app == *app && t.kind.same_place(kind);
        kind.activity().is_none() && !held.iter().any(known)
    });
    let shown: Vec<_> = registration
        .credentials
        .iter()
        .flat_map(Credential::addresses)
        .collect();
    let elsewhere = state.tokens.values().filter(|t| {
        t.user == device.user
            && t.device != device.id
            && t.kind.activity().is_none()
            && shown.contains(&t.address())
    });
    match new.count() + elsewhere.count() {
        0 => Ok(()),
        more if held.len() + more <= MAX_TOKENS => Ok(()),
        _ => Err(Refusal::TooManyTokens),
    }
}

fn status_after(status: DeviceStatus, registration: &Registration) -> DeviceStatus {
    registration
        .change
        .status
        .unwrap_or(match registration.when_revoked {
            WhenRevoked::Revive => DeviceStatus::Active,
            WhenRevoked::Refuse | WhenRevoked::KeepRevoked => status,
        })
}

impl Work<'_> {
    /// Changes or makes the device. Also gives the id for the first credential's row, where the device is
    /// named after it.
    pub(super) fn settle_device(&mut self, found: Found) -> (Device, Option<uuid::Uuid>) {
        let user = self.registration.caller.user;
        let at = self.registration.at;
        let (mut device, named_after) = match found {
            Found::Known(device) => (*device, None),
            Found::New(platform, Some(name)) => (self.new_device(platform, name), None),
            Found::New(platform, None) => {
                let row = self.ids.take();
                (self.new_device(platform, DeviceId::of_row(row)), Some(row))
            }
        };
        let before = device.status;
        let DeviceChange {
            platform,
            environment,
            status: _,
            timezone,
            mobile,
            web,
        } = &self.registration.change;
        device.platform = platform.unwrap_or(device.platform);
        device.status = status_after(device.status, self.registration);
        if let Some(environment) = environment {
            device.environment.clone_from(environment);
        }
        if let Some(told) = mobile {
            device.mobile.learn(told);
        }
        if let Some(told) = web {
            device.web.learn(told);
        }
        if let Some(zone) = timezone {
            device.timezone = Some(zone.clone());
            if let Some(user) = self.state.users.get_mut(&user) {
                user.timezone = Some(zone.clone());
            }
        }
        device.updated_at = at;
        device.last_seen_at = at;
        device.last_used_at = at;
        match (before, device.status) {
            (DeviceStatus::Active, DeviceStatus::Revoked) => {
                self.note(user, AuditAction::DeviceRevoked, Some(device.id), None);
            }
            (DeviceStatus::Revoked, DeviceStatus::Active) => {
                self.note(user, AuditAction::DeviceRevived, Some(device.id), None);
            }
            _ => {}
        }
        self.state.devices.insert(device.id, device.clone());
        (device, named_after)
    }

    fn new_device(&mut self, platform: Platform, device_id: DeviceId) -> Device {
        let (user, at) = (self.registration.caller.user, self.registration.at);
        let id = DeviceUid::from_uuid(self.ids.take());
        if let Some(user) = self.state.users.get_mut(&user) {
            user.devices = user.devices.saturating_add(1);
        }
        self.note(user, AuditAction::DeviceAdded, Some(id), Some(platform.name()));
        Device {
            id,
            user,
            device_id,
            platform,
            environment: Environment::production(),
            status: DeviceStatus::Active,
            timezone: None,
            mobile: MobileSettings::default(),
            web: WebSettings::default(),
            created_at: at,
            updated_at: at,
            last_seen_at: at,
            last_used_at: at,
        }
    }
}
