//! What became of messages, and taking them back: for those who hold an API key.

use doorbell_domain::api_key::ApiKeyHash;
use doorbell_domain::secret::Secret;
use doorbell_domain::store::{self, MessageReport, StoreError, TrailEntry};
use doorbell_domain::{ApiKeyId, Caller, JobId, MessageId, UserId};
use thiserror::Error;

use crate::{AccessError, Doorbell};

/// Why a message is not told of.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    /// There is no such message.
    #[error("unknown message")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// As many jobs as a message to oneself is told of.
const OWN_JOBS: u32 = 1_000;

/// Why a message to oneself is not told of.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OwnMessageError {
    /// The caller is not let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The message is not told of: there is none, or it is not theirs.
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl Doorbell {
    /// Whose API key that is; `None` if it is nobody's. Found by its hash, so that nothing of it can be learned from how long that takes.
    pub async fn api_key(&self, text: &Secret) -> Result<Option<ApiKeyId>, StoreError> {
        let Some(hash) = ApiKeyHash::of(text.expose()) else {
            return Ok(None);
        };
        store::read(self.ports.store.as_ref(), move |unit| unit.api_key(&hash)).await
    }

    /// What became of a message, with at most `limit` of its jobs, those behind `after`.
    pub async fn message(
        &self,
        id: MessageId,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<MessageReport, MessageError> {
        let report = store::read(self.ports.store.as_ref(), move |unit| {
            unit.message_report(id, after, limit)
        });
        report.await?.ok_or(MessageError::Unknown)
    }

    /// What became of a message that the caller sent to themselves, as [`Self::message`] tells.
    pub async fn own_message(&self, caller: Caller, id: MessageId) -> Result<MessageReport, OwnMessageError> {
        self.admit(caller, None).await?;
        let report = self.message(id, None, OWN_JOBS).await?;
        let own = !report.jobs.is_empty() && report.jobs.iter().all(|job| job.user == caller.user);
        own.then_some(report)
            .ok_or(OwnMessageError::Message(MessageError::Unknown))
    }

    /// Takes a message back. What is being sent at that moment may still arrive.
    pub async fn cancel_message(&self, id: MessageId) -> Result<(), MessageError> {
        let now = self.now();
        let ended = store::transact(self.ports.store.as_ref(), move |unit| {
            unit.cancel_message(id, now)
        });
        ended.await?.map(drop).ok_or(MessageError::Unknown)
    }

    /// Why it did not arrive: what happened to a user and became of their jobs, newest first.
    pub async fn user_trail(
        &self,
        user: UserId,
        before: Option<uuid::Uuid>,
        limit: u32,
    ) -> Result<Vec<TrailEntry>, StoreError> {
        store::read(self.ports.store.as_ref(), move |unit| {
            unit.user_trail(user, before, limit)
        })
        .await
    }
}
