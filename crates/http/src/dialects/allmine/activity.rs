//! What happened to the caller's account.

use doorbell_domain::AuditId;
use doorbell_domain::store::TrailLine;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, wrapped};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::{Form, count};
use crate::instant::Instant;
use crate::openapi::vocabulary;
use crate::routing::Answer;

/// The most events on a page.
const MAX_LIMIT: u32 = 100;

/// How many events a page has where the request does not say.
const DEFAULT_LIMIT: u32 = 20;

/// Something that happened to an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineActivityItem)]
pub(crate) struct ActivityItem {
    /// The event's own identity: what the next page is asked for by.
    #[schema(format = "uuid")]
    id: String,
    /// When it happened.
    at: Instant,
    /// What happened.
    #[schema(value_type = vocabulary::AuditAction)]
    action: String,
    /// The session under which it happened, or that began or ended.
    #[schema(required, format = "uuid")]
    session_id: Option<String>,
    /// The device it happened to, by the `id` that easyflow shows.
    #[schema(required, format = "uuid")]
    device_id: Option<String>,
    /// Why: what ended a session (`logout`, `revoked`, `reuse`, `account_deletion`), or the provider of an address (`apns`, `fcm`, `webpush`).
    #[schema(required, example = "revoked")]
    reason: Option<String>,
}

impl From<TrailLine> for ActivityItem {
    fn from(line: TrailLine) -> Self {
        Self {
            id: line.id.to_string(),
            at: Instant(line.at),
            action: line.action,
            session_id: line.session.map(|id| id.to_string()),
            device_id: line.device.map(|id| id.to_string()),
            reason: line.reason,
        }
    }
}

/// A page of what happened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineActivity)]
pub(crate) struct ActivityAnswer {
    /// The events of this page, newest first.
    #[schema(max_items = 100)]
    items: Vec<ActivityItem>,
    /// The `before` of the next page; null at the end.
    #[schema(required, format = "uuid")]
    next_before: Option<String>,
}

/// Which events to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the document")]
struct ActivityParameters {
    /// How many events a page has.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// An event's id: only what happened before it.
    #[param(
        nullable = false,
        format = "uuid",
        example = "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2"
    )]
    before: Option<String>,
}

/// List what happened to the caller's account.
///
/// Sign-ins, wrong codes, sessions that ended, devices that came and went, push tokens that moved, foreign fingerprints,
/// deletions asked for and taken back: newest first, for a screen on which people see whether it was all theirs. Ask for the
/// next page with `nextBefore` as `before`, until it is null. Events are kept for 400 days.
#[utoipa::path(get, path = "/api/v1/users/me/activity", tag = "Allmine", operation_id = "listActivity",
    security(("bearer" = [])),
    params(ActivityParameters),
    responses(
        (status = 200, description = "A page of what happened, newest first.", body = Envelope<ActivityAnswer>,
            example = json!({"isSuccess": true, "statusCode": 200, "data": {"items": [
                {"id": "019ae1f3-1a2b-7c3d-8e4f-5a6b7c8d9e0f", "at": "2026-01-16T08:20:00.000Z", "action": "session_ended",
                    "sessionId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70", "deviceId": null, "reason": "revoked"},
                {"id": "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2", "at": "2026-01-15T10:30:01.250Z", "action": "device_added",
                    "sessionId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70", "deviceId": "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091",
                    "reason": null}],
                "nextBefore": "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2"}, "errors": [], "timestamp": "2026-01-16T08:21:00.000Z"})),
        (status = 400, description = "`limit` is no number from 1 to 100, or `before` is no event's id."),
    ))]
pub(crate) async fn activity(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let (limit, before) = page(call.query("limit"), call.query("before"))?;
    let found = call.api.doorbell.activity(caller, before, limit).await?;
    let answer = ActivityAnswer {
        items: found.lines.into_iter().map(ActivityItem::from).collect(),
        next_before: found.next_before.map(|id| id.to_string()),
    };
    Ok(wrapped(call, answer))
}

fn page(limit: Option<String>, before: Option<String>) -> Result<(u32, Option<AuditId>), Failure> {
    let mut form = Form::default();
    let field = |value: Option<String>| value.map_or(Field::Absent, Field::Value);
    let limit = form.optional("limit", field(limit), |text| count(&text, MAX_LIMIT));
    let before = form.optional("before", field(before), |text| {
        AuditId::parse(&text).ok_or("must be the id of an event")
    });
    form.finish()?;
    Ok((limit.unwrap_or(DEFAULT_LIMIT), before))
}

#[cfg(test)]
mod tests {
    use doorbell_domain::Timestamp;

    use super::*;

    const ID: &str = "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2";

    fn page_of(limit: Option<&str>, before: Option<&str>) -> Result<(u32, Option<AuditId>), Failure> {
        page(limit.map(str::to_owned), before.map(str::to_owned))
    }

    #[test]
    fn a_page_is_bounded_and_begins_before_an_id() {
        assert_eq!(page_of(None, None), Ok((20, None)));
        assert_eq!(page_of(Some("1"), Some(ID)), Ok((1, AuditId::parse(ID))));
        assert_eq!(page_of(Some("100"), None), Ok((100, None)));
        let named = |refused: Result<(u32, Option<AuditId>), Failure>| match refused {
            Err(Failure::Invalid(fields)) => fields.into_iter().map(|field| field.name).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        for bad in ["", "0", "101", "-1", "+1", "1.0", " 1", "ten"] {
            assert_eq!(named(page_of(Some(bad), None)), ["limit"], "{bad}");
        }
        for bad in ["", "1", "null", "019AE1F2-7C1D-7F70-8B3C-5D6E7F8091A2"] {
            assert_eq!(named(page_of(None, Some(bad))), ["before"], "{bad}");
        }
        assert_eq!(named(page_of(Some("0"), Some(""))), ["limit", "before"]);
    }

    #[test]
    fn an_event_has_every_key_and_null_where_nothing_is_known() {
        let line = TrailLine {
            id: AuditId::parse(ID).expect("an id"),
            at: Timestamp::from_micros(0),
            action: "code_refused".to_owned(),
            session: None,
            device: None,
            reason: None,
        };
        let shown = serde_json::to_string(&ActivityItem::from(line)).expect("JSON");
        let expected = concat!(
            r#"{"id":"019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2","at":"1970-01-01T00:00:00.000Z","action":"code_refused","#,
            r#""sessionId":null,"deviceId":null,"reason":null}"#
        );
        assert_eq!(shown, expected);
    }
}
