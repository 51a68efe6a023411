//! Hands messages to push services.

use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::job::{Answer, Reason, Target};
use doorbell_domain::message::Content;
use doorbell_domain::ports::{BoxFuture, Push, PushSender};
use doorbell_domain::{Clock, Entropy, MessageId, Provider};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Map, Value, json};

use super::{Authorizations, MAX_PLAINTEXT, encrypt, topic};

/// Provisional.
pub struct Provisional {
    client: Client,
    authorizations: Authorizations,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    on: bool,
}

impl Provisional {
    /// Provisional.
    pub fn new(
        authorizations: Authorizations,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
        on: bool,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            client,
            authorizations,
            entropy,
            clock,
            on,
        })
    }

    async fn ring(&self, push: &Push) -> Answer {
        let Target::Subscription(subscription) = &push.target else {
            return Answer::Refused(Reason::ProviderOff);
        };
        let body = payload(push.message.id, &push.message.content);
        let Ok(body) = encrypt(&body, &subscription.keys, self.entropy.as_ref()) else {
            return Answer::Refused(Reason::TooLarge);
        };
        let origin = subscription.endpoint.origin();
        let Ok(header) = self
            .authorizations
            .header(&subscription.vapid_key, &origin, self.clock.now())
        else {
            return Answer::Misconfigured;
        };
        let mut request = self
            .client
            .post(subscription.endpoint.expose())
            .header("Authorization", header)
            .header("TTL", push.ttl)
            .header("Content-Encoding", "aes128gcm")
            .header("Urgency", push.message.urgency.name())
            .body(body);
        if let Some(key) = &push.message.collapse_key {
            request = request.header("Topic", topic(key.as_str()));
        }
        let failed = |reason| Answer::Failed {
            reason,
            retry_after: None,
        };
        match request.send().await {
            Err(error) if error.is_timeout() => failed(Reason::TooSlow),
            Err(_) => failed(Reason::Unreachable),
            Ok(answer) => match answer.status().as_u16() {
                200..=299 => Answer::Accepted,
                404 | 410 => Answer::Gone,
                413 => Answer::Refused(Reason::TooLarge),
                400 | 401 | 403 => Answer::Misconfigured,
                429 => failed(Reason::Throttled),
                500..=599 => failed(Reason::ProviderFailed),
                _ => Answer::Refused(Reason::Refused),
            },
        }
    }
}

fn payload(id: MessageId, content: &Content) -> Vec<u8> {
    let said = content.notification();
    let mut notification = Map::new();
    let texts = [
        ("title", &said.title),
        ("body", &said.body),
        ("image", &said.image),
        ("url", &said.url),
        ("sound", &said.sound),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            notification.insert(name.to_owned(), json!(text.as_str()));
        }
    }
    if let Some(badge) = said.badge {
        notification.insert("badge".to_owned(), json!(badge));
    }
    let data: Value = content
        .data()
        .and_then(|data| serde_json::from_str(data.expose()).ok())
        .unwrap_or_else(|| json!({}));
    json!({"messageId": id.to_string(), "notification": notification, "data": data})
        .to_string()
        .into_bytes()
}

impl PushSender for Provisional {
    fn carries(&self, provider: Provider) -> bool {
        self.on && provider == Provider::WebPush
    }

    fn fits(&self, id: MessageId, content: &Content) -> bool {
        payload(id, content).len() <= MAX_PLAINTEXT
    }

    fn send<'a>(&'a self, push: &'a Push) -> BoxFuture<'a, Answer> {
        Box::pin(self.ring(push))
    }
}
