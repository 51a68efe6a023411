//! The headers that answers carry whichever operation made them, described once for all.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Header, Ref, RefOr, Response};

use crate::dialect::Dialect;

const REQUEST_ID: &str = "X-Request-Id";
const CONTENT_TYPE_OPTIONS: &str = "X-Content-Type-Options";
const CACHE_CONTROL: &str = "Cache-Control";
const WWW_AUTHENTICATE: &str = "WWW-Authenticate";
const RETRY_AFTER: &str = "Retry-After";

/// Every one of them, for the document's components.
pub(super) fn shared() -> impl Iterator<Item = (String, RefOr<Header>)> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    [
        (
            REQUEST_ID,
            "The request's own, where it is of this form, or a new one: what to name when asking about it.",
            text().pattern(Some("^[A-Za-z0-9._-]{1,128}$")),
        ),
        (
            CONTENT_TYPE_OPTIONS,
            "The body is what `Content-Type` says.",
            text().enum_values(Some(["nosniff"])),
        ),
        (
            CACHE_CONTROL,
            "Who may keep the answer, and for how long (RFC 9111 §5.2.2).",
            text(),
        ),
        (
            WWW_AUTHENTICATE,
            "How to sign in (RFC 6750 §3).",
            text().enum_values(Some(["Bearer"])),
        ),
        (
            RETRY_AFTER,
            "After how many seconds to try again (RFC 9110 §10.2.3).",
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
        ),
    ]
    .into_iter()
    .map(|(name, description, schema)| {
        let header: Header = HeaderBuilder::new()
            .description(Some(description))
            .schema(Some(schema))
            .build();
        (name.to_owned(), header.into())
    })
}

/// Names in a response the headers that an answer of this status carries.
pub(super) fn name(response: &mut Response, status: u16, dialect: Dialect) {
    let mut names = vec![REQUEST_ID, CONTENT_TYPE_OPTIONS, CACHE_CONTROL];
    if status == 401 && dialect != Dialect::RocketChat {
        names.push(WWW_AUTHENTICATE);
    }
    if status == 429 || status == 503 {
        names.push(RETRY_AFTER);
    }
    for name in names {
        let reference = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(reference));
    }
}
