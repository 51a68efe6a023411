//! People who sign in, and the requests they send.

use std::time::Instant;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::contenders::CONNECTIONS;
use crate::load;

/// A signed-in person.
pub(crate) struct Person {
    /// Who it is.
    pub(crate) id: String,
    token: String,
    refresh: String,
}

/// Those who signed in, and how fast.
pub(crate) struct Arrivals {
    pub(crate) people: Vec<Person>,
    /// Requests for a code a second.
    pub(crate) sends: f64,
    /// Codes verified a second.
    pub(crate) verifies: f64,
}

/// Signs `count` people in, each with a number of their own.
pub(crate) async fn sign_in(address: &str, count: usize) -> anyhow::Result<Arrivals> {
    let number = |n: usize| format!("53{:08}", 10_000_000 + n * 37);
    let asks: Vec<_> = (0..count)
        .map(|n| {
            let body = json!({"countryCode": "90", "phoneNumber": number(n)});
            request("POST", "/api/v1/auth/send-otp", "", Some(&body))
        })
        .collect();
    let began = Instant::now();
    let answers = load::once(address, &asks, CONNECTIONS).await?;
    let sends = rate(count, began)?;
    let mut verifies = Vec::with_capacity(count);
    for (n, answer) in answers.iter().enumerate() {
        let answer: Value = serde_json::from_slice(answer)?;
        let code = answer
            .get("code")
            .context("the server must be in development mode")?;
        let body = json!({"countryCode": "90", "phoneNumber": number(n), "code": code});
        verifies.push(request("POST", "/api/v1/auth/verify-otp", "", Some(&body)));
    }
    let began = Instant::now();
    let answers = load::once(address, &verifies, CONNECTIONS).await?;
    let verifies = rate(count, began)?;
    let people = answers
        .iter()
        .map(|answer| Person::of(answer))
        .collect::<Result<_, _>>()?;
    Ok(Arrivals {
        people,
        sends,
        verifies,
    })
}

/// How many a second that was.
pub(crate) fn rate(count: usize, began: Instant) -> anyhow::Result<f64> {
    Ok(f64::from(u32::try_from(count)?) / began.elapsed().as_secs_f64())
}

/// A token of an Android app's `n`th installation, as long as FCM's are.
pub(crate) fn device_token(n: usize) -> String {
    format!("{n:08}:{}", "APA91b".repeat(24))
}

/// The keys of a browser.
pub(crate) fn browser_keys() -> Value {
    json!({
        // The receiver's key of RFC 8291 appendix A.
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": URL_SAFE_NO_PAD.encode([7; 16]),
    })
}

impl Person {
    fn of(answer: &[u8]) -> anyhow::Result<Self> {
        let answer: Value = serde_json::from_slice(answer)?;
        let text = |name: &str| {
            let text = answer.get(name).and_then(Value::as_str);
            text.map(ToOwned::to_owned).with_context(|| format!("no {name}"))
        };
        let token = text("accessToken")?;
        let claims = token.split('.').nth(1).context("no claims")?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
        let id = claims.get("sub").and_then(Value::as_str).context("no sub")?;
        Ok(Self {
            id: id.to_owned(),
            token,
            refresh: text("refreshToken")?,
        })
    }

    /// Registers the person's phone.
    pub(crate) fn device_token(&self, n: usize) -> Vec<u8> {
        let body = json!({
            "token": device_token(n), "platform": "android", "deviceId": format!("pixel-8-{n}"), "timezone": "Europe/Istanbul",
        });
        request(
            "POST",
            "/api/v1/notifications/device-token",
            &self.bearer(),
            Some(&body),
        )
    }

    /// Subscribes the person's browser.
    pub(crate) fn subscribe(&self, n: usize) -> Vec<u8> {
        self.subscribe_at(&format!(
            "https://updates.push.services.mozilla.com/wpush/v2/{n:08}"
        ))
    }

    /// Subscribes a browser that is rung at `endpoint`.
    pub(crate) fn subscribe_at(&self, endpoint: &str) -> Vec<u8> {
        let body = json!({"endpoint": endpoint, "deviceName": "Laptop", "keys": browser_keys()});
        request("POST", "/push/subscribe", &self.bearer(), Some(&body))
    }

    /// Lists the person's subscriptions.
    pub(crate) fn subscriptions(&self) -> Vec<u8> {
        request("GET", "/push/subscriptions", &self.bearer(), None)
    }

    /// Lists the person's devices.
    pub(crate) fn devices(&self) -> Vec<u8> {
        let headers = format!("{}x-fingerprint-id: fp-bench\r\n", self.bearer());
        request("GET", "/notifications/devices", &headers, None)
    }

    /// Takes the next pair of tokens.
    pub(crate) fn refresh(&self) -> Vec<u8> {
        let body = json!({"refreshToken": self.refresh});
        request("POST", "/api/v1/auth/refresh", "", Some(&body))
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.token)
    }
}

/// A whole request; each of `headers` ends with its line.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: Option<&Value>) -> Vec<u8> {
    let body = body.map(|body| {
        let text = body.to_string();
        format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        )
    });
    let rest = body.as_deref().unwrap_or("\r\n");
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}{rest}").into_bytes()
}
