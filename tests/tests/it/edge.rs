//! Where requests come in: what is believed of them, what is logged of them, and how long they may take.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use doorbell_tests::{Database, FINGERPRINT, Phone, Server, Setup, Value, json, on_both, play};

/// Signs in with headers that speak of other addresses, and returns what the session list says, newest first.
async fn addresses(server: &Server, headers: &[Vec<(&str, String)>]) -> Vec<Value> {
    let phone = Phone::nth(1);
    let mut access = String::new();
    for headers in headers {
        let code = server.code_for(&phone).await;
        let body = json!({"countryCode": phone.country, "phoneNumber": phone.number, "code": code});
        let mut request = server.post("/api/v1/auth/verify-otp").json(&body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.expect(200).json();
        answer["accessToken"]
            .as_str()
            .expect("a token")
            .clone_into(&mut access);
        server.advance(Duration::from_secs(1));
    }
    let listed = server.get("/api/v1/auth/sessions").bearer(&access).send().await;
    let listed = listed.expect(200).json();
    let listed = listed["data"].as_array().expect("a list");
    listed
        .iter()
        .map(|session| session["ipAddress"].clone())
        .collect()
}

on_both!(
    what_a_stranger_says_of_its_address_changes_nothing,
    async |server: Server| {
        let lies: Vec<_> = (1..=6)
            .map(|n| {
                let ip = format!("203.0.113.{n}");
                let mut all = vec![
                    ("X-Forwarded-For", ip.clone()),
                    ("X-Real-IP", ip.clone()),
                    ("Forwarded", format!("for={ip}")),
                    ("True-Client-IP", ip.clone()),
                    ("CF-Connecting-IP", ip),
                ];
                all.rotate_left(n % 5);
                all.truncate(n.min(5));
                all
            })
            .collect();
        let seen = addresses(&server, &lies).await;
        assert_eq!(seen, vec![json!("127.0.0.1"); 6]);
    }
);

on_both!(
    a_trusted_proxy_is_believed_about_the_nearest_hop_alone,
    |setup| setup.env("DOORBELL_TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.0/8"),
    async |server: Server| {
        let told = |name: &'static str, value: &str| vec![(name, value.to_owned())];
        let seen = addresses(
            &server,
            &[
                told("X-Forwarded-For", "203.0.113.7"),
                // What stands left of it is the client's own claim.
                told("X-Forwarded-For", "198.51.100.1, 203.0.113.7"),
                told("X-Forwarded-For", "198.51.100.1, 203.0.113.7, 10.1.2.3"),
                told("X-Forwarded-For", "s3ntinel"),
                told("X-Real-IP", "203.0.113.7"),
                told("Forwarded", "for=203.0.113.7"),
            ],
        )
        .await;
        let expected = [
            "127.0.0.1",
            "127.0.0.1",
            "127.0.0.1",
            "203.0.113.7",
            "203.0.113.7",
            "203.0.113.7",
        ];
        assert_eq!(seen, expected.map(Value::from));
    }
);

on_both!(
    what_cannot_be_said_safely_is_not_logged,
    |setup| setup.env("DOORBELL_LOG", "info,doorbell_http=debug"),
    async |mut server: Server| {
        let safe = server.get("/health/live").header("X-Request-Id", "safe.id-1");
        safe.send().await.assert_status(200);
        for id in [
            "s3ntinel\u{1b}[31mred".to_owned(),
            "s3ntinel\",\"level\":\"ERROR".to_owned(),
            format!("s3ntinel{}", "x".repeat(100_000)),
            "s3ntinel\tand more".to_owned(),
        ] {
            let answer = server.raw(format!(
                "GET /health/live HTTP/1.1\r\nHost: h\r\nX-Request-Id: {id}\r\n\r\n"
            ));
            assert!(
                !answer.contains("s3ntinel") && !answer.contains('\u{1b}'),
                "{answer:.300}"
            );
        }
        server.stop();
        let log = server.log();
        assert!(log.contains("safe.id-1"), "{log}");
        assert!(
            !log.contains("s3ntinel") && !log.contains('\u{1b}'),
            "{log:.3000}"
        );
        for line in log.lines().filter(|line| line.starts_with('{')) {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
    }
);

/// Real time, since the server waits by it: every connection below waits at the same time.
#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    play(
        Database::Sqlite,
        |setup| setup,
        async |server: Server| {
            let began = Instant::now();
            let connect = || {
                let stream = TcpStream::connect(server.address()).expect("a connection");
                let timeout = Some(Duration::from_secs(20));
                stream.set_read_timeout(timeout).expect("a timeout");
                stream
            };
            let heads = [
                "",
                "G",
                "GET /health/live HTTP/1.1\r\n",
                "POST /api/v1/auth/send-otp HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Slow: ",
            ];
            let new = heads.map(|part| {
                let mut stream = connect();
                stream.write_all(part.as_bytes()).expect("sent");
                stream
            });
            // A connection that had an answer may rest longer, but once it speaks it must come to the point.
            let (_, begun) = heads.split_first().expect("some");
            let kept: Vec<TcpStream> = begun
                .iter()
                .map(|part| {
                    let mut stream = connect();
                    stream
                        .write_all(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n")
                        .expect("sent");
                    let mut answer = [0; 12];
                    stream.read_exact(&mut answer).expect("an answer");
                    assert_eq!(&answer, b"HTTP/1.1 200");
                    let mut rest = [0; 4_096];
                    let _ = stream.read(&mut rest).expect("the rest of it");
                    stream.write_all(part.as_bytes()).expect("sent");
                    stream
                })
                .collect();
            // Nobody else waits for them.
            server.get("/health/ready").send().await.assert_status(200);
            for mut stream in new.into_iter().chain(kept) {
                let mut answer = String::new();
                stream
                    .read_to_string(&mut answer)
                    .expect("the connection is closed");
                assert!(
                    answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
                    "{answer}"
                );
            }
            let waited = began.elapsed();
            assert!(waited < Duration::from_secs(15), "{waited:?}");
            server.get("/health/ready").send().await.assert_status(200);
        },
    );
}

on_both!(
    a_request_that_takes_too_long_is_given_up_in_its_dialect,
    |setup| setup.env("DOORBELL_REQUEST_TIMEOUT", "3"),
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let bearer = format!("Authorization: Bearer {}\r\n", person.access);
        let rocket = format!(
            "X-Auth-Token: {}\r\nX-User-Id: {}\r\n",
            person.access, person.user_id
        );
        let fingerprinted = format!("{bearer}x-fingerprint-id: {FINGERPRINT}\r\n");
        let cases = [
            ("/api/v1/auth/verify-otp", ""),
            ("/api/v1/push.token", rocket.as_str()),
            ("/notifications/devices/refresh-token", fingerprinted.as_str()),
            ("/push/subscribe", bearer.as_str()),
        ];
        // Their bodies never come.
        let begun = cases.map(|(path, headers)| {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: h\r\n{headers}Content-Type: application/json\r\nContent-Length: 9\r\n\
                 Expect: 100-continue\r\n\r\n"
            );
            (path, server.begin(&head))
        });
        for (path, held) in begun {
            let answer = held.finish("");
            let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
            assert!(head.starts_with("HTTP/1.1 503 "), "{path}: {answer}");
            let head = head.to_ascii_lowercase();
            assert!(
                head.contains("retry-after: 1") && head.contains("x-request-id: "),
                "{path}: {head}"
            );
            let body: Value = serde_json::from_str(body).expect("JSON");
            match path {
                "/api/v1/auth/verify-otp" => assert_eq!(body["errors"], json!(["Service unavailable"])),
                "/api/v1/push.token" => {
                    assert_eq!(body, json!({"success": false, "error": "Service Unavailable"}));
                }
                "/notifications/devices/refresh-token" => {
                    assert_eq!(body["statusCode"], 503, "{body}");
                }
                _ => assert_eq!(body["code"], "unavailable", "{body}"),
            }
        }
        // What comes in time is answered as ever.
        server
            .get("/api/v1/auth/me")
            .by(&person)
            .send()
            .await
            .assert_status(200);
    }
);

on_both!(
    connections_beyond_the_bound_wait_for_others_to_end,
    |setup: Setup| setup.env("DOORBELL_MAX_CONNECTIONS", "1"),
    async |server: Server| {
        // One for each processor's worker: all the same, each is served in its turn.
        for _ in 0..20 {
            let answer = server.raw("GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
);

on_both!(in_development_nobody_is_sent_to_https, async |server: Server| {
    let answer = server.get("/health/live").send().await.expect(200);
    assert_eq!(answer.header("strict-transport-security"), None);
});
