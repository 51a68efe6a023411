//! Accepting messages.

use std::sync::Arc;

use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::job::{Job, Target};
use doorbell_domain::message::{Audience, CollapseKey, Content, FARTHEST, Message, Ttl, Urgency};
use doorbell_domain::store::{self, Conflict, Found, Recalled, StoreError, Unit};
use doorbell_domain::{ApiKeyId, FreshIds, JobId, MessageId, Timestamp, UserId};
use thiserror::Error;

use crate::Doorbell;

/// The most jobs that a message may have.
const MOST_JOBS: usize = 50_000;

/// A back end has something to say.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// By which key.
    pub api_key: ApiKeyId,
    /// To whom.
    pub audience: Audience,
    /// What.
    pub content: Content,
    /// How soon it must be there.
    pub urgency: Urgency,
    /// Which others it takes the place of.
    pub collapse_key: Option<CollapseKey>,
    /// How long it is worth delivering.
    pub ttl: Ttl,
    /// From when on it is sent; at once where that is over.
    pub send_at: Option<Timestamp>,
    /// What the client calls this request, and what it said.
    pub request: Option<(IdempotencyKey, RequestHash)>,
}

/// A message that was accepted: it is lost no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The message.
    pub id: MessageId,
    /// To how many credentials it goes.
    pub jobs: u32,
}

/// Why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// Another request had that idempotency key.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// It says more than one push carries.
    #[error("the message is too large for a push")]
    TooLarge,
    /// It is scheduled too far ahead.
    #[error("the message may be scheduled at most 30 days ahead")]
    TooFarAhead,
    /// It would go to too many credentials.
    #[error("the message would have more than 50000 jobs")]
    TooManyJobs,
    /// The store failed; nothing was accepted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Doorbell {
    /// Writes a message and a job for every credential of its audience that can be rung, in one transaction, and has them delivered
    /// after it. A request that is repeated by its idempotency key is answered as the first time.
    pub async fn send_message(&self, command: SendMessage) -> Result<Accepted, SendError> {
        let now = self.now();
        let send_at = command.send_at.unwrap_or(now).max(now);
        if send_at > now + FARTHEST {
            return Err(SendError::TooFarAhead);
        }
        let ids = self.fresh_ids();
        let message = self.compose(command.content, ids, |id, content| Message {
            id,
            api_key: Some(command.api_key),
            content,
            urgency: command.urgency,
            collapse_key: command.collapse_key,
            ttl: command.ttl,
            created_at: now,
            send_at,
        })?;
        let (audience, request, api_key) = (command.audience, command.request, command.api_key);
        let accepted = store::transact(self.ports.store.as_ref(), move |unit| {
            let (message, mut ids) = message;
            if let Some((key, hash)) = &request {
                match unit.recall(api_key, key, hash, message.id, now)? {
                    Recalled::Fresh => {}
                    Recalled::Same(id, jobs) => return Ok(Ok(Accepted { id, jobs })),
                    Recalled::Other => return Ok(Err(SendError::KeyReused)),
                }
            }
            let reached = unit.reachable(&audience, now)?;
            if reached.len() > MOST_JOBS {
                // The key is undone with it: it was no message's.
                return Err(StoreError::Conflict(Conflict::LimitReached));
            }
            let accepted = write(unit, &message, &reached, &mut ids)?;
            note_unreached(unit, message.id, &audience, &reached)?;
            Ok(Ok(accepted))
        });
        let accepted = accepted.await.map_err(|error| match error {
            StoreError::Conflict(Conflict::LimitReached) => SendError::TooManyJobs,
            error => SendError::Store(error),
        })??;
        self.ports.push_wake.wake();
        Ok(accepted)
    }

    /// Gives a message its id, if it is not too large to be sent.
    pub(crate) fn compose(
        &self,
        content: Content,
        mut ids: FreshIds,
        make: impl FnOnce(MessageId, Content) -> Message,
    ) -> Result<(Arc<Message>, FreshIds), SendError> {
        let id = MessageId::from_uuid(ids.take());
        if !self.ports.push.fits(id, &content) {
            return Err(SendError::TooLarge);
        }
        Ok((Arc::new(make(id, content)), ids))
    }
}

/// Notes whom a message found nothing to ring of, so that their trail tells why it did not arrive.
fn note_unreached(
    unit: &mut dyn Unit,
    message: MessageId,
    audience: &Audience,
    reached: &[Target],
) -> Found<()> {
    let mut users: Vec<UserId> = reached.iter().map(Target::user).collect();
    users.sort_unstable();
    users.dedup();
    // Whoever is reached was named, so that often nobody is left.
    if users.len() < audience.names() {
        unit.note_unreached(message, audience, &users)?;
    }
    Ok(())
}

/// Writes a message and its jobs.
pub(crate) fn write(
    unit: &mut dyn Unit,
    message: &Message,
    reached: &[Target],
    ids: &mut FreshIds,
) -> Found<Accepted> {
    let expires_at = message.expires_at();
    let jobs: Vec<Job> = reached
        .iter()
        .map(|target| Job {
            id: JobId::from_uuid(ids.take()),
            message: message.id,
            user: target.user(),
            device: target.device(),
            credential: target.credential(),
            lane: target.lane(),
            expires_at,
        })
        .collect();
    unit.insert_message(message, &jobs)?;
    Ok(Accepted {
        id: message.id,
        jobs: u32::try_from(jobs.len()).unwrap_or(u32::MAX),
    })
}
