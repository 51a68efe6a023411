//! Signing in with a one-time code.

use std::net::IpAddr;
use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::code::{CodePolicy, CodeRefusal, Purpose};
use doorbell_domain::limits::{Network, PhoneLock};
use doorbell_domain::ports::{CodeHasher, KeyFailure};
use doorbell_domain::secret::Secret;
use doorbell_domain::session::RefreshClaim;
use doorbell_domain::store::{Found, StoreError, Unit};
use doorbell_domain::text::Text;
use doorbell_domain::{AuditId, Code, FreshIds, PhoneNumber, Session, SessionId, Timestamp, User, UserId};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;
use crate::limited::{LimitedError, Tally};

/// A person shows the code that their phone received.
#[derive(Clone, Debug)]
pub struct VerifyCode {
    /// Whose phone.
    pub phone: PhoneNumber,
    /// What they typed.
    pub code: Code,
    /// Where a first sign-in came from.
    pub signup_source: Option<Text>,
    /// Which campaign brought it.
    pub signup_campaign: Option<Text>,
    /// The client's `User-Agent`.
    pub user_agent: Option<Text>,
    /// The client's address.
    pub ip: Option<IpAddr>,
}

/// A new session and its tokens.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The access token.
    pub access_token: Secret,
    /// The session's first refresh token.
    pub refresh_token: Secret,
    /// How long the access token lives.
    pub expires_in: Duration,
    /// How long the refresh token lives unused.
    pub refresh_expires_in: Duration,
    /// Who signed in.
    pub user: User,
}

/// Why nobody was signed in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyCodeError {
    /// The code was not accepted; the refusal is kept.
    #[error(transparent)]
    Refused(#[from] CodeRefusal),
    /// The phone is locked, or its network guesses too often; again after this long. Nothing was compared.
    #[error("again after {0}")]
    TooMany(Duration),
    /// A key failed.
    #[error(transparent)]
    Key(#[from] KeyFailure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LimitedError> for VerifyCodeError {
    fn from(error: LimitedError) -> Self {
        match error {
            LimitedError::Reached(wait) => Self::TooMany(wait),
            LimitedError::Store(error) => Self::Store(error),
        }
    }
}

/// What became of a guess.
enum Settled {
    SignedIn(Box<(User, Session)>),
    Refused(CodeRefusal),
    Locked(Duration),
}

/// One guess, with everything drawn that a right one will need.
struct Guess {
    command: VerifyCode,
    now: Timestamp,
    policy: CodePolicy,
    hasher: Arc<dyn CodeHasher>,
    user: User,
    session: Session,
    audit: [AuditId; 2],
    lock: Option<PhoneLock>,
}

impl Doorbell {
    /// Compares a guess with the phone's code, and signs in where it is right.
    pub async fn verify_code(&self, command: VerifyCode) -> Result<SignedIn, VerifyCodeError> {
        let claims = self.policy.limits.map_or_else(Vec::new, |limits| {
            limits.verify_claims(command.ip.map(Network::of))
        });
        let guess = self.guess(command);
        let settled = self
            .within_limits(claims, guess.now, move |unit, tally| guess.settle(unit, tally))
            .await?;
        let (user, session) = match settled {
            Settled::SignedIn(signed_in) => *signed_in,
            Settled::Refused(refusal) => return Err(refusal.into()),
            Settled::Locked(wait) => return Err(VerifyCodeError::TooMany(wait)),
        };
        let now = session.created_at;
        let access = self.policy.sessions.access;
        let claim = RefreshClaim {
            session: session.id,
            counter: session.counter,
        };
        Ok(SignedIn {
            access_token: self.ports.access_tokens.issue(user.id, session.id, now, access)?,
            refresh_token: self.ports.refresh_tokens.derive(&claim, &session.salt)?,
            expires_in: access,
            refresh_expires_in: session.expires_at.since(now),
            user,
        })
    }

    fn guess(&self, command: VerifyCode) -> Guess {
        let now = self.now();
        let mut ids = FreshIds::draw(now, self.ports.entropy.as_ref());
        let user = User::sign_up(
            UserId::from_uuid(ids.take()),
            command.phone.clone(),
            command.signup_source.clone(),
            command.signup_campaign.clone(),
            now,
        );
        let absolute_end = now + self.policy.sessions.absolute;
        let session = Session {
            id: SessionId::from_uuid(ids.take()),
            user: user.id,
            counter: 0,
            salt: self.ports.entropy.bytes(),
            rotated_at: now,
            fingerprint: None,
            device_id: None,
            user_agent: command.user_agent.clone(),
            ip: command.ip,
            created_at: now,
            last_used_at: now,
            expires_at: self.policy.sessions.idle_end(now, absolute_end),
            absolute_expires_at: absolute_end,
            ended: None,
        };
        let hasher = Arc::clone(&self.ports.code_hasher);
        let audit = [AuditId::from_uuid(ids.take()), AuditId::from_uuid(ids.take())];
        Guess {
            command,
            now,
            policy: self.policy.codes,
            hasher,
            user,
            session,
            audit,
            lock: self.policy.limits.map(|limits| limits.lock),
        }
    }
}

impl Guess {
    /// The guess is counted before it is compared, and a refusal is committed: only a failure of the store
    /// rolls back.
    fn settle(&self, unit: &mut dyn Unit, tally: &Tally) -> Found<Settled> {
        let (phone, now) = (&self.command.phone, self.now);
        let state = unit.find_phone(phone)?.unwrap_or_default();
        let locked = self
            .lock
            .and_then(|lock| lock.wait(state.failures, state.failed_at, now));
        if let Some(wait) = locked {
            return Ok(Settled::Locked(wait));
        }
        tally.count(unit)?;
        let Some(code) = unit.count_guess(phone, Purpose::SignIn, now, &self.policy)? else {
            let current = unit.current_code(phone, Purpose::SignIn)?;
            let refusal = current.map_or(CodeRefusal::Absent, |code| {
                // One that could be guessed now has just superseded the one that was guessed at.
                let refused = code.admits_guess(now, self.policy.attempts).err();
                refused.unwrap_or(CodeRefusal::Wrong)
            });
            return Ok(Settled::Refused(refusal));
        };
        if !self
            .hasher
            .matches(&code.hash, phone, Purpose::SignIn, &self.command.code)
        {
            self.note_failure(unit, state.failures.saturating_add(1))?;
            return Ok(Settled::Refused(CodeRefusal::Wrong));
        }
        if state.failures > 0 {
            unit.note_failures(phone, 0, None)?;
        }
        unit.use_code(&code, now)?;
        let mut user = unit.find_or_insert_user(&self.user)?;
        if user.last_login_at != now {
            user.last_login_at = now;
            unit.save_user(&user)?;
        }
        let mut session = self.session.clone();
        session.user = user.id;
        unit.insert_session(&session)?;
        let [audit, _] = self.audit;
        unit.record(&[self.event(audit, user.id, AuditAction::SignedIn, Some(session.id))])?;
        Ok(Settled::SignedIn(Box::new((user, session))))
    }

    /// Counts a wrong guess against the phone, whatever code it was at, and puts it on the trail of whose phone it is.
    fn note_failure(&self, unit: &mut dyn Unit, failures: u32) -> Found<()> {
        let phone = &self.command.phone;
        unit.note_failures(phone, failures, Some(self.now))?;
        let Some(known) = unit.user_by_phone(phone)? else {
            return Ok(());
        };
        let [refused, locked] = self.audit;
        let mut events = vec![self.event(refused, known.id, AuditAction::CodeRefused, None)];
        if self.lock.is_some_and(|lock| lock.delay(failures).is_some()) {
            events.push(self.event(locked, known.id, AuditAction::PhoneLocked, None));
        }
        unit.record(&events)
    }

    fn event(
        &self,
        id: AuditId,
        user: UserId,
        action: AuditAction,
        session: Option<SessionId>,
    ) -> AuditEvent {
        AuditEvent {
            id,
            user,
            at: self.now,
            action,
            session,
            device: None,
            reason: None,
        }
    }
}
