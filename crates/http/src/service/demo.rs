//! The demo: a page that rings the browser it is shown in. In development only.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use doorbell_domain::MessageId;
use doorbell_domain::text::Text;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::asset::Asset;
use super::page::{Page, Parts, media_type_of, parts};
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::messages::{AcceptedAnswer, ReportAnswer};
use crate::problem::Problem;
use crate::routing::Answer;

const HTML: &str = include_str!("../../demo/index.html");

const PARTS: Parts = parts! {
    "demo":
    "api.js",
    "browser.js",
    "demo.css",
    "demo.js",
    "ring.js",
};

/// What it has from the playground, whose sign-in it shares.
const SHARED: Parts = parts! {
    "playground":
    "bell.svg",
    "credentials.js",
    "element.js",
    "look.css",
};

/// The service worker has an address that never changes: browsers take one of another address for another.
const WORKER_NAME: &str = "worker.js";
const WORKER_TEXT: &str = include_str!("../../demo/worker.js");

static DEMO: LazyLock<Page> = LazyLock::new(|| Page::new(HTML, &[PARTS, SHARED]));
static WORKER: LazyLock<Asset> = LazyLock::new(|| Asset::new(media_type_of(WORKER_NAME), WORKER_TEXT));

/// In production there is no such path.
fn in_development(call: &Call) -> Result<(), Failure> {
    call.api.is_development.then_some(()).ok_or(Failure::UnknownPath)
}

/// What to ring with.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default)]
#[schema(as = DemoRingRequest)]
pub(super) struct RingBody {
    /// What the notification says.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "Somebody is at the door.")]
    text: Field<String>,
}

/// Open the demo.
///
/// A page that signs a phone in, subscribes the browser and rings it. In development only.
#[utoipa::path(get, path = "/demo", tag = "Service", operation_id = "getDemo",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html",
            example = json!("<!doctype html>…")),
        (status = 304, description = "It is the one that `If-None-Match` names."),
        (status = 404, description = "This server runs in production."),
    ))]
pub(super) async fn page(call: &mut Call) -> Answer {
    in_development(call)?;
    Ok(DEMO.open(call))
}

/// Get a part of the demo.
///
/// Its script and its style, under a version that changes with them, so that browsers keep them for good. In development only.
#[utoipa::path(get, path = "/demo/assets/{version}/{name}", tag = "Service", operation_id = "getDemoPart",
    params(
        ("version" = String, Path, description = "A digest of all parts.", pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"),
        ("name" = String, Path, description = "The part's file name.", pattern = r"^[a-z-]+[.](css|js|svg)$", example = "demo.js"),
    ),
    responses(
        (status = 200, description = "The part.", content(
            (String = "text/javascript", example = json!("export {};")),
            (String = "text/css", example = json!("body { margin: 0 }")),
            (String = "image/svg+xml", example = json!("<svg xmlns='http://www.w3.org/2000/svg'/>")),
        )),
        (status = 304, description = "It is the one that `If-None-Match` names."),
        (status = 404, description = "There is no such part in this version, or this server runs in production."),
    ))]
pub(super) async fn part(call: &mut Call) -> Answer {
    in_development(call)?;
    DEMO.part(call)
}

/// Get the demo's service worker.
///
/// The script that a browser wakes when it is rung: it shows the notification. In development only.
#[utoipa::path(get, path = "/demo/worker.js", tag = "Service", operation_id = "getDemoWorker",
    responses(
        (status = 200, description = "The script.", body = String, content_type = "text/javascript",
            example = json!("self.addEventListener('push', show);")),
        (status = 304, description = "It is the one that `If-None-Match` names."),
        (status = 404, description = "This server runs in production."),
    ))]
pub(super) async fn worker(call: &mut Call) -> Answer {
    in_development(call)?;
    Ok(WORKER.revalidated(&call.request))
}

/// Ring the caller's own devices.
///
/// Sends them a notification with this text, the way of every message; `getDemoRing` tells what became of it. At most once a
/// second. In development only: Rocket.Chat's `testPush` is the like of it for production.
#[utoipa::path(post, path = "/demo/ring", tag = "Service", operation_id = "ringDemo",
    request_body(content = RingBody, example = json!({"text": "Somebody is at the door."})),
    security(("bearer" = [])),
    responses(
        (status = 202, description = "Accepted: it is in the database, and on its way.", body = AcceptedAnswer,
            example = json!({"id": "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "jobs": 1})),
        (status = 400, description = "There is no text, or none of the caller's devices can be rung.", body = Problem,
            content_type = "application/problem+json", example = json!({"type": "urn:doorbell:problem:invalid_field",
                "title": "Bad Request", "status": 400, "detail": "text: is required", "code": "invalid_field"})),
        (status = 404, description = "This server runs in production."),
        (status = 413, description = "The text is more than a push carries once it is written as JSON."),
        (status = 429, description = "The last ring was less than a second ago."),
    ))]
pub(super) async fn ring(call: &mut Call) -> Answer {
    in_development(call)?;
    let caller = call.bearer()?;
    let body: RingBody = call.json().await?;
    let mut form = Form::of(&body);
    let text = form.required("text", body.text, Text::parse);
    let Some(text) = text else {
        return Err(form.failure());
    };
    let accepted = call.api.doorbell.test_push(caller, text).await?;
    Ok(HttpResponse::Accepted().json(AcceptedAnswer::from(accepted)))
}

/// Get what became of a ring.
///
/// Of one that the caller sent, as `getMessage` tells it of any message. In development only.
#[utoipa::path(get, path = "/demo/rings/{id}", tag = "Service", operation_id = "getDemoRing",
    params(("id" = String, Path, description = "The ring's id.", format = "uuid", example = "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f")),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The ring and its jobs.", body = ReportAnswer,
            example = json!({"id": "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "createdAt": "2026-01-15T10:30:00.000Z",
                "counts": {"delivered": 1}, "jobs": [
                    {"id": "019ae1f4-2b3c-7d4e-8f51-7b8c9d0e1f20", "userId": "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70",
                        "deviceId": "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091", "provider": "webpush", "state": "delivered",
                        "reason": null, "attempts": 1, "updatedAt": "2026-01-15T10:30:00.180Z"}],
                "next": null})),
        (status = 404, description = "The caller sent no such ring, or this server runs in production."),
    ))]
pub(super) async fn report(call: &mut Call) -> Answer {
    in_development(call)?;
    let caller = call.bearer()?;
    let segment = call.last_segment();
    // What is no id names no ring.
    let id = segment
        .and_then(|text| MessageId::parse(&text))
        .ok_or(Failure::NotFound)?;
    let page = call.api.doorbell.own_message(caller, id).await?;
    Ok(HttpResponse::Ok().json(ReportAnswer::from(page)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::page::files_of;
    use super::*;

    #[test]
    fn every_file_of_the_demo_is_in_the_binary() {
        let mut known: BTreeSet<String> = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        known.extend(["index.html", WORKER_NAME].map(str::to_owned));
        assert_eq!(files_of("demo"), known);
    }
}
