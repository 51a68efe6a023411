//! Why it did not arrive: everything of a person in one list.

use doorbell_tests::{Phone, PushService, Server, Value, is_instant, json, on_both};

fn kinds(entries: &[Value]) -> Vec<(&str, &str)> {
    entries
        .iter()
        .map(|entry| {
            let kind = entry["kind"].as_str().expect("a kind");
            let what = if kind == "event" { "action" } else { "state" };
            (kind, entry[what].as_str().expect("a word"))
        })
        .collect()
}

on_both!(
    a_trail_has_events_and_deliveries_newest_first,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = server.with_browser(1, &service, "a").await;
        let id = server.ring(&by, &person).await;
        server.settled(&by, &id).await;
        // Ids of one millisecond are in no order.
        server.advance(std::time::Duration::from_secs(1));
        server
            .unsubscribe(&person, &browser.endpoint)
            .await
            .assert_status(204);
        let trail = server.trail(&by, &person.user_id, "").await;
        let entries = trail["entries"].as_array().expect("entries");
        assert_eq!(
            kinds(entries),
            [
                ("event", "credential_removed"),
                ("delivery", "delivered"),
                ("event", "device_added"),
                ("event", "signed_in"),
            ]
        );
        assert_eq!(trail["next"], Value::Null);
        for entry in entries {
            assert!(is_instant(entry["at"].as_str().expect("an instant")), "{entry}");
        }
        let mut delivery = entries[1].clone();
        for key in ["id", "at", "deviceId", "updatedAt"] {
            assert!(delivery[key].take().is_string(), "{key}: {}", entries[1]);
        }
        assert_eq!(
            delivery,
            json!({"id": null, "at": null, "kind": "delivery", "messageId": id, "deviceId": null, "provider": "webpush",
                "state": "delivered", "reason": null, "attempts": 1, "updatedAt": null})
        );
        let signed_in = &entries[3];
        assert_eq!(signed_in["sessionId"], person.session_id.as_str());
        let keys: Vec<&String> = signed_in.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            ["id", "at", "kind", "action", "sessionId", "deviceId", "reason"]
        );
        // What is of nobody's concern is not there.
        let text = trail.to_string();
        for hidden in [&browser.endpoint, &person.phone.number, "Ring"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
);

on_both!(
    a_message_that_found_nothing_to_ring_is_on_the_trail,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, _) = server.with_browser(1, &service, "a").await;
        let rung = server.ring(&by, &person).await;
        server.settled(&by, &rung).await;
        server.advance(std::time::Duration::from_secs(1));
        server.log_out(&person).await;
        server.advance(std::time::Duration::from_secs(1));
        let body = json!({"to": {"phones": ["+905550000001"]}, "notification": {"title": "Ring"}});
        let missed = server.accepted(&by, &body).await;
        let trail = server.trail(&by, &person.user_id, "?limit=3").await;
        let entries = trail["entries"].as_array().expect("entries");
        let kinds: Vec<&Value> = entries.iter().map(|entry| &entry["kind"]).collect();
        assert_eq!(kinds, ["unreached", "event", "delivery"]);
        assert_eq!(entries[1]["action"], "session_ended");
        let mut entry = entries[0].clone();
        assert!(is_instant(entry["at"].take().as_str().expect("an instant")));
        assert_eq!(
            entry,
            json!({"id": missed, "at": null, "kind": "unreached", "messageId": missed})
        );
        let older = server
            .trail(&by, &person.user_id, &format!("?limit=2&before={missed}"))
            .await;
        assert_eq!(older["entries"].as_array().expect("entries"), &entries[1..]);
    }
);

on_both!(a_trail_is_paged, async |server: Server| {
    let service = PushService::start().await;
    let by = server.back_end("shop");
    let person = server.sign_in(&Phone::nth(1)).await;
    for n in 0..4 {
        let browser = service.browser(&n.to_string());
        server
            .subscribe_browser(&person, &browser)
            .await
            .assert_status(201);
        let id = server.ring(&by, &person).await;
        server.settled(&by, &id).await;
    }
    let whole = server.trail(&by, &person.user_id, "?limit=100").await;
    let whole = whole["entries"].as_array().expect("entries").clone();
    // One sign-in, four browsers, and as many deliveries as there were browsers each time.
    assert_eq!(whole.len(), 1 + 4 + (1 + 2 + 3 + 4));
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = server
            .trail(&by, &person.user_id, &format!("?limit=4{before}"))
            .await;
        seen.extend(page["entries"].as_array().expect("entries").clone());
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, whole);
    let nobody = server
        .trail(&by, "019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f", "")
        .await;
    assert_eq!(nobody, json!({"entries": [], "next": null}));
    for (user, query, status, code) in [
        (person.user_id.as_str(), "?limit=0", 400, "invalid_field"),
        (&person.user_id, "?limit=101", 400, "invalid_field"),
        (&person.user_id, "?before=x", 400, "invalid_field"),
        ("x", "", 404, "not_found"),
    ] {
        let path = format!("/v1/users/{user}/trail{query}");
        let answer = server.get(&path).bearer(&by.key).send().await;
        answer.assert_problem(status, code);
    }
});
