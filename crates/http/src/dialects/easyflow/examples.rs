//! Examples that several operations show: the device of the API's own documents.

use serde_json::{Value, json};

/// A telephone, as an operation on it answers.
pub(super) fn telephone() -> Value {
    one(&json!({
        "id": "65dcb2a91f8c9b0022c8e771",
        "createdAt": "2026-01-28T18:42:11.430Z",
        "updatedAt": "2026-01-29T16:22:40.910Z",
        "deleted": "false",
        "userId": "91f8b73e-1c4a-4d9e-a9e2-3c7a8b1d902f",
        "deviceId": "device-a81f92",
        "platform": "android",
        "lastUsedAt": "2026-01-29T16:20:58.300Z",
        "status": "active",
        "environment": "production",
        "lastSeenAt": "2026-01-29T16:22:40.910Z",
        "pushToken": "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123",
        "mobileSettings": {
            "appInstanceId": "app-instance-4421",
            "appVersion": "3.2.1",
            "osVersion": "14.8",
            "deviceModel": "Pixel 8",
        },
    }))
}

/// The one that the example of an update names, revoked: no token of it may ring.
pub(super) fn revoked_telephone() -> Value {
    let mut answer = telephone();
    let device = answer.pointer_mut("/data/device").and_then(Value::as_object_mut);
    if let Some(device) = device {
        device.insert(
            "id".to_owned(),
            Value::from("019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091"),
        );
        device.insert("status".to_owned(), Value::from("revoked"));
        device.shift_remove("pushToken");
    }
    answer
}

/// A page with one browser.
pub(super) fn page() -> Value {
    success(&json!({
        "docs": [{
            "id": "65dcb2a91f8c9b0022c8e771",
            "createdAt": "2026-01-28T18:42:11.430Z",
            "updatedAt": "2026-01-29T16:22:40.910Z",
            "deleted": "false",
            "userId": "91f8b73e-1c4a-4d9e-a9e2-3c7a8b1d902f",
            "deviceId": "browser-7",
            "platform": "web",
            "lastUsedAt": "2026-01-29T16:20:58.300Z",
            "status": "active",
            "environment": "production",
            "lastSeenAt": "2026-01-29T16:22:40.910Z",
            "webSettings": {
                "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
                "ipAddress": "10.0.0.45",
            },
        }],
        "currentPage": 1,
        "limit": 20,
        "totalDocs": 1,
        "totalPages": 1,
        "hasNext": false,
        "nextPage": null,
    }))
}

fn one(device: &Value) -> Value {
    success(&json!({ "device": device }))
}

fn success(data: &Value) -> Value {
    json!({ "statusCode": 200, "data": data })
}
