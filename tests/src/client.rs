//! Requests to a server.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::{Answer, SignedIn};

/// A client that follows nothing and goes through no proxy. It speaks no TLS, so it need not read the machine's
/// certificates.
pub(crate) fn new() -> Client {
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_mins(1))
        .build()
        .expect("an HTTP client")
}

/// A request about to be sent.
#[must_use = "it is sent by `send`"]
#[derive(Debug)]
pub struct Request {
    builder: RequestBuilder,
    method: Method,
    path: String,
}

impl Request {
    pub(crate) fn new(client: &Client, method: Method, address: &str, path: &str) -> Self {
        assert!(path.starts_with('/'), "{path:?} is no path");
        let builder = client.request(method.clone(), format!("http://{address}{path}"));
        Self {
            builder,
            method,
            path: path.to_owned(),
        }
    }

    /// With that header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.builder = self.builder.header(name, value.as_ref());
        self
    }

    /// With that access token, as Allmine, easyflow and oCore take it.
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Bearer {token}"))
    }

    /// As that person, as Allmine, easyflow and oCore take it.
    pub fn by(self, person: &SignedIn) -> Self {
        self.bearer(&person.access)
    }

    /// With that access token and user id, as Rocket.Chat takes them.
    pub fn rocket(self, token: &str, user: &str) -> Self {
        self.header("X-Auth-Token", token).header("X-User-Id", user)
    }

    /// As that person, as Rocket.Chat takes it.
    pub fn rocket_by(self, person: &SignedIn) -> Self {
        self.rocket(&person.access, &person.user_id)
    }

    /// With that fingerprint, as easyflow wants one.
    pub fn fingerprint(self, fingerprint: &str) -> Self {
        self.header("x-fingerprint-id", fingerprint)
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body of any kind, sent with its length.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.builder = self.builder.header(CONTENT_TYPE, content_type).body(body.into());
        self
    }

    /// With a body and no word of what it is.
    pub fn untyped_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.builder = self.builder.body(body.into());
        self
    }

    /// Sends it. What every answer must have is asserted here.
    pub async fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.path);
        let answer = self.attempt().await;
        answer.unwrap_or_else(|error| panic!("{asked}: {error:?}"))
    }

    /// Sends it to a server that may be killed over it; `Err` where the connection ended before the answer did.
    pub async fn attempt(self) -> Result<Answer, reqwest::Error> {
        let response = self.builder.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        Ok(Answer::new(
            self.method,
            self.path,
            status,
            headers,
            body.to_vec(),
        ))
    }
}
