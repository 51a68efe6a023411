//! Several senders as one.

use std::sync::Arc;

use doorbell_domain::CodeDelivery;
use doorbell_domain::outbox::{SendFailure, SendOutcome};
use doorbell_domain::ports::{BoxFuture, CodeSender};

/// Senders that are asked in order, until one takes the code.
#[derive(Clone, Default)]
pub struct Senders(Vec<(&'static str, Arc<dyn CodeSender>)>);

impl Senders {
    /// No sender yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more, asked after those before it. The log calls it by that name.
    #[must_use]
    pub fn then(mut self, name: &'static str, sender: Arc<dyn CodeSender>) -> Self {
        self.0.push((name, sender));
        self
    }
}

impl CodeSender for Senders {
    fn send<'a>(&'a self, delivery: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            let mut all = SendOutcome::Refused(SendFailure::Impossible("there is no sender"));
            for (sender, port) in &self.0 {
                let outcome = port.send(delivery).await;
                match outcome {
                    SendOutcome::Accepted => return outcome,
                    SendOutcome::Refused(failure) => {
                        tracing::warn!(sender, code = %delivery.id, %failure, "a sender refused a code");
                    }
                    SendOutcome::Failed { failure, .. } => {
                        tracing::warn!(sender, code = %delivery.id, %failure, "a sender failed");
                    }
                }
                all = both(all, outcome);
            }
            all
        })
    }
}

/// What two senders that did not take a code amount to: as long as one of them may, it is not refused. All are asked again,
/// so the longest wait that one of them asked for is kept.
fn both(first: SendOutcome, second: SendOutcome) -> SendOutcome {
    match (first, second) {
        (SendOutcome::Failed { retry_after: one, .. }, SendOutcome::Failed { failure, retry_after }) => {
            SendOutcome::Failed {
                failure,
                retry_after: one.max(retry_after),
            }
        }
        (failed @ SendOutcome::Failed { .. }, _) => failed,
        (_, second) => second,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use time::Duration;

    use super::*;
    use crate::samples::delivery;

    type Asked = Arc<Mutex<Vec<&'static str>>>;

    /// Notes that it was asked, and answers always the same.
    struct Stub(&'static str, SendOutcome, Asked);

    impl CodeSender for Stub {
        fn send<'a>(&'a self, _: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome> {
            self.2.lock().expect("whole").push(self.0);
            Box::pin(async { self.1 })
        }
    }

    const REFUSED: SendOutcome = SendOutcome::Refused(SendFailure::Answered(404));

    const fn failed(seconds: Option<i64>) -> SendOutcome {
        SendOutcome::Failed {
            failure: SendFailure::TooSlow,
            retry_after: match seconds {
                Some(seconds) => Some(Duration::seconds(seconds)),
                None => None,
            },
        }
    }

    async fn asked(outcomes: &[SendOutcome]) -> (SendOutcome, Vec<&'static str>) {
        let asked = Asked::default();
        let names = ["first", "second", "third"];
        let senders = outcomes
            .iter()
            .zip(names)
            .fold(Senders::new(), |senders, (outcome, name)| {
                senders.then(name, Arc::new(Stub(name, *outcome, Arc::clone(&asked))))
            });
        let outcome = senders.send(&delivery()).await;
        let names = asked.lock().expect("whole").clone();
        (outcome, names)
    }

    #[tokio::test]
    async fn the_next_is_asked_when_one_fails_or_refuses_and_not_otherwise() {
        let accepted = SendOutcome::Accepted;
        assert_eq!(asked(&[accepted, REFUSED]).await, (accepted, vec!["first"]));
        let all = vec!["first", "second", "third"];
        assert_eq!(asked(&[REFUSED, failed(None), accepted]).await, (accepted, all));
    }

    #[tokio::test]
    async fn a_code_is_refused_only_if_everybody_refuses_it() {
        assert_eq!(asked(&[REFUSED, REFUSED]).await.0, REFUSED);
        for outcomes in [[REFUSED, failed(Some(3))], [failed(Some(3)), REFUSED]] {
            assert_eq!(asked(&outcomes).await.0, failed(Some(3)));
        }
        for waits in [[Some(3), Some(5)], [Some(5), None], [None, Some(5)]] {
            let outcomes = waits.map(failed);
            assert_eq!(asked(&outcomes).await.0, failed(Some(5)), "{waits:?}");
        }
        assert!(matches!(asked(&[]).await.0, SendOutcome::Refused(_)));
    }
}
