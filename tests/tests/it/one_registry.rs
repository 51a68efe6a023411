//! Four dialects, one registry: what one writes, every other shows.

use std::time::Duration;

use doorbell_tests::{Phone, Server, SignedIn, Value, json, on_both};

const ENDPOINT: &str = "https://push.example.com/a-browser";

fn ids(things: &[Value]) -> Vec<&str> {
    things.iter().filter_map(|thing| thing["id"].as_str()).collect()
}

async fn row(server: &Server, person: &SignedIn, body: &Value) -> Value {
    server.push_token(person, body).await.expect(200).json()["result"].take()
}

/// Whether that value rings any of the person's devices, as easyflow shows it.
async fn rings(server: &Server, person: &SignedIn, value: &str) -> bool {
    server
        .devices(person)
        .await
        .iter()
        .any(|device| device["pushToken"] == value)
}

on_both!(one_device_is_known_in_every_dialect, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let told = json!({"platform": "ios", "deviceId": "iphone-14-pro", "token": "first", "timezone": "Europe/Istanbul"});
    server.device_token(&person, &told).await.assert_status(200);
    // device-token's device is in easyflow's list, in its own environment.
    let device = server.device(&person, "iphone-14-pro").await;
    assert_eq!(server.devices(&person).await, std::slice::from_ref(&device));
    assert_eq!(
        (&device["pushToken"], &device["environment"]),
        (&json!("first"), &json!("production"))
    );
    assert_eq!(device["mobileSettings"], json!({}));

    // refresh-token changes the token that device-token set: the old value is nobody's.
    let refreshed = server
        .refresh_device(&person, "iphone-14-pro", "second")
        .await
        .expect(200);
    assert_eq!(refreshed.json()["data"]["device"]["id"], device["id"]);
    server
        .remove_device_token(&person, "first")
        .await
        .assert_allmine(404);
    assert_eq!(server.count("push_tokens"), 1);

    // push.token lands on it by its name, and by the value that it holds.
    let named = json!({"id": "iphone-14-pro", "type": "apn", "value": "chat token", "appName": "chat"});
    let chat = row(&server, &person, &named).await;
    let held = json!({"type": "apn", "value": "second", "appName": "mail"});
    let mail = row(&server, &person, &held).await;
    assert_ne!(mail["_id"], chat["_id"]);
    assert_eq!(
        ids(&server.devices(&person).await),
        [device["id"].as_str().expect("an id")]
    );
    assert_eq!(server.count("push_tokens"), 3);
    assert_eq!(
        server.device(&person, "iphone-14-pro").await["pushToken"],
        "second",
        "app default comes first"
    );
    // Under the name `default` it is the very row that the other two write.
    let default = row(
        &server,
        &person,
        &json!({"type": "apn", "value": "second", "appName": "default"}),
    )
    .await;
    assert_eq!(server.count("push_tokens"), 3);
    let told = json!({"platform": "ios", "deviceId": "iphone-14-pro", "token": "third"});
    server.device_token(&person, &told).await.assert_status(200);
    let renewed = json!({"id": "iphone-14-pro", "type": "apn", "value": "third", "appName": "default"});
    assert_eq!(row(&server, &person, &renewed).await["_id"], default["_id"]);
    assert_eq!(
        server.device(&person, "iphone-14-pro").await["pushToken"],
        "third"
    );
    // Without one of app default, the newest is shown.
    server
        .remove_device_token(&person, "third")
        .await
        .assert_status(200);
    server.advance(Duration::from_secs(1));
    row(&server, &person, &named).await;
    assert_eq!(
        server.device(&person, "iphone-14-pro").await["pushToken"],
        "chat token"
    );

    // A device that push.token made is easyflow's and Allmine's by the token's id.
    let made = row(
        &server,
        &person,
        &json!({"type": "gcm", "value": "made", "appName": "chat"}),
    )
    .await;
    let name = made["_id"].as_str().expect("an id");
    server
        .refresh_device(&person, name, "made 2")
        .await
        .assert_status(200);
    let told = json!({"platform": "android", "deviceId": name, "token": "made 3"});
    server.device_token(&person, &told).await.assert_status(200);
    assert_eq!(server.device(&person, name).await["pushToken"], "made 3");
    assert_eq!(server.devices(&person).await.len(), 2);

    // The environment is easyflow's to say, and stays when others speak.
    let added = json!({"deviceId": name, "platform": "android", "environment": "sandbox", "pushToken": "made 4",
        "mobileSettings": {}});
    server.add_device(&person, &added).await.assert_status(200);
    server.device_token(&person, &told).await.assert_status(200);
    assert_eq!(server.device(&person, name).await["environment"], "sandbox");
});

on_both!(a_value_registered_on_another_device_moves_there, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    for name in ["old phone", "new phone"] {
        let body = json!({"platform": "ios", "deviceId": name, "token": "the token"});
        server.device_token(&person, &body).await.assert_status(200);
        assert_eq!(server.device(&person, name).await["pushToken"], "the token");
    }
    assert_eq!(server.device(&person, "old phone").await.get("pushToken"), None);
    assert_eq!(server.count("push_tokens"), 1);
    assert_eq!(
        server.count("audit_events WHERE action = 'address_lost'"),
        0,
        "it stayed in the family"
    );
});

on_both!(
    an_address_leaves_its_earlier_owner_in_every_dialect_at_once,
    async |server| {
        let ada = server.sign_in(&Phone::nth(1)).await;
        let bob = server.sign_in(&Phone::nth(2)).await;
        let told = json!({"platform": "ios", "deviceId": "phone", "token": "T", "liveActivityPushToStartToken": "S"});
        let chat = json!({"id": "phone", "type": "apn", "value": "T", "appName": "chat"});
        let add = json!({"deviceId": "phone", "platform": "ios", "environment": "production", "pushToken": "T",
        "mobileSettings": {}});

        // Whichever dialect takes it, and whatever the app.
        let mut owners = [(&ada, &bob), (&bob, &ada)].into_iter().cycle();
        server.device_token(&ada, &told).await.assert_status(200);
        let first = row(&server, &ada, &chat).await;
        let mail = json!({"type": "apn", "value": "T", "appName": "mail"});
        server
            .device_token(&bob, &json!({"platform": "ios", "deviceId": "phone"}))
            .await
            .assert_status(200);
        for step in 0..7 {
            let (loser, taker) = owners.next().expect("they take turns");
            server.advance(Duration::from_secs(1));
            match step % 4 {
                0 => drop(row(&server, taker, &mail).await),
                1 => server.device_token(taker, &told).await.assert_status(200),
                2 => server.add_device(taker, &add).await.assert_status(200),
                _ => server
                    .refresh_device(taker, "phone", "T")
                    .await
                    .assert_status(200),
            }
            assert!(rings(&server, taker, "T").await, "step {step}");
            assert!(!rings(&server, loser, "T").await, "step {step}");
            assert_eq!(
                server.device(loser, "phone").await["status"],
                "active",
                "the device stays without it"
            );
            server.remove_device_token(loser, "T").await.assert_allmine(404);
            server.remove_push_token(loser, "T").await.assert_rocket(404);
            assert_eq!(server.count("push_tokens WHERE kind = 'alert'"), 1);
            let moves = i64::from(step) + 1;
            for action in ["address_lost", "address_gained"] {
                assert_eq!(
                    server.count(&format!("audit_events WHERE action = '{action}'")),
                    moves,
                    "step {step}"
                );
            }
        }
        // Who comes back inherits nothing, not even from themselves.
        let anew = row(&server, &ada, &chat).await;
        assert_ne!(anew["_id"], first["_id"]);
        assert!(anew["createdAt"].as_str() > first["createdAt"].as_str());
    }
);

on_both!(
    an_endpoint_leaves_its_earlier_owner_with_its_device,
    async |server| {
        let ada = server.sign_in(&Phone::nth(1)).await;
        let bob = server.sign_in(&Phone::nth(2)).await;
        let first = server.subscribe(&ada, ENDPOINT).await.expect(201).json();
        server.advance(Duration::from_secs(1));
        let second = server.subscribe(&bob, ENDPOINT).await.expect(201).json();
        assert_ne!(second["id"], first["id"]);
        assert!(second["createdAt"].as_str() > first["createdAt"].as_str());
        assert_eq!(server.subscriptions(&ada).await.len(), 0);
        assert_eq!(server.devices(&ada).await.len(), 0);
        assert_eq!(server.subscriptions(&bob).await, [second]);
        assert_eq!(server.devices(&bob).await.len(), 1);
        for (action, person) in [("address_lost", &ada), ("address_gained", &bob)] {
            assert_eq!(
                server.count(&format!("audit_events WHERE action = '{action}'")),
                1,
                "{}",
                person.user_id
            );
        }
        // Unsubscribing what is no longer hers does nothing to him.
        server.unsubscribe(&ada, ENDPOINT).await.assert_status(204);
        assert_eq!(server.subscriptions(&bob).await.len(), 1);
    }
);

on_both!(logout_hides_and_the_next_registration_revives, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let told = json!({"platform": "ios", "deviceId": "phone", "token": "T", "timezone": "Asia/Tokyo"});
    let chat = json!({"id": "phone", "type": "apn", "value": "chat token", "appName": "chat"});
    server.device_token(&ada, &told).await.assert_status(200);
    let chat_row = row(&server, &ada, &chat).await;
    let subscription = server.subscribe(&ada, ENDPOINT).await.expect(201).json();
    let device = server.device(&ada, "phone").await;
    assert_eq!(server.devices(&ada).await.len(), 2);

    server.log_out(&ada).await;
    server.device_token(&ada, &told).await.assert_allmine(401);
    let ada = server.sign_in(&ada.phone).await;
    let hidden = server.device(&ada, "phone").await;
    assert_eq!(hidden.get("pushToken"), None, "shown nowhere");
    assert_eq!(hidden["id"], device["id"]);
    assert_eq!(server.subscriptions(&ada).await.len(), 0);

    // Each comes back by itself when it is registered again, as what it was.
    server.advance(Duration::from_secs(1));
    let again = row(&server, &ada, &chat).await;
    assert_eq!(
        (&again["_id"], &again["createdAt"]),
        (&chat_row["_id"], &chat_row["createdAt"])
    );
    assert_eq!(
        server.device(&ada, "phone").await["pushToken"],
        "chat token",
        "the other is silent still"
    );
    let renewed = server.subscribe(&ada, ENDPOINT).await.expect(201).json();
    assert_eq!(
        (&renewed["id"], &renewed["createdAt"]),
        (&subscription["id"], &subscription["createdAt"])
    );
    assert_eq!(server.subscriptions(&ada).await, [renewed]);
    let refreshed =
        server.refresh_device(&ada, "phone", "T").await.expect(200).json()["data"]["device"].take();
    assert_eq!(
        (&refreshed["id"], &refreshed["pushToken"]),
        (&device["id"], &json!("T"))
    );
    assert_eq!(server.devices(&ada).await.len(), 2);
    assert_eq!(server.count("push_tokens"), 2);

    // Ending another session leaves this one's alone.
    let tablet = server.sign_in(&ada.phone).await;
    let own = json!({"platform": "ios", "deviceId": "tablet", "token": "of the tablet"});
    server.device_token(&tablet, &own).await.assert_status(200);
    let path = format!("/api/v1/auth/sessions/{}", tablet.session_id);
    server.delete(&path).by(&ada).send().await.assert_status(200);
    assert!(!rings(&server, &ada, "of the tablet").await);
    assert!(rings(&server, &ada, "T").await);

    // While it is suspended, another may take the address, and it does not come back.
    server.log_out(&ada).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    server.device_token(&bob, &told).await.assert_status(200);
    let ada = server.sign_in(&ada.phone).await;
    server.remove_device_token(&ada, "T").await.assert_allmine(404);
    assert!(rings(&server, &bob, "T").await);
    // A suspended subscription can still be removed.
    server.unsubscribe(&ada, ENDPOINT).await.assert_status(204);
    assert_eq!(server.count("subscriptions"), 0);
});

on_both!(a_session_that_merely_expires_rings_on, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let told = json!({"platform": "ios", "deviceId": "phone", "token": "T"});
    server.device_token(&ada, &told).await.assert_status(200);
    server.subscribe(&ada, ENDPOINT).await.assert_status(201);
    server.advance(Duration::from_hours(31 * 24));
    server.device_token(&ada, &told).await.assert_allmine(401);
    server.refresh(&ada.refresh).await.assert_allmine(401);
    let ada = server.sign_in(&ada.phone).await;
    assert!(
        rings(&server, &ada, "T").await,
        "the phone of somebody away still rings"
    );
    assert_eq!(server.subscriptions(&ada).await.len(), 1);
});

on_both!(instants_tell_who_was_seen_and_used, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let told = json!({"platform": "ios", "deviceId": "phone", "token": "T", "timezone": "Asia/Tokyo"});
    server.device_token(&ada, &told).await.assert_status(200);
    let made = server.device(&ada, "phone").await;
    for instant in ["lastSeenAt", "lastUsedAt", "updatedAt"] {
        assert_eq!(
            made[instant], made["createdAt"],
            "{instant} starts with the device"
        );
    }
    // Every write that names it is seen, in whichever dialect.
    let mut last = made.clone();
    let update = json!({"id": made["id"], "environment": "staging"});
    let add = json!({"deviceId": "phone", "platform": "ios", "environment": "production", "pushToken": "T",
        "mobileSettings": {}});
    let chat = json!({"id": "phone", "type": "apn", "value": "chat", "appName": "chat"});
    let activity = json!({"streamId": "s", "deviceId": "phone", "liveActivityToken": "L", "activityId": "a"});
    for write in 0..7 {
        server.advance(Duration::from_secs(1));
        let answer = match write {
            0 => server.device_token(&ada, &told).await,
            1 => {
                server
                    .device_token(&ada, &json!({"platform": "ios", "deviceId": "phone"}))
                    .await
            }
            2 => server.refresh_device(&ada, "phone", "T").await,
            3 => server.update_device(&ada, &update).await,
            4 => server.add_device(&ada, &add).await,
            5 => server.push_token(&ada, &chat).await,
            _ => server.live_activity(&ada, &activity).await,
        };
        answer.assert_status(200);
        let now = server.device(&ada, "phone").await;
        for instant in ["lastSeenAt", "lastUsedAt"] {
            assert!(
                now[instant].as_str() > last[instant].as_str(),
                "{instant} after write {write}: {now}"
            );
        }
        assert_eq!(now["createdAt"], made["createdAt"]);
        last = now;
    }
    // Reads, refusals and other devices do not touch it.
    server.advance(Duration::from_secs(1));
    server
        .device_token(&ada, &json!({"platform": "ios", "deviceId": "other"}))
        .await
        .assert_status(200);
    server.refresh_device(&ada, "phone", "").await.assert_status(400);
    assert_eq!(server.device(&ada, "phone").await, last);

    // The person's zone is the one that any device sent last.
    let zone = async || {
        let me = server.get("/api/v1/auth/me").by(&ada).send().await;
        me.expect(200).json()["data"]["timezone"].take()
    };
    assert_eq!(zone().await, "Asia/Tokyo");
    let other = json!({"platform": "ios", "deviceId": "other", "timezone": "America/Lima"});
    server.device_token(&ada, &other).await.assert_status(200);
    assert_eq!(zone().await, "America/Lima");
    server.device_token(&ada, &told).await.assert_status(200);
    assert_eq!(zone().await, "Asia/Tokyo");
});

on_both!(two_people_may_call_their_phones_the_same, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    for (person, token) in [(&ada, "ada's"), (&bob, "bob's")] {
        let body = json!({"platform": "ios", "deviceId": "iphone-14-pro", "token": token});
        server.device_token(person, &body).await.assert_status(200);
    }
    let (adas, bobs) = (
        server.device(&ada, "iphone-14-pro").await,
        server.device(&bob, "iphone-14-pro").await,
    );
    assert_ne!(adas["id"], bobs["id"]);
    assert_eq!(
        (&adas["pushToken"], &bobs["pushToken"]),
        (&json!("ada's"), &json!("bob's"))
    );
});
