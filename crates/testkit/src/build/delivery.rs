//! Builders of messages, their jobs, and the keys by which they are sent.

use doorbell_domain::api_key::{ApiKey, ApiKeyHash, ApiKeyName};
use doorbell_domain::job::{Job, Target};
use doorbell_domain::message::{CollapseKey, Content, Data, Message, Notification, Ttl, Urgency};
use doorbell_domain::{ApiKeyId, JobId, MessageId, Timestamp};
use uuid::Uuid;

use super::text;

/// Content with every part set.
pub fn content() -> Content {
    let notification = Notification {
        title: Some(text("Kapı 🔔")),
        body: Some(text("line\nline \"quoted\" \\ 'single'")),
        image: Some(text("https://example.com/𝒛.png")),
        url: Some(text("https://example.com/open?x=1")),
        badge: Some(3),
        sound: Some(text("ding")),
    };
    Content::new(
        notification,
        Some(Data::restore("{ \"b\": 1.0, \"a\": [\"雨\"] }")),
    )
    .expect("something")
}

/// A message with every field set, accepted at `now` to be sent at once and worth an hour.
pub fn message(id: Uuid, now: Timestamp) -> Message {
    Message {
        id: MessageId::from_uuid(id),
        api_key: Some(ApiKeyId::from_uuid(Uuid::from_u128(0xa9))),
        content: content(),
        urgency: Urgency::High,
        // Its own, so that none takes the place of another.
        collapse_key: Some(CollapseKey::parse(format!("score-{id}")).expect("short")),
        ttl: Ttl::new(3_600).expect("within a month"),
        created_at: now,
        send_at: now,
    }
}

/// The job that delivers `message` to `target`.
pub fn job(id: Uuid, message: &Message, target: &Target) -> Job {
    Job {
        id: JobId::from_uuid(id),
        message: message.id,
        user: target.user(),
        device: target.device(),
        credential: target.credential(),
        lane: target.lane(),
        expires_at: message.expires_at(),
    }
}

/// An API key's name.
pub fn api_key_name(name: &str) -> ApiKeyName {
    ApiKeyName::parse(name).expect("a name")
}

/// An API key, made at `now`, whose hash is its id twice.
pub fn api_key(id: Uuid, name: &str, now: Timestamp) -> ApiKey {
    let [half, other] = [*id.as_bytes(); 2];
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(half.into_iter().chain(other)) {
        *to = from;
    }
    ApiKey {
        id: ApiKeyId::from_uuid(id),
        name: api_key_name(name),
        hash: ApiKeyHash::from_bytes(hash),
        created_at: now,
        revoked_at: None,
    }
}
