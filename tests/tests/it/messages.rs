//! Messages as a back end sends them: what is taken, what is refused, and what is told of them.

use std::collections::BTreeSet;

use doorbell_tests::{BackEnd, Phone, PushService, Server, Value, is_instant, join_all, json, on_both, ring};

/// An hour after an instant, by its offset.
fn hour_after(instant: &Value) -> String {
    instant.as_str().expect("an instant").replace('Z', "-01:00")
}

#[track_caller]
fn named(detail: &Value) -> Vec<String> {
    let detail = detail.as_str().expect("a detail");
    let field = |part: &str| part.split_once(": ").expect("a field").0.to_owned();
    detail.split("; ").map(field).collect()
}

async fn send_as(server: &Server, by: &BackEnd, key: &str, body: &Value) -> doorbell_tests::Answer {
    let request = server.post("/v1/messages").bearer(&by.key);
    request.header("Idempotency-Key", key).json(body).send().await
}

on_both!(
    a_message_is_accepted_for_all_that_its_audience_can_be_rung_by,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (one, other) = (
            server.sign_in(&Phone::nth(1)).await,
            server.sign_in(&Phone::nth(2)).await,
        );
        for name in ["a", "b"] {
            server
                .subscribe_browser(&one, &service.browser(name))
                .await
                .assert_status(201);
        }
        server
            .subscribe_browser(&other, &service.browser("c"))
            .await
            .assert_status(201);
        let device = server.devices(&one).await[0]["id"].clone();
        for (to, jobs) in [
            (json!({"users": [one.user_id]}), 2),
            (json!({"users": [one.user_id, other.user_id]}), 3),
            (json!({"devices": [device]}), 1),
            // Each is rung once, whoever named it.
            (
                json!({"users": [one.user_id], "devices": [device], "phones": ["+905550000001"]}),
                2,
            ),
            (json!({"phones": ["+905550000002"], "users": null}), 1),
            // Nobody has signed in with it.
            (json!({"phones": ["+905550000003"]}), 0),
            (json!({"users": ["019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f"]}), 0),
        ] {
            let body = json!({"to": to, "notification": {"title": "Ring"}});
            let answer = server.send_message(&by, &body).await.expect(202).json();
            assert_eq!(answer["jobs"], jobs, "{to}");
            let id = answer["id"].as_str().expect("an id");
            let message = server.message(&by, id).await;
            assert_eq!(
                message["jobs"].as_array().map(Vec::len),
                usize::try_from(jobs).ok()
            );
            assert!(is_instant(message["createdAt"].as_str().expect("an instant")));
            server.settled(&by, id).await;
        }
    }
);

on_both!(what_cannot_be_sent_is_named, async |server: Server| {
    let by = server.back_end("shop");
    let to = json!({"phones": ["+905550000001"]});
    let said = json!({"title": "Ring"});
    let far = "2999-01-01T00:00:00Z";
    let title = "s3ntinel".repeat(200);
    for (body, fields) in [
        (json!({}), vec!["to", "notification"]),
        (json!({"to": to}), vec!["notification"]),
        (json!({"to": [], "notification": said}), vec!["to"]),
        (json!({"to": {}, "notification": said}), vec!["to"]),
        (
            json!({"to": {"users": ["s3ntinel"], "devices": [1], "phones": ["s3ntinel"]}, "data": {}}),
            vec!["to.users", "to.devices", "to.phones"],
        ),
        (
            json!({"to": {"phones": ["+9055"]}, "notification": said}),
            vec!["to.phones"],
        ),
        (
            json!({"to": {"phones": ["905550000001"]}, "notification": said}),
            vec!["to.phones"],
        ),
        (
            json!({"to": to, "notification": {"title": title, "body": "", "image": 1, "url": "\u{0}", "badge": -1, "sound": []}}),
            vec![
                "notification.title",
                "notification.body",
                "notification.image",
                "notification.url",
                "notification.badge",
                "notification.sound",
            ],
        ),
        (json!({"to": to, "data": "s3ntinel"}), vec!["data"]),
        (
            json!({"to": to, "notification": said, "ttl": 2_419_201, "urgency": "s3ntinel", "collapseKey": "x".repeat(65),
                "sendAt": "2026-01-15"}),
            vec!["ttl", "urgency", "collapseKey", "sendAt"],
        ),
        (
            json!({"to": to, "notification": said, "ttl": "60", "urgency": 1, "collapseKey": "", "sendAt": 5}),
            vec!["ttl", "urgency", "collapseKey", "sendAt"],
        ),
        (
            json!({"to": to, "notification": said, "sendAt": far}),
            vec!["sendAt"],
        ),
        (
            json!({"to": {"users": [], "topic": "x"}, "notification": {"text": "x"}, "send_at": far}),
            vec!["to.topic", "to", "notification.text", "send_at"],
        ),
    ] {
        let refused = server.send_message(&by, &body).await;
        refused.assert_problem(400, "invalid_field");
        assert_eq!(named(&refused.json()["detail"]), fields, "{body}");
        assert!(!refused.text().contains("s3ntinel"), "{refused}");
    }
    let to_many = vec!["019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f"; 1_001];
    let body = json!({"to": {"users": to_many}, "notification": said});
    let refused = server.send_message(&by, &body).await;
    assert_eq!(named(&refused.json()["detail"]), ["to.users"]);
    assert_eq!(server.count("messages"), 0);
});

on_both!(
    a_body_is_judged_by_its_size_its_form_and_what_a_push_carries,
    async |server: Server| {
        let by = server.back_end("shop");
        let post = || server.post("/v1/messages").bearer(&by.key);
        let long = vec![b' '; 64 * 1024 + 1];
        let answer = post().body("application/json", long.clone()).send().await;
        answer.assert_problem(413, "payload_too_large");
        // Who may not enter learns nothing of it.
        let stranger = server.post("/v1/messages").body("application/json", long);
        stranger.send().await.assert_problem(401, "unauthorized");
        let answer = post().body("text/plain", "{}").send().await;
        answer.assert_problem(415, "unsupported_media_type");
        for broken in ["", "[]", "{", "null"] {
            let answer = post().body("application/json", broken).send().await;
            answer.assert_problem(400, "invalid_json");
        }
        let answer = server.put("/v1/messages").bearer(&by.key).send().await;
        answer.assert_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("POST"));
        server
            .get("/v1/nowhere")
            .send()
            .await
            .assert_problem(404, "not_found");

        // What is left of 3,993 bytes is found by halves.
        let body = |length: usize| json!({"to": {"phones": ["+905550000001"]}, "data": {"text": "x".repeat(length)}});
        let (mut fits, mut over) = (3_000, 3_993);
        server.send_message(&by, &body(fits)).await.assert_status(202);
        while over - fits > 1 {
            let middle = usize::midpoint(fits, over);
            match server.send_message(&by, &body(middle)).await {
                taken if taken.status() == 202 => fits = middle,
                refused => {
                    refused.assert_problem(413, "payload_too_large");
                    over = middle;
                }
            }
        }
        // {"messageId":"…","data":{"text":"…"}}, and nothing or null for the notification.
        assert!((3_860..=3_930).contains(&fits), "{fits}");
    }
);

on_both!(
    a_request_that_is_repeated_is_answered_as_the_first_time,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let person = server.sign_in(&Phone::nth(1)).await;
        server
            .subscribe_browser(&person, &service.browser("a"))
            .await
            .assert_status(201);
        let body = ring(&person);
        let all = join_all((0..50).map(|_| send_as(&server, &by, "order-1", &body))).await;
        let answers: BTreeSet<String> = all
            .into_iter()
            .map(|answer| answer.expect(202).json().to_string())
            .collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(server.count("messages"), 1);
        // A body that differs by a space is another request.
        let spaced = format!("{body} ");
        let request = server.post("/v1/messages").bearer(&by.key);
        let request = request.header("Idempotency-Key", "order-1");
        let answer = request.body("application/json", spaced).send().await;
        answer.assert_problem(409, "conflict");
        // Another key is another request, and so is another back end's.
        send_as(&server, &by, "order-2", &body).await.assert_status(202);
        let other = server.back_end("other");
        send_as(&server, &other, "order-1", &body)
            .await
            .assert_status(202);
        assert_eq!(server.count("messages"), 3);
        for bad in ["", &"x".repeat(256)] {
            let answer = send_as(&server, &by, bad, &body).await;
            answer.assert_problem(400, "invalid_field");
            assert_eq!(named(&answer.json()["detail"]), ["Idempotency-Key"]);
        }
        let twice = server.post("/v1/messages").bearer(&by.key);
        let twice = twice
            .header("Idempotency-Key", "a")
            .header("Idempotency-Key", "a");
        twice
            .json(&body)
            .send()
            .await
            .assert_problem(400, "invalid_field");
        for _ in 0..3 {
            service.next().await;
        }
        assert!(service.rest().is_empty());
    }
);

on_both!(a_message_waits_for_its_time, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let person = server.sign_in(&Phone::nth(1)).await;
    let (early, late) = (service.browser("early"), service.browser("late"));
    server.subscribe_browser(&person, &late).await.assert_status(201);
    let accepted = server.ring(&by, &person).await;
    let now = server.message(&by, &accepted).await["createdAt"].clone();
    assert_eq!(service.next().await.path, late.path());
    let mut body = ring(&person);
    body["sendAt"] = hour_after(&now).into();
    let scheduled = server.accepted(&by, &body).await;
    // Somebody who is rung meanwhile shows that it is looked for work.
    server.advance(std::time::Duration::from_secs(3_500));
    let neighbour = server.sign_in(&Phone::nth(2)).await;
    server
        .subscribe_browser(&neighbour, &early)
        .await
        .assert_status(201);
    server.ring(&by, &neighbour).await;
    assert_eq!(service.next().await.path, early.path());
    let waiting = server.message(&by, &scheduled).await;
    assert_eq!(waiting["counts"], json!({"pending": 1}));
    server.advance(std::time::Duration::from_secs(200));
    assert_eq!(service.next().await.path, late.path());
    assert_eq!(server.end_of(&by, &scheduled).await.0, "delivered");
});

on_both!(a_message_is_taken_back, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let person = server.sign_in(&Phone::nth(1)).await;
    server
        .subscribe_browser(&person, &service.browser("a"))
        .await
        .assert_status(201);
    let first = server.ring(&by, &person).await;
    server.settled(&by, &first).await;
    let now = server.message(&by, &first).await["createdAt"].clone();
    let mut body = ring(&person);
    body["sendAt"] = hour_after(&now).into();
    let scheduled = server.accepted(&by, &body).await;
    let cancel = |id: String| {
        server
            .delete(&format!("/v1/messages/{id}"))
            .bearer(&by.key)
            .send()
    };
    // Also a second time, and also where there is nothing left to take back.
    for id in [&scheduled, &scheduled, &first] {
        cancel(id.clone()).await.assert_status(204);
    }
    let (state, reason) = server.end_of(&by, &scheduled).await;
    assert_eq!((state.as_str(), reason), ("cancelled", json!("taken_back")));
    assert_eq!(server.end_of(&by, &first).await.0, "delivered");
    service.next().await;
    server.advance(std::time::Duration::from_secs(3_700));
    let next = server.ring(&by, &person).await;
    server.settled(&by, &next).await;
    service.next().await;
    assert!(service.rest().is_empty(), "what was taken back is not sent");
    for unknown in ["019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "x", "%FF"] {
        cancel(unknown.to_owned()).await.assert_problem(404, "not_found");
        let path = format!("/v1/messages/{unknown}");
        let answer = server.get(&path).bearer(&by.key).send().await;
        answer.assert_problem(404, "not_found");
    }
});

on_both!(a_messages_jobs_are_paged, async |server: Server| {
    let service = PushService::start().await;
    let by = server.back_end("shop");
    let person = server.sign_in(&Phone::nth(1)).await;
    for n in 0..5 {
        let browser = service.browser(&n.to_string());
        server
            .subscribe_browser(&person, &browser)
            .await
            .assert_status(201);
    }
    let id = server.ring(&by, &person).await;
    let whole = server.settled(&by, &id).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    for size in [2, 2, 1] {
        let path = format!("/v1/messages/{id}?limit=2{after}");
        let page = server.get(&path).bearer(&by.key).send().await.expect(200).json();
        assert_eq!(page["counts"], json!({"delivered": 5}), "counts are of all");
        let jobs = page["jobs"].as_array().expect("jobs");
        assert_eq!(jobs.len(), size);
        seen.extend(jobs.clone());
        after = match &page["next"] {
            Value::Null => String::new(),
            next => format!("&after={}", next.as_str().expect("an id")),
        };
    }
    assert_eq!((seen, after.as_str()), (whole, ""));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("after=x", "after"),
    ] {
        let path = format!("/v1/messages/{id}?{query}");
        let answer = server.get(&path).bearer(&by.key).send().await;
        answer.assert_problem(400, "invalid_field");
        assert_eq!(named(&answer.json()["detail"]), [field]);
    }
});

on_both!(
    without_its_database_a_message_is_refused_and_not_lost,
    async |server: Server| {
        let by = server.back_end("shop");
        let person = server.sign_in(&Phone::nth(1)).await;
        let lock = server.lock_database();
        let answer = server.send_message(&by, &ring(&person)).await;
        drop(lock);
        answer.assert_problem(503, "unavailable");
        assert_eq!(server.count("messages"), 0);
        server.send_message(&by, &ring(&person)).await.assert_status(202);
    }
);
