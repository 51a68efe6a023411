//! The part of the registry that a batch can see, and what one registration does to it.

use std::collections::BTreeMap;

use super::device::{Found, check_known, check_room};
use super::work::Work;
use super::{Credential, Refusal, Registered, Registration, Target, WhenMissing};
use crate::address::Address;
use crate::audit::{AuditAction, AuditEvent};
use crate::device::{Device, DeviceStatus, DeviceView};
use crate::push_token::Token;
use crate::session::FingerprintVerdict;
use crate::web_push::Subscription;
use crate::{
    AuditId, DeviceUid, FreshIds, Session, SessionId, SubscriptionId, TimeZoneName, TokenId, UserId,
};

/// What a registration needs of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSlice {
    /// The user's zone.
    pub timezone: Option<TimeZoneName>,
    /// How many devices the user has, revoked ones too.
    pub devices: u32,
}

/// A part of the registry in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Users, by id.
    pub users: BTreeMap<UserId, UserSlice>,
    /// Sessions, by id.
    pub sessions: BTreeMap<SessionId, Session>,
    /// Who owns which address.
    pub owners: BTreeMap<Address, UserId>,
    /// Devices, by id.
    pub devices: BTreeMap<DeviceUid, Device>,
    /// Push tokens, by id.
    pub tokens: BTreeMap<TokenId, Token>,
    /// Web Push subscriptions, by id.
    pub subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// Lines of the audit trail since this state was loaded.
    pub audit: Vec<AuditEvent>,
}

impl State {
    /// Does one registration. A refusal changes nothing but the audit trail.
    pub fn register(&mut self, registration: &Registration) -> Result<Registered, Refusal> {
        let mut ids = registration.ids.clone();
        let pin = self.admit(registration, &mut ids)?;
        let found = self.find(registration)?;
        match &found {
            Found::Known(device) => {
                check_known(device, registration)?;
                check_room(self, device, registration)?;
            }
            Found::New(..) => {
                let devices = self
                    .users
                    .get(&registration.caller.user)
                    .map_or(0, |user| user.devices);
                if devices >= registration.max_devices {
                    return Err(Refusal::TooManyDevices);
                }
            }
        }
        // Nothing is refused below this line.
        if pin && let Some(session) = self.sessions.get_mut(&registration.caller.session) {
            session.fingerprint.clone_from(&registration.fingerprint);
        }
        let mut work = Work {
            state: self,
            registration,
            ids,
        };
        let (device, first) = work.settle_device(found);
        let mut written = Registered {
            view: DeviceView {
                device: device.clone(),
                push_token: None,
            },
            token: None,
            subscription: None,
        };
        for credential in &registration.credentials {
            work.place(credential, &device, first, &mut written);
        }
        let session = registration.caller.session;
        if let Some(session) = self.sessions.get_mut(&session)
            && session.device_id.as_ref() != Some(&device.device_id)
        {
            session.device_id = Some(device.device_id.clone());
        }
        written.view = DeviceView::of(&device, self.tokens.values());
        Ok(written)
    }

    /// Judges the session and the fingerprint; whether the fingerprint is to be pinned.
    fn admit(&mut self, registration: &Registration, ids: &mut FreshIds) -> Result<bool, Refusal> {
        let caller = registration.caller;
        let session = self.sessions.get(&caller.session).ok_or(Refusal::SessionOver)?;
        session
            .admits(caller.user, registration.at)
            .map_err(|_| Refusal::SessionOver)?;
        let verdict = registration
            .fingerprint
            .as_ref()
            .map(|shown| session.judge(shown));
        if verdict == Some(FingerprintVerdict::Foreign) {
            self.note(
                registration,
                ids,
                caller.user,
                AuditAction::ForeignFingerprint,
                None,
                None,
            );
            return Err(Refusal::ForeignFingerprint);
        }
        Ok(verdict == Some(FingerprintVerdict::First))
    }

    fn find(&self, registration: &Registration) -> Result<Found, Refusal> {
        let user = registration.caller.user;
        match &registration.target {
            Target::Named {
                device_id,
                when_missing,
            } => {
                let known = self
                    .devices
                    .values()
                    .find(|d| d.user == user && d.device_id == *device_id);
                match (known, when_missing) {
                    (Some(device), _) => Ok(Found::Known(Box::new(device.clone()))),
                    (None, WhenMissing::Make(platform)) => Ok(Found::New(*platform, Some(device_id.clone()))),
                    (None, WhenMissing::Refuse) => Err(Refusal::UnknownDevice),
                }
            }
            Target::Uid(uid) => match self.devices.get(uid) {
                Some(device) if device.user == user => Ok(Found::Known(Box::new(device.clone()))),
                _ => Err(Refusal::UnknownDevice),
            },
            Target::Holder { platform } => Ok(match self.holder(registration) {
                Some(device) => Found::Known(Box::new(device.clone())),
                None => Found::New(*platform, None),
            }),
        }
    }

    /// The caller's device that holds the first credential: for a token one that is not revoked, for a
    /// subscription its own.
    fn holder(&self, registration: &Registration) -> Option<&Device> {
        let user = registration.caller.user;
        let credential = registration.credentials.first()?;
        let addresses = credential.addresses();
        if let Credential::WebPush { .. } = credential {
            let mut own = self.subscriptions.values().filter(|s| s.user == user);
            let held = own.find(|s| addresses.contains(&s.endpoint.address()))?;
            return self.devices.get(&held.device);
        }
        self.tokens
            .values()
            .filter(|t| t.user == user && addresses.contains(&t.address()))
            .filter_map(|t| self.devices.get(&t.device))
            .find(|device| device.status == DeviceStatus::Active)
    }

    pub(super) fn note(
        &mut self,
        registration: &Registration,
        ids: &mut FreshIds,
        user: UserId,
        action: AuditAction,
        device: Option<DeviceUid>,
        reason: Option<&'static str>,
    ) {
        // The earlier owner's trail must not learn which session of another user took the address.
        let session = (user == registration.caller.user).then_some(registration.caller.session);
        let id = AuditId::from_uuid(ids.take());
        self.audit.push(AuditEvent {
            id,
            user,
            at: registration.at,
            action,
            session,
            device,
            reason,
        });
    }
}
