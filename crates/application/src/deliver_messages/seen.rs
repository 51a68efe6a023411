//! What this server's providers have answered of late.

use std::sync::{Mutex, PoisonError};

use doorbell_domain::disbelief::{Disbelief, Rest};
use doorbell_domain::job::{Answer, Lane};
use doorbell_domain::suspicion::Answers;
use doorbell_domain::{Timestamp, UserId};

/// The answers, as far as they say something of more than the credential that they are about.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<(Answers, Disbelief)>);

/// What an answer says beyond its credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Too many are said to be gone to believe it of anybody.
    pub(super) too_many_gone: bool,
    /// The lane's provider may believe this server no more.
    pub(super) rest: Option<Rest>,
}

impl Seen {
    /// Counts an answer, as it comes: once, however often it is then tried to be written down.
    pub(super) fn count(&self, lane: &Lane, user: UserId, answer: Answer, now: Timestamp) -> Said {
        if !answer.was_given() {
            return Said::default();
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (answers, disbelief) = &mut *seen;
        Said {
            too_many_gone: answers.count(user, answer == Answer::Gone, now),
            rest: disbelief.note(lane, user, answer, now),
        }
    }
}
