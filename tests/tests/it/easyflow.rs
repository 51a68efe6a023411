//! easyflow: devices, each with one push token to show.

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
    settings_are_the_platforms_own_and_learnt_bit_by_bit,
    async |server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for (platform, own, other) in [
            ("ios", "mobileSettings", "webSettings"),
            ("android", "mobileSettings", "webSettings"),
            ("web", "webSettings", "mobileSettings"),
        ] {
            let bare = json!({"deviceId": platform, "platform": platform, "environment": "production", "pushToken": platform});
            for missing in [
                bare.clone(),
                with(bare.clone(), own, json!(null)),
                with(bare.clone(), other, json!({})),
            ] {
                server
                    .add_device(&person, &missing)
                    .await
                    .assert_easyflow_params(&[own]);
            }
            let both = with(
                with(bare, own, json!({})),
                other,
                json!({"appVersion": "1", "userAgent": "u"}),
            );
            let added = device(&server.add_device(&person, &both).await);
            assert_eq!(added[own], json!({}), "at least an empty one");
            assert_eq!(added.get(other), None, "the other is left out");
        }
        // What is not said stays; null says nothing.
        let id = server.device(&person, "ios").await["id"].take();
        for (told, known) in [
            (
                json!({"appVersion": "1", "osVersion": "17"}),
                json!({"appVersion": "1", "osVersion": "17"}),
            ),
            (
                json!({"appVersion": "2", "deviceModel": "iPhone 15"}),
                json!({"appVersion": "2", "osVersion": "17", "deviceModel": "iPhone 15"}),
            ),
            (
                json!({"appVersion": null, "unlisted": 5}),
                json!({"appVersion": "2", "osVersion": "17", "deviceModel": "iPhone 15"}),
            ),
            (
                json!(null),
                json!({"appVersion": "2", "osVersion": "17", "deviceModel": "iPhone 15"}),
            ),
        ] {
            let updated = device(
                &server
                    .update_device(&person, &json!({"id": id, "mobileSettings": told}))
                    .await,
            );
            assert_eq!(updated["mobileSettings"], known);
        }
        for bad in [
            json!({"appVersion": 5}),
            json!({"osVersion": ""}),
            json!({"deviceModel": "x".repeat(1025)}),
            json!({"appInstanceId": "a\u{0}"}),
            json!([]),
            json!(["a"]),
            json!("x"),
            json!(1),
        ] {
            let update = json!({"id": id, "mobileSettings": bad});
            server
                .update_device(&person, &update)
                .await
                .assert_easyflow_params(&["mobileSettings"]);
            let add = with(phone(), "mobileSettings", bad);
            server
                .add_device(&person, &add)
                .await
                .assert_easyflow_params(&["mobileSettings"]);
        }
        for bad in [
            json!({"userAgent": 5}),
            json!({"ipAddress": ""}),
            json!({"userAgent": "x".repeat(1025)}),
            json!([]),
        ] {
            let add = with(browser(), "webSettings", bad);
            server
                .add_device(&person, &add)
                .await
                .assert_easyflow_params(&["webSettings"]);
        }
    }
);

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
        (server.delete(LIST), "GET"),
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

on_both!(devices_are_found_a_page_at_a_time, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    let list = async |query: &str| shown(server.get(&format!("{LIST}{query}")), &ada).send().await;
    let empty = list("").await.expect(200).json();
    let none = json!({"docs": [], "currentPage": 1, "limit": 20, "totalDocs": 0, "totalPages": 0,
        "hasNext": false, "nextPage": null});
    assert_eq!(empty["data"], none);
    for n in 0..23 {
        let body = with(
            with(phone(), "deviceId", json!(format!("device {n}"))),
            "pushToken",
            json!(n.to_string()),
        );
        server.add_device(&ada, &body).await.assert_status(200);
    }
    let fifth = server.device(&ada, "device 5").await["id"].take();
    let revoke = json!({"id": fifth, "status": "revoked"});
    server.update_device(&ada, &revoke).await.assert_status(200);
    server
        .add_device(&bob, &with(phone(), "pushToken", json!("bob's")))
        .await
        .assert_status(200);

    let own = format!("?userId={}", ada.user_id);
    for (query, page, limit, docs, pages, next) in [
        ("", 1, 20, 20, 2, json!(2)),
        ("?page=2", 2, 20, 3, 2, json!(null)),
        ("?page=3", 3, 20, 0, 2, json!(null)),
        ("?limit=23", 1, 23, 23, 1, json!(null)),
        ("?limit=22", 1, 22, 22, 2, json!(2)),
        ("?limit=100", 1, 100, 23, 1, json!(null)),
        ("?limit=1&page=23", 23, 1, 1, 23, json!(null)),
        ("?limit=7&page=2&unlisted=x", 2, 7, 7, 4, json!(3)),
        (
            "?page=4294967295&limit=100",
            4_294_967_295_u32,
            100,
            0,
            1,
            json!(null),
        ),
        (own.as_str(), 1, 20, 20, 2, json!(2)),
    ] {
        let mut data = list(query).await.expect(200).json()["data"].take();
        let found = data["docs"].take();
        assert_eq!(found.as_array().map(Vec::len), Some(docs), "{query}");
        let expected = json!({"docs": null, "currentPage": page, "limit": limit, "totalDocs": 23,
            "totalPages": pages, "hasNext": !next.is_null(), "nextPage": next});
        assert_eq!(data, expected, "{query}");
    }
    // Newest first, the revoked one at its place, and no page repeats or skips one.
    let mut names = Vec::new();
    for page in 1..=4 {
        let data = list(&format!("?limit=7&page={page}")).await.json()["data"].take();
        names.extend(
            data["docs"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|device| device["deviceId"].clone()),
        );
    }
    let newest: Vec<Value> = (0..23).rev().map(|n| json!(format!("device {n}"))).collect();
    assert_eq!(names, newest);
    // Used again, a device stays in its place.
    server
        .refresh_device(&ada, "device 0", "renewed")
        .await
        .assert_status(200);
    let first = list("?limit=1").await.json()["data"]["docs"][0]["deviceId"].take();
    assert_eq!(first, "device 22");

    for bad in [
        "0",
        "-1",
        "1.5",
        "x",
        "",
        "1e3",
        "%2B1",
        " 1",
        "99999999999999999999",
    ] {
        list(&format!("?page={bad}"))
            .await
            .assert_easyflow_params(&["page"]);
        list(&format!("?limit={bad}"))
            .await
            .assert_easyflow_params(&["limit"]);
    }
    list("?limit=101").await.assert_easyflow_params(&["limit"]);
    list("?limit=x&page=x")
        .await
        .assert_easyflow_params(&["page", "limit"]);
    for foreign in [bob.user_id.as_str(), "nobody", ""] {
        list(&format!("?userId={foreign}")).await.assert_easyflow(403);
    }

    let get = async |query: &str| shown(server.get(&format!("{GET}{query}")), &ada).send().await;
    get("?deviceId=unknown")
        .await
        .assert_easyflow_params(&["deviceId"]);
    get("?deviceId=").await.assert_easyflow_params(&["deviceId"]);
    get(&format!("?deviceId={}", "x".repeat(257)))
        .await
        .assert_easyflow_params(&["deviceId"]);
    get("?deviceId=device-a81f92")
        .await
        .assert_easyflow_params(&["deviceId"]);
    get("?id=unknown").await.assert_easyflow_params(&["id"]);
    let foreign = server.device(&bob, "device-a81f92").await["id"].take();
    get(&format!("?id={}", foreign.as_str().expect("an id")))
        .await
        .assert_easyflow_params(&["id"]);
    get("").await.assert_easyflow_params(&["id", "deviceId"]);
    server
        .update_device(&ada, &json!({"id": foreign, "status": "revoked"}))
        .await
        .assert_easyflow_params(&["id"]);
    server
        .refresh_device(&ada, "device-a81f92", "t")
        .await
        .assert_easyflow_params(&["deviceId"]);
    assert_eq!(server.device(&bob, "device-a81f92").await["status"], "active");
});

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
