//! A sender of one's own, called by Standard Webhooks (standardwebhooks.com, the specification's first version).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use doorbell_domain::code_delivery::SendOutcome;
use doorbell_domain::ports::{BoxFuture, CodeSender};
use doorbell_domain::{Clock, CodeDelivery, Timestamp};
use doorbell_outward::Outward;
use serde_json::json;
use url::Url;

use crate::post;
use crate::wording::Wording;

/// What signs messages: the key of an HMAC-SHA256.
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

impl WebhookSecret {
    /// Reads `whsec_` and the base64 of 24 to 64 bytes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let key = BASE64_STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64)
            .contains(&key.len())
            .then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The `webhook-signature` of a message: of its id, its time in seconds since the Unix epoch, and its body.
    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
        let tag = hmac::sign(&self.0, &signed);
        format!("v1,{}", BASE64_STANDARD.encode(tag.as_ref()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret([redacted])")
    }
}

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

    fn body(&self, delivery: &CodeDelivery) -> Vec<u8> {
        let body = json!({
            "type": "otp.requested",
            "timestamp": instant(delivery.created_at),
            "data": {
                "phone": delivery.phone.e164(),
                "code": delivery.code.expose(),
                "channel": "sms",
                "language": delivery.language.name(),
                "text": self.wording.text(delivery),
                "expiresAt": instant(delivery.expires_at),
            },
        });
        body.to_string().into_bytes()
    }
}

impl CodeSender for Webhook {
    fn send<'a>(&'a self, delivery: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            let body = self.body(delivery);
            // The same at every attempt, so that a receiver who knows it already need not send again; the time is the
            // attempt's.
            let id = delivery.id.to_string();
            let timestamp = self.clock.now().unix_seconds().to_string();
            let signature = self.secret.sign(&id, &timestamp, &body);
            let request = self
                .outward
                .post(&self.url, "application/json", body)
                .header("webhook-id", id)
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", signature);
            post::send(request, self.clock.as_ref()).await
        })
    }
}

/// ISO 8601, UTC, three decimals (truncated) and `Z`, as all of this service's answers have instants.
fn instant(at: Timestamp) -> String {
    let at = at.to_datetime();
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use doorbell_testkit::scripted::{Reply, Scripted};

    use super::*;
    use crate::samples::{Fixed, delivery, wording};

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[test]
    fn a_signature_is_the_specifications_own_example() {
        let secret = WebhookSecret::parse(SECRET).expect("a secret");
        let signature = secret.sign(
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            br#"{"email":"test@example.com","username":"test_user"}"#,
        );
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        assert!(!format!("{secret:?}").contains("C2FV"));
    }

    #[test]
    fn a_secret_has_24_to_64_bytes() {
        let of = |bytes: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        for (bytes, taken) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(WebhookSecret::parse(&of(bytes)).is_some(), taken, "{bytes}");
        }
        for bad in [
            "",
            "whsec_",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_not base64 at all!",
        ] {
            assert!(WebhookSecret::parse(bad).is_none(), "{bad:?}");
        }
    }

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
