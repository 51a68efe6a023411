//! One POST to a sender's address, and what its answer means.

use std::time::Duration;

use doorbell_domain::code_delivery::{SendFailure, SendOutcome};
use doorbell_domain::{Clock, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use thiserror::Error;
use tokio::time::timeout;
use url::Url;

use crate::retry_after;

/// How long a request may take in all, from looking up the name to the end of the answer.
const WITHIN: Duration = Duration::from_secs(10);

/// How much of an answer is read. Nothing in it is of interest; a connection that was read to its end can be used again.
const MOST_READ: usize = 64 * 1024;

/// How long the rest of an answer is waited for, once its status is known.
const REST: Duration = Duration::from_secs(1);

/// The HTTP client cannot be made, such as where the machine has no certificates to trust.
#[derive(Debug, Error)]
#[error("no HTTP client can be made: {0}")]
pub struct NoClient(String);

/// The way to the senders. It follows no redirect, goes through no proxy, and ends in time.
#[derive(Clone, Debug)]
pub struct Outward(Client);

impl Outward {
    /// A client of its own connections.
    pub fn new() -> Result<Self, NoClient> {
        Self::within(WITHIN)
    }

    pub(crate) fn within(time: Duration) -> Result<Self, NoClient> {
        Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(time)
            .user_agent(concat!("doorbell/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|error| NoClient(error.to_string()))
    }

    /// A POST of `body`, to be dressed further and given to [`Self::send`].
    pub(crate) fn post(&self, to: &Url, content_type: &'static str, body: Vec<u8>) -> RequestBuilder {
        self.0
            .post(to.as_str())
            .header(CONTENT_TYPE, content_type)
            .body(body)
    }

    /// Sends it. Errors are told apart and not told further: their text has the address in it.
    pub(crate) async fn send(request: RequestBuilder, clock: &dyn Clock) -> SendOutcome {
        let failure = match request.send().await {
            Ok(response) => {
                let outcome = judge(&response, clock.now());
                // The status has decided. Whether the rest comes or not changes nothing.
                let _ = timeout(REST, drain(response)).await;
                return outcome;
            }
            Err(error) if error.is_builder() => {
                return SendOutcome::Refused(SendFailure::Impossible("no such request can be made"));
            }
            Err(error) if error.is_timeout() => SendFailure::TooSlow,
            Err(_) => SendFailure::Unreachable,
        };
        SendOutcome::Failed {
            failure,
            retry_after: None,
        }
    }
}

/// What a status means (RFC 9110 §15): 2xx takes the message; what may pass by itself (408, 425, 429, 5xx) is tried again;
/// anything else, redirects too, is a refusal.
fn judge(response: &Response, now: Timestamp) -> SendOutcome {
    let status = response.status();
    let failure = SendFailure::Answered(status.as_u16());
    match status.as_u16() {
        200..=299 => SendOutcome::Accepted,
        408 | 425 | 429 | 500..=599 => {
            let header = response.headers().get(RETRY_AFTER);
            SendOutcome::Failed {
                failure,
                retry_after: header
                    .and_then(|value| value.to_str().ok())
                    .and_then(|value| retry_after::read(value, now)),
            }
        }
        _ => SendOutcome::Refused(failure),
    }
}

async fn drain(mut response: Response) {
    let mut left = MOST_READ;
    while let Ok(Some(chunk)) = response.chunk().await {
        let Some(rest) = left.checked_sub(chunk.len()) else {
            return;
        };
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Fixed, Reply, Scripted};

    async fn outcome(outward: &Outward, reply: Reply) -> SendOutcome {
        let server = Scripted::start([reply]).await;
        let request = outward.post(&server.url("/"), "text/plain", b"hello".to_vec());
        Outward::send(request, &Fixed).await
    }

    fn failed(failure: SendFailure, seconds: Option<i64>) -> SendOutcome {
        SendOutcome::Failed {
            failure,
            retry_after: seconds.map(time::Duration::seconds),
        }
    }

    #[tokio::test]
    async fn a_status_decides() {
        let outward = Outward::new().expect("a client");
        for status in [200, 201, 202, 204, 299] {
            let outcome = outcome(&outward, Reply::Status(status)).await;
            assert_eq!(outcome, SendOutcome::Accepted, "{status}");
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 410, 413, 422] {
            let refused = SendOutcome::Refused(SendFailure::Answered(status));
            let outcome = outcome(&outward, Reply::Status(status)).await;
            assert_eq!(outcome, refused, "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            let expected = failed(SendFailure::Answered(status), None);
            let outcome = outcome(&outward, Reply::Status(status)).await;
            assert_eq!(outcome, expected, "{status}");
        }
    }

    #[tokio::test]
    async fn a_failure_may_say_when_to_come_back() {
        let outward = Outward::new().expect("a client");
        for (status, header, seconds) in [(503, "7", Some(7)), (429, "soon", None)] {
            let expected = failed(SendFailure::Answered(status), seconds);
            assert_eq!(
                outcome(&outward, Reply::RetryAfter(status, header)).await,
                expected
            );
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_or_drips_ends_in_time() {
        let impatient = Outward::within(Duration::from_millis(200)).expect("a client");
        for reply in [Reply::Silence, Reply::HalfAHead] {
            assert_eq!(
                outcome(&impatient, reply).await,
                failed(SendFailure::TooSlow, None)
            );
        }
    }

    #[tokio::test]
    async fn what_follows_the_status_changes_nothing() {
        let outward = Outward::new().expect("a client");
        for reply in [Reply::HalfABody, Reply::Endless] {
            assert_eq!(outcome(&outward, reply).await, SendOutcome::Accepted, "{reply:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_breaks_or_cannot_be_made_is_unreachable() {
        let outward = Outward::new().expect("a client");
        let unreachable = failed(SendFailure::Unreachable, None);
        assert_eq!(outcome(&outward, Reply::HangUp).await, unreachable);
        let gone = Scripted::start([]).await.url("/");
        let request = outward.post(&gone, "text/plain", Vec::new());
        assert_eq!(Outward::send(request, &Fixed).await, unreachable);
    }
}
