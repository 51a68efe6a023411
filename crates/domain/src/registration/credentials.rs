//! Putting credentials on a device: an address has one owner, a value rings one device of theirs.

use super::work::Work;
use super::{Credential, MAX_TOKENS, Registered};
use crate::address::Address;
use crate::audit::AuditAction;
use crate::device::{Device, DeviceStatus};
use crate::push_token::{PushToken, Token, TokenKind};
use crate::text::AppName;
use crate::web_push::Subscription;
use crate::{DeviceUid, Provider, SubscriptionId, TokenId, UserId};

impl Work<'_> {
    /// Puts a credential on `device`; `id` is its row's if a row must be made and the device bears its name.
    pub(super) fn place(
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
        self.make_room(&kind, device);
        self.gather(address, device);
        if kind.activity().is_some() {
            self.fetch_activity(&kind, device);
        }
        let here = self.state.tokens.values().find(|t| {
            t.device == device && t.provider == provider && t.app == app && t.kind.same_place(&kind)
        });
        let revived = here.is_some_and(|row| row.session_ended);
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
        if revived {
            self.note_revived(device, provider);
        }
        token
    }

    /// Notes that a credential of the caller rings again.
    fn note_revived(&mut self, device: DeviceUid, provider: Provider) {
        let caller = self.registration.caller.user;
        let reason = Some(provider.name());
        self.note(caller, AuditAction::CredentialRevived, Some(device), reason);
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
        // Whoever's it was: the browser has not subscribed anew.
        let before = self
            .state
            .subscriptions
            .values()
            .find(|s| s.endpoint == *endpoint);
        let vapid_key = vapid_key.resolve(before.map(|s| s.vapid_key.as_str()));
        self.claim(endpoint.address());
        let own = self
            .state
            .subscriptions
            .values()
            .find(|s| s.endpoint == *endpoint);
        let revived = own.is_some_and(|row| row.session_ended || row.suspect_at.is_some());
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
            vapid_key,
            device_name: device_name.clone(),
            user_agent: user_agent.clone(),
            created_at,
            last_used_at: at,
            suspect_at: None,
        };
        self.state.subscriptions.insert(id, subscription.clone());
        if revived {
            self.note_revived(device, Provider::WebPush);
        }
        Some(subscription)
    }

    /// Makes the caller the address's owner: every row of an earlier owner with it goes.
    fn claim(&mut self, address: Address) {
        let user = self.registration.caller.user;
        let owner = self.state.owners.insert(address, user);
        if owner.is_none_or(|owner| owner == user) {
            // Nobody else can have a row with it.
            return;
        }
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
    /// A row keeps its identity unless its place there is taken. What lies on a revoked device stays silent: it goes,
    /// since moving it would make its other apps ring again unasked.
    fn gather(&mut self, address: Address, device: DeviceUid) {
        let elsewhere: Vec<Token> = self
            .state
            .tokens
            .values()
            .filter(|t| t.address() == address && t.device != device)
            .cloned()
            .collect();
        for token in elsewhere {
            let from = self.state.devices.get(&token.device);
            if from.is_some_and(|from| from.status == DeviceStatus::Revoked) {
                self.state.tokens.remove(&token.id);
            } else {
                self.move_token(token, device);
            }
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

    /// Lets the oldest Live Activity of a full device go for a new one: phones end activities without a word.
    fn make_room(&mut self, kind: &TokenKind, device: DeviceUid) {
        let known = self.alike(kind, device).any(|token| token.kind.same_place(kind));
        if kind.activity().is_none() || known || self.alike(kind, device).count() < MAX_TOKENS {
            return;
        }
        let oldest = self
            .alike(kind, device)
            .min_by_key(|token| (token.updated_at, token.id));
        if let Some(id) = oldest.map(|token| token.id) {
            self.state.tokens.remove(&id);
        }
    }

    /// The device's tokens that share their bound with one of `kind`.
    fn alike(&self, kind: &TokenKind, device: DeviceUid) -> impl Iterator<Item = &Token> {
        let activity = kind.activity().is_some();
        let on_device = self
            .state
            .tokens
            .values()
            .filter(move |token| token.device == device);
        on_device.filter(move |token| token.kind.activity().is_some() == activity)
    }

    fn move_token(&mut self, token: Token, device: DeviceUid) {
        let taken = self.state.tokens.values().any(|t| {
            t.device == device
                && t.provider == token.provider
                && t.app == token.app
                && t.kind.same_place(&token.kind)
        });
        if taken || self.alike(&token.kind, device).count() >= MAX_TOKENS {
            self.state.tokens.remove(&token.id);
        } else {
            self.state.tokens.insert(token.id, Token { device, ..token });
        }
    }
}
