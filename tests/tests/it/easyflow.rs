//! easyflow: devices, each with one push token to show.

mod bad_parameters;
mod finding;
mod fingerprint;
mod settings;

use std::time::Duration;

use doorbell_tests::{Answer, FINGERPRINT, Phone, Request, SignedIn, Value, encoded, json, on_both};

const ADD: &str = "/notifications/devices/add-device";
const REFRESH: &str = "/notifications/devices/refresh-token";
const UPDATE: &str = "/notifications/devices/update";
const GET: &str = "/notifications/devices/get";
const LIST: &str = "/notifications/devices";

fn phone() -> Value {
    json!({"deviceId": "device-a81f92", "platform": "android", "environment": "production",
        "pushToken": "eJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.newmocktoken123",
        "mobileSettings": {"appInstanceId": "app-instance-4421", "appVersion": "3.2.1", "osVersion": "14.8",
            "deviceModel": "Pixel 8"}})
}

fn browser() -> Value {
    json!({"deviceId": "browser", "platform": "web", "environment": "staging", "pushToken": "web token",
        "webSettings": {"userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "ipAddress": "10.0.0.45"}})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn without(mut body: Value, name: &str) -> Value {
    body.as_object_mut().expect("an object").remove(name);
    body
}

/// The device of an answer that holds nothing else.
#[track_caller]
fn device(answer: &Answer) -> Value {
    answer.assert_status(200);
    let mut body = answer.json();
    let device = body["data"]["device"].take();
    assert_eq!(
        body,
        json!({"statusCode": 200, "data": {"device": null}}),
        "{answer}"
    );
    device
}

fn shown(request: Request, person: &SignedIn) -> Request {
    request.by(person).fingerprint(FINGERPRINT)
}

on_both!(a_device_is_shown_as_the_document_shows_it, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let added = device(&server.add_device(&person, &phone()).await);
    let (id, at) = (&added["id"], &added["createdAt"]);
    let mut expected = json!({"id": id, "createdAt": at, "updatedAt": at, "deleted": "false",
        "userId": person.user_id, "deviceId": "device-a81f92", "platform": "android", "lastUsedAt": at,
        "status": "active", "environment": "production", "lastSeenAt": at, "pushToken": phone()["pushToken"],
        "mobileSettings": phone()["mobileSettings"]});
    assert_eq!(added, expected);

    server.advance(Duration::from_mins(1));
    let refreshed = device(&server.refresh_device(&person, "device-a81f92", "renewed").await);
    let now = &refreshed["updatedAt"];
    assert!(now.as_str() > at.as_str(), "{refreshed}");
    expected["pushToken"] = json!("renewed");
    for instant in ["updatedAt", "lastUsedAt", "lastSeenAt"] {
        expected[instant] = now.clone();
    }
    assert_eq!(refreshed, expected);

    let added = device(&server.add_device(&person, &browser()).await);
    let (id, at) = (&added["id"], &added["createdAt"]);
    let web = json!({"id": id, "createdAt": at, "updatedAt": at, "deleted": "false", "userId": person.user_id,
        "deviceId": "browser", "platform": "web", "lastUsedAt": at, "status": "active", "environment": "staging",
        "lastSeenAt": at, "pushToken": "web token", "webSettings": browser()["webSettings"]});
    assert_eq!(added, web);

    // By either key, and in the list.
    for (key, name, expected) in [
        ("id", web["id"].as_str(), &web),
        ("deviceId", Some("device-a81f92"), &expected),
    ] {
        let path = format!("{GET}?{key}={}", encoded(name.expect("a text")));
        assert_eq!(device(&shown(server.get(&path), &person).send().await), *expected);
    }
    let listed = shown(server.get(LIST), &person).send().await.expect(200).json();
    let page = json!({"docs": [web, expected], "currentPage": 1, "limit": 20, "totalDocs": 2, "totalPages": 1,
        "hasNext": false, "nextPage": null});
    assert_eq!(listed, json!({"statusCode": 200, "data": page}));
});

on_both!(
    a_revoked_device_is_silent_until_it_is_added_again,
    async |server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let added = device(&server.add_device(&person, &phone()).await);
        let chat = json!({"id": "device-a81f92", "type": "gcm", "value": "chat token", "appName": "chat"});
        let chat_row = server.push_token(&person, &chat).await.expect(200).json()["result"].take();
        server.advance(Duration::from_mins(1));
        let revoke = json!({"id": added["id"], "status": "revoked"});
        let revoked = device(&server.update_device(&person, &revoke).await);
        assert_eq!(revoked["status"], "revoked");
        assert_eq!(revoked.get("pushToken"), None, "its token is shown nowhere");
        assert!(revoked["updatedAt"].as_str() > added["updatedAt"].as_str());
        assert_eq!(server.device(&person, "device-a81f92").await, revoked);
        assert_eq!(server.devices(&person).await, std::slice::from_ref(&revoked));

        server
            .refresh_device(&person, "device-a81f92", "t")
            .await
            .assert_easyflow(403);
        server
            .update_device(&person, &json!({"id": added["id"], "pushToken": "t"}))
            .await
            .assert_easyflow(403);
        // Facts may still change; it stays revoked.
        let told = json!({"id": added["id"], "environment": "staging"});
        let changed = device(&server.update_device(&person, &told).await);
        assert_eq!(
            (&changed["status"], &changed["environment"]),
            (&json!("revoked"), &json!("staging"))
        );

        // Active again, its credentials ring again; added again, it is the same device.
        let activate = json!({"id": added["id"], "status": "active"});
        let active = device(&server.update_device(&person, &activate).await);
        assert_eq!(active["pushToken"], added["pushToken"]);
        device(&server.update_device(&person, &revoke).await);
        let revived = device(
            &server
                .add_device(&person, &with(phone(), "pushToken", json!("new")))
                .await,
        );
        for same in ["id", "createdAt", "deviceId", "userId"] {
            assert_eq!(revived[same], added[same]);
        }
        assert_eq!(
            (&revived["status"], &revived["pushToken"]),
            (&json!("active"), &json!("new"))
        );
        let again = server.push_token(&person, &chat).await.expect(200).json()["result"].take();
        assert_eq!(again["_id"], chat_row["_id"]);
        // Revoked and active in one, with a token.
        device(&server.update_device(&person, &revoke).await);
        let both = with(activate, "pushToken", json!("newer"));
        assert_eq!(
            device(&server.update_device(&person, &both).await)["pushToken"],
            "newer"
        );
        for (action, times) in [("device_revoked", 3), ("device_revived", 3)] {
            assert_eq!(
                server.count(&format!("audit_events WHERE action = '{action}'")),
                times
            );
        }
    }
);

on_both!(an_update_leaves_what_it_does_not_name, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let added = device(&server.add_device(&person, &phone()).await);
    server.advance(Duration::from_mins(1));
    let nulls = json!({"id": added["id"], "environment": null, "status": null, "pushToken": null,
        "mobileSettings": null, "webSettings": null});
    let mut last = added.clone();
    for body in [json!({"id": added["id"]}), nulls] {
        let updated = device(&server.update_device(&person, &body).await);
        let now = &updated["updatedAt"];
        assert!(now.as_str() > added["updatedAt"].as_str(), "{updated}");
        last = added.clone();
        for instant in ["updatedAt", "lastSeenAt", "lastUsedAt"] {
            last[instant] = now.clone();
        }
        assert_eq!(updated, last);
    }
    let body = json!({"id": added["id"], "environment": "sandbox", "pushToken": "second",
        "platform": "ios", "deviceId": "renamed", "deleted": "true"});
    let updated = device(&server.update_device(&person, &body).await);
    let expected = with(
        with(last, "environment", json!("sandbox")),
        "pushToken",
        json!("second"),
    );
    for fact in [
        "id",
        "createdAt",
        "deleted",
        "deviceId",
        "platform",
        "environment",
        "pushToken",
        "mobileSettings",
    ] {
        assert_eq!(updated[fact], expected[fact], "{fact}");
    }
    // Added again, a device is renewed whole, with the same id.
    let again = with(
        with(phone(), "platform", json!("ios")),
        "environment",
        json!("development"),
    );
    let again = device(&server.add_device(&person, &again).await);
    assert_eq!(
        (&again["id"], &again["createdAt"]),
        (&added["id"], &added["createdAt"])
    );
    assert_eq!(
        (&again["platform"], &again["environment"]),
        (&json!("ios"), &json!("development"))
    );
    assert_eq!(server.devices(&person).await.len(), 1);
});
