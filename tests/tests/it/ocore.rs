//! oCore: a browser's subscriptions.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use doorbell_tests::{AUTH, Answer, P256DH, Phone, Server, Value, is_instant, json, on_both};

const MOUNTS: [&str; 2] = ["/push", "/api/push"];
const ENDPOINT: &str = "https://fcm.googleapis.com/fcm/send/abc:def-123";

fn browser() -> Value {
    json!({"endpoint": ENDPOINT, "keys": {"p256dh": P256DH, "auth": AUTH}, "deviceName": "Ada's laptop",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64)"})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn with_key(mut body: Value, name: &str, value: Value) -> Value {
    body["keys"][name] = value;
    body
}

/// The subscription of a 201, of which only what the client chose is not checked.
#[track_caller]
fn created(answer: &Answer) -> Value {
    answer.assert_status(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
    let expected = [
        "createdAt",
        "deviceName",
        "endpoint",
        "id",
        "lastUsedAt",
        "userAgent",
    ];
    assert_eq!(members, expected, "{answer}");
    for instant in ["createdAt", "lastUsedAt"] {
        assert!(body[instant].as_str().is_some_and(is_instant), "{answer}");
    }
    body
}

on_both!(a_browser_subscribes_under_both_mounts, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let subscribe = |mount: &str, body: &Value| {
        server
            .post(&format!("{mount}/subscribe"))
            .by(&person)
            .json(body)
            .send()
    };
    let first = created(&subscribe("/push", &browser()).await);
    assert_eq!(first["deviceName"], "Ada's laptop");
    assert_eq!(first["endpoint"], ENDPOINT);
    assert_eq!(first["userAgent"], "Mozilla/5.0 (X11; Linux x86_64)");
    assert_eq!(first["lastUsedAt"], first["createdAt"]);

    // Again: the same subscription, the rest renewed. What is not given is "".
    server.advance(Duration::from_mins(1));
    let plain = json!({"endpoint": ENDPOINT, "keys": {"p256dh": P256DH, "auth": AUTH}});
    let again = created(&subscribe("/api/push", &plain).await);
    assert_eq!(
        (&again["id"], &again["createdAt"]),
        (&first["id"], &first["createdAt"])
    );
    assert!(
        again["lastUsedAt"].as_str() > first["lastUsedAt"].as_str(),
        "{again}"
    );
    assert_eq!(
        (&again["deviceName"], &again["userAgent"]),
        (&json!(""), &json!(""))
    );

    // What was answered may be sent back; the request's own header stands in for a missing agent.
    let back = with(
        with(plain.clone(), "deviceName", json!("")),
        "userAgent",
        json!(null),
    );
    let agent = server
        .post("/push/subscribe")
        .by(&person)
        .header("User-Agent", "the request's own");
    let second = created(
        &agent
            .json(&with(back, "endpoint", json!("https://push.example.com/2")))
            .send()
            .await,
    );
    assert_eq!(
        (&second["deviceName"], &second["userAgent"]),
        (&json!(""), &json!("the request's own"))
    );

    for mount in MOUNTS {
        let listed = server
            .get(&format!("{mount}/subscriptions"))
            .by(&person)
            .send()
            .await;
        assert_eq!(
            listed.expect(200).json(),
            json!([second, again]),
            "newest first, nothing else"
        );
    }
    // A renewal does not make it newest.
    created(&subscribe("/push", &plain).await);
    let order: Vec<Value> = server
        .subscriptions(&person)
        .await
        .into_iter()
        .map(|mut s| s["id"].take())
        .collect();
    assert_eq!(order, [second["id"].clone(), again["id"].clone()]);

    for (mount, endpoint) in [("/api/push", ENDPOINT), ("/push", "https://push.example.com/2")] {
        for _ in 0..2 {
            let request = server.delete(&format!("{mount}/subscribe")).by(&person);
            let answer = request.json(&json!({"endpoint": endpoint})).send().await;
            answer.assert_status(204);
            assert_eq!(answer.body(), b"");
        }
    }
    assert_eq!(server.subscriptions(&person).await.len(), 0);
    let anew = created(&subscribe("/push", &browser()).await);
    assert_ne!(anew["id"], first["id"], "a new subscription is not the old one");
});

on_both!(a_subscription_has_a_device_that_leaves_with_it, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    let request = server.post("/push/subscribe").by(&ada);
    let subscription = created(&request.json(&browser()).send().await);
    let name = subscription["id"].as_str().expect("an id");
    let device = server.device(&ada, name).await;
    let (id, at) = (device["id"].clone(), subscription["createdAt"].clone());
    let expected = json!({"id": id, "createdAt": at, "updatedAt": at, "deleted": "false", "userId": ada.user_id,
        "deviceId": name, "platform": "web", "lastUsedAt": at, "status": "active", "environment": "production",
        "lastSeenAt": at, "webSettings": {"userAgent": "Mozilla/5.0 (X11; Linux x86_64)"}});
    assert_eq!(device, expected);
    assert_eq!(server.devices(&ada).await, std::slice::from_ref(&device));

    // Nobody else can take it away.
    server.unsubscribe(&bob, ENDPOINT).await.assert_status(204);
    assert_eq!(server.subscriptions(&ada).await, [subscription]);
    // Revoked by another dialect, it is shown here no more, and can still be removed.
    let revoke = json!({"id": device["id"], "status": "revoked"});
    server.update_device(&ada, &revoke).await.assert_status(200);
    assert_eq!(server.subscriptions(&ada).await.len(), 0);
    assert_eq!(server.devices(&ada).await.len(), 1);
    server.unsubscribe(&ada, ENDPOINT).await.assert_status(204);
    assert_eq!(server.devices(&ada).await.len(), 0);
    assert_eq!(server.count("subscriptions"), 0);
});

on_both!(
    an_endpoint_is_a_push_services_or_the_developers_own,
    async |server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let subscribe = |mount: &str, body: &Value| {
            server
                .post(&format!("{mount}/subscribe"))
                .by(&person)
                .json(body)
                .send()
        };
        for (n, endpoint) in [
            json!(null),
            json!(5),
            json!(["https://push.example.com/"]),
            json!(""),
            json!("push.example.com"),
            json!("//push.example.com/x"),
            json!("https://"),
            json!("http://push.example.com/x"),
            json!("ftp://push.example.com/x"),
            json!("file:///etc/passwd"),
            json!("https://push.example.com:8443/x"),
            json!("https://push.example.com:80/x"),
            json!("https://user@push.example.com/x"),
            json!("https://push.example.com:443/x"),
            json!("https://PUSH.example.com/x"),
            json!("https://user:secret@push.example.com/x"),
            json!("https://10.0.0.1/x"),
            json!("https://172.16.5.4/x"),
            json!("https://192.168.1.1/x"),
            json!("https://127.0.0.1/x"),
            json!("https://169.254.169.254/latest/meta-data"),
            json!("https://100.64.0.1/x"),
            json!("https://0.0.0.0/x"),
            json!("https://224.0.0.1/x"),
            json!("https://255.255.255.255/x"),
            json!("https://2130706433/x"),
            json!("https://0x7f.1/x"),
            json!("https://[::1]/x"),
            json!("https://[::]/x"),
            json!("https://[::ffff:10.0.0.1]/x"),
            json!("https://[fe80::1]/x"),
            json!("https://[fd00::1]/x"),
            json!("https://[2001:db8::1]/x"),
            json!("https://localhost/x"),
            json!("http://10.0.0.1:9090/x"),
            json!("http://[::1]:9090/x"),
            json!("http://localhost.example.com:9090/x"),
            json!("https://push.example.com/a b"),
            json!("https://push.example.com/\n"),
            json!("https://push.example.com/\u{0}"),
            json!(format!("https://push.example.com/{}", "x".repeat(2048))),
        ]
        .into_iter()
        .enumerate()
        {
            let body = with(browser(), "endpoint", endpoint.clone());
            let answer = subscribe(MOUNTS[n % 2], &body).await;
            answer.assert_problem(400, "invalid_endpoint");
            let text = endpoint.as_str().unwrap_or("\u{0}");
            assert!(
                text.is_empty() || !answer.text().contains(text),
                "a bad value is not echoed: {answer}"
            );
        }
        let mut absent = browser();
        absent.as_object_mut().expect("an object").remove("endpoint");
        subscribe("/push", &absent)
            .await
            .assert_problem(400, "invalid_endpoint");
        assert_eq!(server.subscriptions(&person).await.len(), 0);

        let good = [
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAA".to_owned(),
            "https://wns2-par02p.notify.windows.com/w/?token=BQY%3d".to_owned(),
            "https://web.push.apple.com/QGuQyavXutnMH".to_owned(),
            "https://8.8.8.8/x".to_owned(),
            "http://localhost:9090/push".to_owned(),
            "http://127.0.0.1:9090/push".to_owned(),
            format!("https://push.example.com/{}", "x".repeat(2048 - 25)),
        ];
        for endpoint in &good {
            let body = with(browser(), "endpoint", json!(endpoint));
            assert_eq!(
                created(&subscribe("/push", &body).await)["endpoint"],
                endpoint.as_str()
            );
        }
        assert_eq!(server.subscriptions(&person).await.len(), good.len());
    }
);

on_both!(
    where_push_services_are_listed_others_are_refused,
    |setup| setup.env("DOORBELL_WEBPUSH_HOSTS", "known,push.example.com"),
    async |server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for (endpoint, taken) in [
            ("https://web.push.apple.com/QGuQyavXutnMH", true),
            ("https://push.example.com/x", true),
            ("https://xpush.example.com/x", false),
            ("https://push.example.com.attacker.example/x", false),
            ("https://8.8.8.8/x", false),
            // A developer's own machine need not be listed.
            ("http://localhost:9090/x", true),
        ] {
            let body = with(browser(), "endpoint", json!(endpoint));
            let answer = server
                .post("/push/subscribe")
                .by(&person)
                .json(&body)
                .send()
                .await;
            if taken {
                created(&answer);
            } else {
                answer.assert_status(400);
                assert_eq!(answer.json()["code"], "invalid_endpoint", "{answer}");
            }
        }
    }
);

on_both!(keys_are_a_point_on_the_curve_and_16_bytes, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let point = BASE64_URL_SAFE_NO_PAD.decode(P256DH).expect("base64url");
    let off_curve = {
        let mut off = point.clone();
        off[64] ^= 1;
        off
    };
    let compressed = {
        let mut short = point[..33].to_vec();
        short[0] = 2;
        short
    };
    let (infinity, zeros) = ([0_u8; 65], [&[4_u8][..], &[0; 64]].concat());
    let encode = |bytes: &[u8]| json!(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let bad_points = [
        json!(null),
        json!(5),
        json!(""),
        json!("not base64!"),
        json!(format!("+/{}", &P256DH[2..])),
        encode(&off_curve),
        encode(&compressed),
        encode(&infinity),
        encode(&zeros),
        encode(&point[..64]),
        encode(&[&point[..], &[0]].concat()),
        encode(&[&[5], &point[1..]].concat()),
    ];
    let mut bad: Vec<Value> = bad_points.map(|key| with_key(browser(), "p256dh", key)).into();
    let bad_secrets = [
        json!(null),
        json!(7),
        json!(""),
        json!("?"),
        encode(&[1; 15]),
        encode(&[1; 17]),
        encode(&[]),
    ];
    bad.extend(bad_secrets.map(|key| with_key(browser(), "auth", key)));
    let wholes = [json!(null), json!("keys"), json!([P256DH, AUTH]), json!({})];
    bad.extend(wholes.map(|keys| with(browser(), "keys", keys)));
    bad.push(json!({"endpoint": ENDPOINT}));
    for body in &bad {
        let answer = server.post("/push/subscribe").by(&person).json(body).send().await;
        answer.assert_problem(400, "invalid_keys");
    }
    // Whatever is wrong is named at once.
    let both = with_key(with_key(browser(), "auth", json!("x")), "p256dh", json!("A"));
    let answer = server
        .post("/push/subscribe")
        .by(&person)
        .json(&both)
        .send()
        .await;
    let told = answer.expect(400).json()["detail"].to_string();
    assert!(
        told.contains("keys.p256dh") && told.contains("keys.auth"),
        "{told}"
    );
    assert_eq!(server.count("subscriptions"), 0);
    assert_eq!(server.devices(&person).await.len(), 0);

    let padded = with_key(browser(), "p256dh", json!(BASE64_URL_SAFE.encode(&point)));
    let padded = with_key(padded, "auth", json!(format!("{AUTH}==")));
    created(
        &server
            .post("/push/subscribe")
            .by(&person)
            .json(&padded)
            .send()
            .await,
    );
});

on_both!(what_is_wrong_is_a_problem_with_a_code, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    for mount in MOUNTS {
        let subscribe = format!("{mount}/subscribe");
        for name in ["deviceName", "userAgent"] {
            for bad in [json!(5), json!([]), json!("x".repeat(1025)), json!("a\u{0}b")] {
                let answer = server
                    .post(&subscribe)
                    .by(&person)
                    .json(&with(browser(), name, bad))
                    .send()
                    .await;
                answer.assert_problem(400, "invalid_field");
            }
        }
        for bad in [
            json!({}),
            json!({"endpoint": null}),
            json!({"endpoint": 5}),
            json!({"endpoint": ""}),
        ] {
            let answer = server.delete(&subscribe).by(&person).json(&bad).send().await;
            answer.assert_problem(400, "invalid_endpoint");
        }
        for body in ["", "{", "[]", "null", "\"x\"", r#"{"endpoint":"\ud800"}"#] {
            let json = || ("application/json", body);
            for request in [server.post(&subscribe), server.delete(&subscribe)] {
                let (kind, body) = json();
                request
                    .by(&person)
                    .body(kind, body)
                    .send()
                    .await
                    .assert_problem(400, "invalid_json");
            }
        }
        let good = browser().to_string();
        for request in [
            server.post(&subscribe).body("text/plain", good.clone()),
            server
                .post(&subscribe)
                .body("application/x-www-form-urlencoded", good.clone()),
            server.post(&subscribe).untyped_body(good.clone()),
            server.delete(&subscribe).untyped_body(good),
        ] {
            request
                .by(&person)
                .send()
                .await
                .assert_problem(415, "unsupported_media_type");
        }
        let large = with(browser(), "deviceName", json!("x".repeat(64 * 1024)));
        let answer = server.post(&subscribe).by(&person).json(&large).send().await;
        answer.assert_problem(413, "payload_too_large");
        for (path, allowed) in [
            ("subscribe", "DELETE, POST"),
            ("subscriptions", "GET, HEAD"),
            ("vapid-key", "GET, HEAD"),
        ] {
            let path = format!("{mount}/{path}");
            let answer = server.put(&path).by(&person).send().await;
            answer.assert_problem(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), Some(allowed));
        }
        server
            .get(&format!("{mount}/nothing"))
            .by(&person)
            .send()
            .await
            .assert_problem(404, "not_found");
        for request in [
            server.post(&subscribe).json(&json!({})),
            server.delete(&subscribe).body("text/plain", "x"),
            server.get(&format!("{mount}/subscriptions")),
            server.get(&format!("{mount}/vapid-key")),
            server.get(&format!("{mount}/vapid-key")).bearer("nonsense"),
            server.get(&format!("{mount}/vapid-key")).rocket_by(&person),
        ] {
            request.send().await.assert_problem(401, "unauthorized");
        }
    }
    assert_eq!(server.count("subscriptions"), 0);

    let answer = server.get("/push/subscriptions").send().await;
    let body = answer.json();
    let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["type", "title", "status", "detail", "code"]);
    assert_eq!(
        (&body["status"], &body["title"]),
        (&json!(401), &json!("Unauthorized"))
    );
});

on_both!(the_vapid_key_is_one_point_for_good, async |mut server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let first = server
        .get("/push/vapid-key")
        .by(&person)
        .send()
        .await
        .expect(200)
        .json();
    let text = first["publicKey"].as_str().expect("a text");
    let point = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64url without padding");
    assert_eq!((point.len(), point[0]), (65, 4), "an uncompressed point");
    assert_eq!(first, json!({"publicKey": text}));
    let same = async |server: &Server| {
        for mount in MOUNTS {
            let key = server.get(&format!("{mount}/vapid-key")).by(&person).send().await;
            assert_eq!(key.expect(200).json(), first);
        }
    };
    same(&server).await;
    server.restart();
    same(&server).await;
    same(&Server::second_on(&server)).await;
});
