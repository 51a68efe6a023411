//! A page and what it loads, all of it in the binary.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};

use super::asset::{Asset, digest};
use crate::call::Call;
use crate::failure::Failure;
use crate::routing::Answer;

/// Nothing from elsewhere, nothing inline, no frame around it: what a page that holds an access token may need. A service worker is
/// a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Where the page names the version of its parts.
const VERSION_MARK: &str = "{version}";

/// What a page loads, by file name: text that is in the binary.
pub(super) type Parts = &'static [(&'static str, &'static str)];

/// The parts in a folder beside `src`.
macro_rules! parts {
    ($folder:literal: $($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../", $folder, "/", $name))),)*]
    };
}
pub(super) use parts;

/// A page, and its parts under a version that is a digest of them all.
pub(super) struct Page {
    version: String,
    html: Asset,
    parts: BTreeMap<&'static str, Asset>,
}

impl Page {
    /// The page of this HTML, in which [`VERSION_MARK`] stands for the version, and of the parts in these folders.
    pub(super) fn new(html: &str, folders: &[Parts]) -> Self {
        let parts = || folders.iter().copied().flatten();
        let bytes: Vec<&[u8]> = parts().map(|(_, text)| text.as_bytes()).collect();
        let version = digest(&bytes);
        Self {
            html: Asset::new("text/html; charset=utf-8", html.replace(VERSION_MARK, &version)),
            parts: parts()
                .map(|(name, text)| (*name, Asset::new(media_type_of(name), *text)))
                .collect(),
            version,
        }
    }

    /// The answer to whoever opens it.
    pub(super) fn open(&self, call: &Call) -> HttpResponse {
        let mut answer = self.html.revalidated(&call.request);
        let headers = answer.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(
            CROSS_ORIGIN_OPENER_POLICY,
            HeaderValue::from_static("same-origin"),
        );
        answer
    }

    /// The part that the path names by `version` and `name`.
    pub(super) fn part(&self, call: &Call) -> Answer {
        let path = call.request.match_info();
        let found = self
            .parts
            .get(path.query("name"))
            .filter(|_| path.query("version") == self.version);
        Ok(found.ok_or(Failure::NotFound)?.for_good(&call.request))
    }
}

/// The type of a part, by the end of its name.
pub(super) fn media_type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

/// What lies in a folder beside `src`, by name.
#[cfg(test)]
pub(super) fn files_of(folder: &str) -> std::collections::BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(path).expect("the folder");
    files
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect()
}
