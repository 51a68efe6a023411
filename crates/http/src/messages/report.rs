//! What became of a message, and taking it back.

use actix_web::HttpResponse;
use doorbell_application::MessagePage;
use doorbell_domain::{JobId, MessageId};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::job::JobAnswer;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::{Form, count};
use crate::instant::Instant;
use crate::problem::Problem;
use crate::routing::Answer;

/// The most jobs on a page.
const MAX_LIMIT: u32 = 1_000;

/// How many jobs a page has where the request does not say.
const DEFAULT_LIMIT: u32 = 100;

/// A message, and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageReport)]
pub(crate) struct ReportAnswer {
    /// What it is known by.
    #[schema(format = "uuid")]
    id: String,
    /// When it was accepted.
    created_at: Instant,
    /// How many of its jobs are in each state, by the state's name; a state that none is in is left out.
    #[schema(value_type = std::collections::BTreeMap<String, u64>, example = json!({"delivered": 1, "retrying": 1}))]
    counts: Map<String, Value>,
    /// Its jobs in order of their ids, those of this page.
    #[schema(max_items = 1000)]
    jobs: Vec<JobAnswer>,
    /// The `after` of the next page; null at the end.
    #[schema(required, format = "uuid")]
    next: Option<String>,
}

impl From<MessagePage> for ReportAnswer {
    fn from(page: MessagePage) -> Self {
        let MessagePage { report, next } = page;
        let counts = report.counts.into_iter();
        Self {
            id: report.id.to_string(),
            created_at: Instant(report.created_at),
            counts: counts
                .map(|(state, count)| (state.name().to_owned(), count.into()))
                .collect(),
            jobs: report.jobs.into_iter().map(JobAnswer::from).collect(),
            next: next.map(|id| id.to_string()),
        }
    }
}

/// Which message.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes the parameter in the document")]
struct MessageParameter {
    /// The message's id.
    #[param(format = "uuid", example = "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f")]
    id: String,
}

/// Which jobs to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the document")]
struct JobParameters {
    /// How many jobs a page has.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// A job's id: only those behind it.
    #[param(
        nullable = false,
        format = "uuid",
        example = "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e20"
    )]
    after: Option<String>,
}

/// Get a message and what became of it.
///
/// Counts all of its jobs by their states, and lists a page of them; ask for the next with `next` as `after`, until it is null.
/// What a message says is never answered. It is known for 30 days after its last job has ended.
#[utoipa::path(get, path = "/v1/messages/{id}", tag = "Messages", operation_id = "getMessage",
    security(("apiKey" = [])),
    params(MessageParameter, JobParameters),
    responses(
        (status = 200, description = "The message and a page of its jobs.", body = ReportAnswer,
            example = json!({"id": "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "createdAt": "2026-01-15T10:30:00.000Z",
                "counts": {"delivered": 1, "retrying": 1}, "jobs": [
                    {"id": "019ae1f4-2b3c-7d4e-8f51-7b8c9d0e1f20", "userId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70",
                        "deviceId": "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091", "provider": "webpush", "state": "delivered",
                        "reason": null, "attempts": 1, "updatedAt": "2026-01-15T10:30:00.180Z"},
                    {"id": "019ae1f4-2b3c-7d4e-8f52-8c9d0e1f2031", "userId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70",
                        "deviceId": "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2", "provider": "webpush", "state": "retrying",
                        "reason": "provider_failed", "attempts": 2, "updatedAt": "2026-01-15T10:30:04.250Z"}],
                "next": null})),
        (status = 400, description = "`limit` is no number from 1 to 1000, or `after` is no job's id.",
            body = Problem, content_type = "application/problem+json", example = json!({
                "type": "urn:doorbell:problem:invalid_field", "title": "Bad Request", "status": 400,
                "detail": "limit: must be a number from 1 to 1000", "code": "invalid_field"})),
        (status = 401, description = "The API key is missing, unknown or revoked."),
        (status = 404, description = "There is no such message, or none any more."),
    ))]
pub(super) async fn report(call: &mut Call) -> Answer {
    call.api_key().await?;
    let (limit, after) = page(call.query("limit"), call.query("after"))?;
    let id = message(call)?;
    let page = call.api.doorbell.message(id, after, limit).await?;
    Ok(HttpResponse::Ok().json(ReportAnswer::from(page)))
}

/// Cancel a message.
///
/// Ends those of its jobs that nobody is sending as `cancelled`; what is being sent at that moment may still arrive, and is not tried
/// again. Also 204 where nothing was left to cancel, so that it can be repeated.
#[utoipa::path(delete, path = "/v1/messages/{id}", tag = "Messages", operation_id = "cancelMessage",
    security(("apiKey" = [])),
    params(MessageParameter),
    responses(
        (status = 204, description = "Nothing more of it is sent."),
        (status = 401, description = "The API key is missing, unknown or revoked."),
        (status = 404, description = "There is no such message, or none any more."),
    ))]
pub(super) async fn cancel(call: &mut Call) -> Answer {
    call.api_key().await?;
    let id = message(call)?;
    call.api.doorbell.cancel_message(id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is no id names no message.
fn message(call: &Call) -> Result<MessageId, Failure> {
    let segment = call.last_segment();
    segment
        .and_then(|text| MessageId::parse(&text))
        .ok_or(Failure::NotFound)
}

fn page(limit: Option<String>, after: Option<String>) -> Result<(u32, Option<JobId>), Failure> {
    let mut form = Form::default();
    let field = |value: Option<String>| value.map_or(Field::Absent, Field::Value);
    let limit = form.optional("limit", field(limit), |text| count(&text, MAX_LIMIT));
    let after = form.optional("after", field(after), |text| {
        JobId::parse(&text).ok_or("must be the id of a job")
    });
    form.finish()?;
    Ok((limit.unwrap_or(DEFAULT_LIMIT), after))
}

#[cfg(test)]
mod tests {
    use doorbell_domain::job::{FinalState, State};
    use doorbell_domain::store::{JobLine, MessageReport};
    use doorbell_domain::{DeviceUid, Provider, Timestamp, UserId};

    use super::*;

    const ID: &str = "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2";

    #[test]
    fn a_page_is_bounded_and_begins_behind_an_id() {
        let of = |limit: Option<&str>, after: Option<&str>| {
            page(limit.map(str::to_owned), after.map(str::to_owned))
        };
        assert_eq!(of(None, None), Ok((100, None)));
        assert_eq!(of(Some("1000"), Some(ID)), Ok((1_000, JobId::parse(ID))));
        for (limit, after, named) in [
            (Some("0"), None, vec!["limit"]),
            (Some("1001"), Some(""), vec!["limit", "after"]),
            (None, Some("null"), vec!["after"]),
        ] {
            let Err(Failure::Invalid(bad)) = of(limit, after) else {
                panic!("{limit:?} {after:?}")
            };
            assert_eq!(bad.into_iter().map(|field| field.name).collect::<Vec<_>>(), named);
        }
    }

    #[test]
    fn a_report_has_every_key_and_no_state_that_nothing_is_in() {
        let job = JobLine {
            id: JobId::parse(ID).expect("an id"),
            message: MessageId::parse(ID).expect("an id"),
            user: UserId::parse(ID).expect("an id"),
            device: DeviceUid::parse(ID).expect("an id"),
            provider: Provider::WebPush,
            state: State::Over(FinalState::Delivered),
            reason: None,
            attempts: 1,
            updated_at: Timestamp::from_micros(0),
        };
        let page = MessagePage {
            report: MessageReport {
                id: job.message,
                created_at: Timestamp::from_micros(0),
                counts: vec![(State::Pending, 2), (State::Over(FinalState::Delivered), 1)],
                jobs: vec![job],
            },
            next: Some(job.id),
        };
        let shown = serde_json::to_string(&ReportAnswer::from(page)).expect("JSON");
        let epoch = "1970-01-01T00:00:00.000Z";
        let expected = format!(
            r#"{{"id":"{ID}","createdAt":"{epoch}","counts":{{"pending":2,"delivered":1}},"jobs":[{{"id":"{ID}","userId":"{ID}","#
        ) + &format!(
            r#""deviceId":"{ID}","provider":"webpush","state":"delivered","reason":null,"attempts":1,"updatedAt":"{epoch}"}}],"#
        ) + &format!(r#""next":"{ID}"}}"#);
        assert_eq!(shown, expected);
    }
}
