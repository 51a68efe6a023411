//! What holds for any sequence of registrations, logouts and revocations.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::push_token::PushToken;
use crate::session::{EndReason, SessionPolicy};
use crate::{Entropy, Session, SessionId, UserId};

const USERS: u8 = 3;

pub(super) fn user(n: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(u128::from(n) + 1))
}

pub(super) fn session_id(n: u8) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(0x5e55 << 64 | u128::from(n)))
}

pub(super) fn session(n: u8) -> Session {
    let at = Timestamp::from_micros(0);
    Session {
        id: session_id(n),
        user: user(n % USERS),
        counter: 0,
        salt: [0; 16],
        rotated_at: at,
        fingerprint: None,
        device_id: None,
        user_agent: None,
        ip: None,
        created_at: at,
        last_used_at: at,
        expires_at: at + SessionPolicy::STANDARD.idle,
        absolute_expires_at: at + SessionPolicy::STANDARD.absolute,
        ended: None,
    }
}

struct Counter(u16);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let [high, low] = self.0.to_be_bytes();
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = if n % 2 == 0 { high } else { low };
        }
    }
}

pub(super) fn registration(n: u16, by: u8, target: Target, credentials: Vec<Credential>) -> Registration {
    let at = Timestamp::from_micros(i64::from(n) * 1_000_000);
    Registration {
        caller: Caller {
            user: user(by % USERS),
            session: session_id(by),
            expires_at: at,
        },
        fingerprint: None,
        at,
        ids: FreshIds::draw(at, &Counter(n)),
        max_devices: 5,
        target,
        when_revoked: WhenRevoked::Refuse,
        change: DeviceChange::default(),
        credentials,
    }
}

fn world() -> State {
    let sessions = (0..2 * USERS).map(|n| (session_id(n), session(n))).collect();
    let users = (0..USERS).map(|n| (user(n), UserSlice::default())).collect();
    State {
        users,
        sessions,
        ..State::default()
    }
}

impl State {
    /// What a store loads for `wants`, by the words of [`Wants`]: the slice that a batch is decided on.
    fn slice(&self, wants: &Wants) -> Self {
        let mut owners: BTreeMap<_, _> = wants
            .addresses
            .iter()
            .map(|(a, u)| (*a, self.owners.get(a).copied().unwrap_or(*u)))
            .collect();
        owners.retain(|address, _| wants.addresses.contains_key(address));
        let holds = |token: &&Token| {
            wants.addresses.contains_key(&token.address())
                || token
                    .kind
                    .activity()
                    .is_some_and(|a| wants.activities.contains(&(token.user, a.clone())))
        };
        let subscriptions: BTreeMap<_, _> = self
            .subscriptions
            .iter()
            .filter(|(_, s)| wants.addresses.contains_key(&s.endpoint.address()))
            .map(|(id, s)| (*id, s.clone()))
            .collect();
        let mut on: BTreeSet<_> = self.tokens.values().filter(holds).map(|t| t.device).collect();
        on.extend(subscriptions.values().map(|s| s.device));
        let devices: BTreeMap<_, _> = self
            .devices
            .iter()
            .filter(|(id, d)| {
                on.contains(id)
                    || wants.uids.contains(id)
                    || wants.named.contains(&(d.user, d.device_id.clone()))
            })
            .map(|(id, d)| (*id, d.clone()))
            .collect();
        let tokens = self
            .tokens
            .iter()
            .filter(|(_, t)| devices.contains_key(&t.device));
        Self {
            users: self
                .users
                .iter()
                .filter(|(id, _)| wants.users.contains(id))
                .map(|(i, u)| (*i, u.clone()))
                .collect(),
            sessions: wants
                .sessions
                .iter()
                .filter_map(|id| Some((*id, self.sessions.get(id)?.clone())))
                .collect(),
            owners,
            tokens: tokens.map(|(id, t)| (*id, t.clone())).collect(),
            devices,
            subscriptions,
            audit: Vec::new(),
        }
    }

    /// Applies writes as a database does, in their order.
    fn apply(&mut self, writes: Writes) {
        for (id, address) in writes.removed_tokens {
            assert_eq!(
                self.tokens.remove(&id).map(|token| token.address()),
                Some(address)
            );
        }
        for id in writes.removed_subscriptions {
            self.subscriptions.remove(&id).expect("there to be removed");
        }
        for id in writes.removed_devices {
            let device = self.devices.remove(&id).expect("there to be removed");
            self.tokens.retain(|_, token| token.device != device.id);
            self.users.get_mut(&device.user).expect("known").devices -= 1;
        }
        for claim in writes.claims {
            self.owners.insert(claim.address, claim.owner);
            let strangers = self.tokens.values().map(|t| (t.address(), t.user));
            let strangers = strangers.chain(
                self.subscriptions
                    .values()
                    .map(|s| (s.endpoint.address(), s.user)),
            );
            assert!(
                strangers
                    .filter(|(address, _)| *address == claim.address)
                    .all(|(_, user)| user == claim.owner),
                "a row still has an address that goes to another user"
            );
        }
        for device in writes.devices {
            let user = device.user;
            if self.devices.insert(device.id, device).is_none() {
                self.users.get_mut(&user).expect("known").devices += 1;
            }
        }
        for token in writes.tokens {
            let taken = self.tokens.values().any(|t| {
                t.id != token.id
                    && (t.device, t.provider, &t.app) == (token.device, token.provider, &token.app)
                    && t.kind.same_place(&token.kind)
            });
            assert!(!taken, "two rows contend for one place");
            let runs = self.tokens.values().any(|t| {
                t.id != token.id && t.user == token.user && t.kind.activity() == token.kind.activity()
            });
            assert!(
                token.kind.activity().is_none() || !runs,
                "two rows contend for one activity"
            );
            self.owners.entry(token.address()).or_insert(token.user);
            self.tokens.insert(token.id, token);
        }
        for subscription in writes.subscriptions {
            self.owners
                .entry(subscription.endpoint.address())
                .or_insert(subscription.user);
            self.subscriptions.insert(subscription.id, subscription);
        }
        for address in writes.unused {
            let used = self.tokens.values().any(|t| t.address() == address)
                || self
                    .subscriptions
                    .values()
                    .any(|s| s.endpoint.address() == address);
            if !used {
                self.owners.remove(&address);
            }
        }
        for (id, zone) in writes.zones {
            self.users.get_mut(&id).expect("known").timezone = Some(zone);
        }
        for touch in writes.sessions {
            let session = self.sessions.get_mut(&touch.session).expect("known");
            session.device_id = touch.device_id;
            session.fingerprint = touch.fingerprint;
        }
        self.audit.extend(writes.audit);
    }

    fn end_session(&mut self, id: SessionId, at: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.ended = Some((at, EndReason::Logout));
        }
        self.tokens
            .values_mut()
            .filter(|t| t.session == id)
            .for_each(|t| t.session_ended = true);
        self.subscriptions
            .values_mut()
            .filter(|s| s.session == id)
            .for_each(|s| s.session_ended = true);
    }

    fn check(&self) {
        let mut places = BTreeSet::new();
        let mut rings: BTreeMap<Address, DeviceUid> = BTreeMap::new();
        for token in self.tokens.values() {
            assert_eq!(
                self.owners.get(&token.address()),
                Some(&token.user),
                "an address has one owner"
            );
            let device = self.devices.get(&token.device).expect("a token lies on a device");
            assert_eq!(device.user, token.user);
            assert_eq!(
                *rings.entry(token.address()).or_insert(device.id),
                device.id,
                "a value rings one device"
            );
            let activity = token.kind.activity().cloned();
            let place = (
                device.id,
                token.provider,
                token.app.clone(),
                token.kind.name(),
                activity,
            );
            assert!(places.insert(place), "a place holds one row");
        }
        let activities: Vec<_> = self
            .tokens
            .values()
            .filter_map(|t| Some((t.user, t.kind.activity()?)))
            .collect();
        assert_eq!(activities.iter().collect::<BTreeSet<_>>().len(), activities.len());
        for subscription in self.subscriptions.values() {
            assert_eq!(
                self.owners.get(&subscription.endpoint.address()),
                Some(&subscription.user)
            );
            let device = self
                .devices
                .get(&subscription.device)
                .expect("a subscription has a device");
            assert_eq!((device.user, device.platform), (subscription.user, Platform::Web));
            assert_eq!(device.device_id.as_str(), subscription.id.to_string());
        }
        let mut names = BTreeSet::new();
        for device in self.devices.values() {
            assert!(
                names.insert((device.user, device.device_id.clone())),
                "a deviceId is unique in its user"
            );
        }
        for (id, user) in &self.users {
            let count = self.devices.values().filter(|device| device.user == *id).count();
            assert_eq!(usize::try_from(user.devices), Ok(count));
        }
        let used: BTreeSet<_> = self.tokens.values().map(Token::address).collect();
        let used: BTreeSet<_> = used
            .into_iter()
            .chain(self.subscriptions.values().map(|s| s.endpoint.address()))
            .collect();
        assert_eq!(
            used,
            self.owners.keys().copied().collect(),
            "no address outlives its rows"
        );
    }
}

#[derive(Clone, Debug)]
enum Event {
    Register(Vec<Registration>),
    EndSession(u8),
}

fn name(n: u8) -> DeviceId {
    DeviceId::parse(format!("device-{n}")).expect("text")
}

fn credential(kind: u8, app: u8, value: u8) -> Credential {
    let app = AppName::parse(if app == 0 {
        "default".to_owned()
    } else {
        format!("app-{app}")
    })
    .expect("text");
    let token = || PushToken::parse(format!("token-{value}")).expect("text");
    let activity = |n| ActivityId::parse(format!("activity-{n}")).expect("text");
    match kind {
        0 => Credential::Alert {
            provider: None,
            app,
            value: token(),
        },
        1 => Credential::Alert {
            provider: Some(Provider::Apns),
            app,
            value: token(),
        },
        2 => Credential::PushToStart { value: token() },
        3 => Credential::LiveActivity {
            activity: activity(value % 2),
            stream: StreamId::parse("stream").expect("text"),
            value: token(),
        },
        _ => Credential::WebPush {
            endpoint: WebPushEndpoint::restore(format!("https://push.example.com/{value}")),
            keys: SubscriptionKeys::restore([4; 65], [1; 16]),
            vapid_key: MadeUnder::Presumed("1".to_owned()),
            device_name: None,
            user_agent: None,
        },
    }
}

prop_compose! {
    fn any_registration()(
        by in 0..2 * USERS,
        shape in 0_u8..6,
        device in 0_u8..3,
        platform in prop::sample::select(Platform::ALL.to_vec()),
        (kind, app, value) in (0_u8..4, 0_u8..2, 0_u8..4),
        second in prop::option::of((0_u8..4, 0_u8..4)),
        zone in prop::option::of(0_u8..2),
        fingerprint in prop::option::weighted(0.2, 0_u8..2),
    ) -> Registration {
        let made = Target::Named { device_id: name(device), when_missing: WhenMissing::Make(platform) };
        let known = Target::Named { device_id: name(device), when_missing: WhenMissing::Refuse };
        let first = credential(kind, app, value);
        let mut registration = match shape {
            0 => registration(0, by, known, vec![first]),
            1 => registration(0, by, Target::Holder { platform }, vec![credential(kind % 2, app, value)]),
            2 => registration(0, by, Target::Holder { platform: Platform::Web }, vec![credential(9, 0, value)]),
            3 => {
                let mut update = registration(0, by, known, vec![]);
                update.when_revoked = WhenRevoked::KeepRevoked;
                update.change.status = Some(if value < 2 { DeviceStatus::Revoked } else { DeviceStatus::Active });
                update
            }
            4 => {
                let mut add = registration(0, by, made, vec![first]);
                add.when_revoked = WhenRevoked::Revive;
                add.change.platform = Some(platform);
                add
            }
            _ => {
                let more = second.map(|(kind, value)| credential(kind, app, value));
                registration(0, by, made, std::iter::once(first).chain(more).collect())
            }
        };
        registration.change.timezone = zone.map(|n| TimeZoneName::known(format!("Zone/{n}")));
        registration.fingerprint = fingerprint.map(|n| Fingerprint::parse(format!("print-{n}")).expect("text"));
        registration
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        9 => prop::collection::vec(any_registration(), 1..6).prop_map(Event::Register),
        1 => (0..2 * USERS).prop_map(Event::EndSession),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_of_a_batch_is_the_fold_of_single_plans_and_the_registry_stays_whole(
        events in prop::collection::vec(any_event(), 1..12),
    ) {
        let mut batched = world();
        let mut single = world();
        let mut clock = 0_u16;
        for event in events {
            clock += 1;
            match event {
                Event::EndSession(n) => {
                    let at = Timestamp::from_micros(i64::from(clock) * 1_000_000);
                    batched.end_session(session_id(n), at);
                    single.end_session(session_id(n), at);
                }
                Event::Register(mut batch) => {
                    for one in &mut batch {
                        clock += 1;
                        one.at = Timestamp::from_micros(i64::from(clock) * 1_000_000);
                        one.ids = FreshIds::draw(one.at, &Counter(clock));
                    }
                    let whole = plan(&batched.slice(&Wants::of(&batch)), &batch);
                    batched.apply(whole.writes);
                    let mut answers = Vec::new();
                    for one in &batch {
                        let one = std::slice::from_ref(one);
                        let part = plan(&single.slice(&Wants::of(one)), one);
                        single.apply(part.writes);
                        answers.extend(part.answers);
                    }
                    prop_assert_eq!(whole.answers, answers);
                }
            }
            batched.check();
            prop_assert_eq!(&batched, &single);
        }
    }
}
