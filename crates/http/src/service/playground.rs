//! The playground: a page that reads the document and tries its operations. All of it is in the binary.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION};

use super::asset::{Asset, digest};
use crate::call::Call;
use crate::failure::Failure;
use crate::routing::Answer;

/// Nothing from elsewhere, nothing inline, no frame around it: what a page that holds an access token may need.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Where the page names the version of its parts.
const VERSION_MARK: &str = "{version}";

const PAGE: &str = include_str!("../../playground/index.html");

macro_rules! parts {
    ($($name:literal,)*) => {
        /// What the page loads, by file name.
        const PARTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../playground/", $name))),)*];
    };
}

parts! {
    "answer.js",
    "badge.js",
    "bell.svg",
    "code.js",
    "credentials-panel.js",
    "credentials.js",
    "curl.js",
    "drafts.js",
    "element.js",
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
}

fn media_type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

/// The page and its parts, the version of the parts being a digest of them all.
struct Playground {
    version: String,
    page: Asset,
    parts: BTreeMap<&'static str, Asset>,
}

static PLAYGROUND: LazyLock<Playground> = LazyLock::new(|| {
    let bytes: Vec<&[u8]> = PARTS.iter().map(|(_, text)| text.as_bytes()).collect();
    let version = digest(&bytes);
    Playground {
        page: Asset::new("text/html; charset=utf-8", PAGE.replace(VERSION_MARK, &version)),
        parts: PARTS
            .iter()
            .map(|(name, text)| (*name, Asset::new(media_type_of(name), *text)))
            .collect(),
        version,
    }
});

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
    let mut answer = PLAYGROUND.page.revalidated(&call.request);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(
        CROSS_ORIGIN_OPENER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(answer)
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
    let path = call.request.match_info();
    let found = PLAYGROUND
        .parts
        .get(path.query("name"))
        .filter(|_| path.query("version") == PLAYGROUND.version);
    Ok(found.ok_or(Failure::NotFound)?.for_good(&call.request))
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
    if call.api.leads_to_playground {
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
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_playground_is_in_the_binary() {
        let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/playground")).expect("the folder");
        let files: BTreeSet<String> = folder
            .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "index.html")
            .collect();
        let known: BTreeSet<String> = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(files, known);
    }
}
