//! Telling a service of the operator's what happens, by Standard Webhooks.

use std::sync::Arc;

use doorbell_domain::Clock;
use doorbell_domain::event::Event;
use doorbell_domain::outbox::{SendFailure, SendOutcome};
use doorbell_domain::ports::{BoxFuture, EventReceiver};
use doorbell_outward::{Answered, Outward, Unanswered, WebhookMessage, WebhookSecret};
use serde_json::{Map, Value};
use url::Url;

/// Posts events to one address. Any 2xx takes an event.
pub struct Webhook {
    url: Url,
    secret: WebhookSecret,
    outward: Outward,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    /// A receiver at `url`.
    pub fn new(url: Url, secret: WebhookSecret, outward: Outward, clock: Arc<dyn Clock>) -> Self {
        Self {
            url,
            secret,
            outward,
            clock,
        }
    }
}

impl EventReceiver for Webhook {
    fn tell<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            let request = self
                .outward
                .webhook(&self.url, &self.secret, &message(event), self.clock.now());
            judge(Outward::send(request, self.clock.as_ref()).await)
        })
    }
}

/// What an event says: ids and fixed words, as far as there are any.
fn message(event: &Event) -> WebhookMessage {
    let facts = [
        ("userId", event.user.map(|id| id.to_string())),
        ("deviceId", event.device.map(|id| id.to_string())),
        ("sessionId", event.session.map(|id| id.to_string())),
        ("messageId", event.message.map(|id| id.to_string())),
        ("reason", event.reason.clone()),
    ];
    let facts = facts.into_iter();
    let data: Map<String, Value> = facts
        .filter_map(|(name, fact)| Some((name.to_owned(), Value::String(fact?))))
        .collect();
    WebhookMessage {
        id: event.id.to_string(),
        kind: event.kind.name(),
        at: event.at,
        data: Value::Object(data),
    }
}

/// What an answer means: 2xx takes the event, and 410 says that there is nobody who would. Whatever else comes, or nothing, may be a fault
/// of the receiver's that somebody mends.
fn judge(answer: Result<Answered, Unanswered>) -> SendOutcome {
    let (failure, retry_after) = match answer {
        Ok(Answered {
            status: 200..=299, ..
        }) => return SendOutcome::Accepted,
        Ok(Answered { status: 410, .. }) => return SendOutcome::Refused(SendFailure::Answered(410)),
        Ok(Answered { status, retry_after }) => (SendFailure::Answered(status), retry_after),
        Err(Unanswered::TooSlow) => (SendFailure::TooSlow, None),
        Err(Unanswered::Unreachable) => (SendFailure::Unreachable, None),
        // An operator's own address is looked at when the server starts.
        Err(Unanswered::Impossible | Unanswered::Forbidden) => {
            (SendFailure::Impossible("no such request can be made"), None)
        }
    };
    SendOutcome::Failed { failure, retry_after }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::event::EventKind;
    use doorbell_domain::{DeviceUid, MessageId, Timestamp, UserId};
    use doorbell_testkit::FakeClock;
    use doorbell_testkit::scripted::{Reply, Scripted};
    use serde_json::json;
    use time::Duration;
    use uuid::Uuid;

    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    const WHEN: Timestamp = Timestamp::from_micros(1_790_000_000_123_456);

    fn moved() -> Event {
        Event {
            id: Uuid::from_u128(1),
            kind: EventKind::CredentialMoved,
            at: WHEN,
            user: Some(UserId::from_uuid(Uuid::from_u128(2))),
            device: Some(DeviceUid::from_uuid(Uuid::from_u128(3))),
            session: None,
            message: None,
            reason: Some("fcm".to_owned()),
        }
    }

    async fn told(outward: Outward, server: &Scripted, event: &Event) -> SendOutcome {
        let secret = WebhookSecret::parse(SECRET).expect("a secret");
        let clock = Arc::new(FakeClock::default());
        let webhook = Webhook::new(server.url("/events"), secret, outward, clock);
        webhook.tell(event).await
    }

    #[tokio::test]
    async fn an_event_says_what_is_known_and_is_signed() {
        let mut server = Scripted::start([Reply::Status(204), Reply::Status(200)]).await;
        let outward = Outward::new().expect("a client");
        assert_eq!(
            told(outward.clone(), &server, &moved()).await,
            SendOutcome::Accepted
        );
        let received = server.next().await;
        assert_eq!(received.line, "POST /events HTTP/1.1");
        let (id, timestamp) = (
            received.header("webhook-id"),
            received.header("webhook-timestamp"),
        );
        assert_eq!(id, "00000000-0000-0000-0000-000000000001");
        assert_eq!(timestamp, FakeClock::default().now().unix_seconds().to_string());
        let secret = WebhookSecret::parse(SECRET).expect("a secret");
        let signature = secret.sign(id, timestamp, &received.body);
        assert_eq!(received.header("webhook-signature"), signature);
        let body: Value = serde_json::from_slice(&received.body).expect("JSON");
        let expected = json!({"type": "credential.moved", "timestamp": "2026-09-21T14:13:20.123Z", "data": {
            "userId": "00000000-0000-0000-0000-000000000002", "deviceId": "00000000-0000-0000-0000-000000000003",
            "reason": "fcm"}});
        assert_eq!(body, expected);

        let finished = Event::of_message(MessageId::from_uuid(Uuid::from_u128(4)), WHEN);
        assert_eq!(told(outward, &server, &finished).await, SendOutcome::Accepted);
        let body: Value = serde_json::from_slice(&server.next().await.body).expect("JSON");
        assert_eq!(body["type"], "message.finished");
        assert_eq!(
            body["data"],
            json!({"messageId": "00000000-0000-0000-0000-000000000004"})
        );
    }

    #[test]
    fn whatever_does_not_take_an_event_is_asked_again_but_one_that_has_gone() {
        let seven = Some(Duration::seconds(7));
        let judged = |status| {
            judge(Ok(Answered {
                status,
                retry_after: seven,
            }))
        };
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judged(status), SendOutcome::Accepted, "{status}");
        }
        assert_eq!(judged(410), SendOutcome::Refused(SendFailure::Answered(410)));
        for status in [301, 302, 308, 400, 401, 403, 404, 413, 422, 429, 500, 502, 503] {
            let failed = SendOutcome::Failed {
                failure: SendFailure::Answered(status),
                retry_after: seven,
            };
            assert_eq!(judged(status), failed, "{status}");
        }
    }

    #[tokio::test]
    async fn what_is_not_answered_has_failed_for_now() {
        for (reply, failure) in [
            (Reply::Silence, SendFailure::TooSlow),
            (Reply::HangUp, SendFailure::Unreachable),
        ] {
            let server = Scripted::start([reply]).await;
            let outward = Outward::within(std::time::Duration::from_millis(200)).expect("a client");
            let failed = SendOutcome::Failed {
                failure,
                retry_after: None,
            };
            assert_eq!(told(outward, &server, &moved()).await, failed, "{reply:?}");
        }
    }
}
