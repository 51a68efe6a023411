//! Signing in with a one-time code.

use std::net::IpAddr;
use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::code::{CodePolicy, CodeRefusal, Purpose};
use doorbell_domain::ports::{CodeHasher, KeyFailure};
use doorbell_domain::secret::Secret;
use doorbell_domain::session::RefreshClaim;
use doorbell_domain::store::{self, Found, StoreError, Unit};
use doorbell_domain::text::Text;
use doorbell_domain::{AuditId, Code, FreshIds, PhoneNumber, Session, SessionId, Timestamp, User, UserId};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;

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
    /// A key failed.
    #[error(transparent)]
    Key(#[from] KeyFailure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One guess, with everything drawn that a right one will need.
struct Guess {
    command: VerifyCode,
    now: Timestamp,
    policy: CodePolicy,
    hasher: Arc<dyn CodeHasher>,
    user: User,
    session: Session,
    audit: AuditId,
}

impl Doorbell {
    /// Compares a guess with the phone's code, and signs in where it is right.
    pub async fn verify_code(&self, command: VerifyCode) -> Result<SignedIn, VerifyCodeError> {
        let guess = self.guess(command);
        let (user, session) =
            store::transact(self.ports.store.as_ref(), move |unit| guess.settle(unit)).await??;
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
        let audit = AuditId::from_uuid(ids.take());
        Guess {
            command,
            now,
            policy: self.policy.codes,
            hasher,
            user,
            session,
            audit,
        }
    }
}

impl Guess {
    /// The guess is counted before it is compared, and a refusal is committed: only a failure of the store
    /// rolls back.
    fn settle(self, unit: &mut dyn Unit) -> Found<Result<(User, Session), CodeRefusal>> {
        let Self {
            command,
            now,
            policy,
            hasher,
            user,
            mut session,
            audit,
        } = self;
        let Some(code) = unit.count_guess(&command.phone, Purpose::SignIn, now, &policy)? else {
            let current = unit.current_code(&command.phone, Purpose::SignIn)?;
            let refusal = current.map_or(CodeRefusal::Absent, |code| {
                // One that could be guessed now has just superseded the one that was guessed at.
                let refused = code.admits_guess(now, policy.attempts).err();
                refused.unwrap_or(CodeRefusal::Wrong)
            });
            return Ok(Err(refusal));
        };
        let event = |user, action, session| AuditEvent {
            id: audit,
            user,
            at: now,
            action,
            session,
            device: None,
            reason: None,
        };
        if !hasher.matches(&code.hash, &command.phone, Purpose::SignIn, &command.code) {
            if let Some(known) = unit.user_by_phone(&command.phone)? {
                unit.record(&[event(known.id, AuditAction::CodeRefused, None)])?;
            }
            return Ok(Err(CodeRefusal::Wrong));
        }
        unit.use_code(&code, now)?;
        let mut user = unit.find_or_insert_user(&user)?;
        if user.last_login_at != now {
            user.last_login_at = now;
            unit.save_user(&user)?;
        }
        session.user = user.id;
        unit.insert_session(&session)?;
        unit.record(&[event(user.id, AuditAction::SignedIn, Some(session.id))])?;
        Ok(Ok((user, session)))
    }
}
