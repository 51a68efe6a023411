//! Sending a message.

use actix_web::HttpResponse;
use doorbell_application::{Accepted, SendMessage};
use doorbell_domain::ApiKeyId;
use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::message::{CollapseKey, Ttl, Urgency};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use super::audience::{self, AudienceBody};
use super::content::{self, NotificationBody};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::instant::parse_instant;
use crate::object::Object;
use crate::openapi::vocabulary;
use crate::problem::Problem;
use crate::routing::Answer;
use crate::unknown::Unknown;

/// The header by which a client names a request.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A message, and whom it is for.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = SendMessageRequest)]
pub(super) struct MessageBody {
    /// Whom it is for.
    #[schema(value_type = AudienceBody, required)]
    to: Field<Object<AudienceBody>>,
    /// What a person sees. May be left out where there is `data`.
    #[schema(value_type = Option<NotificationBody>)]
    notification: Field<Object<NotificationBody>>,
    #[schema(schema_with = content::any_object)]
    data: Field<Map<String, Value>>,
    /// For how many seconds it is worth delivering, from `sendAt` on; one day where it is left out. 0: now or never.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 2_419_200, example = 3600)]
    ttl: Field<Number>,
    /// How soon it must reach a device that saves its battery (RFC 8030 §5.3); `normal` where it is left out.
    #[schema(value_type = Option<vocabulary::MessageUrgency>)]
    urgency: Field<String>,
    /// A later message with the same key takes its place wherever it still waits: here (`replaced`), and at the push service that keeps it
    /// for a device that is away (RFC 8030 §5.4).
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\u0000]*$", example = "order-4421")]
    collapse_key: Field<String>,
    /// From when on it is sent, at most 30 days ahead; at once where it is left out, or over.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-01-15T10:30:00.000Z")]
    send_at: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// A message that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageAccepted)]
pub(crate) struct AcceptedAnswer {
    /// What it is known by.
    #[schema(format = "uuid")]
    id: String,
    /// To how many tokens and subscriptions it goes. 0 where nobody of those named can be rung.
    #[schema(minimum = 0, maximum = 50_000)]
    jobs: u32,
}

impl From<Accepted> for AcceptedAnswer {
    fn from(accepted: Accepted) -> Self {
        Self {
            id: accepted.id.to_string(),
            jobs: accepted.jobs,
        }
    }
}

/// Headers of a message.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the headers in the document")]
struct SendHeaders {
    /// What the client calls this request, the same each time it repeats it: within 7 days the repetition is answered as the first
    /// time, and nothing is sent twice. The same key with another body is 409.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$",
        example = "order-4421-on-its-way"
    )]
    idempotency_key: Option<String>,
}

/// Send a message.
///
/// Writes the message and one job for each token and subscription of those it names that can be rung, and answers after the commit:
/// from then on no crash loses it. Devices that were revoked, and what was registered under a session that has ended, are passed
/// over. Each job is delivered at least once, tried again with growing pauses while its `ttl` lasts, and judged again when it is
/// sent: what has been logged out, moved to another user or revoked meanwhile is not rung (`superseded`). Ask `getMessage` what
/// became of it, and `getUserTrail` why it did not arrive.
///
/// A browser decrypts `{"messageId", "notification", "data"}`. Send an `Idempotency-Key` wherever a request may be repeated.
#[utoipa::path(post, path = "/v1/messages", tag = "Messages", operation_id = "sendMessage",
    params(SendHeaders),
    request_body(content = MessageBody, example = json!({"to": {"users": ["019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70"]},
        "notification": {"title": "Your order is on its way", "body": "It arrives between 14:00 and 15:00.",
            "url": "https://app.example.com/orders/4421"},
        "data": {"orderId": "4421"}, "ttl": 3600, "urgency": "high", "collapseKey": "order-4421"})),
    security(("apiKey" = [])),
    responses(
        (status = 202, description = "Accepted: it is in the database, and on its way.", body = AcceptedAnswer,
            example = json!({"id": "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "jobs": 2})),
        (status = 400, description = "`detail` names each field that is missing or wrong, never its value: `to.phones` where a number \
            cannot exist, `sendAt` more than 30 days ahead, `to` where nobody is named, or more than 50,000 jobs would be made. A field that \
            is not known is refused too: misspelt, it would be taken for left out.",
            body = Problem, content_type = "application/problem+json", example = json!({
                "type": "urn:doorbell:problem:invalid_field", "title": "Bad Request", "status": 400,
                "detail": "to.phones: must be phone numbers that can exist, as + and all digits (item 2 is not); ttl: must be 0 to \
                2419200 seconds", "code": "invalid_field"})),
        (status = 401, description = "The API key is missing, unknown or revoked."),
        (status = 409, description = "The `Idempotency-Key` was used for a request with another body.",
            body = Problem, content_type = "application/problem+json", example = json!({
                "type": "urn:doorbell:problem:conflict", "title": "Conflict", "status": 409,
                "detail": "the Idempotency-Key was used for a request with another body", "code": "conflict"})),
        (status = 413, description = "The body is larger than 64 KiB, or `notification` and `data` together are more than a push \
            carries: 3,993 bytes of JSON, the message's id included."),
    ))]
pub(super) async fn send(call: &mut Call) -> Answer {
    let api_key = call.api_key().await?;
    let (body, bytes) = call.json_and_bytes::<MessageBody>().await?;
    let mut command = command(call, api_key, body)?;
    let hash = RequestHash::of(call.api_key_text()?, &bytes);
    command.request = idempotency_key(call)?.map(|key| (key, hash));
    let accepted = call.api.doorbell.send_message(command).await?;
    Ok(HttpResponse::Accepted().json(AcceptedAnswer::from(accepted)))
}

fn command(call: &Call, api_key: ApiKeyId, body: MessageBody) -> Result<SendMessage, Failure> {
    let mut form = Form::default();
    let audience = audience::read(&mut form, body.to, call.api.numbering.as_ref());
    let content = content::read(&mut form, body.notification, body.data);
    let ttl = form.optional("ttl", body.ttl, |number| content::ttl(&number));
    let urgency = form.optional("urgency", body.urgency, |name| {
        Urgency::from_name(&name).ok_or("must be very-low, low, normal or high")
    });
    let collapse_key = form.optional("collapseKey", body.collapse_key, CollapseKey::parse);
    let send_at = form.optional("sendAt", body.send_at, |text| parse_instant(&text));
    form.unknown("", &body.unknown);
    let (Some(audience), Some(content), true) = (audience, content, form.is_good()) else {
        return Err(form.failure());
    };
    Ok(SendMessage {
        api_key,
        audience,
        content,
        urgency: urgency.unwrap_or_default(),
        collapse_key,
        ttl: ttl.unwrap_or(Ttl::STANDARD),
        send_at,
        request: None,
    })
}

/// The request's name, where the client gives one.
fn idempotency_key(call: &Call) -> Result<Option<IdempotencyKey>, Failure> {
    let mut lines = call.request.headers().get_all(IDEMPOTENCY_KEY);
    let key = match (lines.next(), lines.next()) {
        (None, _) => return Ok(None),
        (Some(line), None) => std::str::from_utf8(line.as_bytes()).ok(),
        (Some(_), Some(_)) => None,
    };
    let key = key.ok_or_else(|| Failure::field(IDEMPOTENCY_KEY, "must be there once, in UTF-8"))?;
    let key = IdempotencyKey::parse(key).map_err(|rule| Failure::field(IDEMPOTENCY_KEY, rule))?;
    Ok(Some(key))
}
