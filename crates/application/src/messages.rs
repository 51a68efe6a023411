//! What became of messages, and taking them back: for those who hold an API key.

use doorbell_domain::api_key::ApiKeyHash;
use doorbell_domain::secret::Secret;
use doorbell_domain::store::{self, MessageReport, StoreError, TrailEntry};
use doorbell_domain::{ApiKeyId, Caller, JobId, MessageId, UserId};
use thiserror::Error;
use uuid::Uuid;

use crate::{AccessError, Doorbell};

/// A message and a page of its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePage {
    /// The message, with the jobs of this page.
    pub report: MessageReport,
    /// The last of them, if more follow: what the next page is asked for by.
    pub next: Option<JobId>,
}

/// A page of what happened to a user and became of their jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailPage {
    /// The entries, newest first.
    pub entries: Vec<TrailEntry>,
    /// The last of them, if older ones follow: what the next page is asked for by.
    pub next: Option<Uuid>,
}

/// Cuts what was asked for with one beyond `limit` back to it; gives the last one that is left, if that one was there.
fn cut<T>(found: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    found.last().filter(|_| more)
}

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
    ) -> Result<MessagePage, MessageError> {
        let report = store::read(self.ports.store.as_ref(), move |unit| {
            unit.message_report(id, after, limit.saturating_add(1))
        });
        let mut report = report.await?.ok_or(MessageError::Unknown)?;
        let next = cut(&mut report.jobs, limit).map(|job| job.id);
        Ok(MessagePage { report, next })
    }

    /// What became of a message that the caller sent to themselves, as [`Self::message`] tells.
    pub async fn own_message(&self, caller: Caller, id: MessageId) -> Result<MessagePage, OwnMessageError> {
        self.admit(caller, None).await?;
        let page = self.message(id, None, OWN_JOBS).await?;
        let jobs = &page.report.jobs;
        let own = !jobs.is_empty() && jobs.iter().all(|job| job.user == caller.user);
        own.then_some(page)
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

    /// Why it did not arrive: what happened to a user and became of their jobs, newest first, at most `limit` entries, those before
    /// `before`.
    pub async fn user_trail(
        &self,
        user: UserId,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<TrailPage, StoreError> {
        let entries = store::read(self.ports.store.as_ref(), move |unit| {
            unit.user_trail(user, before, limit.saturating_add(1))
        });
        let mut entries = entries.await?;
        let next = cut(&mut entries, limit).map(TrailEntry::id);
        Ok(TrailPage { entries, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_with_one_beyond_it_names_the_next() {
        for (found, left, next) in [
            (vec![], vec![], None),
            (vec![1, 2], vec![1, 2], None),
            (vec![1, 2, 3], vec![1, 2], Some(2)),
        ] {
            let mut page = found;
            assert_eq!(cut(&mut page, 2).copied(), next);
            assert_eq!(page, left);
        }
    }
}
