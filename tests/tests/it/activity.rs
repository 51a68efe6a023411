//! What a person may see of what is held about them.

use std::collections::BTreeSet;

use doorbell_tests::{
    AUTH, Answer, FINGERPRINT, P256DH, Phone, Server, SignedIn, Value, is_instant, json, on_both,
};

const ACTIVITY: &str = "/api/v1/users/me/activity";
const EXPORT: &str = "/api/v1/users/me/export";

async fn page(server: &Server, person: &SignedIn, query: &str) -> Value {
    let path = format!("{ACTIVITY}{query}");
    let answer = server.get(&path).by(person).send().await.expect(200).json();
    assert_eq!(answer["isSuccess"], true, "{answer}");
    answer["data"].clone()
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().expect("a list").clone()
}

fn actions(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["action"].as_str().expect("a word"))
        .collect()
}

/// Does what leaves a line of every kind that a person can cause alone.
async fn eventful(server: &Server, phone: &Phone) -> SignedIn {
    let person = server.sign_in(phone).await;
    let other = server.sign_in(phone).await;
    let code = server.code_for(phone).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    server.verify_otp(phone, wrong).await.assert_allmine(400);
    let ended = server
        .delete(&format!("/api/v1/auth/sessions/{}", other.session_id))
        .by(&person)
        .send()
        .await;
    ended.assert_status(200);
    let body = json!({"deviceId": "phone", "platform": "ios", "environment": "production", "pushToken": "one",
        "mobileSettings": {"appVersion": "3.2.1"}});
    let added = server.add_device(&person, &body).await.expect(200).json();
    let id = &added["data"]["device"]["id"];
    for status in ["revoked", "active"] {
        let body = json!({"id": id, "status": status});
        server.update_device(&person, &body).await.assert_status(200);
    }
    server
        .remove_device_token(&person, "one")
        .await
        .assert_status(200);
    let foreign = server
        .get("/notifications/devices?limit=1")
        .by(&person)
        .fingerprint("another-phone")
        .send()
        .await;
    foreign.assert_easyflow(403);
    person
}

on_both!(what_happened_is_listed_newest_first, async |server: Server| {
    let person = eventful(&server, &Phone::nth(1)).await;
    let all = items(&page(&server, &person, "").await);
    assert_eq!(
        actions(&all),
        [
            "foreign_fingerprint",
            "credential_removed",
            "device_revived",
            "device_revoked",
            "device_added",
            "session_ended",
            "code_refused",
            "signed_in",
            "signed_in"
        ]
    );
    let device = server.device(&person, "phone").await["id"].take();
    for item in &all {
        let keys: Vec<_> = item.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            ["id", "at", "action", "sessionId", "deviceId", "reason"],
            "{item}"
        );
        assert!(is_instant(item["at"].as_str().expect("an instant")), "{item}");
    }
    assert_eq!(all[4]["deviceId"], device);
    assert_eq!(all[5]["reason"], "revoked");
    assert_eq!(all[8]["sessionId"], json!(person.session_id));
    assert_eq!(
        (&all[6]["sessionId"], &all[6]["reason"]),
        (&Value::Null, &Value::Null)
    );
});

on_both!(
    pages_of_activity_have_no_gap_and_no_repeat,
    async |server: Server| {
        let person = eventful(&server, &Phone::nth(1)).await;
        let whole = page(&server, &person, "?limit=100").await;
        assert_eq!(whole["nextBefore"], Value::Null);
        let whole = items(&whole);
        for limit in [1, 2, 4, 9] {
            let mut seen = Vec::new();
            let mut query = format!("?limit={limit}");
            loop {
                let page = page(&server, &person, &query).await;
                let items = items(&page);
                assert!((1..=limit).contains(&items.len()), "{page}");
                seen.extend(items);
                let Some(next) = page["nextBefore"].as_str() else {
                    break;
                };
                assert_eq!(Some(next), seen.last().and_then(|item| item["id"].as_str()));
                query = format!("?limit={limit}&before={next}");
                // What happens to others meanwhile moves no page.
                server.sign_in(&Phone::nth(2)).await;
            }
            assert_eq!(seen, whole, "{limit} a page");
        }
        let ids: BTreeSet<&str> = whole.iter().filter_map(|item| item["id"].as_str()).collect();
        assert_eq!(ids.len(), whole.len());
        let first = whole.last().expect("a sign-in")["id"].as_str().expect("an id");
        let end = page(&server, &person, &format!("?before={first}")).await;
        assert_eq!(end, json!({"items": [], "nextBefore": null}));
    }
);

on_both!(
    activity_shows_the_callers_alone_and_both_sides_of_a_move,
    async |server: Server| {
        let (one, other) = (
            server.sign_in(&Phone::nth(1)).await,
            server.sign_in(&Phone::nth(2)).await,
        );
        let body = json!({"platform": "ios", "deviceId": "phone", "token": "passed on"});
        for person in [&one, &other] {
            server.device_token(person, &body).await.assert_status(200);
        }
        let (ones, others) = (
            items(&page(&server, &one, "").await),
            items(&page(&server, &other, "").await),
        );
        assert_eq!(actions(&ones), ["address_lost", "device_added", "signed_in"]);
        let mut of_other = actions(&others);
        of_other.sort_unstable();
        assert_eq!(of_other, ["address_gained", "device_added", "signed_in"]);
        assert_eq!(ones[0]["reason"], "apns");
        // Another's line is no way into another's trail.
        let theirs = others[0]["id"].as_str().expect("an id");
        let seen = items(&page(&server, &one, &format!("?before={theirs}")).await);
        assert!(seen.iter().all(|item| ones.contains(item)), "{seen:?}");
    }
);

on_both!(a_bad_page_of_activity_is_blamed, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let ask = async |query: &str| -> Answer {
        let path = format!("{ACTIVITY}?{query}");
        server.get(&path).by(&person).send().await
    };
    for limit in ["", "0", "101", "-1", "%2B1", "1.5", "ten", "4294967297"] {
        let answer = ask(&format!("limit={limit}")).await;
        assert_eq!(answer.assert_allmine(400), ["limit"], "{limit}");
    }
    for before in ["", "s3ntinel", "1", "019AE1F2-7C1D-7F70-8B3C-5D6E7F8091A2"] {
        let answer = ask(&format!("before={before}")).await;
        assert_eq!(answer.assert_allmine(400), ["before"], "{before}");
        assert!(!answer.text().contains("s3ntinel"), "{answer}");
    }
    assert_eq!(
        ask("before=x&limit=x").await.assert_allmine(400),
        ["limit", "before"]
    );
    // Who may not enter learns nothing else.
    for path in [ACTIVITY, "/api/v1/users/me/activity?limit=x", EXPORT] {
        server.get(path).send().await.assert_allmine(401);
    }
    server.log_out(&person).await;
    for path in [ACTIVITY, "/api/v1/users/me/activity?limit=x", EXPORT] {
        server.get(path).by(&person).send().await.assert_allmine(401);
    }
});

/// Every text in a document.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => {
            for item in items {
                texts(item, found);
            }
        }
        Value::Object(members) => {
            for member in members.values() {
                texts(member, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

on_both!(
    an_export_holds_all_that_is_the_persons_and_no_secret,
    async |server: Server| {
        let phone = Phone::nth(1);
        let there = server.sign_in(&phone).await;
        let body = json!({"platform": "ios", "deviceId": "tablet", "token": "s3cret-tablet"});
        server.device_token(&there, &body).await.assert_status(200);
        let code = server.code_for(&phone).await;
        let answer = server.verify_otp(&phone, &code).await.expect(200).json();
        let person = SignedIn::from_answer(&phone, answer);
        let ended = server
            .delete(&format!("/api/v1/auth/sessions/{}", there.session_id))
            .by(&person)
            .send()
            .await;
        ended.assert_status(200);
        let body = json!({"deviceId": "phone", "platform": "ios", "environment": "production",
            "pushToken": "s3cret-alert", "mobileSettings": {"appVersion": "3.2.1"}});
        server.add_device(&person, &body).await.assert_status(200);
        let body = json!({"platform": "ios", "deviceId": "phone", "liveActivityPushToStartToken": "s3cret-start",
            "timezone": "Europe/Istanbul"});
        server.device_token(&person, &body).await.assert_status(200);
        let body = json!({"streamId": "stream", "deviceId": "phone", "liveActivityToken": "s3cret-live",
            "activityId": "ride"});
        server.live_activity(&person, &body).await.assert_status(200);
        let endpoint = "https://updates.push.services.mozilla.com/wpush/v2/s3cret-path";
        server.subscribe(&person, endpoint).await.assert_status(201);
        // Somebody else, of whom nothing is to be seen.
        let stranger = server.sign_in(&Phone::nth(2)).await;
        let body = json!({"platform": "ios", "deviceId": "strangers", "token": "strange"});
        server.device_token(&stranger, &body).await.assert_status(200);

        let answer = server.get(EXPORT).by(&person).send().await.expect(200);
        let held = answer.json()["data"].clone();
        assert_eq!(held["userId"], json!(person.user_id));
        let shown = server.get("/api/v1/auth/me").by(&person).send().await;
        assert_eq!(held["user"], shown.expect(200).json()["data"]);
        let list = |name: &str, field: &str| -> Vec<Value> {
            let items = held[name]
                .as_array()
                .unwrap_or_else(|| panic!("no {name}: {held}"));
            items.iter().map(|item| item[field].clone()).collect()
        };
        assert_eq!(
            list("sessions", "id"),
            [json!(person.session_id), json!(there.session_id)]
        );
        assert_eq!(list("sessions", "endReason"), [Value::Null, json!("revoked")]);
        assert_eq!(list("sessions", "current"), [json!(true), json!(false)]);
        assert_eq!(list("sessions", "fingerprint"), [json!(FINGERPRINT), Value::Null]);
        assert_eq!(
            list("sessions", "ipAddress"),
            [json!("127.0.0.1"), json!("127.0.0.1")]
        );
        assert_eq!(list("devices", "platform"), ["web", "ios", "ios"]);
        assert_eq!(held["devices"][1]["mobileSettings"]["appVersion"], "3.2.1");
        let mut kinds = list("pushTokens", "kind");
        kinds.sort_unstable_by_key(Value::to_string);
        assert_eq!(kinds, ["alert", "alert", "live_activity", "push_to_start"]);
        assert_eq!(
            list("subscriptions", "endpointOrigin"),
            ["https://updates.push.services.mozilla.com"]
        );
        assert_eq!(list("oneTimeCodes", "attempts"), [1, 1]);
        let trail = page(&server, &person, "?limit=100").await;
        assert_eq!(held["events"], trail["items"]);
        assert_eq!(
            held["hasMore"],
            json!({"sessions": false, "pushTokens": false, "oneTimeCodes": false, "events": false})
        );

        let text = answer.text();
        for secret in [
            "s3cret",
            "strange",
            P256DH,
            AUTH,
            &person.access,
            &person.refresh,
            &stranger.user_id,
            &stranger.phone.number,
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let mut found = Vec::new();
        texts(&held, &mut found);
        assert!(!found.contains(&code.as_str()));
        // No key, hash, salt or token in whatever spelling: nothing in it is long and without any structure.
        for text in found {
            let opaque = |letter: char| letter.is_ascii_alphanumeric() || "_+/=-".contains(letter);
            let uuid = text.len() == 36 && text.matches('-').count() == 4;
            let longest = text.split(|letter| !opaque(letter)).map(str::len).max();
            assert!(uuid || longest < Some(30), "{text}");
        }
    }
);
