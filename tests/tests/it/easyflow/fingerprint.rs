//! The header `x-fingerprint-id`.

use doorbell_tests::{Phone, Request, json, on_both};

use super::{ADD, GET, LIST, REFRESH, UPDATE, device, phone};

on_both!(the_first_fingerprint_is_the_sessions_own, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    server
        .device_token(
            &person,
            &json!({"platform": "ios", "deviceId": "phone", "token": "t"}),
        )
        .await
        .assert_status(200);
    let get = |request: Request| request.by(&person);
    let phone_of = format!("{GET}?deviceId=phone");
    for request in [
        get(server.get(&phone_of)),
        get(server.get(&phone_of)).fingerprint(""),
        get(server.get(&phone_of)).fingerprint(&"x".repeat(257)),
        get(server.get(&phone_of)).fingerprint("one").fingerprint("two"),
        get(server.post(ADD)).body("text/plain", "x"),
        get(server.post(REFRESH)).json(&json!({})),
        get(server.patch(UPDATE)).json(&json!({})),
        get(server.get("/notifications/devices?page=0")),
    ] {
        request.send().await.assert_easyflow_params(&["x-fingerprint-id"]);
    }
    // Who is not signed in is told only that.
    server.get(&phone_of).send().await.assert_easyflow(401);

    let longest = "x".repeat(256);
    get(server.get(&phone_of))
        .fingerprint(&longest)
        .send()
        .await
        .assert_status(200);
    let refreshed = server.refresh(&person.refresh).await.expect(200).json();
    let renewed = refreshed["accessToken"].as_str().expect("a token").to_owned();
    let count = || server.count("audit_events WHERE action = 'foreign_fingerprint'");
    assert_eq!(count(), 0);
    let mut foreign = 0;
    for token in [&person.access, &renewed] {
        for request in [
            server.get(&phone_of),
            server.get(LIST),
            server.get("/notifications/devices?page=0"),
            server.post(ADD).json(&phone()),
            server
                .post(REFRESH)
                .json(&json!({"deviceId": "phone", "pushToken": "stolen"})),
            server.post(REFRESH).body("application/json", "{"),
            server.patch(UPDATE).json(&json!({"id": "x"})),
        ] {
            request
                .bearer(token)
                .fingerprint("another")
                .send()
                .await
                .assert_easyflow(403);
            foreign += 1;
            assert_eq!(count(), foreign, "each is an event");
        }
        server
            .get(&phone_of)
            .bearer(token)
            .fingerprint(&longest)
            .send()
            .await
            .assert_status(200);
    }
    let unchanged = server
        .get(LIST)
        .bearer(&renewed)
        .fingerprint(&longest)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(unchanged["data"]["docs"][0]["pushToken"], "t");
    assert_eq!(unchanged["data"]["totalDocs"], 1);

    // Another session is free to show another; a write pins as a read does.
    let later = server.sign_in(&person.phone).await;
    let add = server
        .post(ADD)
        .by(&later)
        .fingerprint("the later one")
        .json(&phone());
    device(&add.send().await);
    server
        .get(LIST)
        .by(&later)
        .fingerprint(&longest)
        .send()
        .await
        .assert_easyflow(403);
    server
        .get(LIST)
        .by(&later)
        .fingerprint("the later one")
        .send()
        .await
        .assert_status(200);
});
