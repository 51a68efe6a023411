//! Which pages of other origins may call from a browser (the Fetch standard, §3.2), and what they are told.
//!
//! Nobody, unless an origin is listed. Access tokens travel in headers that a page sets itself, so cookies are never let
//! through (`Access-Control-Allow-Credentials` is never said).

use std::net::Ipv6Addr;
use std::str::FromStr;

use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use actix_web::{HttpRequest, HttpResponse};

/// What the dialects read of a request's headers, beyond what every page may set.
const REQUEST_HEADERS: &str =
    "authorization, content-type, x-auth-token, x-user-id, x-fingerprint-id, x-request-id";

/// What a page may read of an answer's headers, beyond what every page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id, retry-after, www-authenticate");

/// For how many seconds a browser may keep the answer to a preflight.
const MAX_AGE: &str = "600";

/// A web origin as browsers write it (RFC 6454 §6.2): scheme, host, and the port where it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = String;

    /// Takes an origin only as browsers write it, since it is compared byte by byte: `*`, `null`, a path, a capital letter or
    /// a port that goes without saying would never be met, or be met by everybody.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "DOORBELL_CORS_ORIGINS: `{text}` is no origin as browsers write one: scheme://host[:port], in lower case, \
                 without a path or the scheme's own port"
            )
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(refused)?;
        let (host, port) = match rest.rfind(']').map(|end| rest.split_at(end + 1)) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(refused)?)),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        if is_scheme(scheme) && is_host(host) && port.is_none_or(|port| is_port_of(scheme, port)) {
            HeaderValue::from_str(text).map(Self).map_err(|_| refused())
        } else {
            Err(refused())
        }
    }
}

fn is_scheme(text: &str) -> bool {
    let rest =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(rest)
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        // As browsers shorten it.
        return inner
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.to_string() == inner);
    }
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.bytes().all(allowed)
}

fn is_port_of(scheme: &str, text: &str) -> bool {
    let goes_without_saying = matches!((scheme, text), ("http", "80") | ("https", "443"));
    let port = text.parse::<u16>().ok().filter(|port| *port > 0);
    !goes_without_saying && port.is_some_and(|port| port.to_string() == text)
}

/// The origins whose pages may call; none by default.
#[derive(Clone, Debug, Default)]
pub struct Cors(Vec<Origin>);

impl Cors {
    /// Lets pages of these origins call.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// The origin that a request comes from, where it is listed.
    pub(crate) fn listed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(ORIGIN);
        let origin = origins.next()?;
        let known = self.0.iter().find(|Origin(known)| known == origin)?;
        origins.next().is_none().then(|| known.0.clone())
    }

    /// Tells a browser whether a page of that origin may read this answer.
    pub(crate) fn tell(&self, listed: Option<HeaderValue>, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        // Also where it is not listed: a cache must not give one origin's answer to another.
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = listed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    /// The answer to a browser that asks whether a page may use one of the path's `methods`; `None` where nothing of that
    /// kind was asked, or by a page that is not listed.
    pub(crate) fn preflight(&self, request: &HttpRequest, methods: &str) -> Option<HttpResponse> {
        let headers = request.headers();
        let asks =
            *request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        self.listed(headers)?;
        Some(
            HttpResponse::NoContent()
                .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods))
                .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
                .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE))
                .finish(),
        )
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_origin_is_taken_only_as_browsers_write_it() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000",
            "https://app.example.com:8443",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
            "capacitor://localhost",
        ] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "https://*",
            "https://*.example.com",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:",
            "https://app.example.com:0",
            "https://app.example.com:08443",
            "https://app.example.com:99999",
            "HTTPS://app.example.com",
            "https://App.example.com",
            "https://user@app.example.com",
            "https://a b",
            "https://bücher.example",
            "http://[::1]x",
            "http://[0:0::1]",
            "http://[nothing]",
        ] {
            let refusal = bad.parse::<Origin>().expect_err(bad);
            assert!(refusal.starts_with("DOORBELL_CORS_ORIGINS"), "{refusal}");
        }
    }

    #[test]
    fn origins_are_compared_byte_by_byte() {
        let cors = Cors::new(vec!["https://app.example.com".parse().expect("an origin")]);
        let listed = |origin: &str| {
            let request = TestRequest::default()
                .insert_header((ORIGIN, origin))
                .to_http_request();
            cors.listed(request.headers()).is_some()
        };
        assert!(listed("https://app.example.com"));
        for stranger in [
            "https://app.example.com.evil.example",
            "https://evil.example/https://app.example.com",
            "https://xapp.example.com",
            "https://app.example.com:443",
            "http://app.example.com",
            "https://APP.example.com",
            "null",
            "*",
            "",
        ] {
            assert!(!listed(stranger), "{stranger}");
        }
        let twice = TestRequest::default()
            .append_header((ORIGIN, "https://app.example.com"))
            .append_header((ORIGIN, "https://app.example.com"))
            .to_http_request();
        assert!(cors.listed(twice.headers()).is_none());
    }
}
