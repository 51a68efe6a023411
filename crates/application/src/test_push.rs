//! A user rings their own devices, to see whether they ring.

use doorbell_domain::message::{Audience, Content, Message, Notification, Ttl, Urgency};
use doorbell_domain::store::{StoreError, Unit};
use doorbell_domain::text::Text;
use doorbell_domain::{Caller, Provider};
use thiserror::Error;
use time::Duration;

use crate::limited::{LimitedError, Tally};
use crate::send_message::write;
use crate::sessions::enter;
use crate::{Accepted, AccessError, Doorbell, SendError};

/// How long a test is worth delivering: whoever asks for one waits for it.
const TTL: u32 = 600;

/// Why nothing was rung.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TestPushError {
    /// The caller is not let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// No provider carries messages.
    #[error("push is off")]
    Off,
    /// The caller has nothing that could ring.
    #[error("there are no tokens for this user")]
    NoTokens,
    /// Its text takes more than one push carries.
    #[error("the text is too large for a push")]
    TooLarge,
    /// Too soon after the last one.
    #[error("again after {0}")]
    TooMany(Duration),
}

impl From<StoreError> for TestPushError {
    fn from(error: StoreError) -> Self {
        Self::Access(AccessError::Store(error))
    }
}

/// What the transaction came to.
enum Outcome {
    SessionOver,
    NoTokens,
    Sent(Accepted),
}

impl Doorbell {
    /// Whether any provider carries messages.
    pub fn push_configured(&self) -> bool {
        Provider::ALL
            .into_iter()
            .any(|provider| self.ports.push.carries(provider))
    }

    /// Sends a message to all of the caller's credentials whose provider carries any. It goes the way of every message.
    pub async fn test_push(&self, caller: Caller, text: Text) -> Result<Accepted, TestPushError> {
        if !self.push_configured() {
            self.admit(caller, None).await?;
            return Err(TestPushError::Off);
        }
        let now = self.now();
        let notification = Notification {
            body: Some(text),
            ..Notification::default()
        };
        let content = Content::new(notification, None).ok_or(TestPushError::NoTokens)?;
        let composed = self.compose(content, self.fresh_ids(), |id, content| Message {
            id,
            api_key: None,
            content,
            urgency: Urgency::High,
            collapse_key: None,
            ttl: Ttl::new(TTL).unwrap_or(Ttl::STANDARD),
            created_at: now,
            send_at: now,
        });
        let composed = composed.map_err(|error| match error {
            SendError::Store(error) => TestPushError::from(error),
            SendError::TooLarge => TestPushError::TooLarge,
            other => TestPushError::from(StoreError::Failed(other.to_string())),
        })?;
        let claims = self
            .policy
            .limits
            .map_or_else(Vec::new, |limits| limits.push_test_claims(caller.user));
        let push = self.ports.push.clone();
        let audience = Audience::of(caller.user);
        let send = move |unit: &mut dyn Unit, tally: &Tally| {
            let (message, mut ids) = composed.clone();
            if enter(unit, caller, now)?.is_none() {
                return Ok(Outcome::SessionOver);
            }
            let mut reached = unit.reachable(&audience, now)?;
            reached.retain(|target| push.carries(target.credential().provider()));
            if reached.is_empty() {
                return Ok(Outcome::NoTokens);
            }
            tally.count(unit)?;
            write(unit, &message, &reached, &mut ids).map(Outcome::Sent)
        };
        let outcome = self
            .within_limits(claims, now, send)
            .await
            .map_err(|error| match error {
                LimitedError::Reached(wait) => TestPushError::TooMany(wait),
                LimitedError::Store(error) => error.into(),
            })?;
        match outcome {
            Outcome::SessionOver => Err(AccessError::SessionOver.into()),
            Outcome::NoTokens => Err(TestPushError::NoTokens),
            Outcome::Sent(accepted) => {
                self.ports.push_wake.wake();
                Ok(accepted)
            }
        }
    }
}
