//! What is counted, and who may see it.

use std::time::{Duration, Instant};

use doorbell_tests::{Method, Phone, Receiver, Reply, Server, Setup, json, on_both};

fn requests(dialect: &str, operation: &str, status: u16) -> String {
    format!("doorbell_requests_total{{dialect=\"{dialect}\",operation=\"{operation}\",status=\"{status}\"}}")
}

fn codes(outcome: &str) -> String {
    format!("doorbell_codes_total{{outcome=\"{outcome}\"}}")
}

fn deliveries(outcome: &str) -> String {
    format!("doorbell_code_deliveries_total{{outcome=\"{outcome}\"}}")
}

fn guesses(outcome: &str) -> String {
    format!("doorbell_verifications_total{{outcome=\"{outcome}\"}}")
}

#[track_caller]
fn assert_counted(server: &Server, expected: &[(String, f64)]) {
    for (name, count) in expected {
        assert_eq!(server.metric(name), Some(*count), "{name}: {}", server.metrics());
    }
}

/// Another code of the same length.
fn wrong(code: &str) -> String {
    let first = if code.starts_with('1') { '2' } else { '1' };
    format!("{first}{}", &code[1..])
}

on_both!(
    requests_are_counted_by_dialect_operation_and_status,
    Setup::metrics,
    async |server: Server| {
        assert_eq!(server.metric(&requests("allmine", "sendOtp", 200)), None);
        let person = server.sign_in(&Phone::nth(1)).await;
        server.get("/api/v1/auth/me").send().await.assert_status(401);
        server
            .get("/api/v1/push.info")
            .rocket_by(&person)
            .send()
            .await
            .assert_status(200);
        server.devices(&person).await;
        for path in ["/push/subscriptions", "/api/push/subscriptions"] {
            server.get(path).by(&person).send().await.assert_status(200);
        }
        server.get("/health/ready").send().await.assert_status(200);
        server.get("/s3ntinel/of-a-path").send().await.assert_status(404);
        server.get("/api/v1/s3ntinel").send().await.assert_status(404);
        server.put("/api/v1/auth/me").send().await.assert_status(405);
        let brew = Method::from_bytes(b"S3NTINEL").expect("a method");
        server
            .request(brew, "/push/subscribe")
            .send()
            .await
            .assert_status(405);
        assert_counted(
            &server,
            &[
                (requests("allmine", "sendOtp", 200), 1.0),
                (requests("allmine", "verifyOtp", 200), 1.0),
                (requests("allmine", "getMe", 401), 1.0),
                (requests("rocketchat", "getPushInfo", 200), 1.0),
                (requests("ocore", "listSubscriptions", 200), 1.0),
                (requests("ocore", "listSubscriptionsUnderApi", 200), 1.0),
                (requests("service", "getReadiness", 200), 1.0),
                (requests("service", "unknown", 404), 1.0),
                (requests("allmine", "unknown", 404), 1.0),
                (requests("allmine", "unknown", 405), 1.0),
                (requests("ocore", "unknown", 405), 1.0),
                (
                    "doorbell_request_seconds_count{dialect=\"allmine\"}".to_owned(),
                    5.0,
                ),
                (
                    "doorbell_request_seconds_count{dialect=\"ocore\"}".to_owned(),
                    3.0,
                ),
            ],
        );
        // No label has a client's value, and nothing else has.
        let text = server.metrics();
        for secret in [
            "s3ntinel",
            "S3NTINEL",
            &person.phone.number,
            &person.user_id,
            &person.access,
            &person.session_id,
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
);

on_both!(
    sign_ins_are_counted_by_what_became_of_them,
    Setup::metrics,
    async |server: Server| {
        for outcome in ["accepted", "limited", "refused", "failed"] {
            assert_counted(&server, &[(codes(outcome), 0.0)]);
        }
        let phones: Vec<Phone> = (1..=4).map(Phone::nth).collect();
        let used = server.code_for(&phones[0]).await;
        server.verify_otp(&phones[0], &used).await.assert_status(200);
        server.verify_otp(&phones[0], &used).await.assert_status(409);
        let right = server.code_for(&phones[1]).await;
        for _ in 0..5 {
            server
                .verify_otp(&phones[1], &wrong(&right))
                .await
                .assert_status(400);
        }
        server.verify_otp(&phones[1], &right).await.assert_status(409);
        server.verify_otp(&phones[2], "123456").await.assert_status(404);
        // What is no guess is none.
        server.verify_otp(&phones[3], "x").await.assert_status(400);
        assert_counted(
            &server,
            &[
                (codes("accepted"), 2.0),
                (codes("limited"), 0.0),
                (guesses("right"), 1.0),
                (guesses("used"), 1.0),
                (guesses("wrong"), 5.0),
                (guesses("spent"), 1.0),
                (guesses("absent"), 1.0),
                (guesses("limited"), 0.0),
            ],
        );
    }
);

on_both!(
    sends_are_counted_by_what_became_of_them,
    Setup::metrics,
    async |server: Server| {
        let replies = [
            Reply::Status(200),
            Reply::Status(403),
            Reply::Status(500),
            Reply::Status(200),
            Reply::Busy(60),
        ];
        let mut receiver = Receiver::start(replies).await;
        let setup = server.setup().clone();
        drop(server);
        let server = setup.webhook(&receiver).env("DOORBELL_OTP_TTL", "30").start();
        let outcomes = ["accepted", "again", "refused", "too_late"];
        for outcome in [&outcomes[..], &["unreadable", "overtaken", "unrecorded"]].concat() {
            assert_counted(&server, &[(deliveries(outcome), 0.0)]);
        }
        // One after the other, since senders are asked at once.
        for (n, requests, counted) in [
            (1, 1, [1.0, 0.0, 0.0, 0.0]),
            (2, 1, [1.0, 0.0, 1.0, 0.0]),
            (3, 2, [2.0, 1.0, 1.0, 0.0]),
            (4, 1, [2.0, 1.0, 1.0, 1.0]),
        ] {
            server.send_otp(&Phone::nth(n)).await.assert_status(200);
            for _ in 0..requests {
                receiver.next().await;
            }
            let soon = Instant::now() + Duration::from_secs(30);
            let told = |outcome: &str| server.metric(&deliveries(outcome));
            while outcomes
                .iter()
                .zip(counted)
                .any(|(outcome, count)| told(outcome) != Some(count))
            {
                assert!(Instant::now() < soon, "{n}: {}", server.metrics());
                tokio::task::yield_now().await;
            }
        }
        // All of them had been asked for well.
        assert_counted(&server, &[(codes("accepted"), 4.0)]);
    }
);

on_both!(
    a_code_asked_for_too_soon_is_counted_as_limited,
    |setup| setup.metrics().limits(),
    async |server: Server| {
        let phone = Phone::nth(1);
        server.send_otp(&phone).await.assert_status(200);
        server.send_otp(&phone).await.assert_status(429);
        assert_counted(&server, &[(codes("accepted"), 1.0), (codes("limited"), 1.0)]);
    }
);

on_both!(what_waits_is_seen, Setup::metrics, async |server: Server| {
    let sqlite = server.sqlite_file().is_some();
    let waiting = if sqlite {
        "doorbell_writes_queued"
    } else {
        "doorbell_pool_waiting"
    };
    let idle = |gauge: &str| {
        // A server has work of its own: codes to deliver, and what is over to remove.
        let soon = Instant::now() + Duration::from_secs(30);
        while server.metric(gauge) != Some(0.0) {
            assert!(
                Instant::now() < soon,
                "something still waits: {}",
                server.metrics()
            );
        }
    };
    idle(waiting);
    idle("doorbell_registrations_queued");
    if !sqlite {
        assert!(server.metric("doorbell_pool_connections") >= Some(1.0));
        idle("doorbell_pool_connections_in_use");
    }
    let lock = server.lock_database();
    let asked: Vec<_> = (0..64)
        .map(|n| {
            let body = json!({"countryCode": "90", "phoneNumber": Phone::nth(n).number});
            tokio::spawn(server.post("/api/v1/auth/send-otp").json(&body).send())
        })
        .collect();
    let soon = Instant::now() + Duration::from_secs(4);
    let mut seen = false;
    while !seen && Instant::now() < soon {
        let busy = sqlite || server.metric("doorbell_pool_connections_in_use") > Some(0.0);
        seen = busy && server.metric(waiting) > Some(0.0);
    }
    drop(lock);
    for answer in asked {
        let status = answer.await.expect("an answer").status();
        assert!([200, 503].contains(&status), "{status}");
    }
    assert!(seen, "nothing was seen to wait: {}", server.metrics());
    idle(waiting);
});

on_both!(
    the_second_listener_answers_metrics_and_nothing_else,
    Setup::metrics,
    async |server: Server| {
        let (head, _) = server.ask_admin("GET", "/metrics");
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        for path in [
            "/",
            "/metrics/",
            "/health/live",
            "/health/ready",
            "/docs",
            "/demo",
            "/openapi.json",
            "/.well-known/jwks.json",
            "/api/v1/auth/me",
            "/push/vapid-key",
        ] {
            let (head, body) = server.ask_admin("GET", path);
            assert!(
                head.starts_with("http/1.1 404 ") && body.is_empty(),
                "{path}: {head}"
            );
        }
        let (head, _) = server.ask_admin("POST", "/metrics");
        assert!(head.starts_with("http/1.1 405 "), "{head}");
        // And the first one has none.
        server
            .get("/metrics")
            .send()
            .await
            .assert_problem(404, "not_found");
        let said = server
            .setup()
            .clone()
            .env("DOORBELL_ADMIN_LISTEN", server.address())
            .refuses_to_start();
        assert!(said.contains("DOORBELL_ADMIN_LISTEN"), "{said}");
    }
);

on_both!(
    without_the_setting_there_is_no_second_listener,
    async |server: Server| {
        assert!(!server.log().contains("metrics on"), "{}", server.log());
    }
);
