//! The port that everything kept passes through.
//!
//! A store has three entries. [`Store::read`] and [`Store::transact`] run a synchronous closure over one open
//! transaction's repositories, in one blocking hop: nothing can be awaited inside, so what must leave the
//! house leaves after the commit. [`Store::register`] is the only way a credential is written.
//!
//! "Not found" is `Ok(None)`, never an error. A refusal that must be remembered is a committed value: only a
//! [`StoreError`] rolls back.

mod code_outbox;
mod delivery;
mod events;

use thiserror::Error;

pub use code_outbox::{ClaimedCode, CodeOutbox};
pub use delivery::{
    ApiKeys, DeliveryReads, DeliverySweeps, Ended, JobLine, Jobs, MessageReport, Messages, Recalled,
    TrailEntry,
};
pub use events::{ClaimedEvent, EventOutbox};

use crate::address::ValueHash;
use crate::audit::AuditEvent;
use crate::code::{CodePolicy, OtpSession, Purpose};
use crate::device::DeviceView;
use crate::limits::{Claim, Counter, Place};
use crate::personal_data::PersonalData;
use crate::ports::BoxFuture;
use crate::registration::{Refusal, Registered, Registration};
use crate::sealed::SealedColumn;
use crate::session::{Caller, EndReason, Session};
use crate::signing_key::{HasLife, KeyLife};
use crate::sweeps::Sweeps;
use crate::text::{ActivityId, DeviceId, Fingerprint};
use crate::{AuditId, DeviceUid, PhoneNumber, SessionId, Subscription, Timestamp, User, UserId};

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked, read-only or full, or no connection was free in time.
    /// Nothing was written, unless the connection was lost in the commit itself; the same call may succeed later.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// A constraint that a client can run into.
    #[error("conflict on {0:?}")]
    Conflict(Conflict),
    /// A stored row says what no row can say.
    #[error("inconsistent row in {table}: {detail}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// Which column or row, never its secret content.
        detail: String,
    },
    /// A fault of this program or of the database's schema.
    #[error("store failure: {0}")]
    Failed(String),
}

/// Which constraint was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Another account has the user name.
    Username,
    /// A counter had no room for one more: what gives this up has written nothing, and counted nothing.
    LimitReached,
}

/// What reading gives.
pub type Found<T> = Result<T, StoreError>;

/// A closure over the repositories of one open reading transaction.
pub type ReadWork = Box<dyn FnOnce(&mut dyn Reads) -> Found<()> + Send>;

/// A closure over the repositories of one open writing transaction.
pub type WriteWork = Box<dyn FnOnce(&mut dyn Unit) -> Found<()> + Send>;

/// The registry's database.
pub trait Store: Send + Sync {
    /// Runs `work` on one connection that cannot write. Use [`read`] instead, which returns a value.
    fn read_boxed(&self, work: ReadWork) -> BoxFuture<'_, Found<()>>;

    /// Runs `work` in one writing transaction, committed if it returns `Ok` and rolled back otherwise. Use
    /// [`transact`] instead, which returns a value.
    fn transact_boxed(&self, work: WriteWork) -> BoxFuture<'_, Found<()>>;

    /// Loads what `batch` speaks of, has [`plan`](crate::registration::plan) decide, and writes what it decided, in
    /// one transaction. Answers come in the order of `batch`, and only after the commit.
    ///
    /// Locks the users' rows in order of id, then the addresses in their order. Retries what the database
    /// asks to retry. The whole batch is idempotent.
    fn register(&self, batch: Vec<Registration>) -> BoxFuture<'_, Vec<Result<Registered, RegisterError>>>;

    /// Whether the database answers and its schema is this program's.
    fn ready(&self) -> BoxFuture<'_, Found<()>>;
}

/// Why a registration was not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RegisterError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed; nothing was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs a closure over one open reading transaction's repositories and returns its value.
pub async fn read<T, F>(store: &dyn Store, work: F) -> Found<T>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Reads) -> Found<T> + Send + 'static,
{
    let (give, take) = handover();
    store
        .read_boxed(Box::new(move |unit| work(unit).map(give)))
        .await?;
    take()
}

/// Runs a closure over one open writing transaction's repositories, commits, and returns its value.
pub async fn transact<T, F>(store: &dyn Store, work: F) -> Found<T>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Unit) -> Found<T> + Send + 'static,
{
    let (give, take) = handover();
    store
        .transact_boxed(Box::new(move |unit| work(unit).map(give)))
        .await?;
    take()
}

/// A place for the closure's value, since an object-safe port cannot be generic over it.
fn handover<T: Send + 'static>() -> (impl FnOnce(T) + Send, impl FnOnce() -> Found<T>) {
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    let give = move |value| {
        // The receiver lives in the same call; if that was cancelled, nobody waits for the value.
        drop(send.try_send(value));
    };
    let take = move || {
        receive
            .try_recv()
            .map_err(|_| StoreError::Failed("the work gave no value".to_owned()))
    };
    (give, take)
}

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many rows to pass over.
    pub offset: u64,
    /// How many rows to give at most, 1 to 100.
    pub limit: u32,
}

/// What a device is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKey {
    /// Our id.
    Uid(DeviceUid),
    /// The client's name for it.
    DeviceId(DeviceId),
}

/// What a read found, together with the session that asked, in one statement: the caller's session row, and
/// what hangs on it. `None` where the session or its user is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForSession<T> {
    /// The session that asked; not yet judged.
    pub session: Session,
    /// What it asked for.
    pub found: T,
}

/// A page of a user's devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePage {
    /// The devices, newest first, ties by id descending.
    pub devices: Vec<DeviceView>,
    /// How many the user has in all.
    pub total: u64,
}

/// What reads can ask. Each is one statement over indexes that starts at the session's row (its row must
/// have the caller's user), and leaves judging the session to the caller. The keys alone are nobody's.
pub trait Reads: KeyReads + PersonalData + DeliveryReads {
    /// The session.
    fn session(&mut self, caller: Caller) -> Found<Option<Session>>;

    /// The session and its user.
    fn session_user(&mut self, caller: Caller) -> Found<Option<ForSession<User>>>;

    /// The user's sessions that have neither ended nor expired at `now`, newest first.
    fn sessions_of(&mut self, caller: Caller, now: Timestamp) -> Found<Option<ForSession<Vec<Session>>>>;

    /// A page of the user's devices, revoked ones too, newest first.
    fn devices(&mut self, caller: Caller, page: Page) -> Found<Option<ForSession<DevicePage>>>;

    /// One of the user's devices, revoked ones too.
    fn device(&mut self, caller: Caller, key: &DeviceKey) -> Found<Option<ForSession<Option<DeviceView>>>>;

    /// The user's subscriptions that can be rung (their session has not ended, their device is active, and they are
    /// not [suspected](crate::suspicion) to be dead), newest first, ties by id descending.
    fn subscriptions(&mut self, caller: Caller) -> Found<Option<ForSession<Vec<Subscription>>>>;

    /// The counters of those keys, the one thing that is read for nobody's session.
    fn counters(&mut self, claims: &[Claim]) -> Found<Vec<Counter>>;
}

/// What is known of a phone, whether or not it is anybody's. The row is locked until the transaction ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhoneState {
    /// The last send, successful sign-in or not.
    pub last_sent_at: Option<Timestamp>,
    /// How many guesses in a row were wrong, over all its codes.
    pub failures: u32,
    /// The last wrong one.
    pub failed_at: Option<Timestamp>,
}

/// One-time codes.
pub trait Codes {
    /// Makes the phone's row if it is missing and locks it.
    fn lock_phone(&mut self, phone: &PhoneNumber) -> Found<PhoneState>;

    /// Locks the phone's row if there is one: a phone that was never sent a code has none.
    fn find_phone(&mut self, phone: &PhoneNumber) -> Found<Option<PhoneState>>;

    /// Notes the phone's failures in a row, and the last of them. The phone must be locked.
    fn note_failures(
        &mut self,
        phone: &PhoneNumber,
        failures: u32,
        failed_at: Option<Timestamp>,
    ) -> Found<()>;

    /// When codes were issued for the phone after `since`, newest first, `most` at most.
    fn sends_since(&mut self, phone: &PhoneNumber, since: Timestamp, most: u32) -> Found<Vec<Timestamp>>;

    /// Supersedes the phone's current code of that purpose, writes the new one as current, and notes the
    /// phone's last send as the code's `created_at`. The phone must be locked.
    fn issue_code(&mut self, code: &OtpSession) -> Found<()>;

    /// Counts one guess against the current code, in one statement, exactly if [`OtpSession::admits_guess`]
    /// allows it. Gives the code as it stands afterwards, its row locked, or `None` where nothing was counted: then
    /// nothing may be compared.
    fn count_guess(
        &mut self,
        phone: &PhoneNumber,
        purpose: Purpose,
        now: Timestamp,
        policy: &CodePolicy,
    ) -> Found<Option<OtpSession>>;

    /// The current code, used, spent or expired as it may be.
    fn current_code(&mut self, phone: &PhoneNumber, purpose: Purpose) -> Found<Option<OtpSession>>;

    /// Marks a code used.
    fn use_code(&mut self, code: &OtpSession, now: Timestamp) -> Found<()>;
}

/// Counters of accepted requests.
pub trait Limits {
    /// Counts one in each of the places, which are in order, if all of them have room ([`Counter::admits`]); whether it did.
    /// If not the work must end with [`Conflict::LimitReached`], so that what was counted is undone.
    fn count(&mut self, places: &[Place], now: Timestamp) -> Found<bool>;
}

/// Accounts.
pub trait Users {
    /// The account that signs in by `phone`, locked.
    fn user_by_phone(&mut self, phone: &PhoneNumber) -> Found<Option<User>>;

    /// Writes `user` unless an account with its phone exists, and gives that account, locked, either way.
    fn find_or_insert_user(&mut self, user: &User) -> Found<User>;

    /// The account, locked.
    fn lock_user(&mut self, id: UserId) -> Found<Option<User>>;

    /// Writes every field of an account. A user name that another account has is
    /// [`Conflict::Username`].
    fn save_user(&mut self, user: &User) -> Found<()>;
}

/// Sign-in sessions.
pub trait Sessions {
    /// Writes a new session.
    fn insert_session(&mut self, session: &Session) -> Found<()>;

    /// The session, locked.
    fn lock_session(&mut self, id: SessionId) -> Found<Option<Session>>;

    /// Moves the counter of a session from `session.counter - 1` to `session.counter`, with its `rotated_at`,
    /// `last_used_at` and `expires_at`, in one conditional update; whether it was there to be moved.
    fn rotate_session(&mut self, session: &Session) -> Found<bool>;

    /// Pins the session's first fingerprint; whether none was pinned before.
    fn pin_fingerprint(&mut self, id: SessionId, fingerprint: &Fingerprint) -> Found<bool>;

    /// Ends the session if it has not ended; whether it did.
    fn end_session(&mut self, id: SessionId, at: Timestamp, reason: EndReason) -> Found<bool>;

    /// Ends the user's sessions that have not ended, but for `except`, and gives their ids in order.
    fn end_sessions_of(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        at: Timestamp,
        reason: EndReason,
    ) -> Found<Vec<SessionId>>;
}

/// Removal of credentials. Each locks the user's row, then the addresses it touches in their order, and
/// removes an address with the last row that has it. Suspended rows are removed alike.
pub trait Credentials {
    /// Removes all the user's push tokens of that value: any provider, app, kind. Gives the devices they
    /// were on, one entry a removed row.
    fn remove_tokens(&mut self, user: UserId, value: ValueHash) -> Found<Vec<DeviceUid>>;

    /// Removes the token of the user's Live Activity; its device, if there was one.
    fn remove_live_activity(&mut self, user: UserId, activity: &ActivityId) -> Found<Option<DeviceUid>>;

    /// Removes the user's subscription with that endpoint, and its device with it; the device, if there was
    /// one.
    fn remove_subscription(&mut self, user: UserId, endpoint: ValueHash) -> Found<Option<DeviceUid>>;
}

/// The audit trail.
pub trait Audit {
    /// Adds lines.
    fn record(&mut self, events: &[AuditEvent]) -> Found<()>;

    /// A user's newest lines, newest first.
    fn trail(&mut self, user: UserId, limit: u32) -> Found<Vec<TrailLine>>;
}

/// A line of the trail as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailLine {
    /// The line's identity, in order of time.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// The name of its [`AuditAction`](crate::audit::AuditAction).
    pub action: String,
    /// Under which session.
    pub session: Option<SessionId>,
    /// To which device.
    pub device: Option<DeviceUid>,
    /// Why.
    pub reason: Option<String>,
}

/// What a stored key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Signing access tokens.
    AccessToken,
    /// Naming this server to push services (RFC 8292).
    Vapid,
}

impl KeyUse {
    /// The name that rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::Vapid => "vapid",
        }
    }
}

/// A key pair, its private half sealed by its `id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The row's identity, and the text of it the `kid`.
    pub id: uuid::Uuid,
    /// What it is for.
    pub usage: KeyUse,
    /// The private half, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it does what. A VAPID key is given to browsers from its start on, and never retires.
    pub life: KeyLife,
}

impl HasLife for StoredKey {
    fn life(&self) -> KeyLife {
        self.life
    }
}

/// Reading the keys that all servers of one database share.
pub trait KeyReads {
    /// The keys of that use, retired ones too, newest first.
    fn keys(&mut self, usage: KeyUse) -> Found<Vec<StoredKey>>;
}

/// Keys that all servers of one database share.
pub trait Keys: KeyReads {
    /// Writes `key` unless one of its use exists, and gives the newest, so that servers that start at once
    /// agree. Waits for another server that is doing the same.
    fn insert_first_key(&mut self, key: &StoredKey) -> Found<StoredKey>;

    /// Waits for whoever changes the keys of that use, and keeps others from it until the transaction ends.
    fn lock_keys(&mut self, usage: KeyUse) -> Found<()>;

    /// Adds a key. Those of its use must be locked.
    fn insert_key(&mut self, key: &StoredKey) -> Found<()>;

    /// Sets when a key retires. Those of its use must be locked.
    fn retire_key(&mut self, id: uuid::Uuid, at: Timestamp) -> Found<()>;

    /// Removes a key. Those of its use must be locked.
    fn remove_key(&mut self, id: uuid::Uuid) -> Found<()>;
}

/// A sealed value as it lies in its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    /// Its row.
    pub row: uuid::Uuid,
    /// The value.
    pub sealed: Vec<u8>,
}

/// A sealed value, and what it is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// Its row.
    pub row: uuid::Uuid,
    /// What was read there.
    pub old: Vec<u8>,
    /// What is to lie there instead.
    pub new: Vec<u8>,
}

/// Sealed values as such, whatever is in them: for moving them from one secret to another.
pub trait SealedValues {
    /// At most `limit` values of that column, in order of their rows' ids, from behind the row `after` on.
    fn sealed_values(
        &mut self,
        column: SealedColumn,
        after: Option<uuid::Uuid>,
        limit: u32,
    ) -> Found<Vec<SealedValue>>;

    /// Writes each new value where the old one still lies, and gives how many it wrote. Waits for nobody: a row that
    /// another transaction holds is left as it is.
    fn replace_sealed(&mut self, column: SealedColumn, values: &[Resealed]) -> Found<u32>;
}

/// All repositories of one open writing transaction. Its reads see what it wrote.
pub trait Unit:
    Reads
    + Codes
    + CodeOutbox
    + Limits
    + Users
    + Sessions
    + Credentials
    + Audit
    + Keys
    + SealedValues
    + Sweeps
    + Messages
    + Jobs
    + ApiKeys
    + DeliverySweeps
    + EventOutbox
{
}

impl<T> Unit for T where
    T: Reads
        + Codes
        + CodeOutbox
        + Limits
        + Users
        + Sessions
        + Credentials
        + Audit
        + Keys
        + SealedValues
        + Sweeps
        + Messages
        + Jobs
        + ApiKeys
        + DeliverySweeps
        + EventOutbox
{
}
