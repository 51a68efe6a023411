//! Why it did not arrive.

use actix_web::HttpResponse;
use doorbell_application::TrailPage;
use doorbell_domain::store::{JobLine, TrailEntry, TrailLine};
use doorbell_domain::{MessageId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::{Form, count};
use crate::instant::Instant;
use crate::openapi::vocabulary::{self, always_delivery, always_event, always_unreached};
use crate::problem::Problem;
use crate::routing::Answer;

/// The most entries on a page.
const MAX_LIMIT: u32 = 100;

/// How many entries a page has where the request does not say.
const DEFAULT_LIMIT: u32 = 50;

/// Something that happened to a user, what became of a delivery to them, or a message that found nothing of theirs to ring.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TrailEntry)]
pub(super) enum EntryAnswer {
    /// Something that happened.
    Event(EventAnswer),
    /// What became of a delivery.
    Delivery(DeliveryAnswer),
    /// A message that found nothing to ring.
    Unreached(UnreachedAnswer),
}

/// Something that happened to a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrailEvent)]
pub(super) struct EventAnswer {
    /// What the next page is asked for by.
    #[schema(format = "uuid")]
    id: String,
    /// When it happened.
    at: Instant,
    /// Always `event`.
    #[schema(schema_with = always_event)]
    kind: &'static str,
    /// What happened.
    #[schema(value_type = vocabulary::AuditAction)]
    action: String,
    /// The session under which it happened, or that began or ended.
    #[schema(required, format = "uuid")]
    session_id: Option<String>,
    /// The device it happened to, by the `id` that easyflow shows.
    #[schema(required, format = "uuid")]
    device_id: Option<String>,
    /// Why, or what of: what ended a session (`logout`, `revoked`, `reuse`, `account_deletion`); the provider of an address (`apns`, `fcm`,
    /// `webpush`); the platform of a device that was added (`ios`, `android`, `web`).
    #[schema(required, example = "logout")]
    reason: Option<String>,
}

/// What became of a delivery to a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrailDelivery)]
pub(super) struct DeliveryAnswer {
    /// The job's id, as `getMessage` shows it.
    #[schema(format = "uuid")]
    id: String,
    /// When it was accepted.
    at: Instant,
    /// Always `delivery`.
    #[schema(schema_with = always_delivery)]
    kind: &'static str,
    /// What was delivered.
    #[schema(format = "uuid")]
    message_id: String,
    /// To which device, by the `id` that easyflow shows.
    #[schema(format = "uuid")]
    device_id: String,
    /// By whom.
    #[schema(value_type = vocabulary::PushProvider)]
    provider: &'static str,
    /// What it is doing, or how it ended.
    #[schema(value_type = vocabulary::JobState)]
    state: &'static str,
    /// Why it was postponed, or ended so; null where there is nothing to say.
    #[schema(value_type = Option<vocabulary::JobReason>, required)]
    reason: Option<&'static str>,
    /// How many attempts ended, the one that ended it included.
    attempts: u32,
    /// When it was last postponed, or ended; else when it was accepted.
    updated_at: Instant,
}

/// A message that found nothing to ring of a user: no device of theirs was registered then by a session that stands, on a device that
/// is not revoked, and not suspected to be gone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrailUnreached)]
pub(super) struct UnreachedAnswer {
    /// The message's id, by which the next page is asked for too.
    #[schema(format = "uuid")]
    id: String,
    /// When it was accepted.
    at: Instant,
    /// Always `unreached`.
    #[schema(schema_with = always_unreached)]
    kind: &'static str,
    /// The message.
    #[schema(format = "uuid")]
    message_id: String,
}

/// A page of a user's trail.
#[derive(Serialize, ToSchema)]
#[schema(as = Trail)]
pub(super) struct TrailAnswer {
    /// The entries of this page, newest first.
    #[schema(max_items = 100)]
    entries: Vec<EntryAnswer>,
    /// The `before` of the next page; null at the end.
    #[schema(required, format = "uuid")]
    next: Option<String>,
}

impl From<TrailEntry> for EntryAnswer {
    fn from(entry: TrailEntry) -> Self {
        match entry {
            TrailEntry::Happened(line) => Self::Event(line.into()),
            TrailEntry::Job(job) => Self::Delivery(job.into()),
            TrailEntry::Unreached(message) => Self::Unreached(message.into()),
        }
    }
}

impl From<TrailLine> for EventAnswer {
    fn from(line: TrailLine) -> Self {
        Self {
            id: line.id.to_string(),
            at: Instant(line.at),
            kind: "event",
            action: line.action,
            session_id: line.session.map(|id| id.to_string()),
            device_id: line.device.map(|id| id.to_string()),
            reason: line.reason,
        }
    }
}

impl From<JobLine> for DeliveryAnswer {
    fn from(job: JobLine) -> Self {
        Self {
            id: job.id.to_string(),
            at: Instant(job.id.made_at()),
            kind: "delivery",
            message_id: job.message.to_string(),
            device_id: job.device.to_string(),
            provider: job.provider.name(),
            state: job.state.name(),
            reason: job.reason.map(doorbell_domain::job::Reason::name),
            attempts: job.attempts,
            updated_at: Instant(job.updated_at),
        }
    }
}

impl From<MessageId> for UnreachedAnswer {
    fn from(message: MessageId) -> Self {
        Self {
            id: message.to_string(),
            at: Instant(message.made_at()),
            kind: "unreached",
            message_id: message.to_string(),
        }
    }
}

impl From<TrailPage> for TrailAnswer {
    fn from(page: TrailPage) -> Self {
        Self {
            entries: page.entries.into_iter().map(EntryAnswer::from).collect(),
            next: page.next.map(|id| id.to_string()),
        }
    }
}

/// Whose trail.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes the parameter in the document")]
struct UserParameter {
    /// The user's id.
    #[param(format = "uuid", example = "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70")]
    id: String,
}

/// Which entries to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the document")]
struct TrailParameters {
    /// How many entries a page has.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// An entry's id: only what is older.
    #[param(
        nullable = false,
        format = "uuid",
        example = "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2"
    )]
    before: Option<String>,
}

/// Get a user's trail.
///
/// Why did it not arrive? Sign-ins, sessions that ended, devices that came and went, tokens that moved, credentials that their
/// provider called dead, every delivery with what became of it, and every message that found nothing to ring, in one list, newest first. Ask for the next page with `next` as
/// `before`, until it is null. Events are kept for 400 days, the others for 30. A user who is not there, or not any more, has an
/// empty trail.
#[utoipa::path(get, path = "/v1/users/{id}/trail", tag = "Messages", operation_id = "getUserTrail",
    security(("apiKey" = [])),
    params(UserParameter, TrailParameters),
    responses(
        (status = 200, description = "A page of the trail, newest first.", body = TrailAnswer,
            example = json!({"entries": [
                {"id": "019ae1f4-2b3c-7d4e-8f51-7b8c9d0e1f20", "at": "2026-01-15T10:32:00.060Z", "kind": "delivery",
                    "messageId": "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "deviceId": "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091",
                    "provider": "webpush", "state": "superseded", "reason": "session_ended", "attempts": 0,
                    "updatedAt": "2026-01-15T10:33:00.100Z"},
                {"id": "019ae1f3-1a2b-7c3d-8e4f-5a6b7c8d9e0f", "at": "2026-01-15T10:31:00.000Z", "kind": "event",
                    "action": "session_ended", "sessionId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70", "deviceId": null,
                    "reason": "logout"}],
                "next": "019ae1f3-1a2b-7c3d-8e4f-5a6b7c8d9e0f"})),
        (status = 400, description = "`limit` is no number from 1 to 100, or `before` is no entry's id.",
            body = Problem, content_type = "application/problem+json", example = json!({
                "type": "urn:doorbell:problem:invalid_field", "title": "Bad Request", "status": 400,
                "detail": "limit: must be a number from 1 to 100", "code": "invalid_field"})),
        (status = 401, description = "The API key is missing, unknown or revoked."),
        (status = 404, description = "That is no user's id."),
    ))]
pub(super) async fn trail(call: &mut Call) -> Answer {
    call.api_key().await?;
    let (limit, before) = page(call.query("limit"), call.query("before"))?;
    let named = call.segment_before(1);
    let user = named
        .and_then(|text| UserId::parse(&text))
        .ok_or(Failure::NotFound)?;
    let page = call.api.doorbell.user_trail(user, before, limit).await?;
    Ok(HttpResponse::Ok().json(TrailAnswer::from(page)))
}

fn page(limit: Option<String>, before: Option<String>) -> Result<(u32, Option<Uuid>), Failure> {
    let mut form = Form::default();
    let field = |value: Option<String>| value.map_or(Field::Absent, Field::Value);
    let limit = form.optional("limit", field(limit), |text| count(&text, MAX_LIMIT));
    let before = form.optional("before", field(before), |text| {
        // As any id is written: events and jobs are in one order.
        let id = UserId::parse(&text).map(UserId::uuid);
        id.ok_or("must be the id of an entry")
    });
    form.finish()?;
    Ok((limit.unwrap_or(DEFAULT_LIMIT), before))
}

#[cfg(test)]
mod tests {
    use doorbell_domain::job::{FinalState, Reason, State};
    use doorbell_domain::{AuditId, DeviceUid, JobId, MessageId, Provider, Timestamp};

    use super::*;

    const ID: &str = "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2";

    #[test]
    fn events_and_deliveries_are_told_apart_by_their_kind() {
        let event = TrailLine {
            id: AuditId::parse(ID).expect("an id"),
            at: Timestamp::from_micros(0),
            action: "signed_in".to_owned(),
            session: None,
            device: None,
            reason: None,
        };
        let job = JobLine {
            id: JobId::parse(ID).expect("an id"),
            message: MessageId::parse(ID).expect("an id"),
            user: UserId::parse(ID).expect("an id"),
            device: DeviceUid::parse(ID).expect("an id"),
            provider: Provider::WebPush,
            state: State::Over(FinalState::Superseded),
            reason: Some(Reason::SessionEnded),
            attempts: 0,
            updated_at: Timestamp::from_micros(0),
        };
        let shown = |entry| serde_json::to_string(&EntryAnswer::from(entry)).expect("JSON");
        let epoch = "1970-01-01T00:00:00.000Z";
        assert_eq!(
            shown(TrailEntry::Happened(event)),
            format!(
                r#"{{"id":"{ID}","at":"{epoch}","kind":"event","action":"signed_in","sessionId":null,"deviceId":null,"reason":null}}"#
            )
        );
        // A delivery stands where it was accepted, which its id says.
        let at = Instant(job.id.made_at());
        assert_eq!(
            shown(TrailEntry::Job(job)),
            format!(
                r#"{{"id":"{ID}","at":"{at}","kind":"delivery","messageId":"{ID}","deviceId":"{ID}","provider":"webpush","#
            ) + &format!(
                r#""state":"superseded","reason":"session_ended","attempts":0,"updatedAt":"{epoch}"}}"#
            )
        );
        let message = MessageId::parse(ID).expect("an id");
        let at = Instant(message.made_at());
        assert_eq!(
            shown(TrailEntry::Unreached(message)),
            format!(r#"{{"id":"{ID}","at":"{at}","kind":"unreached","messageId":"{ID}"}}"#)
        );
    }

    #[test]
    fn a_page_is_bounded_and_begins_before_an_entry() {
        let of = |limit: Option<&str>, before: Option<&str>| {
            page(limit.map(str::to_owned), before.map(str::to_owned))
        };
        assert_eq!(of(None, None), Ok((50, None)));
        assert_eq!(of(Some("100"), Some(ID)), Ok((100, Uuid::parse_str(ID).ok())));
        assert!(of(Some("101"), None).is_err() && of(None, Some("event")).is_err());
    }
}
