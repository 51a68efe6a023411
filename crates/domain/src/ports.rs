//! What the rules need of cryptography and of the world outside, beside the store.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use crate::code::{Code, CodeHash, Purpose};
use crate::code_delivery::CodeDelivery;
use crate::event::Event;
use crate::job::{Answer, Target};
use crate::message::{Content, Message};
use crate::outbox::SendOutcome;
use crate::sealed::SealedPlace;
use crate::secret::Secret;
use crate::session::{Caller, RefreshClaim};
use crate::vapid::VapidKeyName;
use crate::web_push::WebPushEndpoint;
use crate::{JobId, MessageId, PhoneNumber, Provider, SessionId, Timestamp, UserId};

/// A future that a port gives back, so that the port can stand behind `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A token, code or MAC that is not ours, not whole or not valid now. Never says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("invalid token")]
pub struct InvalidToken;

/// The key could not do its work: a fault of this server, never of a client.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("key failure: {0}")]
pub struct KeyFailure(pub &'static str);

/// Signed access tokens (RFC 9068).
pub trait AccessTokens: Send + Sync {
    /// Signs a token for `user` under `session`, valid from `now` for `life`.
    fn issue(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
        life: Duration,
    ) -> Result<Secret, KeyFailure>;

    /// Who speaks by this token at `now`. Says nothing of the session's own state.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, InvalidToken>;
}

/// Refresh tokens: session, counter, and a MAC over both and the session's salt.
pub trait RefreshTokens: Send + Sync {
    /// The token with that claim; always the same for the same claim and salt.
    fn derive(&self, claim: &RefreshClaim, salt: &[u8; 16]) -> Result<Secret, KeyFailure>;

    /// What a token claims, its MAC not yet checked: the salt must be looked up first.
    fn claim(&self, token: &str) -> Result<RefreshClaim, InvalidToken>;

    /// Checks the token's MAC in constant time.
    fn verify(&self, token: &str, salt: &[u8; 16]) -> Result<(), InvalidToken>;
}

/// Keyed hashes of one-time codes.
pub trait CodeHasher: Send + Sync {
    /// The hash of `code` for that phone and purpose, under the newest secret.
    fn hash(&self, phone: &PhoneNumber, purpose: Purpose, code: &Code) -> CodeHash;

    /// Whether `code` has that hash, compared in constant time; false if the hash's secret is gone.
    fn matches(&self, hash: &CodeHash, phone: &PhoneNumber, purpose: Purpose, code: &Code) -> bool;
}

/// The public halves of the keys that sign access tokens.
pub trait PublishedKeys: Send + Sync {
    /// A JSON Web Key Set (RFC 7517 §5) of the keys that are good at `now`.
    fn jwks(&self, now: Timestamp) -> String;
}

/// Encryption of what is stored: AES-256-GCM under a named key, bound to the column and the row that hold it.
pub trait Sealer: Send + Sync {
    /// Seals `plain` for that place. The result carries the key's name.
    fn seal(&self, place: SealedPlace, plain: &[u8]) -> Result<Vec<u8>, KeyFailure>;

    /// Opens what [`Self::seal`] gave for the same place.
    fn open(&self, place: SealedPlace, sealed: &[u8]) -> Result<Vec<u8>, KeyFailure>;

    /// Whether `sealed` says that it was sealed under the newest secret, as new values are.
    fn is_current(&self, sealed: &[u8]) -> bool;
}

/// The key pairs by which this service names itself to push services (RFC 8292).
pub trait VapidKeys: Send + Sync {
    /// The key that subscriptions are made under at `now`.
    fn offered(&self, now: Timestamp) -> VapidKeyName;

    /// The public half of the key of that name; `None` for one that this server does not know, or not yet.
    fn public(&self, id: &str) -> Option<[u8; 65]>;

    /// The name of the key with that public half.
    fn id_of(&self, public: &[u8; 65]) -> Option<String>;

    /// Signs `message` with the key of that name, by ES256: both numbers as 32 octets each (RFC 7518 §3.4).
    fn sign(&self, id: &str, message: &[u8]) -> Result<[u8; 64], KeyFailure>;
}

/// Delivery of one-time codes.
pub trait CodeSender: Send + Sync {
    /// Hands a code over for its phone. Bounds its own time, far below a claim's lease.
    fn send<'a>(&'a self, delivery: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome>;
}

/// A message for one credential, about to be sent.
#[derive(Clone, Debug)]
pub struct Push {
    /// Which attempt's job: the same name at every attempt, so that a provider may know a message again.
    pub job: JobId,
    /// What it says, and how.
    pub message: Arc<Message>,
    /// What it rings.
    pub target: Target,
    /// For how many seconds more the provider may keep it.
    pub ttl: u32,
}

/// The providers that carry messages to devices.
pub trait PushSender: Send + Sync {
    /// Whether messages are delivered by that provider at all.
    fn carries(&self, provider: Provider) -> bool;

    /// Whether a message of that content is small enough for every provider that carries any.
    fn fits(&self, id: MessageId, content: &Content) -> bool;

    /// Hands a message over. Bounds its own time, far below a claim's lease.
    fn send<'a>(&'a self, push: &'a Push) -> BoxFuture<'a, Answer>;
}

/// What is known of browsers' endpoints beside their form.
pub trait Endpoints: Send + Sync {
    /// Whether messages may be sent there, as far as can be told within a second: to a listed push service, whose name does not lead to
    /// an address that is none of the public's. One that leads nowhere is let in; it is looked up again for each message.
    fn admit<'a>(&'a self, endpoint: &'a WebPushEndpoint) -> BoxFuture<'a, bool>;
}

/// A service of the operator's that is told what happens.
pub trait EventReceiver: Send + Sync {
    /// Tells it of an event. Bounds its own time, far below a claim's lease ([`event::LEASE`](crate::event::LEASE)).
    fn tell<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, SendOutcome>;
}

/// Rings those who deliver what was just committed.
pub trait Wake: Send + Sync {
    /// Has them look at once, in this process; they look by themselves anyway, if later. Never waits.
    fn wake(&self);
}
