//! The headers that answers carry whichever operation made them, described once for all.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Header, Ref, RefOr, Response};

use crate::dialect::Dialect;

const REQUEST_ID: &str = "X-Request-Id";
const CONTENT_TYPE_OPTIONS: &str = "X-Content-Type-Options";
const CACHE_CONTROL: &str = "Cache-Control";
const FRAME_OPTIONS: &str = "X-Frame-Options";
const REFERRER_POLICY: &str = "Referrer-Policy";
const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";
const STRICT_TRANSPORT_SECURITY: &str = "Strict-Transport-Security";
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
            FRAME_OPTIONS,
            "No page may frame the answer (RFC 7034).",
            text().enum_values(Some(["DENY"])),
        ),
        (
            REFERRER_POLICY,
            "The address of the answer is told to nobody.",
            text().enum_values(Some(["no-referrer"])),
        ),
        (
            CONTENT_SECURITY_POLICY,
            "What the answer may load and who may frame it: nothing and nobody, but for the playground's own parts.",
            text(),
        ),
        (
            STRICT_TRANSPORT_SECURITY,
            "That this host is to be asked by https alone (RFC 6797); in production only.",
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
    let mut names = vec![
        REQUEST_ID,
        CONTENT_TYPE_OPTIONS,
        CACHE_CONTROL,
        FRAME_OPTIONS,
        REFERRER_POLICY,
        CONTENT_SECURITY_POLICY,
        STRICT_TRANSPORT_SECURITY,
    ];
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
