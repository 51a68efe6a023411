//! Asking for a one-time code.

use doorbell_domain::code::{Code, OtpSession, Purpose, cooldown_left};
use doorbell_domain::ports::{CodeMessage, SendFailure};
use doorbell_domain::store::{self, StoreError};
use doorbell_domain::{OtpSessionId, PhoneNumber};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;

/// A code is on its way.
#[derive(Clone, Debug)]
pub struct CodeRequested {
    /// Where to.
    pub phone: PhoneNumber,
    /// The code itself, in development only.
    pub revealed: Option<Code>,
}

/// Why no code was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestCodeError {
    /// The phone was sent a code a short while ago.
    #[error("the phone must wait {0}")]
    Cooldown(Duration),
    /// No sender took the code.
    #[error(transparent)]
    NotSent(#[from] SendFailure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Doorbell {
    /// Issues a new code for a phone, superseding the one before, and hands it to the senders after the
    /// commit.
    pub async fn request_code(&self, phone: PhoneNumber) -> Result<CodeRequested, RequestCodeError> {
        let now = self.now();
        let policy = self.policy.codes;
        let code = Code::draw(policy.length, self.ports.entropy.as_ref());
        let issued = OtpSession {
            id: OtpSessionId::from_uuid(self.fresh_ids().take()),
            hash: self.ports.code_hasher.hash(&phone, Purpose::SignIn, &code),
            phone: phone.clone(),
            purpose: Purpose::SignIn,
            created_at: now,
            expires_at: now + policy.ttl,
            attempts: 0,
            used_at: None,
        };
        let expires_at = issued.expires_at;
        let wait = store::transact(self.ports.store.as_ref(), move |unit| {
            let state = unit.lock_phone(&issued.phone)?;
            let wait = cooldown_left(&policy, state.last_sent_at, now);
            if wait.is_none() {
                unit.issue_code(&issued)?;
            }
            Ok(wait)
        })
        .await?;
        if let Some(wait) = wait {
            return Err(RequestCodeError::Cooldown(wait));
        }
        let message = CodeMessage {
            phone: phone.clone(),
            code: code.clone(),
            expires_at,
        };
        self.ports.code_sender.send(&message).await?;
        Ok(CodeRequested {
            phone,
            revealed: self.policy.reveal_codes.then_some(code),
        })
    }
}
