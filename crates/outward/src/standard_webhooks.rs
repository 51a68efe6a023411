//! Messages to services of the operator's own, by Standard Webhooks (standardwebhooks.com, the specification's first version).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use doorbell_domain::Timestamp;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use url::Url;

use crate::post::Outward;

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
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
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

/// A message. It is not to be printed: what there is to say may be secret.
pub struct WebhookMessage {
    /// Its identity: the same at every attempt, so that a receiver who knows it already need not act again.
    pub id: String,
    /// What happened, as `noun.verb`.
    pub kind: &'static str,
    /// When it happened.
    pub at: Timestamp,
    /// What more there is to say.
    pub data: Value,
}

impl WebhookMessage {
    /// The body: type, time and data.
    fn body(&self) -> Vec<u8> {
        let body = json!({"type": self.kind, "timestamp": instant(self.at), "data": self.data});
        body.to_string().into_bytes()
    }
}

impl Outward {
    /// A POST of `message` to `to`, signed with `secret` for an attempt at `now`, to be given to [`Self::send`].
    pub fn webhook(
        &self,
        to: &Url,
        secret: &WebhookSecret,
        message: &WebhookMessage,
        now: Timestamp,
    ) -> RequestBuilder {
        let body = message.body();
        let timestamp = now.unix_seconds().to_string();
        let signature = secret.sign(&message.id, &timestamp, &body);
        self.post(to, "application/json", body)
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
    }
}

/// ISO 8601, UTC, three decimals (truncated) and `Z`, as all of this service's answers have instants.
pub fn instant(at: Timestamp) -> String {
    let at = at.to_datetime();
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_example_of_the_page_on_events_is_genuine() {
        let page = include_str!("../../../docs/events.md");
        let word = |before: &str| page.split(before).nth(1)?.split(['`', '\n']).next();
        let secret = word("the secret here is `").and_then(WebhookSecret::parse);
        let body: String = page
            .lines()
            .skip_while(|line| !line.starts_with("{\"type\""))
            .take_while(|line| *line != "```")
            .map(str::trim_start)
            .collect();
        let signature = secret.expect("a secret").sign(
            word("webhook-id: ").expect("an id"),
            word("webhook-timestamp: ").expect("an instant"),
            body.as_bytes(),
        );
        assert_eq!(Some(signature.as_str()), word("webhook-signature: "));
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
}
