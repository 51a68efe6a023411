//! Bodies too large, methods and paths that nobody has, and what is no HTTP at all.

use doorbell_tests::{AUTH, Method, P256DH, Phone, Server, Value, is_instant, json, on_both};

/// What no answer may show.
const SENTINEL: &str = "s3ntinel";

/// An HTTP/1.1 request written out, with its body whole or in chunks.
fn written(path: &str, headers: &str, chunked: bool, body: &[u8]) -> Vec<u8> {
    let framing = if chunked {
        "Transfer-Encoding: chunked".to_owned()
    } else {
        format!("Content-Length: {}", body.len())
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{headers}{framing}\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    if !chunked {
        bytes.extend(body);
        return bytes;
    }
    for chunk in body.chunks(10_000) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// Status and JSON body of an answer on the wire.
#[track_caller]
fn read(answer: &str) -> (&str, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).expect("a status");
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    (status, body)
}

on_both!(
    a_body_of_64_kib_is_read_and_one_byte_more_is_not,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let bearer = format!("Authorization: Bearer {}\r\n", person.access);
        let rocket = format!(
            "X-Auth-Token: {}\r\nX-User-Id: {}\r\n",
            person.access, person.user_id
        );
        let fingerprinted = format!("{bearer}x-fingerprint-id: f\r\n");
        let cases = [
            (
                "/api/v1/notifications/device-token",
                &bearer,
                json!({"platform": "ios", "deviceId": "d", "token": "a"}),
                "200",
            ),
            (
                "/api/v1/push.token",
                &rocket,
                json!({"type": "apn", "value": "r", "appName": "a"}),
                "200",
            ),
            (
                "/notifications/devices/add-device",
                &fingerprinted,
                json!({"deviceId": "e", "platform": "ios", "environment": "p", "pushToken": "e", "mobileSettings": {}}),
                "200",
            ),
            (
                "/push/subscribe",
                &bearer,
                json!({"endpoint": "https://push.example.net/1", "keys": {"p256dh": P256DH,
                    "auth": AUTH}}),
                "201",
            ),
        ];
        let padded = |body: &Value, length: usize| {
            let mut bytes = body.to_string().into_bytes();
            bytes.resize(length, b' ');
            bytes
        };
        for over in [true, false] {
            for chunked in [false, true] {
                for (path, headers, body, good) in &cases {
                    let length = 65_536 + usize::from(over);
                    let answer = server.raw(written(path, headers, chunked, &padded(body, length)));
                    let (status, said) = read(&answer);
                    if !over {
                        assert_eq!(status, *good, "{path}, chunked: {chunked}: {answer}");
                        continue;
                    }
                    assert_eq!(status, "413", "{path}, chunked: {chunked}: {answer}");
                    let expected = match *path {
                        "/api/v1/notifications/device-token" => {
                            assert!(is_instant(said["timestamp"].as_str().expect("a text")), "{said}");
                            json!({"isSuccess": false, "statusCode": 413, "data": null,
                                "errors": ["Payload too large"], "timestamp": said["timestamp"]})
                        }
                        "/api/v1/push.token" => json!({"success": false, "error": "Payload Too Large"}),
                        "/notifications/devices/add-device" => json!({"message": "Payload Too Large",
                            "error": "Payload Too Large", "statusCode": 413}),
                        _ => json!({"type": said["type"], "title": "Payload Too Large", "status": 413,
                            "detail": said["detail"], "code": "payload_too_large"}),
                    };
                    assert_eq!(said, expected, "{path}");
                }
            }
            assert_eq!(server.count("devices") == 0, over);
        }

        // Announced or endless, it is refused before it has come.
        let (path, headers, ..) = &cases[0];
        let announced = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{headers}Content-Length: 999999999\r\n\r\n{{"
        );
        assert_eq!(read(&server.raw(announced)).0, "413");
        let endless = written(path, headers, true, &vec![b' '; 1_000_000]);
        assert_eq!(read(&server.raw(endless)).0, "413");
        // Who is nobody does not learn even that.
        let nobody = written(path, "", false, &vec![b' '; 70_000]);
        assert_eq!(read(&server.raw(nobody)).0, "401");
    }
);

on_both!(
    the_head_of_an_answer_is_that_answer_without_its_body,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for path in [
            "/health/live",
            "/openapi.json",
            "/api/v1/auth/me",
            "/push/subscriptions",
        ] {
            let whole = server.get(path).by(&person).send().await.expect(200);
            let head = server
                .request(Method::HEAD, path)
                .by(&person)
                .send()
                .await
                .expect(200);
            assert!(head.body().is_empty(), "{head}");
            for name in ["content-type", "content-length", "cache-control", "etag"] {
                assert_eq!(head.header(name), whole.header(name), "{name} of {path}");
            }
        }
        let refused = server.request(Method::HEAD, "/api/v1/auth/me").send().await;
        refused.assert_status(401);
    }
);

on_both!(
    unknown_methods_and_paths_are_told_in_the_dialect_of_the_path,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        // Before anything else: neither a token nor a body is looked at.
        for (method, path, allowed) in [
            ("GET", "/api/v1/auth/send-otp", "POST"),
            ("PUT", "/api/v1/auth/verify-otp", "POST"),
            ("DELETE", "/api/v1/auth/refresh", "POST"),
            ("POST", "/api/v1/auth/sessions", "GET, HEAD"),
            ("GET", "/api/v1/auth/sessions/1", "DELETE"),
            ("PUT", "/api/v1/users/me", "PATCH"),
            ("GET", "/api/v1/users/me/account-deletion", "DELETE, POST"),
            ("PATCH", "/api/v1/notifications/device-token", "POST"),
            ("BREW", "/api/v1/auth/me", "GET, HEAD"),
            ("OPTIONS", "/api/v1/auth/me", "GET, HEAD"),
            ("GET", "/api/v1/push.token", "DELETE, POST"),
            ("POST", "/api/v1/push.info", "GET, HEAD"),
            ("POST", "/notifications/devices", "GET, HEAD"),
            ("POST", "/notifications/devices/update", "PATCH"),
            ("GET", "/notifications/devices/add-device", "POST"),
            ("GET", "/push/subscribe", "DELETE, POST"),
            ("PUT", "/api/push/subscriptions", "GET, HEAD"),
            ("POST", "/health/live", "GET, HEAD"),
            ("DELETE", "/health/ready", "GET, HEAD"),
            ("POST", "/.well-known/jwks.json", "GET, HEAD"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            for signed_in in [false, true] {
                let request = server.request(method.clone(), path);
                let request = if signed_in {
                    request.by(&person).body("text/plain", "{")
                } else {
                    request
                };
                let answer = request.send().await;
                assert_eq!(answer.header("allow"), Some(allowed), "{answer}");
                if path.starts_with("/api/v1/push.") {
                    answer.assert_rocket(405);
                } else if path.starts_with("/api/v1/") {
                    answer.assert_allmine(405);
                } else if path.starts_with("/notifications/") {
                    answer.assert_easyflow(405);
                } else {
                    answer.assert_problem(405, "method_not_allowed");
                }
            }
        }

        for path in [
            "/api/v1/",
            "/api/v1/auth",
            "/api/v1/auth/me/",
            "/api/v1/auth/login",
            "/api/v1/auth//me",
            "/api/v1/auth/sessions/1/2",
            "/api/v1/notifications",
            "/api/v1/notifications/devices",
            "/api/v1/%00",
            "/api/v1/%ff",
            "/api/v1/AUTH/ME",
        ] {
            let answer = server.get(path).by(&person).send().await;
            assert!(answer.assert_allmine(404).is_empty());
        }
        for path in [
            "/api/v1/push.",
            "/api/v1/push.unknown",
            "/api/v1/push.token/",
            "/api/v1/push.get",
        ] {
            let answer = server.post(path).rocket_by(&person).json(&json!({})).send().await;
            answer.assert_status(404);
            assert_eq!(
                answer.json(),
                json!({"success": false, "error": "Not Found"}),
                "{answer}"
            );
        }
        for path in [
            "/notifications/",
            "/notifications/devices/",
            "/notifications/devices/unknown",
            "/notifications/subscriptions",
        ] {
            server.get(path).by(&person).send().await.assert_easyflow(404);
            server.delete(path).send().await.assert_easyflow(404);
        }
        for path in [
            "/api",
            "/api/v1",
            "/api/v2/auth/me",
            "/push",
            "/push/",
            "/push/subscribe/",
            "/api/push/unknown",
            "/health",
            "/health/",
            "/.well-known/openid-configuration",
            "/metrics",
            "/%2e%2e/%2e%2e/etc/passwd",
        ] {
            server.get(path).send().await.assert_problem(404, "not_found");
        }
    }
);

on_both!(what_is_no_http_is_no_trouble, async |server: Server| {
    for bytes in [
        "s3ntinel\r\n\r\n",
        "GET\r\n\r\n",
        "GET /health/live HTTP/9.9\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nno colon\r\n\r\n",
        "POST /api/v1/auth/send-otp HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/auth/send-otp HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /api/v1/auth/send-otp HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
    ] {
        let answer = server.raw(bytes);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{bytes:?}: {answer}"
        );
        assert!(!answer.contains(SENTINEL), "{answer}");
    }
    let long = format!(
        "GET /health/live HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let answer = server.raw(long);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer:.200}"
    );
    assert_eq!(
        server.get("/health/live").send().await.expect(200).json(),
        json!({"status": "ok"})
    );
    assert_eq!(
        server.get("/health/ready").send().await.expect(200).json(),
        json!({"status": "ok"})
    );
});
