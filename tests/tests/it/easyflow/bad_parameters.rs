//! What the document refuses, by name.

use doorbell_tests::{FINGERPRINT, Phone, Value, json, on_both};

use super::{ADD, GET, LIST, REFRESH, UPDATE, device, phone, shown, with, without};

on_both!(bad_parameters_are_named_in_the_tables_order, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let added = device(&server.add_device(&person, &phone()).await);
    let texts = |most: usize| {
        [
            json!(5),
            json!(true),
            json!([]),
            json!({}),
            json!(""),
            json!("a\u{0}b"),
            json!("x".repeat(most + 1)),
        ]
    };

    for (name, most) in [("deviceId", 256), ("environment", 256), ("pushToken", 4096)] {
        for bad in texts(most).into_iter().chain([json!(null)]) {
            server
                .add_device(&person, &with(phone(), name, bad))
                .await
                .assert_easyflow_params(&[name]);
        }
        server
            .add_device(&person, &without(phone(), name))
            .await
            .assert_easyflow_params(&[name]);
    }
    for bad in [json!("iOS"), json!("ipad"), json!(""), json!(1), json!(null)] {
        server
            .add_device(&person, &with(phone(), "platform", bad))
            .await
            .assert_easyflow_params(&["platform"]);
    }
    let all =
        json!({"webSettings": 1, "mobileSettings": 1, "pushToken": 1, "environment": "", "platform": "?"});
    let named = [
        "deviceId",
        "platform",
        "environment",
        "pushToken",
        "mobileSettings",
        "webSettings",
    ];
    server
        .add_device(&person, &all)
        .await
        .assert_easyflow_params(&named);
    let required = ["deviceId", "platform", "environment", "pushToken"];
    server
        .add_device(&person, &json!({}))
        .await
        .assert_easyflow_params(&required);

    let refresh = json!({"deviceId": "device-a81f92", "pushToken": "t"});
    let refreshed = async |body: &Value| shown(server.post(REFRESH), &person).json(body).send().await;
    for (name, most) in [("deviceId", 256), ("pushToken", 4096)] {
        for bad in texts(most).into_iter().chain([json!(null)]) {
            refreshed(&with(refresh.clone(), name, bad))
                .await
                .assert_easyflow_params(&[name]);
        }
    }
    refreshed(&json!({"pushToken": 5}))
        .await
        .assert_easyflow_params(&["deviceId", "pushToken"]);
    refreshed(&with(refresh, "deviceId", json!("unknown")))
        .await
        .assert_easyflow_params(&["deviceId"]);

    let update = json!({"id": added["id"]});
    for (name, most) in [("environment", 256), ("pushToken", 4096)] {
        for bad in texts(most) {
            let body = with(update.clone(), name, bad);
            server
                .update_device(&person, &body)
                .await
                .assert_easyflow_params(&[name]);
        }
    }
    for bad in [json!("deleted"), json!("Active"), json!(""), json!(1)] {
        let body = with(update.clone(), "status", bad);
        server
            .update_device(&person, &body)
            .await
            .assert_easyflow_params(&["status"]);
    }
    for bad in [
        json!(null),
        json!(5),
        json!(""),
        json!("device-a81f92"),
        json!("x".repeat(2000)),
        json!("0192f0c1-2b3d-7c4e-8f50-123456789abc"),
    ] {
        server
            .update_device(&person, &json!({"id": bad}))
            .await
            .assert_easyflow_params(&["id"]);
    }
    let all = json!({"webSettings": 1, "status": 1, "pushToken": 1, "mobileSettings": 1, "environment": 1});
    let named = [
        "id",
        "environment",
        "status",
        "pushToken",
        "mobileSettings",
        "webSettings",
    ];
    server
        .update_device(&person, &all)
        .await
        .assert_easyflow_params(&named);

    // A body that is none, of an operation that wants one.
    let good = phone().to_string();
    for (kind, body) in [
        ("application/json", ""),
        ("application/json", "{"),
        ("application/json", "[]"),
        ("application/json", "null"),
        ("application/json", r#"{"deviceId":"\ud800"}"#),
        ("text/plain", good.as_str()),
        ("application/x-www-form-urlencoded", good.as_str()),
    ] {
        // An update has no `deviceId`: what it does not list is ignored, a lone surrogate too.
        let ignored = body.contains("ud800");
        let update = (!ignored).then(|| server.patch(UPDATE));
        for request in [server.post(ADD), server.post(REFRESH)].into_iter().chain(update) {
            let request = shown(request, &person).body(kind, body);
            request.send().await.assert_easyflow_params(&[]);
        }
    }
    shown(server.post(ADD), &person)
        .untyped_body(good)
        .send()
        .await
        .assert_easyflow_params(&[]);
    let large = with(phone(), "pushToken", json!("x".repeat(64 * 1024)));
    server.add_device(&person, &large).await.assert_easyflow(413);
    for (request, allowed) in [
        (server.get(ADD), "POST"),
        (server.put(REFRESH), "POST"),
        (server.post(UPDATE), "PATCH"),
        (server.delete(LIST), "GET, HEAD"),
    ] {
        let answer = shown(request, &person).send().await;
        answer.assert_easyflow(405);
        assert_eq!(answer.header("allow"), Some(allowed));
    }
    server
        .post("/notifications/nothing")
        .send()
        .await
        .assert_easyflow(404);
    for request in [
        server.post(ADD),
        server.post(REFRESH),
        server.patch(UPDATE),
        server.get(GET),
        server.get(LIST),
    ] {
        request.fingerprint(FINGERPRINT).send().await.assert_easyflow(401);
    }
    assert_eq!(server.devices(&person).await, [added], "nothing was written");
});
