//! What a server answered.

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// A whole answer. That it carries what every answer must is already asserted.
#[derive(Debug)]
pub struct Answer {
    method: Method,
    path: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(
        method: Method,
        path: String,
        status: StatusCode,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Self {
        let answer = Self {
            method,
            path,
            status,
            headers,
            body,
        };
        answer.assert_common();
        answer
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header's value, if it is there once and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its headers and its body, as text.
    pub fn whole(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            format!("{name}: {value}\n")
        });
        headers.collect::<String>() + &self.text()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// Asserts the status, and hands the answer on.
    #[track_caller]
    #[must_use = "what was answered is as telling as its status; else use `assert_status`"]
    pub fn expect(self, status: u16) -> Self {
        self.assert_status(status);
        self
    }

    /// Asserts the status.
    #[track_caller]
    pub fn assert_status(&self, status: u16) {
        assert_eq!(self.status(), status, "{self}");
    }

    pub(crate) fn asked(&self) -> (&Method, &str) {
        (&self.method, &self.path)
    }

    /// The reason phrase of its status.
    pub(crate) fn reason(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or_default()
    }

    fn assert_common(&self) {
        let id = self.header("x-request-id");
        assert!(id.is_some_and(|id| !id.is_empty()), "no X-Request-Id: {self}");
        assert_eq!(
            self.header("x-content-type-options"),
            Some("nosniff"),
            "X-Content-Type-Options: {self}"
        );
        assert_eq!(
            (self.header("x-frame-options"), self.header("referrer-policy")),
            (Some("DENY"), Some("no-referrer")),
            "X-Frame-Options, Referrer-Policy: {self}"
        );
        let policy = self.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.starts_with("default-src 'none';") && policy.ends_with("frame-ancestors 'none'"),
            "Content-Security-Policy: {self}"
        );
        // A browser's question of what it may ask is answered for the path, not with what is there.
        let taken = self.method != Method::OPTIONS
            && (self.status.is_success() || self.status == StatusCode::NOT_MODIFIED);
        let cached = match self.path.as_str() {
            "/.well-known/jwks.json" if taken => "public, max-age=300",
            "/openapi.json" | "/docs" | "/demo" | "/demo/worker.js" if taken => "no-cache",
            path if taken
                && ["/docs/", "/demo/assets/"]
                    .iter()
                    .any(|parts| path.starts_with(parts)) =>
            {
                "public, max-age=31536000, immutable"
            }
            _ => "no-store",
        };
        assert_eq!(
            self.header("cache-control"),
            Some(cached),
            "Cache-Control: {self}"
        );
        assert_ne!(
            self.status(),
            500,
            "nothing that a test does is an internal error: {self}"
        );
        match self.status() {
            405 => assert!(self.header("allow").is_some(), "405 without Allow: {self}"),
            429 | 503 => {
                let after = self
                    .header("retry-after")
                    .and_then(|after| after.parse::<u64>().ok());
                assert!(after.is_some(), "no Retry-After in seconds: {self}");
            }
            _ => {}
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            method,
            path,
            status,
            headers,
            ..
        } = self;
        write!(
            f,
            "{method} {path} was answered {status} {headers:?} {}",
            self.text()
        )
    }
}
