//! What the answer to a POST means for a code.

use doorbell_domain::Clock;
use doorbell_domain::outbox::{SendFailure, SendOutcome};
use doorbell_outward::{Answered, Outward, Unanswered};
use reqwest::RequestBuilder;

/// Sends it, and judges the answer.
pub(crate) async fn send(request: RequestBuilder, clock: &dyn Clock) -> SendOutcome {
    let failure = match Outward::send(request, clock).await {
        Ok(answered) => return judge(answered),
        Err(Unanswered::TooSlow) => SendFailure::TooSlow,
        Err(Unanswered::Unreachable) => SendFailure::Unreachable,
        // An operator's own address is looked at when the server starts.
        Err(Unanswered::Impossible | Unanswered::Forbidden) => {
            return SendOutcome::Refused(SendFailure::Impossible("no such request can be made"));
        }
    };
    SendOutcome::Failed {
        failure,
        retry_after: None,
    }
}

/// What a status means (RFC 9110 §15): 2xx takes the message; what may pass by itself (408, 425, 429, 5xx) is tried again;
/// anything else, redirects too, is a refusal.
fn judge(answered: Answered) -> SendOutcome {
    let failure = SendFailure::Answered(answered.status);
    match answered.status {
        200..=299 => SendOutcome::Accepted,
        408 | 425 | 429 | 500..=599 => SendOutcome::Failed {
            failure,
            retry_after: answered.retry_after,
        },
        _ => SendOutcome::Refused(failure),
    }
}

#[cfg(test)]
mod tests {
    use doorbell_testkit::scripted::{Reply, Scripted};
    use time::Duration;

    use super::*;
    use crate::samples::Fixed;

    #[test]
    fn a_status_decides() {
        let judged = |status| {
            judge(Answered {
                status,
                retry_after: Some(Duration::seconds(7)),
            })
        };
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judged(status), SendOutcome::Accepted, "{status}");
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 410, 413, 422] {
            let refused = SendOutcome::Refused(SendFailure::Answered(status));
            assert_eq!(judged(status), refused, "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            let failed = SendOutcome::Failed {
                failure: SendFailure::Answered(status),
                retry_after: Some(Duration::seconds(7)),
            };
            assert_eq!(judged(status), failed, "{status}");
        }
    }

    #[tokio::test]
    async fn what_is_not_answered_has_failed_for_now() {
        let outward = Outward::within(std::time::Duration::from_millis(200)).expect("a client");
        for (reply, failure) in [
            (Reply::Silence, SendFailure::TooSlow),
            (Reply::HangUp, SendFailure::Unreachable),
        ] {
            let server = Scripted::start([reply]).await;
            let request = outward.post(&server.url("/"), "text/plain", b"hello".to_vec());
            let failed = SendOutcome::Failed {
                failure,
                retry_after: None,
            };
            assert_eq!(send(request, &Fixed).await, failed, "{reply:?}");
        }
    }
}
