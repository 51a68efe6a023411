//! Rocket.Chat: push tokens by type, value and application.

use std::time::Duration;

use doorbell_tests::{Answer, Phone, Value, is_instant, json, on_both};

const PATH: &str = "/api/v1/push.token";

/// The seed's own request.
fn token() -> Value {
    json!({"type": "gcm", "value": "TOKEN", "appName": "MyApp"})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// The row of a registered token.
#[track_caller]
fn row(answer: &Answer) -> Value {
    answer.assert_status(200);
    let mut body = answer.json();
    let row = body["result"].take();
    assert_eq!(body, json!({"result": null, "success": true}), "{answer}");
    row
}

on_both!(a_token_is_registered_as_the_document_shows, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    for (kind, platform) in [("gcm", "android"), ("apn", "ios")] {
        let row = row(&server
            .push_token(&person, &with(token(), "type", json!(kind)))
            .await);
        let (id, created) = (&row["_id"], &row["createdAt"]);
        assert!(created.as_str().is_some_and(is_instant), "{row}");
        let expected = json!({"token": {kind: "TOKEN"}, "appName": "MyApp", "userId": person.user_id,
            "enabled": true, "createdAt": created, "updatedAt": created, "_id": id});
        assert_eq!(row, expected);
        // A device is made for it, and bears its name.
        let name = id.as_str().expect("an id");
        let device = server.device(&person, name).await;
        let (id, updated) = (device["id"].clone(), device["updatedAt"].clone());
        let expected = json!({"id": id, "createdAt": updated, "updatedAt": updated, "deleted": "false",
            "userId": person.user_id, "deviceId": name, "platform": platform, "lastUsedAt": updated,
            "status": "active", "environment": "production", "lastSeenAt": updated, "pushToken": "TOKEN",
            "mobileSettings": {}});
        assert_eq!(device, expected);
    }
    // A client that asks for no reading of its body as JSON is read all the same; what is unlisted is ignored.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let body = with(token(), "voipToken", json!("unlisted")).to_string();
        let request = server.post(PATH).rocket_by(&person).body(content_type, body);
        assert_eq!(row(&request.send().await)["token"], json!({"gcm": "TOKEN"}));
    }
    let untyped = server
        .post(PATH)
        .rocket_by(&person)
        .untyped_body(token().to_string());
    assert_eq!(row(&untyped.send().await)["appName"], "MyApp");
    let longest =
        json!({"type": "apn", "value": "t".repeat(4096), "appName": "📱".repeat(64), "id": "x".repeat(256)});
    assert_eq!(
        row(&server.push_token(&person, &longest).await)["appName"],
        "📱".repeat(64)
    );
    assert_eq!(
        row(&server
            .push_token(&person, &with(token(), "value", json!("   ")))
            .await)["token"]["gcm"],
        "   "
    );
});

on_both!(the_first_bad_parameter_is_named_by_its_code, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let ordered = [
        (json!({"id": 5, "type": "x", "value": "", "appName": null}), "id"),
        (
            json!({"id": "phone", "type": "x", "value": "", "appName": null}),
            "type",
        ),
        (json!({"type": "gcm", "value": "", "appName": null}), "value"),
        (json!({"type": "gcm", "value": "t"}), "appName"),
        (json!({"type": "gcm", "appName": "a"}), "value"),
        (json!({"value": "t", "appName": "a"}), "type"),
        (json!({}), "type"),
    ];
    for (body, param) in ordered {
        server.push_token(&person, &body).await.assert_rocket_param(param);
    }
    let not_texts = [
        json!(5),
        json!(1.5),
        json!(true),
        json!(false),
        json!(null),
        json!(["t"]),
        json!({"a": "t"}),
    ];
    for bad in not_texts
        .iter()
        .cloned()
        .chain(["", "GCM", "apns", "fcm", " gcm"].map(Value::from))
    {
        let body = with(token(), "type", bad);
        server
            .push_token(&person, &body)
            .await
            .assert_rocket_param("type");
    }
    for (name, most) in [("value", 4096), ("appName", 256)] {
        let texts = [json!(""), json!("a\u{0}b"), json!("x".repeat(most + 1))];
        for bad in not_texts.iter().cloned().chain(texts) {
            let body = with(token(), name, bad);
            server.push_token(&person, &body).await.assert_rocket_param(name);
        }
    }
    for bad in [
        json!(5),
        json!(true),
        json!([]),
        json!({}),
        json!("x".repeat(257)),
        json!("a\u{0}b"),
    ] {
        let body = with(token(), "id", bad);
        server.push_token(&person, &body).await.assert_rocket_param("id");
    }

    // Nothing that can be sent as a body is malformed; it has no parameters.
    for body in [
        "",
        "{",
        "null",
        "[]",
        "5",
        "\"gcm\"",
        "type=gcm&value=t&appName=a",
        "{} x",
    ] {
        for content_type in ["application/json", "text/plain"] {
            let request = server.post(PATH).rocket_by(&person).body(content_type, body);
            request.send().await.assert_rocket_param("type");
            let request = server.delete(PATH).rocket_by(&person).body(content_type, body);
            request.send().await.assert_rocket_param("token");
        }
    }
    let bytes = server
        .post(PATH)
        .rocket_by(&person)
        .body("application/json", b"\xff\xfe".to_vec());
    bytes.send().await.assert_rocket_param("type");
    server
        .post(PATH)
        .rocket_by(&person)
        .send()
        .await
        .assert_rocket_param("type");
    server
        .delete(PATH)
        .rocket_by(&person)
        .send()
        .await
        .assert_rocket_param("token");
    let texts = [json!(""), json!("a\u{0}b"), json!("x".repeat(4097))];
    for bad in not_texts.into_iter().chain(texts) {
        let request = server
            .delete(PATH)
            .rocket_by(&person)
            .json(&json!({"token": bad}));
        request.send().await.assert_rocket_param("token");
    }
    assert_eq!(server.devices(&person).await.len(), 0);
    assert_eq!(server.count("push_tokens"), 0);
});

on_both!(an_id_is_the_callers_own_name_for_a_device, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    // What JavaScript holds for false is no id: the token's own device is found again.
    let first = row(&server.push_token(&ada, &token()).await);
    for none in [json!(null), json!(""), json!(0), json!(false)] {
        let again = row(&server.push_token(&ada, &with(token(), "id", none)).await);
        assert_eq!(again["_id"], first["_id"]);
    }
    assert_eq!(server.devices(&ada).await.len(), 1);

    let named = json!({"id": "ada's phone", "type": "apn", "value": "ada", "appName": "chat"});
    let ada_row = row(&server.push_token(&ada, &named).await);
    let device = server.device(&ada, "ada's phone").await;
    assert_eq!(
        (&device["platform"], &device["pushToken"]),
        (&json!("ios"), &json!("ada"))
    );

    // Another's device, by its name, its id, or its token's id: only a name for one of one's own.
    for id in [
        &json!("ada's phone"),
        &device["id"],
        &ada_row["_id"],
        &first["_id"],
    ] {
        let body = json!({"id": id, "type": "gcm", "value": format!("bob {id}"), "appName": "chat"});
        let row = row(&server.push_token(&bob, &body).await);
        assert_eq!(row["userId"], bob.user_id.as_str());
        let own = server.device(&bob, id.as_str().expect("text")).await;
        assert_eq!(own["pushToken"], format!("bob {id}"));
        assert_ne!(own["id"], device["id"]);
    }
    assert_eq!(server.devices(&bob).await.len(), 4);
    assert_eq!(server.device(&ada, "ada's phone").await, device);

    // A revoked device takes nothing by its name, and is not found by its value.
    let revoke = json!({"id": device["id"], "status": "revoked"});
    server.update_device(&ada, &revoke).await.assert_status(200);
    server.push_token(&ada, &named).await.assert_rocket_param("id");
    let another = with(named.clone(), "value", json!("another"));
    server.push_token(&ada, &another).await.assert_rocket_param("id");
    assert_eq!(server.device(&ada, "ada's phone").await["status"], "revoked");
    let nameless = with(named, "id", json!(null));
    let made = row(&server.push_token(&ada, &nameless).await);
    assert_eq!(made["token"], json!({"apn": "ada"}));
    let device = server.device(&ada, "ada's phone").await;
    assert_eq!(device["status"], "revoked");
    let rings: Vec<Value> = server.devices(&ada).await;
    let ringing: Vec<_> = rings
        .iter()
        .filter(|device| device["pushToken"] == "ada")
        .collect();
    assert_eq!(ringing.len(), 1, "it rings one device: {rings:?}");
});

on_both!(a_token_keeps_its_row, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let first = row(&server.push_token(&person, &token()).await);
    server.advance(Duration::from_mins(1));
    let again = row(&server.push_token(&person, &token()).await);
    assert!(
        again["updatedAt"].as_str() > first["updatedAt"].as_str(),
        "{again}"
    );
    assert_eq!(with(again, "updatedAt", first["updatedAt"].clone()), first);

    // Another value without an id is another device; the first stays.
    let other = row(&server
        .push_token(&person, &with(token(), "value", json!("OTHER")))
        .await);
    assert_ne!(other["_id"], first["_id"]);
    let names: Vec<Value> = server
        .devices(&person)
        .await
        .into_iter()
        .map(|mut d| d["deviceId"].take())
        .collect();
    assert_eq!(names, [other["_id"].clone(), first["_id"].clone()]);
    // Another application of the same value is another row of the same device.
    let app = row(&server
        .push_token(&person, &with(token(), "appName", json!("OtherApp")))
        .await);
    assert_ne!(app["_id"], first["_id"]);
    assert_eq!(server.devices(&person).await.len(), 2);
    assert_eq!(server.count("push_tokens"), 3);
    // Another type of the same value is another address, and another device.
    let apple = row(&server
        .push_token(&person, &with(token(), "type", json!("apn")))
        .await);
    assert_eq!(apple["token"], json!({"apn": "TOKEN"}));
    assert_eq!(server.devices(&person).await.len(), 3);

    // A named device's new value takes the place of its old one, an application at a time.
    let named = with(with(token(), "id", json!("phone")), "value", json!("one"));
    let one = row(&server.push_token(&person, &named).await);
    let mail = row(&server
        .push_token(&person, &with(named.clone(), "appName", json!("mail")))
        .await);
    assert_ne!(mail["_id"], one["_id"]);
    server.advance(Duration::from_mins(1));
    let two = row(&server
        .push_token(&person, &with(named, "value", json!("two")))
        .await);
    assert_eq!((&two["_id"], &two["createdAt"]), (&one["_id"], &one["createdAt"]));
    assert_eq!(two["token"], json!({"gcm": "two"}));
    assert!(two["updatedAt"].as_str() > one["updatedAt"].as_str(), "{two}");
    server.remove_push_token(&person, "one").await.assert_status(200);
    server.remove_push_token(&person, "one").await.assert_rocket(404);
    assert_eq!(server.device(&person, "phone").await["pushToken"], "two");
});

on_both!(a_value_is_removed_in_every_dialect, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    let device = json!({"platform": "ios", "deviceId": "phone", "token": "TOKEN"});
    server.device_token(&ada, &device).await.assert_status(200);
    for (kind, app) in [("apn", "chat"), ("gcm", "chat"), ("gcm", "mail")] {
        let body = json!({"id": "phone", "type": kind, "value": "TOKEN", "appName": app});
        server.push_token(&ada, &body).await.assert_status(200);
    }
    let bobs = with(token(), "value", json!("bob's"));
    server.push_token(&bob, &bobs).await.assert_status(200);
    for foreign in ["TOKEN", "unknown"] {
        server.remove_push_token(&bob, foreign).await.assert_rocket(404);
    }
    assert_eq!(server.count("push_tokens"), 5);
    let removed = server.remove_push_token(&ada, "TOKEN").await.expect(200);
    assert_eq!(removed.json(), json!({"success": true}));
    server.remove_push_token(&ada, "TOKEN").await.assert_rocket(404);
    server
        .remove_device_token(&ada, "TOKEN")
        .await
        .assert_allmine(404);
    assert_eq!(
        server.device(&ada, "phone").await.get("pushToken"),
        None,
        "the device stays without it"
    );
    assert_eq!(server.count("push_tokens"), 1);
    // Of any content type, as all its bodies.
    let body = json!({"token": "bob's"}).to_string();
    let request = server.delete(PATH).rocket_by(&bob).body("text/plain", body);
    assert_eq!(request.send().await.expect(200).json(), json!({"success": true}));

    // Suspended ones go too: of a revoked device, and of a session that has ended.
    let named = with(token(), "id", json!("phone"));
    server.push_token(&ada, &named).await.assert_status(200);
    let id = server.device(&ada, "phone").await["id"].take();
    let revoke = json!({"id": id, "status": "revoked"});
    server.update_device(&ada, &revoke).await.assert_status(200);
    server.remove_push_token(&ada, "TOKEN").await.assert_status(200);
    server.remove_push_token(&ada, "TOKEN").await.assert_rocket(404);
    server.push_token(&ada, &token()).await.assert_status(200);
    server.log_out(&ada).await;
    let ada = server.sign_in(&ada.phone).await;
    server.remove_push_token(&ada, "TOKEN").await.assert_status(200);
    server.remove_push_token(&ada, "TOKEN").await.assert_rocket(404);
});

on_both!(who_speaks_is_in_two_headers, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    let info = || server.get("/api/v1/push.info");
    let told = info().rocket_by(&ada).send().await.expect(200).json();
    let expected = json!({"pushGatewayEnabled": true, "defaultPushGateway": false, "success": true});
    assert_eq!(told, expected, "browsers are rung");

    let foreign = bob.user_id.as_str();
    for request in [
        info(),
        info().header("X-Auth-Token", &ada.access),
        info().header("X-User-Id", &ada.user_id),
        info().by(&ada),
        info().by(&ada).header("X-User-Id", &ada.user_id),
        info().rocket(&ada.access, foreign),
        info().rocket(&ada.access, "nobody"),
        info().rocket(&ada.access, ""),
        info().rocket("", &ada.user_id),
        info().rocket("not.a.token", &ada.user_id),
        info().rocket(&format!("Bearer {}", ada.access), &ada.user_id),
        info().rocket(&ada.refresh, &ada.user_id),
        server.post(PATH).by(&ada).json(&json!({})),
        server.delete(PATH).by(&ada).json(&json!({})),
        server.post(PATH).rocket(&ada.access, foreign).json(&token()),
    ] {
        request.send().await.assert_rocket(401);
    }
    // `Authorization` is never read, so a wrong one does no harm.
    let both = info().rocket_by(&ada).bearer("nonsense").send().await;
    both.assert_status(200);
    server.log_out(&ada).await;
    info().rocket_by(&ada).send().await.assert_rocket(401);
    server.push_token(&ada, &token()).await.assert_rocket(401);
    server.push_token(&ada, &json!({})).await.assert_rocket(401);
    assert_eq!(server.count("push_tokens"), 0);

    // What the framework refuses, too, is answered in this dialect.
    for (request, allowed) in [
        (server.get(PATH), "DELETE, POST"),
        (server.patch(PATH), "DELETE, POST"),
        (server.post("/api/v1/push.info"), "GET, HEAD"),
    ] {
        let answer = request.send().await;
        answer.assert_rocket(405);
        assert_eq!(answer.header("allow"), Some(allowed));
    }
    for path in ["/api/v1/push.nothing", "/api/v1/push.", "/api/v1/push.token/x"] {
        let answer = server.get(path).rocket_by(&bob).send().await.expect(404);
        assert_eq!(answer.json(), json!({"success": false, "error": "Not Found"}));
    }
    let large = with(token(), "value", json!("x".repeat(64 * 1024)));
    server.push_token(&bob, &large).await.assert_rocket(413);
    let large = json!({"token": "x".repeat(64 * 1024)});
    let request = server.delete(PATH).rocket_by(&bob).json(&large);
    request.send().await.assert_rocket(413);
});
