//! What people register, and what they see of it, in each dialect's own words.

use serde_json::{Value, json};

use crate::{Answer, Server, SignedIn};

/// The fingerprint that people show where a story is not about fingerprints.
pub const FINGERPRINT: &str = "a-phone-like-any-other";

/// A browser's public key (RFC 8291, appendix A).
pub const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

/// Its authentication secret.
pub const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

impl Server {
    /// Allmine: a device tells its token.
    pub async fn device_token(&self, person: &SignedIn, body: &Value) -> Answer {
        let request = self.post("/api/v1/notifications/device-token");
        request.by(person).json(body).send().await
    }

    /// Allmine: a token's value is removed.
    pub async fn remove_device_token(&self, person: &SignedIn, value: &str) -> Answer {
        let path = format!("/api/v1/notifications/device-token/{}", encoded(value));
        self.delete(&path).by(person).send().await
    }

    /// Allmine: a Live Activity tells its token.
    pub async fn live_activity(&self, person: &SignedIn, body: &Value) -> Answer {
        let request = self.post("/api/v1/notifications/live-activity-sessions");
        request.by(person).json(body).send().await
    }

    /// Rocket.Chat: a token is registered.
    pub async fn push_token(&self, person: &SignedIn, body: &Value) -> Answer {
        let request = self.post("/api/v1/push.token");
        request.rocket_by(person).json(body).send().await
    }

    /// Rocket.Chat: a token's value is removed.
    pub async fn remove_push_token(&self, person: &SignedIn, value: &str) -> Answer {
        let request = self.delete("/api/v1/push.token");
        request
            .rocket_by(person)
            .json(&json!({"token": value}))
            .send()
            .await
    }

    /// easyflow: a device is added.
    pub async fn add_device(&self, person: &SignedIn, body: &Value) -> Answer {
        let request = self.post("/notifications/devices/add-device");
        let request = request.by(person).fingerprint(FINGERPRINT);
        request.json(body).send().await
    }

    /// easyflow: a known device has a new token.
    pub async fn refresh_device(&self, person: &SignedIn, device: &str, token: &str) -> Answer {
        let request = self.post("/notifications/devices/refresh-token");
        let request = request.by(person).fingerprint(FINGERPRINT);
        let body = json!({"deviceId": device, "pushToken": token});
        request.json(&body).send().await
    }

    /// easyflow: a device's facts change.
    pub async fn update_device(&self, person: &SignedIn, body: &Value) -> Answer {
        let request = self.patch("/notifications/devices/update");
        let request = request.by(person).fingerprint(FINGERPRINT);
        request.json(body).send().await
    }

    /// easyflow: the person's device of that name, which is there.
    pub async fn device(&self, person: &SignedIn, name: &str) -> Value {
        let path = format!("/notifications/devices/get?deviceId={}", encoded(name));
        let request = self.get(&path).by(person).fingerprint(FINGERPRINT);
        let mut answer = request.send().await.expect(200).json();
        answer["data"]["device"].take()
    }

    /// easyflow: the person's devices, newest first, of which there are at most a hundred.
    pub async fn devices(&self, person: &SignedIn) -> Vec<Value> {
        let request = self.get("/notifications/devices?limit=100");
        let request = request.by(person).fingerprint(FINGERPRINT);
        let mut answer = request.send().await.expect(200).json();
        match answer["data"]["docs"].take() {
            Value::Array(devices) => devices,
            other => panic!("no list of devices: {other}"),
        }
    }

    /// oCore: a browser subscribes.
    pub async fn subscribe(&self, person: &SignedIn, endpoint: &str) -> Answer {
        let body = json!({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}});
        self.post("/push/subscribe").by(person).json(&body).send().await
    }

    /// oCore: a browser unsubscribes.
    pub async fn unsubscribe(&self, person: &SignedIn, endpoint: &str) -> Answer {
        let request = self.delete("/push/subscribe").by(person);
        request.json(&json!({"endpoint": endpoint})).send().await
    }

    /// oCore: the person's subscriptions, newest first.
    pub async fn subscriptions(&self, person: &SignedIn) -> Vec<Value> {
        let answer = self.get("/push/subscriptions").by(person).send().await;
        match answer.expect(200).json() {
            Value::Array(subscriptions) => subscriptions,
            other => panic!("no list of subscriptions: {other}"),
        }
    }
}

/// `text` as one segment of a path or one value of a query (RFC 3986, section 2.1).
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            encoded + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => format!("{encoded}%{byte:02X}"),
    })
}
