//! The use cases of Doorbell, one a module: each turns a domain command into one unit of work on the store.
//!
//! A [`Doorbell`] holds the ports; every use case is a method of it. Nothing here knows a dialect, a database
//! or a runtime.

mod access;
mod account;
mod add_device;
mod deliver_codes;
mod deliver_events;
mod deliver_messages;
mod delivered;
mod devices;
mod limited;
mod messages;
mod personal_data;
mod profile;
mod record_live_activity;
mod refresh_device_token;
mod refresh_session;
mod register;
mod register_device_token;
mod register_push_token;
mod remove_credential;
mod request_code;
mod send_message;
mod sessions;
mod subscribe;
mod sweep;
mod test_push;
mod update_device;
mod verify_code;

use std::sync::Arc;

use doorbell_domain::code::CodePolicy;
use doorbell_domain::destination::{Countries, Destinations};
use doorbell_domain::limits::LimitPolicy;
use doorbell_domain::ports::{
    AccessTokens, CodeHasher, CodeSender, Endpoints, PushSender, RefreshTokens, VapidKeys, Wake,
};
use doorbell_domain::session::SessionPolicy;
use doorbell_domain::store::Store;
use doorbell_domain::test_numbers::TestNumbers;
use doorbell_domain::watch::PushTally;
use doorbell_domain::{Caller, Clock, Entropy, Timestamp};
use time::Duration;

pub use access::AccessError;
pub use account::AccountError;
pub use add_device::AddDevice;
pub use deliver_messages::{Attempted, Claims, Dispatch};
pub use delivered::Delivered;
pub use messages::{MessageError, MessagePage, OwnMessageError, TrailPage};
pub use personal_data::Activity;
pub use record_live_activity::RecordLiveActivity;
pub use refresh_device_token::RefreshDeviceToken;
pub use refresh_session::{Refresh, RefreshError, Refreshed};
pub use register_device_token::RegisterDeviceToken;
pub use register_push_token::{RegisterPushToken, WhichDevice};
pub use remove_credential::RemoveError;
pub use request_code::{CodeRequested, RequestCode, RequestCodeError};
pub use send_message::{Accepted, SendError, SendMessage};
pub use sessions::EndSessionError;
pub use subscribe::{Subscribe, SubscribeError};
pub use sweep::Swept;
pub use test_push::TestPushError;
pub use update_device::UpdateDevice;
pub use verify_code::{SignedIn, VerifyCode, VerifyCodeError};

/// How the service behaves, beyond the rules that never vary.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How codes are issued and judged.
    pub codes: CodePolicy,
    /// How much may be asked for; `None` lifts all limits but a code's own attempts.
    pub limits: Option<LimitPolicy>,
    /// Which countries codes are sent to.
    pub countries: Countries,
    /// Numbers whose codes are known and never sent.
    pub test_numbers: TestNumbers,
    /// How long sessions live.
    pub sessions: SessionPolicy,
    /// How long an account waits for its deletion.
    pub deletion_grace: Duration,
    /// How many devices a user may have.
    pub max_devices: u32,
    /// Whether send-otp answers with the code itself: for development only.
    pub reveal_codes: bool,
}

/// The ports that the use cases work through.
#[derive(Clone)]
pub struct Ports {
    /// The registry's database.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// Refresh tokens.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Hashes of one-time codes.
    pub code_hasher: Arc<dyn CodeHasher>,
    /// What numbers are.
    pub destinations: Arc<dyn Destinations>,
    /// Delivery of one-time codes.
    pub code_sender: Arc<dyn CodeSender>,
    /// Who is rung when a code has been left to deliver.
    pub wake: Arc<dyn Wake>,
    /// This service's names at push services.
    pub vapid: Arc<dyn VapidKeys>,
    /// What is known of browsers' endpoints.
    pub endpoints: Arc<dyn Endpoints>,
    /// The providers that carry messages.
    pub push: Arc<dyn PushSender>,
    /// Who is rung when messages have been left to deliver.
    pub push_wake: Arc<dyn Wake>,
    /// Who counts what becomes of messages.
    pub push_tally: Arc<dyn PushTally>,
}

/// The service: every use case is a method.
#[derive(Clone)]
pub struct Doorbell {
    ports: Ports,
    policy: Policy,
    seen: Arc<deliver_messages::Seen>,
}

impl Doorbell {
    /// A service over these ports.
    pub fn new(ports: Ports, policy: Policy) -> Self {
        Self {
            ports,
            policy,
            seen: Arc::default(),
        }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Who speaks by an access token, its session not yet looked at: every use case does that itself, in
    /// the statement that it needs anyway.
    pub fn authenticate(&self, token: &str) -> Option<Caller> {
        self.ports.access_tokens.verify(token, self.now()).ok()
    }

    /// The VAPID public key that browsers subscribe with (RFC 8292 §3.2).
    pub fn vapid_public_key(&self) -> [u8; 65] {
        self.ports.vapid.offered(self.now()).public
    }

    /// Whether the store answers and its schema is this program's.
    pub async fn ready(&self) -> Result<(), doorbell_domain::store::StoreError> {
        self.ports.store.ready().await
    }
}
