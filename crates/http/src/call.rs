//! One request on its way through a handler.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpRequest, rt};
use doorbell_domain::secret::Secret;
use doorbell_domain::text::Fingerprint;
use doorbell_domain::{ApiKeyId, Caller, UserId};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::MAX_BODY;
use crate::api::Api;
use crate::failure::Failure;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A request, its body not yet read.
pub(crate) struct Call {
    pub(crate) api: web::Data<Api>,
    pub(crate) request: HttpRequest,
    payload: web::Payload,
    /// Who was authenticated, and what they showed: what a failure's admission is judged by.
    pub(crate) seen: Option<(Caller, Option<Fingerprint>)>,
}

impl Call {
    pub(crate) fn new(api: web::Data<Api>, request: HttpRequest, payload: web::Payload) -> Self {
        Self {
            api,
            request,
            payload,
            seen: None,
        }
    }

    /// Who speaks, by `Authorization: Bearer` (RFC 6750 §2.1), the scheme in any case.
    pub(crate) fn bearer(&mut self) -> Result<Caller, Failure> {
        let request = self.request.clone();
        let token = bearer_token(request.headers()).ok_or(Failure::Unauthenticated)?;
        self.authenticate(token)
    }

    /// Which back end speaks, by its API key as a bearer token.
    pub(crate) async fn api_key(&self) -> Result<ApiKeyId, Failure> {
        let text = self.api_key_text()?;
        let known = self.api.doorbell.api_key(&Secret::new(text)).await?;
        known.ok_or(Failure::Unauthenticated)
    }

    /// The text that is, or is not, an API key.
    pub(crate) fn api_key_text(&self) -> Result<&str, Failure> {
        bearer_token(self.request.headers()).ok_or(Failure::Unauthenticated)
    }

    /// Who speaks, by `X-Auth-Token`, which must be a token of `X-User-Id`.
    pub(crate) fn auth_token(&mut self) -> Result<Caller, Failure> {
        let request = self.request.clone();
        let headers = request.headers();
        let token = single(headers, "x-auth-token").ok_or(Failure::Unauthenticated)?;
        let user = single(headers, "x-user-id")
            .and_then(UserId::parse)
            .ok_or(Failure::Unauthenticated)?;
        let caller = self.authenticate(token)?;
        if caller.user == user {
            Ok(caller)
        } else {
            self.seen = None;
            Err(Failure::Unauthenticated)
        }
    }

    fn authenticate(&mut self, token: &str) -> Result<Caller, Failure> {
        let caller = self
            .api
            .doorbell
            .authenticate(token)
            .ok_or(Failure::Unauthenticated)?;
        self.seen = Some((caller, None));
        Ok(caller)
    }

    /// The body as a JSON object, by its content type and its bytes.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        self.json_and_bytes().await.map(|(read, _)| read)
    }

    /// The same, with the bytes that it was read from.
    pub(crate) async fn json_and_bytes<T: DeserializeOwned>(&mut self) -> Result<(T, Bytes), Failure> {
        let bytes = self.bytes().await?;
        if !is_json(self.request.headers()) {
            return Err(Failure::UnsupportedMediaType);
        }
        let read = parse_object(&bytes).ok_or(Failure::InvalidJson)?;
        Ok((read, bytes))
    }

    /// The body's bytes, at most [`MAX_BODY`] of them.
    pub(crate) async fn bytes(&mut self) -> Result<Bytes, Failure> {
        let declared =
            single(self.request.headers(), CONTENT_LENGTH.as_str()).and_then(|n| n.parse::<usize>().ok());
        if declared.is_some_and(|length| length > MAX_BODY) {
            return Err(Failure::TooLarge);
        }
        let read = async {
            let mut bytes = BytesMut::with_capacity(declared.unwrap_or(0));
            while let Some(chunk) = self.payload.next().await {
                let chunk = chunk.map_err(|error| match error {
                    PayloadError::Overflow => Failure::TooLarge,
                    _ => Failure::InvalidJson,
                })?;
                if bytes.len() + chunk.len() > MAX_BODY {
                    return Err(Failure::TooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes.freeze())
        };
        rt::time::timeout(BODY_TIME, read)
            .await
            .unwrap_or(Err(Failure::Slow))
    }

    /// The last segment of the path, percent-decoded once; `None` if it is not UTF-8.
    ///
    /// Taken from the request line: the router's own copy is decoded in part already, and has lost what is not
    /// UTF-8.
    pub(crate) fn last_segment(&self) -> Option<String> {
        self.segment_before(0)
    }

    /// The same of the segment that `after` others follow.
    pub(crate) fn segment_before(&self, after: usize) -> Option<String> {
        let raw = self.request.uri().path().rsplit('/').nth(after)?;
        let decoded = percent_decode(raw)?;
        String::from_utf8(decoded).ok()
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(self.request.query_string()).ok()?;
        pairs
            .into_inner()
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

/// A header that stands in the request exactly once, in UTF-8.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut lines = headers.get_all(name);
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    std::str::from_utf8(line.as_bytes()).ok()
}

/// What `Authorization: Bearer` carries.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = single(headers, AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(header) = single(headers, CONTENT_TYPE.as_str()) else {
        return false;
    };
    let kind = header.split(';').next().unwrap_or("");
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Reads a JSON object. An array would also do for serde, and put values in fields by their position.
pub(crate) fn parse_object<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return None;
    }
    // Read from text, because from bytes serde_json passes over a field that nobody asked for without looking at
    // its encoding.
    serde_json::from_str(std::str::from_utf8(bytes).ok()?).ok()
}

/// RFC 3986 §2.1; a `%` without two hexadecimal digits is no encoding at all.
fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of which no field is asked for.
    #[derive(serde::Deserialize)]
    struct Nothing {}

    #[test]
    fn only_an_object_is_a_body() {
        assert!(parse_object::<serde_json::Value>(b" {\"a\":1}").is_some());
        for bad in [
            "",
            "[]",
            "null",
            "\"x\"",
            "{",
            "{\"a\":\"\\ud800\"}",
            "\u{feff}{}",
            "{} x",
        ] {
            assert!(
                parse_object::<serde_json::Value>(bad.as_bytes()).is_none(),
                "{bad}"
            );
        }
        assert!(parse_object::<Nothing>(b"{\"a\":\"b\"}").is_some());
        assert!(parse_object::<Nothing>(b"{\"a\":\"\xff\"}").is_none());
        let deep = format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert!(parse_object::<serde_json::Value>(deep.as_bytes()).is_none());
    }

    #[test]
    fn a_path_segment_is_decoded_once() {
        assert_eq!(percent_decode("a%2Fb%25").as_deref(), Some(b"a/b%".as_slice()));
        assert_eq!(percent_decode("a%2"), None);
        assert_eq!(percent_decode("a%zz"), None);
    }
}
