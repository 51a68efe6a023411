//! Allmine: a device tells its token, its zone and its Live Activities.

use std::time::Duration;

use doorbell_tests::{Phone, Server, SignedIn, Value, encoded, is_instant, json, on_both};

const PATH: &str = "/api/v1/notifications/device-token";
const ACTIVITIES: &str = "/api/v1/notifications/live-activity-sessions";

/// The seed's own request.
fn phone() -> Value {
    json!({"token": "sample", "platform": "ios", "deviceId": "iphone-14-pro", "timezone": "Europe/Istanbul",
        "liveActivityPushToStartToken": "push_to_start_token_value"})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn without(mut body: Value, name: &str) -> Value {
    body.as_object_mut().expect("an object").remove(name);
    body
}

async fn timezone(server: &Server, person: &SignedIn) -> Value {
    let answer = server.get("/api/v1/auth/me").by(person).send().await;
    answer.expect(200).json()["data"]["timezone"].take()
}

fn done(answer: &doorbell_tests::Answer) {
    answer.assert_status(200);
    let body = answer.json();
    let timestamp = body["timestamp"].as_str().unwrap_or_default();
    assert!(is_instant(timestamp), "{answer}");
    let expected = json!({"isSuccess": true, "statusCode": 200, "data": {"success": true}, "errors": [],
        "timestamp": timestamp});
    assert_eq!(body, expected);
}

on_both!(a_device_tells_its_token_as_the_document_shows, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    done(&server.device_token(&person, &phone()).await);
    for (platform, name) in [
        ("ios", "a phone"),
        ("android", "bir telefon ☎ 📱"),
        ("web", "a browser"),
    ] {
        done(
            &server
                .device_token(&person, &json!({"platform": platform, "deviceId": name}))
                .await,
        );
        assert_eq!(server.device(&person, name).await["platform"], platform);
    }
    let loose = server
        .post(PATH)
        .header("Authorization", format!("bEARER {}", person.access))
        .body(
            "Application/JSON; charset=utf-8",
            json!({"platform": "ios", "deviceId": "loose", "brand": {"unlisted": [1]}}).to_string(),
        )
        .send()
        .await;
    done(&loose);
    assert_eq!(server.devices(&person).await.len(), 5);

    let longest = json!({"platform": "ios", "deviceId": "é".repeat(128), "token": "t".repeat(4096),
        "liveActivityPushToStartToken": "📱".repeat(1024), "timezone": "Asia/Calcutta"});
    done(&server.device_token(&person, &longest).await);
    let device = server.device(&person, &"é".repeat(128)).await;
    assert_eq!(device["pushToken"], "t".repeat(4096));
});

on_both!(every_bad_field_is_blamed_and_nothing_is_written, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let texts = |long: usize| {
        [
            json!(5),
            json!(true),
            json!([]),
            json!({"a": 1}),
            json!(""),
            json!("a\u{0}b"),
            json!("x".repeat(long + 1)),
        ]
    };
    let long = json!(format!("{}é", "x".repeat(255)));
    let mut wrong: Vec<(&str, Value)> = Vec::new();
    wrong.extend(texts(256).map(|bad| ("deviceId", bad)));
    wrong.push(("deviceId", long));
    wrong.extend(texts(4096).map(|bad| ("token", bad)));
    wrong.extend(texts(4096).map(|bad| ("liveActivityPushToStartToken", bad)));
    wrong.extend(texts(1024).map(|bad| ("timezone", bad)));
    wrong.extend(
        ["Europe/Atlantis", "+03:00", "europe", " Europe/Istanbul"].map(|zone| ("timezone", json!(zone))),
    );
    wrong.extend(["iOS", "ipad", "", " ios", "apn"].map(|name| ("platform", json!(name))));
    wrong.extend([json!(1), json!(null), json!(["ios"])].map(|bad| ("platform", bad)));
    wrong.push(("deviceId", json!(null)));
    for (name, value) in wrong {
        let answer = server
            .device_token(&person, &with(phone(), name, value.clone()))
            .await;
        assert_eq!(answer.assert_allmine(400), [name], "{value}");
    }
    for name in ["platform", "deviceId"] {
        let answer = server.device_token(&person, &without(phone(), name)).await;
        assert_eq!(answer.assert_allmine(400), [name]);
    }
    let all = json!({"liveActivityPushToStartToken": 1, "timezone": "Mars/Phobos-Base", "token": [], "deviceId": ""});
    let answer = server.device_token(&person, &all).await;
    let names = [
        "platform",
        "deviceId",
        "token",
        "timezone",
        "liveActivityPushToStartToken",
    ];
    assert_eq!(answer.assert_allmine(400), names);
    assert!(
        !answer.text().contains("Phobos"),
        "a bad value is not echoed: {answer}"
    );

    let post = || server.post(PATH).by(&person);
    let good = phone().to_string();
    for request in [
        post(),
        post().body("application/json", "{"),
        post().body("application/json", "[]"),
        post().body("application/json", "null"),
        post().body("application/json", r#"{"platform":"ios","deviceId":"\ud800"}"#),
        post().body(
            "application/json",
            b"{\"platform\":\"ios\",\"deviceId\":\"\xff\"}".to_vec(),
        ),
        post().body("text/plain", good.clone()),
        post().body("application/x-www-form-urlencoded", good.clone()),
        post().untyped_body(good.clone()),
    ] {
        assert!(request.send().await.assert_allmine(400).is_empty());
    }
    let large = with(phone(), "token", json!("x".repeat(64 * 1024)));
    server.device_token(&person, &large).await.assert_allmine(413);
    server
        .post(PATH)
        .json(&json!({}))
        .send()
        .await
        .assert_allmine(401);
    for method in [server.get(PATH), server.put(PATH), server.delete(PATH)] {
        let answer = method.by(&person).send().await;
        answer.assert_allmine(405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    assert_eq!(server.devices(&person).await, Vec::<Value>::new());
    assert_eq!(timezone(&server, &person).await, Value::Null);
    assert_eq!(server.count("push_tokens"), 0);
});

on_both!(what_is_null_or_absent_stays_as_it_is, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    done(&server.device_token(&person, &phone()).await);
    let known = server.device(&person, "iphone-14-pro").await;
    for body in [
        json!({"platform": "ios", "deviceId": "iphone-14-pro"}),
        json!({"platform": "ios", "deviceId": "iphone-14-pro", "token": null, "timezone": null,
            "liveActivityPushToStartToken": null}),
        json!({"platform": "android", "deviceId": "iphone-14-pro", "token": null}),
        json!({"platform": "ios", "deviceId": "iphone-14-pro", "token": "sample"}),
    ] {
        server.advance(Duration::from_secs(1));
        done(&server.device_token(&person, &body).await);
        let now = server.device(&person, "iphone-14-pro").await;
        for fact in [
            "id",
            "createdAt",
            "platform",
            "pushToken",
            "environment",
            "status",
        ] {
            assert_eq!(now[fact], known[fact], "{fact} after {body}");
        }
        assert!(
            now["lastSeenAt"].as_str() > known["lastSeenAt"].as_str(),
            "it was seen: {now}"
        );
        assert_eq!(timezone(&server, &person).await, "Europe/Istanbul");
        assert_eq!(server.count("push_tokens"), 2);
    }

    // Only a zone: an Android device that was taken for an iPhone stays what it was.
    let zone = json!({"platform": "android", "deviceId": "iphone-14-pro", "timezone": "Asia/Tokyo"});
    done(&server.device_token(&person, &zone).await);
    assert_eq!(timezone(&server, &person).await, "Asia/Tokyo");
    assert_eq!(server.device(&person, "iphone-14-pro").await["platform"], "ios");
    // Only another push-to-start token: it replaces the old one, and the alert token stays.
    let start =
        json!({"platform": "ios", "deviceId": "iphone-14-pro", "liveActivityPushToStartToken": "start 2"});
    done(&server.device_token(&person, &start).await);
    assert_eq!(
        server.device(&person, "iphone-14-pro").await["pushToken"],
        "sample"
    );
    server
        .remove_device_token(&person, "push_to_start_token_value")
        .await
        .assert_allmine(404);
    done(&server.remove_device_token(&person, "start 2").await);
    // With a token, the platform is what the device says.
    let moved = json!({"platform": "android", "deviceId": "iphone-14-pro", "token": "fcm token"});
    done(&server.device_token(&person, &moved).await);
    assert_eq!(
        server.device(&person, "iphone-14-pro").await["platform"],
        "android"
    );

    // An unknown device is made without a token.
    done(
        &server
            .device_token(
                &person,
                &json!({"platform": "ios", "deviceId": "new", "token": null}),
            )
            .await,
    );
    let made = server.device(&person, "new").await;
    assert_eq!(made.get("pushToken"), None);
    assert_eq!(server.devices(&person).await.len(), 2);
});

on_both!(a_revoked_device_takes_nothing, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    done(&server.device_token(&person, &phone()).await);
    let id = server.device(&person, "iphone-14-pro").await["id"].take();
    let revoke = json!({"id": id, "status": "revoked"});
    server.update_device(&person, &revoke).await.assert_status(200);
    let revoked = server.device(&person, "iphone-14-pro").await;
    for body in [
        phone(),
        json!({"platform": "ios", "deviceId": "iphone-14-pro"}),
        json!({"platform": "android", "deviceId": "iphone-14-pro", "timezone": "Asia/Tokyo"}),
        json!({"platform": "ios", "deviceId": "iphone-14-pro", "liveActivityPushToStartToken": "another"}),
    ] {
        server.device_token(&person, &body).await.assert_allmine(409);
    }
    let activity =
        json!({"streamId": "s", "deviceId": "iphone-14-pro", "liveActivityToken": "t", "activityId": "a"});
    server.live_activity(&person, &activity).await.assert_allmine(409);
    assert_eq!(
        server.device(&person, "iphone-14-pro").await,
        revoked,
        "nothing of it changed"
    );
    assert_eq!(timezone(&server, &person).await, "Europe/Istanbul");

    // Its suspended token can be removed all the same, once.
    done(&server.remove_device_token(&person, "sample").await);
    server
        .remove_device_token(&person, "sample")
        .await
        .assert_allmine(404);
});

on_both!(
    a_token_is_removed_by_its_value_wherever_it_stands,
    async |server| {
        let ada = server.sign_in(&Phone::nth(1)).await;
        let bob = server.sign_in(&Phone::nth(2)).await;
        for value in [
            "a/b/c",
            "100%",
            "%2F",
            "şifre 🔔",
            "a b+c?d#e&f=g",
            "a:b@c;d",
            "\u{7f}\n\t",
        ] {
            let body = json!({"platform": "ios", "deviceId": "phone", "token": value});
            done(&server.device_token(&ada, &body).await);
            assert_eq!(server.device(&ada, "phone").await["pushToken"], value);
            done(&server.remove_device_token(&ada, value).await);
            assert_eq!(
                server.device(&ada, "phone").await.get("pushToken"),
                None,
                "{value}"
            );
            server.remove_device_token(&ada, value).await.assert_allmine(404);
        }

        // One value under three places of two dialects: one removal takes all.
        let shared = json!({"platform": "ios", "deviceId": "phone", "token": "shared"});
        done(&server.device_token(&ada, &shared).await);
        for (kind, app) in [("apn", "chat"), ("apn", "mail"), ("gcm", "chat")] {
            let body = json!({"id": "phone", "type": kind, "value": "shared", "appName": app});
            server.push_token(&ada, &body).await.assert_status(200);
        }
        assert_eq!(server.count("push_tokens"), 4);
        let own = json!({"platform": "ios", "deviceId": "phone", "token": "bob's own"});
        done(&server.device_token(&bob, &own).await);
        for foreign in ["shared", "unknown"] {
            server
                .remove_device_token(&bob, foreign)
                .await
                .assert_allmine(404);
        }
        assert_eq!(server.count("push_tokens"), 5, "another's are untouched");
        server
            .remove_device_token(&ada, "bob's own")
            .await
            .assert_allmine(404);
        done(&server.remove_device_token(&ada, "shared").await);
        server
            .remove_device_token(&ada, "shared")
            .await
            .assert_allmine(404);
        server.remove_push_token(&ada, "shared").await.assert_rocket(404);
        assert_eq!(server.count("push_tokens"), 1);
        assert_eq!(server.device(&bob, "phone").await["pushToken"], "bob's own");

        let path = format!("{PATH}/{}", encoded("bob's own"));
        server.delete(&path).send().await.assert_allmine(401);
        let answer = server.get(&path).by(&bob).send().await;
        answer.assert_allmine(405);
        assert_eq!(answer.header("allow"), Some("DELETE"));
        server
            .remove_device_token(&bob, &"x".repeat(4097))
            .await
            .assert_allmine(404);
    }
);

on_both!(a_live_activity_tells_its_token, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    done(&server.device_token(&ada, &phone()).await);
    let activity = json!({"streamId": "stream", "deviceId": "iphone-14-pro", "liveActivityToken": "first",
        "activityId": "an activity/1"});
    for name in ["streamId", "deviceId", "liveActivityToken", "activityId"] {
        let answer = server.live_activity(&ada, &without(activity.clone(), name)).await;
        assert_eq!(answer.assert_allmine(400), [name]);
        for bad in [
            json!(null),
            json!(""),
            json!(5),
            json!("x".repeat(4097)),
            json!("a\u{0}"),
        ] {
            let answer = server
                .live_activity(&ada, &with(activity.clone(), name, bad))
                .await;
            assert_eq!(answer.assert_allmine(400), [name]);
        }
    }
    let answer = server.live_activity(&ada, &json!({})).await;
    assert_eq!(
        answer.assert_allmine(400),
        ["streamId", "deviceId", "liveActivityToken", "activityId"]
    );
    server.live_activity(&bob, &activity).await.assert_allmine(404);
    let unknown = with(activity.clone(), "deviceId", json!("unknown"));
    server.live_activity(&ada, &unknown).await.assert_allmine(404);
    assert_eq!(server.devices(&bob).await.len(), 0);

    let raw = json!({"success": true});
    assert_eq!(
        server.live_activity(&ada, &activity).await.expect(200).json(),
        raw
    );
    let renewed = with(activity.clone(), "liveActivityToken", json!("second"));
    assert_eq!(server.live_activity(&ada, &renewed).await.expect(200).json(), raw);
    assert_eq!(server.count("push_tokens WHERE kind = 'live_activity'"), 1);
    server
        .remove_device_token(&ada, "first")
        .await
        .assert_allmine(404);
    let device = server.device(&ada, "iphone-14-pro").await;
    assert_eq!(
        device["pushToken"], "sample",
        "an activity's token is no alert token"
    );
    // The same activity from the person's other phone is still one.
    done(
        &server
            .device_token(&ada, &json!({"platform": "ios", "deviceId": "other"}))
            .await,
    );
    let elsewhere = with(renewed, "deviceId", json!("other"));
    assert_eq!(
        server.live_activity(&ada, &elsewhere).await.expect(200).json(),
        raw
    );
    assert_eq!(server.count("push_tokens WHERE kind = 'live_activity'"), 1);

    // Another person's activity of the same name is another.
    done(
        &server
            .device_token(&bob, &json!({"platform": "ios", "deviceId": "iphone-14-pro"}))
            .await,
    );
    let bobs = with(activity, "liveActivityToken", json!("bob's"));
    assert_eq!(server.live_activity(&bob, &bobs).await.expect(200).json(), raw);
    let path = format!("{ACTIVITIES}/{}", encoded("an activity/1"));
    assert_eq!(server.delete(&path).by(&ada).send().await.expect(200).json(), raw);
    server.delete(&path).by(&ada).send().await.assert_allmine(404);
    server
        .delete(&format!("{ACTIVITIES}/unknown"))
        .by(&bob)
        .send()
        .await
        .assert_allmine(404);
    server.delete(&path).send().await.assert_allmine(401);
    assert_eq!(server.count("push_tokens WHERE kind = 'live_activity'"), 1);
    assert_eq!(server.delete(&path).by(&bob).send().await.expect(200).json(), raw);
});

on_both!(
    a_person_has_at_most_so_many_devices,
    |setup| setup.env("DOORBELL_MAX_DEVICES", "3"),
    async |server| {
        let ada = server.sign_in(&Phone::nth(1)).await;
        let bob = server.sign_in(&Phone::nth(2)).await;
        done(&server.device_token(&ada, &phone()).await);
        let push = |value: &str| json!({"type": "gcm", "value": value, "appName": "chat"});
        server.push_token(&ada, &push("second")).await.assert_status(200);
        server
            .subscribe(&ada, "https://push.example.com/third")
            .await
            .assert_status(201);

        let fourth = json!({"platform": "ios", "deviceId": "fourth", "token": "fourth"});
        server.device_token(&ada, &fourth).await.assert_allmine(409);
        let answer = server.subscribe(&ada, "https://push.example.com/fourth").await;
        answer.assert_problem(409, "conflict");
        let added = json!({"deviceId": "fourth", "platform": "ios", "environment": "production",
            "pushToken": "fourth", "mobileSettings": {}});
        server
            .add_device(&ada, &added)
            .await
            .assert_easyflow_params(&["deviceId"]);
        for body in [push("fourth"), with(push("fourth"), "id", json!("fourth"))] {
            let refused = server.push_token(&ada, &body).await.expect(400).json();
            assert_eq!(refused["success"], false);
            let kind = refused["errorType"].as_str().expect("a coded error");
            let text = refused["error"].as_str().expect("a text");
            assert!(text.ends_with(&format!(" [{kind}]")), "{refused}");
        }
        assert_eq!(server.devices(&ada).await.len(), 3);
        assert_eq!(server.count("push_tokens"), 3);

        // What is there already is renewed; others are not in the way.
        done(&server.device_token(&ada, &phone()).await);
        server.push_token(&ada, &push("second")).await.assert_status(200);
        server
            .subscribe(&ada, "https://push.example.com/third")
            .await
            .assert_status(201);
        done(&server.device_token(&bob, &fourth).await);
        // A device that leaves makes room.
        server
            .unsubscribe(&ada, "https://push.example.com/third")
            .await
            .assert_status(204);
        server.add_device(&ada, &added).await.assert_status(200);
        assert_eq!(server.device(&ada, "fourth").await["pushToken"], "fourth");
        assert_eq!(server.device(&bob, "fourth").await.get("pushToken"), None);
    }
);
