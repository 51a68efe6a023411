//! What an error looks like in its dialect: its schema, and as an example the very answer that is rendered.

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use time::Duration;
use utoipa::ToSchema;
use utoipa::openapi::{Content, Ref, RefOr, Response, Schema};

use crate::dialect::Dialect;
use crate::dialects::{allmine, easyflow, rocketchat};
use crate::failure::Failure;
use crate::instant::Instant;
use crate::problem::{self, Problem};
use crate::routing::Schemas;

/// Gives the response of a failed request the content that its dialect answers.
pub(super) fn fill(response: &mut Response, status: u16, dialect: Dialect, schemas: &mut Schemas) {
    let Some(failure) = exemplary(status, dialect) else {
        return;
    };
    let (schema, answer) = match dialect {
        Dialect::Allmine => (
            schema_of::<allmine::ErrorEnvelope>(schemas),
            allmine::answer(&failure, Some(moment())),
        ),
        Dialect::RocketChat if failure == Failure::Unauthenticated => (
            schema_of::<rocketchat::NotLoggedIn>(schemas),
            // As Rocket.Chat's documents show it; its servers send two keys more, and so does this one.
            HttpResponse::Unauthorized()
                .json(json!({"status": "error", "message": "You must be logged in to do this."})),
        ),
        Dialect::RocketChat => (
            schema_of::<rocketchat::CodedError>(schemas),
            rocketchat::render(&failure),
        ),
        Dialect::Easyflow => (
            schema_of::<easyflow::ErrorAnswer>(schemas),
            easyflow::answer(&failure, None),
        ),
        Dialect::Problem => (schema_of::<Problem>(schemas), problem::render(&failure)),
    };
    let media_type = answer
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/json")
        .to_owned();
    let mut content = Content::new(Some(schema));
    content.example = body_of(answer);
    response.content.insert(media_type, content.into());
}

/// A failure that a status stands for. One that no table knows leaves the response without content, which a test sees.
fn exemplary(status: u16, dialect: Dialect) -> Option<Failure> {
    Some(match (status, dialect) {
        (400, Dialect::RocketChat) => Failure::field("type", "is required"),
        (400, Dialect::Problem) => Failure::field("endpoint", "must be an https URL"),
        (400, Dialect::Allmine | Dialect::Easyflow) => Failure::Invalid(Vec::new()),
        (401, _) => Failure::Unauthenticated,
        (403, _) => Failure::Forbidden,
        (404, _) => Failure::NotFound,
        (408, _) => Failure::Slow,
        (409, _) => Failure::Conflict,
        (413, _) => Failure::TooLarge,
        (415, _) => Failure::UnsupportedMediaType,
        (429, _) => Failure::TooMany(Duration::seconds(42)),
        (503, _) => Failure::Unavailable,
        (500, _) => Failure::Internal,
        _ => return None,
    })
}

/// The instant of the examples.
fn moment() -> Instant {
    Instant(doorbell_domain::Timestamp::from_micros(1_768_473_000_000_000))
}

fn schema_of<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn body_of(answer: HttpResponse) -> Option<Value> {
    let bytes = answer.into_body().try_into_bytes().ok()?;
    serde_json::from_slice(&bytes).ok()
}
