//! People who sign in, and the requests they send.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::load;

/// A signed-in person.
pub(crate) struct Person {
    token: String,
}

/// Signs `count` people in, each with a number of their own.
pub(crate) async fn sign_in(address: &str, count: usize) -> anyhow::Result<Vec<Person>> {
    let number = |n: usize| format!("53{:08}", 10_000_000 + n * 37);
    let asks: Vec<_> = (0..count)
        .map(|n| {
            post(
                "/api/v1/auth/send-otp",
                None,
                &json!({"countryCode": "90", "phoneNumber": number(n)}),
            )
        })
        .collect();
    let answers = load::once(address, &asks, crate::CONNECTIONS).await?;
    let mut verifies = Vec::with_capacity(count);
    for (n, answer) in answers.iter().enumerate() {
        let answer: Value = serde_json::from_slice(answer)?;
        let code = answer
            .get("code")
            .context("the server must be in development mode")?;
        let body = json!({"countryCode": "90", "phoneNumber": number(n), "code": code});
        verifies.push(post("/api/v1/auth/verify-otp", None, &body));
    }
    let answers = load::once(address, &verifies, crate::CONNECTIONS).await?;
    let token = |answer: &Vec<u8>| -> anyhow::Result<Person> {
        let answer: Value = serde_json::from_slice(answer)?;
        let token = answer
            .get("accessToken")
            .and_then(Value::as_str)
            .context("no token")?
            .to_owned();
        Ok(Person { token })
    };
    answers.iter().map(token).collect()
}

impl Person {
    /// Registers the person's phone.
    pub(crate) fn device_token(&self, n: usize) -> Vec<u8> {
        // As long as FCM's tokens are.
        let value = format!("{n:08}:{}", "APA91b".repeat(24));
        let body = json!({
            "token": value, "platform": "android", "deviceId": format!("pixel-8-{n}"), "timezone": "Europe/Istanbul",
        });
        post("/api/v1/notifications/device-token", Some(&self.token), &body)
    }

    /// Subscribes the person's browser.
    pub(crate) fn subscribe(&self, n: usize) -> Vec<u8> {
        let body = json!({
            "endpoint": format!("https://updates.push.services.mozilla.com/wpush/v2/{n:08}"),
            "deviceName": "Laptop",
            "keys": {
                // The receiver's key of RFC 8291 appendix A.
                "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                "auth": URL_SAFE_NO_PAD.encode([7; 16]),
            },
        });
        post("/push/subscribe", Some(&self.token), &body)
    }

    /// Lists the person's subscriptions.
    pub(crate) fn subscriptions(&self) -> Vec<u8> {
        format!(
            "GET /push/subscriptions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        )
        .into_bytes()
    }
}

fn post(path: &str, token: Option<&str>, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let authorization = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{authorization}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
