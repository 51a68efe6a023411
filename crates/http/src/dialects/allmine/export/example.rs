//! An export, as the document shows one.

use serde_json::{Value, json};

use super::super::examples;

const DEVICE: &str = "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091";
const SESSION: &str = "019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70";

/// Everything about the person of the other examples.
pub(super) fn export() -> Value {
    json!({
        "isSuccess": true,
        "statusCode": 200,
        "data": {
            "exportedAt": "2026-01-16T08:21:00.000Z",
            "userId": "019ae1f2-7c1a-7b3c-8d4e-5f6a7b8c9d0e",
            "createdAt": "2026-01-15T10:30:00.000Z",
            "updatedAt": "2026-01-15T10:31:12.500Z",
            "user": examples::user(true),
            "sessions": [{
                "id": SESSION, "createdAt": "2026-01-15T10:30:00.000Z", "lastUsedAt": "2026-01-16T08:12:45.120Z",
                "expiresAt": "2026-02-15T08:12:45.120Z", "absoluteExpiresAt": "2026-07-14T10:30:00.000Z", "endedAt": null,
                "endReason": null, "current": true, "refreshCount": 4, "fingerprint": null,
                "userAgent": "MyApp/3.2.1 (iPhone; iOS 18.2)", "ipAddress": "203.0.113.7", "deviceId": "iphone-14-pro",
            }],
            "devices": [{
                "id": DEVICE, "deviceId": "iphone-14-pro", "platform": "ios", "environment": "production", "status": "active",
                "timezone": "Europe/Istanbul",
                "mobileSettings": {"appInstanceId": null, "appVersion": "3.2.1", "osVersion": "18.2", "deviceModel": null},
                "webSettings": {"userAgent": null, "ipAddress": null},
                "createdAt": "2026-01-15T10:30:01.250Z", "updatedAt": "2026-01-15T10:30:01.250Z",
                "lastSeenAt": "2026-01-16T08:12:46.000Z", "lastUsedAt": "2026-01-16T08:12:46.000Z",
            }],
            "pushTokens": [{
                "id": "019ae1f2-7c1e-7081-9c4d-6e7f8091a2b3", "deviceId": DEVICE, "sessionId": SESSION, "provider": "apns",
                "app": "default", "kind": "alert", "activityId": null, "streamId": null,
                "createdAt": "2026-01-15T10:30:01.250Z", "updatedAt": "2026-01-16T08:12:46.000Z",
            }],
            "subscriptions": [{
                "id": "019ae1f2-7c1f-7192-8d5e-7f8091a2b3c4", "deviceId": "019ae1f2-7c20-72a3-9e6f-8091a2b3c4d5",
                "sessionId": SESSION, "endpointOrigin": "https://updates.push.services.mozilla.com", "deviceName": "Laptop",
                "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
                "createdAt": "2026-01-15T11:02:00.000Z", "lastUsedAt": "2026-01-15T11:02:00.000Z",
            }],
            "oneTimeCodes": [{
                "sentAt": "2026-01-15T10:29:31.000Z", "expiresAt": "2026-01-15T10:34:31.000Z", "attempts": 1,
                "usedAt": "2026-01-15T10:30:00.000Z", "supersededAt": null,
            }],
            "codeLastSentAt": "2026-01-15T10:29:31.000Z",
            "wrongCodesInARow": 0,
            "lastWrongCodeAt": null,
            "events": [{
                "id": "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2", "at": "2026-01-15T10:30:01.250Z", "action": "device_added",
                "sessionId": SESSION, "deviceId": DEVICE, "reason": null,
            }],
            "hasMore": {"sessions": false, "pushTokens": false, "oneTimeCodes": false, "events": false},
        },
        "errors": [],
        "timestamp": "2026-01-16T08:21:00.000Z",
    })
}
