//! The part of the registry that a batch can see, and what one registration does to it.

use std::collections::BTreeMap;

use super::{Credential, DeviceChange, Refusal, Registered, Registration, Target, WhenMissing, WhenRevoked};
use crate::address::Address;
use crate::audit::{AuditAction, AuditEvent};
use crate::device::{Device, DeviceStatus, DeviceView, MobileSettings, Platform, WebSettings};
use crate::push_token::{PushToken, Token, TokenKind};
use crate::session::FingerprintVerdict;
use crate::text::{AppName, DeviceId, Environment};
use crate::web_push::Subscription;
use crate::{
    AuditId, DeviceUid, FreshIds, Provider, Session, SessionId, SubscriptionId, TimeZoneName, TokenId, UserId,
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

/// The device that a registration means: one that is there, or one to be made.
enum Found {
    Known(Box<Device>),
    /// `None` names it after the row of the credential that it is made for.
    New(Platform, Option<DeviceId>),
}

impl State {
    /// Does one registration. A refusal changes nothing but the audit trail.
    pub fn register(&mut self, registration: &Registration) -> Result<Registered, Refusal> {
        let mut ids = registration.ids.clone();
        let pin = self.admit(registration, &mut ids)?;
        let found = self.find(registration)?;
        match &found {
            Found::Known(device) => check_known(device, registration)?,
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

    fn note(
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

fn check_known(device: &Device, registration: &Registration) -> Result<(), Refusal> {
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

fn status_after(status: DeviceStatus, registration: &Registration) -> DeviceStatus {
    registration
        .change
        .status
        .unwrap_or(match registration.when_revoked {
            WhenRevoked::Revive => DeviceStatus::Active,
            WhenRevoked::Refuse | WhenRevoked::KeepRevoked => status,
        })
}

/// One admitted registration at work on the state.
struct Work<'a> {
    state: &'a mut State,
    registration: &'a Registration,
    ids: FreshIds,
}

impl Work<'_> {
    /// Changes or makes the device. Also gives the id for the first credential's row, where the device is
    /// named after it.
    fn settle_device(&mut self, found: Found) -> (Device, Option<uuid::Uuid>) {
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

    /// Puts a credential on `device`; `id` is its row's if a row must be made and the device bears its name.
    fn place(
        &mut self,
        credential: &Credential,
        device: &Device,
        id: Option<uuid::Uuid>,
        written: &mut Registered,
    ) {
        if let Some((provider, app, kind, value)) = credential.token_place(device.platform) {
            let token = self.place_token(device.id, id, provider, app, kind, value);
            written.token.get_or_insert(token);
        } else {
            written.subscription = self.place_subscription(credential, device.id, id);
        }
    }

    fn place_token(
        &mut self,
        device: DeviceUid,
        id: Option<uuid::Uuid>,
        provider: Provider,
        app: AppName,
        kind: TokenKind,
        value: PushToken,
    ) -> Token {
        let caller = self.registration.caller;
        let at = self.registration.at;
        let address = Address {
            provider,
            hash: value.hash(),
        };
        self.claim(address);
        self.gather(address, device);
        if kind.activity().is_some() {
            self.fetch_activity(&kind, device);
        }
        let here = self.state.tokens.values().find(|t| {
            t.device == device && t.provider == provider && t.app == app && t.kind.same_place(&kind)
        });
        let token = match here {
            Some(row) => Token {
                session: caller.session,
                session_ended: false,
                kind,
                value,
                updated_at: at,
                ..row.clone()
            },
            None => Token {
                id: TokenId::from_uuid(id.unwrap_or_else(|| self.ids.take())),
                user: caller.user,
                device,
                session: caller.session,
                session_ended: false,
                provider,
                app,
                kind,
                value,
                created_at: at,
                updated_at: at,
            },
        };
        self.state.tokens.insert(token.id, token.clone());
        token
    }

    fn place_subscription(
        &mut self,
        credential: &Credential,
        device: DeviceUid,
        id: Option<uuid::Uuid>,
    ) -> Option<Subscription> {
        let Credential::WebPush {
            endpoint,
            keys,
            vapid_key,
            device_name,
            user_agent,
        } = credential
        else {
            return None;
        };
        let caller = self.registration.caller;
        let at = self.registration.at;
        self.claim(endpoint.address());
        let own = self
            .state
            .subscriptions
            .values()
            .find(|s| s.endpoint == *endpoint);
        let (id, created_at, device) = match own {
            Some(row) => (row.id, row.created_at, row.device),
            None => (
                SubscriptionId::from_uuid(id.unwrap_or_else(|| self.ids.take())),
                at,
                device,
            ),
        };
        let subscription = Subscription {
            id,
            user: caller.user,
            device,
            session: caller.session,
            session_ended: false,
            endpoint: endpoint.clone(),
            keys: keys.clone(),
            vapid_key: vapid_key.clone(),
            device_name: device_name.clone(),
            user_agent: user_agent.clone(),
            created_at,
            last_used_at: at,
        };
        self.state.subscriptions.insert(id, subscription.clone());
        Some(subscription)
    }

    /// Makes the caller the address's owner: every row of an earlier owner with it goes.
    fn claim(&mut self, address: Address) {
        let user = self.registration.caller.user;
        self.state.owners.insert(address, user);
        let lost: Vec<(TokenId, UserId, DeviceUid)> = self
            .state
            .tokens
            .values()
            .filter(|t| t.user != user && t.address() == address)
            .map(|t| (t.id, t.user, t.device))
            .collect();
        let mut earlier: Option<(UserId, DeviceUid)> = None;
        for (id, owner, device) in lost {
            self.state.tokens.remove(&id);
            earlier = Some((owner, device));
        }
        let lost: Vec<(SubscriptionId, UserId, DeviceUid)> = self
            .state
            .subscriptions
            .values()
            .filter(|s| s.user != user && s.endpoint.address() == address)
            .map(|s| (s.id, s.user, s.device))
            .collect();
        for (id, owner, device) in lost {
            self.state.subscriptions.remove(&id);
            self.remove_device(device);
            earlier = Some((owner, device));
        }
        if let Some((owner, device)) = earlier {
            let reason = Some(address.provider.name());
            self.note(owner, AuditAction::AddressLost, Some(device), reason);
            self.note(user, AuditAction::AddressGained, None, reason);
        }
    }

    /// A subscription's device leaves with it, and whatever else was put there.
    fn remove_device(&mut self, device: DeviceUid) {
        if let Some(device) = self.state.devices.remove(&device) {
            self.state.tokens.retain(|_, token| token.device != device.id);
            if let Some(user) = self.state.users.get_mut(&device.user) {
                user.devices = user.devices.saturating_sub(1);
            }
        }
    }

    /// Brings the caller's own rows of an address from other devices to `device`: a value rings one device.
    /// A row keeps its identity unless its place there is taken.
    fn gather(&mut self, address: Address, device: DeviceUid) {
        let elsewhere: Vec<Token> = self
            .state
            .tokens
            .values()
            .filter(|t| t.address() == address && t.device != device)
            .cloned()
            .collect();
        for token in elsewhere {
            self.move_token(token, device);
        }
    }

    /// Brings the row of a Live Activity from another device of the caller: an activity is unique in its user.
    fn fetch_activity(&mut self, kind: &TokenKind, device: DeviceUid) {
        let user = self.registration.caller.user;
        let elsewhere = self
            .state
            .tokens
            .values()
            .find(|t| t.user == user && t.kind.same_place(kind) && t.device != device);
        if let Some(token) = elsewhere.cloned() {
            self.move_token(token, device);
        }
    }

    fn move_token(&mut self, token: Token, device: DeviceUid) {
        let taken = self.state.tokens.values().any(|t| {
            t.device == device
                && t.provider == token.provider
                && t.app == token.app
                && t.kind.same_place(&token.kind)
        });
        if taken {
            self.state.tokens.remove(&token.id);
        } else {
            self.state.tokens.insert(token.id, Token { device, ..token });
        }
    }

    fn note(
        &mut self,
        user: UserId,
        action: AuditAction,
        device: Option<DeviceUid>,
        reason: Option<&'static str>,
    ) {
        self.state
            .note(self.registration, &mut self.ids, user, action, device, reason);
    }
}
