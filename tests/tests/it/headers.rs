//! What every answer carries; that it carries it at all is asserted for every answer of every test.

use doorbell_tests::{Answer, Phone, Request, Server, SignedIn, json, on_both};

/// One request of each kind of answer: success and failure, in every dialect and of the service.
fn requests(server: &Server, person: &SignedIn) -> Vec<(Request, u16)> {
    let large = "x".repeat(70_000);
    vec![
        (server.get("/api/v1/auth/me").by(person), 200),
        (server.get("/api/v1/auth/me"), 401),
        (server.put("/api/v1/auth/me"), 405),
        (server.get("/api/v1/nothing"), 404),
        (
            server
                .post("/api/v1/auth/verify-otp")
                .body("application/json", "{"),
            400,
        ),
        (
            server
                .post("/api/v1/auth/verify-otp")
                .body("application/json", large.clone()),
            413,
        ),
        (server.get("/api/v1/push.info").rocket_by(person), 200),
        (server.get("/api/v1/push.info"), 401),
        (server.put("/api/v1/push.info"), 405),
        (server.get("/api/v1/push.nothing"), 404),
        (server.post("/api/v1/push.token").rocket_by(person), 400),
        (
            server
                .post("/api/v1/push.token")
                .rocket_by(person)
                .body("text/plain", large.clone()),
            413,
        ),
        (
            server
                .get("/notifications/devices")
                .by(person)
                .fingerprint("phone"),
            200,
        ),
        (
            server
                .get("/notifications/devices")
                .by(person)
                .fingerprint("another"),
            403,
        ),
        (server.get("/notifications/devices").by(person), 400),
        (server.get("/notifications/devices"), 401),
        (server.put("/notifications/devices"), 405),
        (server.get("/notifications/nothing"), 404),
        (server.get("/push/subscriptions").by(person), 200),
        (server.get("/push/subscriptions"), 401),
        (server.put("/push/subscribe"), 405),
        (
            server
                .delete("/push/subscribe")
                .by(person)
                .json(&json!({"endpoint": "https://unknown.example/"})),
            204,
        ),
        (server.delete("/push/subscribe").by(person).untyped_body("x"), 415),
        (server.get("/push/nothing"), 404),
        (server.get("/nowhere"), 404),
        (server.get("/health/live"), 200),
        (server.get("/health/ready"), 200),
        (server.post("/health/ready"), 405),
        (server.get("/.well-known/jwks.json"), 200),
        (server.post("/.well-known/jwks.json"), 405),
    ]
}

fn id(answer: &Answer) -> String {
    answer.header("x-request-id").expect("one request id").to_owned()
}

on_both!(every_answer_carries_the_requests_id, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let mut given = Vec::new();
    for (request, status) in requests(&server, &person) {
        given.push(id(&request.send().await.expect(status)));
    }
    let count = given.len();
    given.sort();
    given.dedup();
    assert_eq!(given.len(), count, "each request has its own");

    let safe = format!("My.request_id-{}", "0".repeat(114));
    for (request, status) in requests(&server, &person) {
        let answer = request.header("X-Request-Id", &safe).send().await.expect(status);
        assert_eq!(id(&answer), safe);
    }
    for unsafe_id in [
        "",
        " ",
        "two words",
        "a,b",
        "a\"b",
        "<script>",
        "ä",
        "a;b=c",
        "a/b",
        &"x".repeat(129),
    ] {
        for path in [
            "/api/v1/auth/me",
            "/api/v1/push.info",
            "/notifications/devices",
            "/push/vapid-key",
            "/nowhere",
        ] {
            let answer = server.get(path).header("X-Request-Id", unsafe_id).send().await;
            let given = id(&answer);
            assert_ne!(given, unsafe_id);
            assert!(
                given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{given}"
            );
        }
    }
    let twice = server
        .get("/health/live")
        .header("X-Request-Id", "one")
        .header("X-Request-Id", "two");
    let given = id(&twice.send().await);
    assert!(given != "one" && given != "two", "{given}");
});

on_both!(only_the_public_keys_may_be_cached, async |server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let keys = server.get("/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(keys.header("cache-control"), Some("public, max-age=300"));
    for (request, status) in requests(&server, &person) {
        let answer = request.send().await.expect(status);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let keys = answer.text().contains("\"keys\"");
        let expected = if keys { "public, max-age=300" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(expected), "{answer}");
        if status != 204 {
            let kind = answer.header("content-type").unwrap_or_default();
            assert!(
                kind.starts_with("application/") && kind.contains("json"),
                "{answer}"
            );
        }
    }
});
