//! Messages on their way to browsers: what a push service is told, and what becomes of its answers.

use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use doorbell_tests::{BackEnd, PushReply, PushService, Received, Server, Setup, Value, json, on_both, ring};

/// Shows that the server looked for work: a browser of another service is rung.
async fn others_are_rung(server: &Server, by: &BackEnd, n: u32) {
    let mut service = PushService::start().await;
    let (person, _) = server.with_browsers(n, &service, &["somebody"]).await;
    let id = server.ring(by, &person).await;
    service.next().await;
    assert_eq!(server.end_of(by, &id).await.0, "delivered");
}

/// Waits until the one job of a message is in that state, for that reason.
async fn waits(server: &Server, by: &BackEnd, id: &str, state: &str, reason: &str) {
    let jobs = server
        .jobs_when(by, id, |job| job["state"] == state && job["reason"] == reason)
        .await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// Checks that a push is signed as RFC 8292 says, by the key that browsers are given, for this service; gives the claims.
#[track_caller]
fn claims(push: &Received, key: &str) -> Value {
    let header = push.header("authorization");
    let parameters = header.strip_prefix("vapid ").expect("the scheme");
    let parameter = |name: &str| {
        let mut named = parameters.split(',').map(str::trim);
        let found = named.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found
            .unwrap_or_else(|| panic!("no {name} in {header}"))
            .to_owned()
    };
    assert_eq!(parameter("k"), key);
    let token = parameter("t");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key));
    public
        .verify(signed.as_bytes(), &decoded(signature))
        .expect("it is signed by that key");
    let (_, payload) = signed.split_once('.').expect("three parts");
    json_of(&decoded(payload))
}

#[track_caller]
fn json_of(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).expect("UTF-8").parse().expect("JSON")
}

on_both!(
    a_browser_is_rung_with_what_was_said_encrypted_and_signed,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browsers) = server.with_browsers(1, &service, &["a"]).await;
        let answer = server.get("/push/vapid-key").by(&person).send().await;
        let key = answer.expect(200).json()["publicKey"].clone();
        let notification = json!({"title": "Çaldı 🔔", "body": "It \"rings\".", "image": "https://cdn.example.com/a.png",
            "url": "/orders/4421", "badge": 3, "sound": "default"});
        let data = json!({"orderId": "4421", "nested": {"list": [1, 2.5, null, true]}});
        let body = json!({"to": {"users": [person.user_id]}, "notification": notification, "data": data, "ttl": 3600,
            "urgency": "high", "collapseKey": "order-4421"});
        let id = server.accepted(&by, &body).await;
        let push = service.next().await;
        assert_eq!(push.path, browsers[0].path());
        assert_eq!(
            browsers[0].read(&push),
            json!({"messageId": id, "notification": notification, "data": data})
        );
        let ttl: u32 = push.header("ttl").parse().expect("seconds");
        assert!((3_500..=3_600).contains(&ttl), "{ttl}");
        assert_eq!(push.header("urgency"), "high");
        let topic = push.header("topic").to_owned();
        assert!(
            topic.len() <= 32
                && topic
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')),
            "{topic}"
        );
        let claims = claims(&push, key.as_str().expect("a key"));
        assert_eq!(claims["aud"], service.origin());
        assert!(
            claims["sub"]
                .as_str()
                .is_some_and(|sub| sub.starts_with("mailto:") || sub.starts_with("https:")),
            "{claims}"
        );
        let jobs = server.settled(&by, &id).await;
        assert_eq!(
            (&jobs[0]["state"], &jobs[0]["reason"], &jobs[0]["attempts"]),
            (&json!("delivered"), &Value::Null, &json!(1))
        );
        assert_eq!(jobs[0]["userId"], person.user_id.as_str());
        assert_eq!(jobs[0]["deviceId"], server.devices(&person).await[0]["id"]);

        // The same key is the same topic, another one another, and none none.
        server.accepted(&by, &body).await;
        assert_eq!(service.next().await.header("topic"), topic);
        let mut other = body.clone();
        other["collapseKey"] = "order-4422".into();
        server.accepted(&by, &other).await;
        assert_ne!(service.next().await.header("topic"), topic);
        server.ring(&by, &person).await;
        let plain = service.next().await;
        assert!(!format!("{plain:?}").contains("\"topic\""), "{plain:?}");
        assert_eq!(plain.header("urgency"), "normal");
        assert_eq!(
            browsers[0].read(&plain)["notification"]["title"],
            "Ring",
            "{plain:?}"
        );
        // No line of the log says where, to whom, or what.
        for secret in ["orderId", "order-4421", browsers[0].path(), "Çaldı"] {
            assert!(!server.log().contains(secret), "{secret}: {}", server.log());
        }
    }
);

on_both!(
    a_push_service_is_believed_by_its_status,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let story = [
            (200, "delivered", Value::Null),
            (201, "delivered", Value::Null),
            (202, "delivered", Value::Null),
            (404, "dead", json!("gone")),
            (410, "dead", json!("gone")),
            (413, "failed", json!("too_large")),
        ];
        for (n, (status, state, reason)) in (1..).zip(story) {
            let name = status.to_string();
            let (person, browsers) = server.with_browsers(n, &service, &[&name]).await;
            service.script(&browsers[0], [PushReply::Status(status)]);
            let id = server.ring(&by, &person).await;
            let jobs = server.settled(&by, &id).await;
            let told = (&jobs[0]["state"], &jobs[0]["reason"], &jobs[0]["attempts"]);
            assert_eq!(told, (&json!(state), &reason, &json!(1)), "{status}");
        }
    }
);

on_both!(
    what_fails_is_tried_again_until_it_is_taken,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let story = [
            (PushReply::Status(429), "throttled"),
            (PushReply::Status(500), "provider_failed"),
            (PushReply::Status(503), "provider_failed"),
            (PushReply::Reset, "unreachable"),
        ];
        for (n, (reply, reason)) in (1..).zip(story) {
            let name = format!("failing-{n}");
            let (person, browsers) = server.with_browsers(n, &service, &[&name]).await;
            service.script(&browsers[0], [reply.clone(), PushReply::Status(201)]);
            let id = server.ring(&by, &person).await;
            let first = service.next().await;
            waits(&server, &by, &id, "retrying", reason).await;
            server.advance(Duration::from_secs(3));
            let again = service.next().await;
            assert_eq!(browsers[0].read(&again), browsers[0].read(&first));
            assert_ne!(
                again.body, first.body,
                "each attempt has a key and a salt of its own"
            );
            let jobs = server.settled(&by, &id).await;
            let told = (&jobs[0]["state"], &jobs[0]["reason"], &jobs[0]["attempts"]);
            assert_eq!(told, (&json!("delivered"), &Value::Null, &json!(2)), "{reply:?}");
        }
    }
);

on_both!(a_redirect_is_not_followed, async |server: Server| {
    let (mut service, mut elsewhere) = (PushService::start().await, PushService::start().await);
    let by = server.back_end("shop");
    let (person, browsers) = server.with_browsers(1, &service, &["a"]).await;
    let location = format!("{}/push/elsewhere", elsewhere.origin());
    service.script(
        &browsers[0],
        [PushReply::With(307, "location", location), PushReply::Status(201)],
    );
    let id = server.ring(&by, &person).await;
    service.next().await;
    let jobs = server.jobs_when(&by, &id, |job| job["attempts"] != 0).await;
    assert_ne!(jobs[0]["state"], "delivered");
    assert!(elsewhere.rest().is_empty());
});

on_both!(a_service_that_asks_for_time_gets_it, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let (person, browsers) = server.with_browsers(1, &service, &["a"]).await;
    let seconds = PushReply::With(503, "retry-after", "120".to_owned());
    // Longer than anybody is left alone: an hour.
    let date = PushReply::With(429, "retry-after", "Fri, 31 Dec 2100 23:59:59 GMT".to_owned());
    service.script(&browsers[0], [seconds, date]);
    let id = server.ring(&by, &person).await;
    for (reason, early, late) in [("provider_failed", 60, 70), ("throttled", 3_000, 700)] {
        service.next().await;
        waits(&server, &by, &id, "retrying", reason).await;
        server.advance(Duration::from_secs(early));
        others_are_rung(&server, &by, u32::try_from(early).expect("small")).await;
        assert!(service.rest().is_empty(), "{reason}: it was not left alone");
        server.advance(Duration::from_secs(late));
    }
    service.next().await;
    assert_eq!(server.end_of(&by, &id).await.0, "delivered");
});

on_both!(a_message_ends_with_its_time, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let (person, _) = server.with_browsers(1, &service, &["a"]).await;
    service.answer_all(PushReply::Status(503));
    let mut body = ring(&person);
    body["ttl"] = 60.into();
    let id = server.accepted(&by, &body).await;
    let first = service.next().await;
    waits(&server, &by, &id, "retrying", "provider_failed").await;
    server.advance(Duration::from_secs(30));
    let second = service.next().await;
    let left = |push: &Received| push.header("ttl").parse::<u32>().expect("seconds");
    assert!(left(&first) > 50 && left(&second) <= 30, "{first:?} {second:?}");
    server.advance(Duration::from_secs(31));
    let (state, reason) = server.end_of(&by, &id).await;
    assert_eq!(state, "expired");
    assert!(["time_over", "provider_failed"].contains(&reason.as_str().expect("a reason")));
    service.answer_all(PushReply::Status(201));
    service.rest();
    server.advance(Duration::from_hours(1));
    others_are_rung(&server, &by, 2).await;
    assert!(service.rest().is_empty());

    // Now or never: a push service is to keep it for no time at all.
    body["ttl"] = 0.into();
    let id = server.accepted(&by, &body).await;
    assert_eq!(service.next().await.header("ttl"), "0");
    assert_eq!(server.end_of(&by, &id).await.0, "delivered");
});

on_both!(
    a_service_that_does_not_believe_this_server_is_left_alone_and_keeps_its_browsers,
    Setup::metrics,
    async |server: Server| {
        let by = server.back_end("shop");
        for (n, status) in [(20, 400), (40, 401), (60, 403)] {
            let mut service = PushService::start().await;
            service.answer_all(PushReply::Status(status));
            let mut refused = Vec::new();
            for k in 0..5 {
                let (person, _) = server.with_browsers(n + k, &service, &[&k.to_string()]).await;
                let id = server.ring(&by, &person).await;
                if k > 0 {
                    // The one before was refused: it is left alone for seconds.
                    others_are_rung(&server, &by, n + 6 + k).await;
                    assert!(service.rest().is_empty(), "{status}: it was not left alone");
                    server.advance(Duration::from_secs(5));
                }
                service.next().await;
                waits(&server, &by, &id, "retrying", "misconfigured").await;
                assert_eq!(server.subscriptions(&person).await.len(), 1);
                refused.push(id);
            }
            // Nobody of whom several were refused: it is left alone for longer.
            let (other, _) = server.with_browsers(n + 5, &service, &["other"]).await;
            let waiting = server.ring(&by, &other).await;
            server.advance(Duration::from_secs(30));
            others_are_rung(&server, &by, n + 6).await;
            assert!(
                service.rest().is_empty(),
                "{status}: the service is not left alone"
            );
            let message = server.message(&by, &waiting).await;
            assert_eq!(message["counts"], json!({"pending": 1}));
            service.answer_all(PushReply::Status(201));
            server.advance(Duration::from_mins(5));
            for id in refused.iter().chain([&waiting]) {
                assert_eq!(server.end_of(&by, id).await.0, "delivered", "{status}");
            }
        }
        let misconfigured = "doorbell_push_attempts_total{outcome=\"misconfigured\",provider=\"webpush\"}";
        server.metric_becomes(misconfigured, 15.0);
        let delivered = "doorbell_push_jobs_total{provider=\"webpush\",state=\"delivered\"}";
        server.metric_becomes(delivered, 33.0);
    }
);

// Their browsers are subscribed by another server's key: what they are answered is about them alone.
on_both!(
    one_person_who_is_not_believed_delays_others_by_seconds_and_many_do_no_more_while_others_are_rung,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let names: Vec<String> = (0..20).map(|n| format!("foreign-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (stranger, foreign) = server.with_browsers(1, &service, &names).await;
        let (second_stranger, second) = server.with_browsers(3, &service, &["second"]).await;
        let (third_stranger, third) = server.with_browsers(4, &service, &["third"]).await;
        let (other, browsers) = server.with_browsers(2, &service, &["own"]).await;
        for browser in foreign.iter().chain(&second).chain(&third) {
            service.script(browser, [PushReply::Status(403)]);
        }
        let refused = server.ring(&by, &stranger).await;
        for _ in &foreign {
            service.next().await;
        }
        server
            .jobs_when(&by, &refused, |job| job["reason"] == "misconfigured")
            .await;
        server.advance(Duration::from_secs(5));
        let rings = async |service: &mut PushService| {
            let id = server.ring(&by, &other).await;
            assert_eq!(service.next().await.path, browsers[0].path());
            assert_eq!(server.end_of(&by, &id).await.0, "delivered");
        };
        rings(&mut service).await;
        // By now it is known that the service takes messages.
        let refused = server.ring(&by, &second_stranger).await;
        service.next().await;
        waits(&server, &by, &refused, "retrying", "misconfigured").await;
        let waiting = server.ring(&by, &other).await;
        others_are_rung(&server, &by, 5).await;
        assert!(service.rest().is_empty(), "it was not left alone");
        server.advance(Duration::from_secs(5));
        service.next().await;
        assert_eq!(server.end_of(&by, &waiting).await.0, "delivered");
        // That was enough for a minute.
        let refused = server.ring(&by, &third_stranger).await;
        service.next().await;
        waits(&server, &by, &refused, "retrying", "misconfigured").await;
        rings(&mut service).await;
    }
);

on_both!(
    a_service_that_hangs_holds_up_nobody_else,
    async |server: Server| {
        let (hung, mut healthy) = (PushService::start().await, PushService::start().await);
        let by = server.back_end("shop");
        let names: Vec<String> = (0..150).map(|n| n.to_string()).collect();
        let (one, browsers) = server.with_browsers(1, &hung, &names).await;
        let (other, _) = server.with_browsers(2, &healthy, &["a"]).await;
        hung.answer_all(PushReply::Silence);
        hung.script(&browsers[0], [PushReply::Drip]);
        let stuck = server.ring(&by, &one).await;
        let began = Instant::now();
        for _ in 0..20 {
            let id = server.ring(&by, &other).await;
            healthy.next().await;
            assert_eq!(server.end_of(&by, &id).await.0, "delivered");
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        // As many as were asked at once are given up, and tried again; then others have their turn.
        let given_up = |jobs: &[Value]| jobs.iter().filter(|job| job["attempts"] != 0).count() > 64;
        server.jobs_that(&by, &stuck, given_up).await;
        let cancel = server.delete(&format!("/v1/messages/{stuck}"));
        cancel.bearer(&by.key).send().await.assert_status(204);
    }
);
