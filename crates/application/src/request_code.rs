//! Asking for a one-time code.

use doorbell_domain::code::{Code, OtpSession, Purpose, cooldown_left};
use doorbell_domain::store::{self, StoreError};
use doorbell_domain::{CodeDelivery, Language, OtpSessionId, PhoneNumber};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;

/// A person asks for a code.
#[derive(Clone, Debug)]
pub struct RequestCode {
    /// Whose phone.
    pub phone: PhoneNumber,
    /// The language that the request likes best, of those that there are; else it is the phone's country's.
    pub language: Option<Language>,
}

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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Doorbell {
    /// Issues a new code for a phone, superseding the one before, and leaves it in the outbox, in one transaction. Whoever
    /// delivers is rung after the commit; nobody waits for that, so that every number is answered alike.
    pub async fn request_code(&self, command: RequestCode) -> Result<CodeRequested, RequestCodeError> {
        let RequestCode { phone, language } = command;
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
        let delivery = CodeDelivery {
            id: issued.id,
            phone: phone.clone(),
            purpose: issued.purpose,
            language: language.unwrap_or_else(|| Language::of_country(phone.country_code())),
            code: code.clone(),
            created_at: now,
            expires_at: issued.expires_at,
        };
        let wait = store::transact(self.ports.store.as_ref(), move |unit| {
            let state = unit.lock_phone(&issued.phone)?;
            let wait = cooldown_left(&policy, state.last_sent_at, now);
            if wait.is_none() {
                unit.issue_code(&issued)?;
                unit.enqueue_code(&delivery)?;
            }
            Ok(wait)
        })
        .await?;
        if let Some(wait) = wait {
            return Err(RequestCodeError::Cooldown(wait));
        }
        self.ports.wake.wake();
        Ok(CodeRequested {
            phone,
            revealed: self.policy.reveal_codes.then_some(code),
        })
    }
}
