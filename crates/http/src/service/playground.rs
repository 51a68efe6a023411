//! The playground: a page that reads the document and tries its operations.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;

use super::page::{Page, Parts, parts};
use crate::call::Call;
use crate::failure::Failure;
use crate::routing::Answer;

const HTML: &str = include_str!("../../playground/index.html");

const PARTS: Parts = parts! {
    "playground":
    "answer.js",
    "badge.js",
    "bell.svg",
    "code.js",
    "credentials-panel.js",
    "credentials.js",
    "curl.js",
    "drafts.js",
    "element.js",
    "look.css",
    "markdown.js",
    "navigation.js",
    "openapi.js",
    "operation.js",
    "overview.js",
    "playground.css",
    "playground.js",
    "request.js",
    "server-picker.js",
    "servers.js",
    "trial.js",
    "typescript.js",
};

static PLAYGROUND: LazyLock<Page> = LazyLock::new(|| Page::new(HTML, &[PARTS]));

/// Open the playground.
///
/// A page that shows every operation and tries it: sign in through it, keep the token, send requests. It loads nothing
/// from elsewhere, and sends requests only to the server that it came from.
#[utoipa::path(get, path = "/docs", tag = "Service", operation_id = "getPlayground",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html",
            example = json!("<!doctype html>…")),
        (status = 304, description = "It is the one that `If-None-Match` names."),
    ))]
pub(super) async fn page(call: &mut Call) -> Answer {
    Ok(PLAYGROUND.open(call))
}

/// Get a part of the playground.
///
/// Its script and its style, under a version that changes with them, so that browsers keep them for good.
#[utoipa::path(get, path = "/docs/{version}/{name}", tag = "Service", operation_id = "getPlaygroundPart",
    params(
        ("version" = String, Path, description = "A digest of all parts.", pattern = "^[0-9a-f]{16}$", example = "0123456789abcdef"),
        ("name" = String, Path, description = "The part's file name.", pattern = r"^[a-z-]+[.](css|js|svg)$", example = "playground.js"),
    ),
    responses(
        (status = 200, description = "The part.", content(
            (String = "text/javascript", example = json!("export {};")),
            (String = "text/css", example = json!("body { margin: 0 }")),
            (String = "image/svg+xml", example = json!("<svg xmlns='http://www.w3.org/2000/svg'/>")),
        )),
        (status = 304, description = "It is the one that `If-None-Match` names."),
        (status = 404, description = "There is no such part in this version."),
    ))]
pub(super) async fn part(call: &mut Call) -> Answer {
    PLAYGROUND.part(call)
}

/// Go to the playground.
///
/// In development `/` leads there; in production there is nothing at `/`.
#[utoipa::path(get, path = "/", tag = "Service", operation_id = "openRoot",
    responses(
        (status = 303, description = "The playground is at `/docs`.",
            headers(("Location" = String, description = "`/docs`."))),
        (status = 404, description = "This server runs in production."),
    ))]
pub(super) async fn root(call: &mut Call) -> Answer {
    if call.api.is_development {
        Ok(HttpResponse::SeeOther()
            .insert_header((LOCATION, "/docs"))
            .finish())
    } else {
        Err(Failure::UnknownPath)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::page::files_of;
    use super::*;

    #[test]
    fn every_file_of_the_playground_is_in_the_binary() {
        let mut known: BTreeSet<String> = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        known.insert("index.html".to_owned());
        assert_eq!(files_of("playground"), known);
    }
}
