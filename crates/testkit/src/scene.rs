//! A store with people in it, for stories.

mod delivery;

use std::fmt::Debug;
use std::sync::Arc;

use doorbell_domain::registration::Registered;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{
    self, DeviceKey, DevicePage, Found, Page, Reads, RegisterError, Store, TrailLine, Unit,
};
use doorbell_domain::{
    Caller, Clock, DeviceUid, DeviceView, FreshIds, PhoneNumber, Session, SessionId, Subscription, Timestamp,
    User, UserId, ValueHash,
};
use time::Duration;
use uuid::Uuid;

use crate::build::{self, Draft};
use crate::{CountingEntropy, FakeClock};

pub use delivery::Sent;

/// A store, a clock and some randomness. Its clones share them.
#[derive(Clone)]
pub struct Scene {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: FakeClock,
    /// The randomness.
    pub entropy: Arc<CountingEntropy>,
}

impl Scene {
    /// A scene around an empty store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            clock: FakeClock::default(),
            entropy: Arc::new(CountingEntropy::default()),
        }
    }

    /// A second later.
    pub fn tick(&self) -> Timestamp {
        self.clock.advance(Duration::seconds(1))
    }

    /// A fresh id, newer than all before.
    pub fn id(&self) -> Uuid {
        FreshIds::draw(self.tick(), &*self.entropy).take()
    }

    /// Runs a writing transaction that must succeed.
    pub async fn write<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Unit) -> Found<T> + Send + 'static,
    {
        whole(self.try_write(work).await)
    }

    /// Runs a writing transaction.
    pub async fn try_write<T, F>(&self, work: F) -> Found<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Unit) -> Found<T> + Send + 'static,
    {
        store::transact(&*self.store, work).await
    }

    /// Runs a reading transaction that must succeed.
    pub async fn read<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reads) -> Found<T> + Send + 'static,
    {
        whole(store::read(&*self.store, work).await)
    }

    /// Signs the `n`th person up and in.
    pub async fn person(&self, n: u32) -> Caller {
        let user = User::sign_up(
            UserId::from_uuid(self.id()),
            build::phone(n),
            None,
            None,
            self.clock.now(),
        );
        let user = self.write(move |unit| unit.find_or_insert_user(&user)).await;
        self.sign_in(user.id).await
    }

    /// Begins another session of `user`.
    pub async fn sign_in(&self, user: UserId) -> Caller {
        let session = build::session(SessionId::from_uuid(self.id()), user, self.clock.now());
        let caller = build::caller(&session);
        self.write(move |unit| unit.insert_session(&session)).await;
        caller
    }

    /// Ends the caller's session.
    pub async fn log_out(&self, caller: Caller) {
        let at = self.tick();
        let ended = self
            .write(move |unit| unit.end_session(caller.session, at, EndReason::Logout))
            .await;
        assert!(ended, "the session had not ended");
    }

    /// A registration of `caller`, a second after whatever came before.
    pub fn draft(&self, caller: Caller) -> Draft {
        let at = self.tick();
        Draft::new(caller, at, FreshIds::draw(at, &*self.entropy))
    }

    /// Registers one draft.
    pub async fn try_register(&self, draft: Draft) -> Result<Registered, RegisterError> {
        let mut answers = self.store.register(vec![draft.build()]).await;
        assert_eq!(answers.len(), 1, "one answer a registration");
        answers.remove(0)
    }

    /// Registers one draft, which must be admitted.
    pub async fn register(&self, draft: Draft) -> Registered {
        whole(self.try_register(draft).await)
    }

    /// Registers several drafts in one call.
    pub async fn register_all(
        &self,
        drafts: impl IntoIterator<Item = Draft>,
    ) -> Vec<Result<Registered, RegisterError>> {
        let batch = drafts.into_iter().map(Draft::build).collect();
        self.store.register(batch).await
    }

    /// The caller's session.
    pub async fn session(&self, caller: Caller) -> Session {
        self.read(move |reads| reads.session(caller))
            .await
            .expect("a known session")
    }

    /// The caller's account.
    pub async fn user(&self, caller: Caller) -> User {
        let found = self.read(move |reads| reads.session_user(caller)).await;
        found.expect("a known session").found
    }

    /// The caller's device of that name.
    pub async fn device(&self, caller: Caller, name: &str) -> Option<DeviceView> {
        let key = DeviceKey::DeviceId(build::device_id(name));
        let found = self.read(move |reads| reads.device(caller, &key)).await;
        found.expect("a known session").found
    }

    /// A page of the caller's devices.
    pub async fn page(&self, caller: Caller, offset: u64, limit: u32) -> DevicePage {
        let page = Page { offset, limit };
        let found = self.read(move |reads| reads.devices(caller, page)).await;
        found.expect("a known session").found
    }

    /// The tokens that the caller's devices show, newest device first.
    pub async fn shown(&self, caller: Caller) -> Vec<Option<String>> {
        let page = self.page(caller, 0, 100).await;
        let shown = |view: DeviceView| view.push_token.map(|token| token.expose().to_owned());
        page.devices.into_iter().map(shown).collect()
    }

    /// The caller's subscriptions.
    pub async fn subscriptions(&self, caller: Caller) -> Vec<Subscription> {
        let found = self.read(move |reads| reads.subscriptions(caller)).await;
        found.expect("a known session").found
    }

    /// Removes the user's tokens of that value; the devices that they were on, in order.
    pub async fn remove_tokens(&self, user: UserId, value: &str) -> Vec<DeviceUid> {
        let hash = ValueHash::of(value);
        let mut devices = self.write(move |unit| unit.remove_tokens(user, hash)).await;
        devices.sort_unstable();
        devices
    }

    /// The user's newest lines of the audit trail.
    pub async fn trail(&self, user: UserId) -> Vec<TrailLine> {
        self.write(move |unit| unit.trail(user, 100)).await
    }

    /// What happened to the user, oldest first.
    pub async fn history(&self, user: UserId) -> Vec<String> {
        let trail = self.trail(user).await;
        trail.into_iter().rev().map(|line| line.action).collect()
    }

    /// The phone's current code.
    pub async fn current_code(&self, phone: PhoneNumber) -> Option<doorbell_domain::OtpSession> {
        self.write(move |unit| unit.current_code(&phone, doorbell_domain::code::Purpose::SignIn))
            .await
    }
}

fn whole<T, E: Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("refused: {error:?}"),
    }
}
