//! Sending messages to browsers (RFC 8030 §5).

use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::job::{Answer, Reason};
use doorbell_domain::message::{CollapseKey, Content};
use doorbell_domain::ports::Push;
use doorbell_domain::web_push::Subscription;
use doorbell_domain::{Clock, Entropy, MessageId};
use doorbell_outward::{Names, NoClient, Outward};
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING};

use super::answers::judge;
use super::destinations::Destinations;
use super::encryption::{EncryptionError, MAX_PLAINTEXT, encrypt};
use super::payload::payload;
use super::topic::topic;
use super::vapid::{Authorizations, VapidError};

/// How long an attempt may take in all.
const WITHIN: Duration = Duration::from_secs(10);

/// Rings browsers through their push services.
pub struct WebPush {
    destinations: Destinations,
    authorizations: Authorizations,
    outward: Outward,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
}

impl WebPush {
    /// A sender to `destinations`, whose names `names` looks up.
    pub fn new(
        destinations: Destinations,
        authorizations: Authorizations,
        names: Arc<dyn Names>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NoClient> {
        Self::within(WITHIN, destinations, authorizations, names, entropy, clock)
    }

    fn within(
        time: Duration,
        destinations: Destinations,
        authorizations: Authorizations,
        names: Arc<dyn Names>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NoClient> {
        Ok(Self {
            outward: Outward::to_strangers(names, destinations.home(), time)?,
            destinations,
            authorizations,
            entropy,
            clock,
        })
    }

    /// Whether a message of that content is small enough for a browser.
    pub(crate) fn fits(id: MessageId, content: &Content) -> bool {
        payload(id, content).len() <= MAX_PLAINTEXT
    }

    /// Hands a message over to the push service of `subscription`.
    pub(crate) async fn send(&self, push: &Push, subscription: &Subscription) -> Answer {
        match self.request(push, subscription) {
            Ok(request) => judge(Outward::send(request, self.clock.as_ref()).await),
            Err(answer) => answer,
        }
    }

    /// The request, or what comes of a message that none can be made of.
    fn request(&self, push: &Push, subscription: &Subscription) -> Result<RequestBuilder, Answer> {
        let url = self.destinations.judge(&subscription.endpoint);
        let url = url.ok_or(Answer::Refused(Reason::ForbiddenAddress))?;
        let message = &push.message;
        let plaintext = payload(message.id, &message.content);
        let body = encrypt(plaintext.as_bytes(), &subscription.keys, self.entropy.as_ref());
        let body = body.map_err(|error| {
            Answer::Refused(match error {
                EncryptionError::TooLong => Reason::TooLarge,
                EncryptionError::Failed => Reason::Unreadable,
            })
        })?;
        let origin = url.origin().ascii_serialization();
        let authorization = self
            .authorizations
            .header(&subscription.vapid_key, &origin, self.clock.now());
        let authorization = authorization.map_err(|error| unsigned(&error))?;
        let request = self
            .outward
            .post(&url, "application/octet-stream", body)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header("TTL", push.ttl)
            .header("Urgency", message.urgency.name())
            .header(AUTHORIZATION, authorization);
        let key = message.collapse_key.as_ref().map(CollapseKey::as_str);
        Ok(match key {
            Some(key) => request.header("Topic", topic(key)),
            None => request,
        })
    }
}

/// A key that another server has made a moment ago will be known here soon; one that fails may not. Neither says anything of the
/// subscription.
fn unsigned(error: &VapidError) -> Answer {
    tracing::error!(%error, "a message to a browser was not signed");
    Answer::Failed {
        reason: Reason::Misconfigured,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::job::Target;
    use doorbell_domain::message::{Data, Message, Notification, Ttl, Urgency};
    use doorbell_domain::ports::{Endpoints, PushSender};
    use doorbell_domain::push_services::PushServices;
    use doorbell_domain::signing_key::KeyLife;
    use doorbell_domain::web_push::{EndpointPolicy, WebPushEndpoint};
    use doorbell_domain::{DeviceUid, JobId, Provider, SessionId, SubscriptionId, Timestamp, UserId};
    use doorbell_keys::{VapidKey, VapidKeySet};
    use doorbell_testkit::scripted::{Reply, Scripted};
    use doorbell_testkit::{Browser, CountingEntropy, FakeClock};
    use serde_json::{Value, json};
    use time::Duration as Wait;
    use tokio::net::TcpListener;
    use tokio::time::timeout;
    use uuid::Uuid;

    use super::*;
    use crate::Providers;
    use crate::names::{self, Said};
    use crate::web_push::{EndpointLookups, Subject};

    fn sender(time: Duration, destinations: Destinations, names: Arc<names::Scripted>) -> Providers {
        let key = VapidKey::restore(Uuid::nil(), KeyLife::since(Timestamp::from_micros(0)), &[7; 32]);
        let keys = VapidKeySet::new([key.expect("a scalar")]).expect("a key");
        let subject = Subject::parse("mailto:push@example.com").expect("a subject");
        let sender = WebPush::within(
            time,
            destinations,
            Authorizations::new(Arc::new(keys), subject),
            names,
            Arc::new(CountingEntropy::default()),
            Arc::new(FakeClock::default()),
        );
        Providers::new().browsers(sender.expect("a client"))
    }

    fn home() -> Destinations {
        Destinations::new(EndpointPolicy::LocalToo, PushServices::Any)
    }

    fn push(browser: &Browser, endpoint: &str) -> Push {
        let (id, now) = (Uuid::from_u128(7), FakeClock::START);
        let notification = Notification {
            title: doorbell_domain::text::Text::parse("Ding").ok(),
            ..Notification::default()
        };
        let subscription = Subscription {
            id: SubscriptionId::from_uuid(id),
            user: UserId::from_uuid(id),
            device: DeviceUid::from_uuid(id),
            session: SessionId::from_uuid(id),
            session_ended: false,
            suspect_at: None,
            endpoint: WebPushEndpoint::restore(endpoint.to_owned()),
            keys: browser.keys(),
            vapid_key: Uuid::nil().to_string(),
            device_name: None,
            user_agent: None,
            created_at: now,
            last_used_at: now,
        };
        Push {
            job: JobId::from_uuid(id),
            message: Arc::new(Message {
                id: MessageId::from_uuid(id),
                api_key: None,
                content: Content::new(notification, Some(Data::restore(r#"{"n":1}"#))).expect("something"),
                urgency: Urgency::High,
                collapse_key: CollapseKey::parse("order 4421").ok(),
                ttl: Ttl::STANDARD,
                created_at: now,
                send_at: now,
            }),
            target: Target::Subscription(subscription),
            ttl: 3_599,
        }
    }

    /// What comes of a message to a server that replies so.
    async fn answer(time: Duration, reply: Reply) -> Answer {
        let server = Scripted::start([reply]).await;
        let sender = sender(time, home(), names::Scripted::of([]));
        let push = push(&Browser::new(), server.url("/mailbox").as_str());
        sender.send(&push).await
    }

    #[tokio::test]
    async fn a_browser_reads_what_its_push_service_is_sent() {
        let mut server = Scripted::start([Reply::Status(201)]).await;
        let (browser, sender) = (Browser::new(), sender(WITHIN, home(), names::Scripted::of([])));
        let push = push(&browser, server.url("/mailbox?of=ada").as_str());
        assert_eq!(sender.send(&push).await, Answer::Accepted);

        let received = server.next().await;
        assert_eq!(received.line, "POST /mailbox?of=ada HTTP/1.1");
        for (name, value) in [
            ("content-encoding", "aes128gcm"),
            ("content-type", "application/octet-stream"),
            ("ttl", "3599"),
            ("urgency", "high"),
            ("topic", "LOht7d93B_ROTv5ugJUnLqvJxhUR8s9v"),
        ] {
            assert_eq!(received.header(name), value, "{name}");
        }
        assert!(received.header("authorization").starts_with("vapid t="));
        let plain = browser.read(&received.body).expect("encrypted for it");
        let plain: Value = serde_json::from_slice(&plain).expect("JSON");
        assert_eq!(
            plain,
            json!({"messageId": Uuid::from_u128(7).to_string(), "notification": {"title": "Ding"}, "data": {"n": 1}})
        );
    }

    #[tokio::test]
    async fn answers_decide_and_redirects_are_not_followed() {
        let again = |reason, seconds: Option<i64>| Answer::Failed {
            reason,
            retry_after: seconds.map(Wait::seconds),
        };
        for (reply, expected) in [
            (Reply::Status(201), Answer::Accepted),
            (Reply::Status(308), Answer::Refused(Reason::Refused)),
            (Reply::Status(403), Answer::Misconfigured),
            (Reply::Status(410), Answer::Gone),
            (
                Reply::RetryAfter(429, "120.1"),
                again(Reason::Throttled, Some(121)),
            ),
            (
                Reply::RetryAfter(503, "1e99"),
                again(Reason::ProviderFailed, None),
            ),
            (Reply::HangUp, again(Reason::Unreachable, None)),
            (Reply::Reset, again(Reason::Unreachable, None)),
            (Reply::Endless, Answer::Accepted),
        ] {
            assert_eq!(answer(WITHIN, reply).await, expected, "{reply:?}");
        }
        for reply in [Reply::Silence, Reply::HalfAHead, Reply::DrippingHead] {
            let answered = answer(Duration::from_millis(200), reply).await;
            assert_eq!(answered, again(Reason::TooSlow, None), "{reply:?}");
        }
    }

    /// A name that is somebody's when it is registered and this machine when it is sent to.
    #[tokio::test]
    async fn a_name_that_changes_its_mind_is_not_connected_to() {
        // Where a message that got through would arrive.
        let listener = TcpListener::bind("127.0.0.1:443").await;
        let names = names::Scripted::of([Said::At("93.184.215.14"), Said::At("127.0.0.1")]);
        let any = Destinations::new(EndpointPolicy::Public, PushServices::Any);
        let push = push(&Browser::new(), "https://rebinding.example.com/mailbox");
        let Target::Subscription(subscription) = &push.target else {
            panic!("a browser");
        };
        let clock = Arc::new(FakeClock::default());
        let lookups = EndpointLookups::new(any.clone(), Arc::<names::Scripted>::clone(&names), clock);
        assert!(lookups.admit(&subscription.endpoint).await);
        let sender = sender(WITHIN, any, names);
        assert_eq!(
            sender.send(&push).await,
            Answer::Refused(Reason::ForbiddenAddress)
        );
        // Not every machine lets a test listen there; what is answered tells as much.
        if let Ok(listener) = listener {
            let connected = timeout(Duration::from_millis(50), listener.accept()).await;
            assert!(connected.is_err(), "somebody connected");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_is_tried_again() {
        let any = Destinations::new(EndpointPolicy::Public, PushServices::Any);
        let sender = sender(WITHIN, any, names::Scripted::of([Said::Nothing]));
        let push = push(&Browser::new(), "https://push.example.com/mailbox");
        assert_eq!(
            sender.send(&push).await,
            Answer::Failed {
                reason: Reason::Unreachable,
                retry_after: None
            }
        );
    }

    #[tokio::test]
    async fn addresses_of_the_house_are_not_even_looked_up() {
        let destinations = [
            Destinations::new(EndpointPolicy::Public, PushServices::Any),
            Destinations::new(EndpointPolicy::LocalToo, PushServices::Any),
        ];
        for destinations in destinations {
            let sender = sender(WITHIN, destinations, names::Scripted::of([]));
            for endpoint in [
                "https://127.0.0.1/x",
                "https://[::ffff:10.0.0.1]/x",
                "https://2130706433/x",
                "https://0x7f.1/x",
                "https://169.254.169.254/x",
                "https://push.example.com:8443/x",
                "http://10.0.0.1:80/x",
                "https://localhost/x",
            ] {
                let sent = sender.send(&push(&Browser::new(), endpoint)).await;
                assert_eq!(sent, Answer::Refused(Reason::ForbiddenAddress), "{endpoint}");
            }
        }
    }

    #[tokio::test]
    async fn a_message_is_refused_for_what_is_wrong_with_it_and_waits_for_its_key() {
        let sender = sender(WITHIN, home(), names::Scripted::of([]));
        let mut unknown = push(&Browser::new(), "http://127.0.0.1:1/x");
        if let Target::Subscription(subscription) = &mut unknown.target {
            subscription.vapid_key = "another".to_owned();
        }
        let sent = sender.send(&unknown).await;
        assert!(matches!(
            sent,
            Answer::Failed {
                reason: Reason::Misconfigured,
                ..
            }
        ));

        let content = |length: usize| {
            let data = json!({"x": "x".repeat(length)}).to_string();
            Content::new(Notification::default(), Some(Data::restore(data))).expect("something")
        };
        let id = MessageId::from_uuid(Uuid::nil());
        let around = payload(id, &content(0)).len();
        assert!(sender.fits(id, &content(MAX_PLAINTEXT - around)));
        assert!(!sender.fits(id, &content(MAX_PLAINTEXT - around + 1)));
        let mut large = push(&Browser::new(), "http://127.0.0.1:1/x");
        let message = Arc::make_mut(&mut large.message);
        message.content = content(MAX_PLAINTEXT);
        assert_eq!(sender.send(&large).await, Answer::Refused(Reason::TooLarge));
        assert!(sender.carries(Provider::WebPush) && !sender.carries(Provider::Fcm));
    }
}
