//! One POST, and its answer.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::{Clock, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response};
use thiserror::Error;
use tokio::time::timeout;
use url::Url;

use crate::names::{Looked, LookupError, Names};
use crate::retry_after;

/// How long a request may take in all, from looking up the name to the end of the answer.
const WITHIN: Duration = Duration::from_secs(10);

/// How long a connection may take to make, TLS included.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How much of an answer is read. Nothing in it is of interest; a connection that was read to its end can be used again.
const MOST_READ: usize = 64 * 1024;

/// How long the rest of an answer is waited for, once its status is known.
const REST: Duration = Duration::from_secs(1);

/// The HTTP client cannot be made, such as where the machine has no certificates to trust.
#[derive(Debug, Error)]
#[error("no HTTP client can be made: {0}")]
pub struct NoClient(String);

/// What an answer says beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// How long to stay away, where it says so.
    pub retry_after: Option<time::Duration>,
}

/// Why there was no answer. Its text never has the address in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unanswered {
    /// No such request can be made.
    #[error("no such request can be made")]
    Impossible,
    /// The name leads to where no stranger's service can be.
    #[error("it leads to a forbidden address")]
    Forbidden,
    /// It did not come in time.
    #[error("it did not answer in time")]
    TooSlow,
    /// No connection could be made, or it broke.
    #[error("it cannot be reached")]
    Unreachable,
}

/// The way out. It follows no redirect, goes through no proxy, and ends in time.
#[derive(Clone, Debug)]
pub struct Outward(Client);

impl Outward {
    /// To addresses that the operator gave.
    pub fn new() -> Result<Self, NoClient> {
        Self::within(WITHIN)
    }

    /// The same with another time in all.
    pub fn within(time: Duration) -> Result<Self, NoClient> {
        Self::build(Self::client(time))
    }

    /// To names that strangers gave: to public addresses alone, as `names` tells them, and where `home` says so to `localhost`. Names alone
    /// are looked up; whoever asks must have looked at a literal address before.
    pub fn to_strangers(names: Arc<dyn Names>, home: bool, time: Duration) -> Result<Self, NoClient> {
        Self::build(Self::client(time).dns_resolver(Arc::new(Looked { names, home })))
    }

    fn client(time: Duration) -> ClientBuilder {
        Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(time)
            .user_agent(concat!("doorbell/", env!("CARGO_PKG_VERSION")))
    }

    fn build(client: ClientBuilder) -> Result<Self, NoClient> {
        client
            .build()
            .map(Self)
            .map_err(|error| NoClient(error.to_string()))
    }

    /// A POST of `body`, to be dressed further and given to [`Self::send`].
    pub fn post(&self, to: &Url, content_type: &'static str, body: Vec<u8>) -> RequestBuilder {
        self.0
            .post(to.as_str())
            .header(CONTENT_TYPE, content_type)
            .body(body)
    }

    /// Sends it. Errors are told apart and not told further: their text has the address in it.
    pub async fn send(request: RequestBuilder, clock: &dyn Clock) -> Result<Answered, Unanswered> {
        match request.send().await {
            Ok(response) => {
                let answered = read(&response, clock.now());
                // The status has decided. Whether the rest comes or not changes nothing.
                let _ = timeout(REST, drain(response)).await;
                Ok(answered)
            }
            Err(error) if error.is_builder() => Err(Unanswered::Impossible),
            Err(error) if error.is_timeout() => Err(Unanswered::TooSlow),
            Err(error) if is_forbidden(&error) => Err(Unanswered::Forbidden),
            Err(_) => Err(Unanswered::Unreachable),
        }
    }
}

fn read(response: &Response, now: Timestamp) -> Answered {
    let header = response.headers().get(RETRY_AFTER);
    Answered {
        status: response.status().as_u16(),
        retry_after: header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after::read(value, now)),
    }
}

fn is_forbidden(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.any(|cause| cause.downcast_ref::<LookupError>() == Some(&LookupError::Forbidden))
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
    use std::io;
    use std::net::IpAddr;

    use doorbell_domain::ports::BoxFuture;
    use doorbell_testkit::FakeClock;
    use doorbell_testkit::scripted::{Reply, Scripted};
    use tokio::net::TcpListener;

    use super::*;

    async fn outcome(outward: &Outward, reply: Reply) -> Result<Answered, Unanswered> {
        let server = Scripted::start([reply]).await;
        let request = outward.post(&server.url("/"), "text/plain", b"hello".to_vec());
        Outward::send(request, &FakeClock::default()).await
    }

    fn answered(status: u16, seconds: Option<i64>) -> Answered {
        Answered {
            status,
            retry_after: seconds.map(time::Duration::seconds),
        }
    }

    #[tokio::test]
    async fn a_status_is_an_answer_and_no_redirect_is_followed() {
        let outward = Outward::new().expect("a client");
        for status in [200, 204, 301, 302, 307, 308, 404, 500] {
            assert_eq!(
                outcome(&outward, Reply::Status(status)).await,
                Ok(answered(status, None))
            );
        }
    }

    #[tokio::test]
    async fn an_answer_may_say_when_to_come_back() {
        let outward = Outward::new().expect("a client");
        for (status, header, seconds) in [(503, "7", Some(7)), (429, "soon", None), (201, "0.5", Some(1))] {
            assert_eq!(
                outcome(&outward, Reply::RetryAfter(status, header)).await,
                Ok(answered(status, seconds))
            );
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_or_drips_ends_in_time() {
        let impatient = Outward::within(Duration::from_millis(200)).expect("a client");
        for reply in [Reply::Silence, Reply::HalfAHead, Reply::DrippingHead] {
            assert_eq!(
                outcome(&impatient, reply).await,
                Err(Unanswered::TooSlow),
                "{reply:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_follows_the_status_changes_nothing() {
        let outward = Outward::new().expect("a client");
        for reply in [Reply::HalfABody, Reply::Endless] {
            assert_eq!(
                outcome(&outward, reply).await,
                Ok(answered(200, None)),
                "{reply:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_connection_that_breaks_or_cannot_be_made_is_unreachable() {
        let outward = Outward::new().expect("a client");
        for reply in [Reply::HangUp, Reply::Reset] {
            assert_eq!(
                outcome(&outward, reply).await,
                Err(Unanswered::Unreachable),
                "{reply:?}"
            );
        }
        let gone = Scripted::start([]).await.url("/");
        let request = outward.post(&gone, "text/plain", Vec::new());
        let sent = Outward::send(request, &FakeClock::default()).await;
        assert_eq!(sent, Err(Unanswered::Unreachable));
    }

    /// Says that every name is this machine.
    struct Treacherous;

    impl Names for Treacherous {
        fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
        }
    }

    #[tokio::test]
    async fn a_strangers_name_that_leads_home_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        for home in [true, false] {
            let outward = Outward::to_strangers(Arc::new(Treacherous), home, WITHIN).expect("a client");
            let url = Url::parse(&format!("http://push.example.com:{port}/")).expect("a URL");
            let request = outward.post(&url, "text/plain", Vec::new());
            let sent = Outward::send(request, &FakeClock::default()).await;
            assert_eq!(sent, Err(Unanswered::Forbidden));
        }
        let connected = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(connected.is_err(), "somebody connected");
    }

    #[tokio::test]
    async fn connections_are_used_again() {
        let mut server = Scripted::keeping(3).await;
        let outward = Outward::new().expect("a client");
        for _ in 0..3 {
            let request = outward.post(&server.url("/"), "text/plain", Vec::new());
            let sent = Outward::send(request, &FakeClock::default()).await;
            assert_eq!(sent, Ok(answered(201, None)));
            server.next().await;
        }
    }
}
