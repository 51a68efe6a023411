//! Asking for a one-time code.

use std::net::IpAddr;

use doorbell_domain::code::{Code, CodePolicy, OtpSession, Purpose, cooldown_left};
use doorbell_domain::limits::{LimitPolicy, Network};
use doorbell_domain::store::{Found, StoreError, Unit};
use doorbell_domain::{CodeDelivery, Language, OtpSessionId, PhoneNumber, Timestamp};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;
use crate::limited::{LimitedError, Tally};

/// A person asks for a code.
#[derive(Clone, Debug)]
pub struct RequestCode {
    /// Whose phone.
    pub phone: PhoneNumber,
    /// The language that the request likes best, of those that there are; else it is the phone's country's.
    pub language: Option<Language>,
    /// The client's address.
    pub ip: Option<IpAddr>,
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
    /// No codes are sent to such a number: its country is not served, or sending there costs too much.
    #[error("no codes are sent to such a number")]
    NotServed,
    /// Too soon: of the phone, which may be locked, or by a limit.
    #[error("again after {0}")]
    TooMany(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LimitedError> for RequestCodeError {
    fn from(error: LimitedError) -> Self {
        match error {
            LimitedError::Reached(wait) => Self::TooMany(wait),
            LimitedError::Store(error) => Self::Store(error),
        }
    }
}

impl Doorbell {
    /// Issues a new code for a phone, superseding the one before, and leaves it in the outbox, in one transaction. Whoever
    /// delivers is rung after the commit; nobody waits for that, and nothing is asked of whose the phone is, so that every
    /// number is answered alike.
    pub async fn request_code(&self, command: RequestCode) -> Result<CodeRequested, RequestCodeError> {
        let RequestCode { phone, language, ip } = command;
        let destination = self.ports.destinations.describe(&phone);
        let country = self
            .policy
            .countries
            .admit(destination)
            .ok_or(RequestCodeError::NotServed)?;
        let now = self.now();
        let policy = self.policy.codes;
        let known = self.policy.test_numbers.code_of(&phone, now);
        let is_sent = known.is_none();
        let code = known.unwrap_or_else(|| Code::draw(policy.length, self.ports.entropy.as_ref()));
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
        let delivery = is_sent.then(|| CodeDelivery {
            id: issued.id,
            phone: phone.clone(),
            purpose: issued.purpose,
            language: language.unwrap_or_else(|| Language::of_country(phone.country_code())),
            code: code.clone(),
            created_at: now,
            expires_at: issued.expires_at,
        });
        let limits = self.policy.limits;
        let claims = limits.map_or_else(Vec::new, |limits| {
            limits.send_claims(&phone, country, ip.map(Network::of))
        });
        let issue = move |unit: &mut dyn Unit, tally: &Tally| {
            if let Some(wait) = wait_of(unit, &policy, limits.as_ref(), &issued.phone, now)? {
                return Ok(Some(wait));
            }
            tally.count(unit)?;
            unit.issue_code(&issued)?;
            if let Some(delivery) = &delivery {
                unit.enqueue_code(delivery)?;
            }
            Ok(None)
        };
        if let Some(wait) = self.within_limits(claims, now, issue).await? {
            return Err(RequestCodeError::TooMany(wait));
        }
        self.ports.wake.wake();
        Ok(CodeRequested {
            phone,
            revealed: self.policy.reveal_codes.then_some(code),
        })
    }
}

/// Locks the phone, and says how long it must wait for its next code.
fn wait_of(
    unit: &mut dyn Unit,
    policy: &CodePolicy,
    limits: Option<&LimitPolicy>,
    phone: &PhoneNumber,
    now: Timestamp,
) -> Found<Option<Duration>> {
    let state = unit.lock_phone(phone)?;
    let cooldown = cooldown_left(policy, state.last_sent_at, now);
    let Some(limits) = limits else {
        return Ok(cooldown);
    };
    let locked = limits.lock.wait(state.failures, state.failed_at, now);
    let (since, most) = limits.sends_asked(now);
    let sent = unit.sends_since(phone, since, most)?;
    Ok(cooldown.max(locked).max(limits.sends_wait(&sent, now)))
}
