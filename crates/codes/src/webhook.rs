//! A sender of one's own, called by Standard Webhooks.

use std::sync::Arc;

use doorbell_domain::outbox::SendOutcome;
use doorbell_domain::ports::{BoxFuture, CodeSender};
use doorbell_domain::{Clock, CodeDelivery};
use doorbell_outward::{Outward, WebhookMessage, WebhookSecret, instant};
use serde_json::json;
use url::Url;

use crate::post;
use crate::wording::Wording;

/// Hands codes to a service of the operator's, which sends them as it likes. Any 2xx takes the code.
pub struct Webhook {
    url: Url,
    secret: WebhookSecret,
    wording: Wording,
    outward: Outward,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    /// A sender that posts to `url`.
    pub fn new(
        url: Url,
        secret: WebhookSecret,
        wording: Wording,
        outward: Outward,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            url,
            secret,
            wording,
            outward,
            clock,
        }
    }

    fn message(&self, delivery: &CodeDelivery) -> WebhookMessage {
        WebhookMessage {
            id: delivery.id.to_string(),
            kind: "otp.requested",
            at: delivery.created_at,
            data: json!({
                "phone": delivery.phone.e164(),
                "code": delivery.code.expose(),
                "channel": "sms",
                "language": delivery.language.name(),
                "text": self.wording.text(delivery),
                "expiresAt": instant(delivery.expires_at),
            }),
        }
    }
}

impl CodeSender for Webhook {
    fn send<'a>(&'a self, delivery: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            let message = self.message(delivery);
            let request = self
                .outward
                .webhook(&self.url, &self.secret, &message, self.clock.now());
            post::send(request, self.clock.as_ref()).await
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use doorbell_testkit::scripted::{Reply, Scripted};

    use super::*;
    use crate::samples::{Fixed, delivery, wording};

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[tokio::test]
    async fn a_message_says_everything_and_is_signed() {
        let mut server = Scripted::start([Reply::Status(202)]).await;
        let secret = WebhookSecret::parse(SECRET).expect("a secret");
        let outward = Outward::new().expect("a client");
        let url = server.url("/codes?from=doorbell");
        let webhook = Webhook::new(url, secret.clone(), wording(), outward, Arc::new(Fixed));
        assert_eq!(webhook.send(&delivery()).await, SendOutcome::Accepted);

        let received = server.next().await;
        assert_eq!(received.line, "POST /codes?from=doorbell HTTP/1.1");
        assert_eq!(received.header("content-type"), "application/json");
        let (id, timestamp) = (
            received.header("webhook-id"),
            received.header("webhook-timestamp"),
        );
        assert_eq!(id, delivery().id.to_string());
        assert_eq!(timestamp, Fixed.now().unix_seconds().to_string());
        let signature = secret.sign(id, timestamp, &received.body);
        assert_eq!(received.header("webhook-signature"), signature);
        let body: Value = serde_json::from_slice(&received.body).expect("JSON");
        let expected = json!({"type": "otp.requested", "timestamp": "2026-09-21T14:08:20.000Z", "data": {
            "phone": "+905551234567", "code": "012345", "channel": "sms", "language": "en",
            "text": "Your Doorbell code is 012345. Do not give it to anybody.",
            "expiresAt": "2026-09-21T14:13:20.000Z"}});
        assert_eq!(body, expected);
    }
}
