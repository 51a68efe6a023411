//! The rules of Doorbell: who is at which device, and which credentials may ring it.
//!
//! Everything here is synchronous and pure. Time and randomness come through the ports [`Clock`] and
//! [`Entropy`], storage through [`store::Store`], cryptography and the world's tables through the ports of
//! [`ports`]. No type can be built in a state that the rules forbid.

pub mod address;
pub mod api_key;
pub mod audit;
pub mod clock;
pub mod code;
pub mod code_delivery;
pub mod destination;
pub mod device;
pub mod disbelief;
pub mod entropy;
pub mod event;
pub mod id;
pub mod idempotency;
pub mod job;
pub mod language;
pub mod limits;
pub mod message;
pub mod outbox;
pub mod personal_data;
pub mod phone;
pub mod ports;
pub mod profile;
pub mod profile_change;
pub mod push_services;
pub mod push_token;
pub mod registration;
pub mod retention;
pub mod sealed;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod store;
pub mod suspicion;
pub mod sweeps;
pub mod test_numbers;
pub mod text;
pub mod time_zone;
pub mod user;
pub mod vapid;
pub mod watch;
pub mod web_push;

pub use address::{Address, Provider, ValueHash};
pub use clock::{Clock, Timestamp};
pub use code::{Code, CodePolicy, OtpSession};
pub use code_delivery::CodeDelivery;
pub use device::{Device, DeviceStatus, DeviceView, Platform};
pub use entropy::Entropy;
pub use id::{
    ApiKeyId, AuditId, DeviceUid, FreshIds, JobId, MessageId, OtpSessionId, SessionId, SubscriptionId,
    TokenId, UserId,
};
pub use language::Language;
pub use phone::PhoneNumber;
pub use push_token::{PushToken, Token, TokenKind};
pub use session::{Caller, Session};
pub use time_zone::TimeZoneName;
pub use user::User;
pub use web_push::{Subscription, WebPushEndpoint};
