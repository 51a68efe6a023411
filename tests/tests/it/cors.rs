//! Pages of other origins: nobody may call, but who is listed.

use doorbell_tests::{Answer, Database, Method, Phone, Server, Setup, on_both};

const APP: &str = "https://app.example.com";
const LOCAL: &str = "http://localhost:3000";

fn listing(setup: Setup) -> Setup {
    setup.env("DOORBELL_CORS_ORIGINS", &format!("{APP},{LOCAL}"))
}

/// A path of each dialect, the method a page would use, and all that the path takes.
const PATHS: [(&str, &str, &str); 6] = [
    ("/api/v1/auth/send-otp", "POST", "POST"),
    ("/api/v1/push.token", "DELETE", "DELETE, POST"),
    ("/notifications/devices/update", "PATCH", "PATCH"),
    ("/push/subscribe", "POST", "DELETE, POST"),
    ("/api/push/subscriptions", "GET", "GET, HEAD"),
    ("/.well-known/jwks.json", "GET", "GET, HEAD"),
];

async fn preflight(server: &Server, path: &str, origin: &str, method: &str) -> Answer {
    server
        .request(Method::OPTIONS, path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", "authorization,content-type")
        .send()
        .await
}

/// An answer that lets no page read it.
#[track_caller]
fn assert_closed(answer: &Answer) {
    for name in [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "access-control-max-age",
    ] {
        assert_eq!(answer.header(name), None, "{name}: {answer}");
    }
}

on_both!(
    a_listed_origin_is_told_what_it_may_do,
    listing,
    async |server: Server| {
        for (path, method, methods) in PATHS {
            for origin in [APP, LOCAL] {
                let answer = preflight(&server, path, origin, method).await.expect(204);
                assert!(answer.body().is_empty());
                assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
                assert_eq!(answer.header("access-control-allow-methods"), Some(methods));
                assert_eq!(answer.header("access-control-allow-credentials"), None);
                assert_eq!(answer.header("access-control-max-age"), Some("600"));
                assert_eq!(answer.header("vary"), Some("origin"));
                let headers = answer.header("access-control-allow-headers").expect("headers");
                for name in [
                    "authorization",
                    "content-type",
                    "x-auth-token",
                    "x-user-id",
                    "x-fingerprint-id",
                    "x-request-id",
                ] {
                    assert!(
                        headers.split(", ").any(|known| known == name),
                        "{name}: {headers}"
                    );
                }
            }
        }
        let nowhere = preflight(&server, "/nowhere", APP, "GET").await;
        nowhere.assert_problem(404, "not_found");
    }
);

on_both!(
    a_listed_origin_reads_answers_and_errors,
    listing,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for (request, status) in [
            (server.get("/api/v1/auth/me").by(&person), 200),
            (server.get("/api/v1/auth/me"), 401),
            (server.put("/api/v1/auth/me"), 405),
            (server.get("/api/v1/push.info"), 401),
            (server.get("/notifications/devices").by(&person), 400),
            (server.get("/push/nothing"), 404),
            (server.get("/health/live"), 200),
        ] {
            let answer = request.header("Origin", APP).send().await.expect(status);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                Some(APP),
                "{answer}"
            );
            assert_eq!(
                answer.header("access-control-allow-credentials"),
                None,
                "{answer}"
            );
            assert_eq!(answer.header("vary"), Some("origin"), "{answer}");
            let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
            assert!(
                exposed.contains("x-request-id") && exposed.contains("retry-after"),
                "{answer}"
            );
        }
        // Who says no origin is no page.
        let answer = server.get("/health/live").send().await;
        assert_closed(&answer);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
);

on_both!(
    an_origin_like_a_listed_one_is_a_stranger,
    listing,
    async |server: Server| {
        for origin in [
            "https://evil.example",
            "https://app.example.com.evil.example",
            "https://evil-app.example.com",
            "https://app.example.com:8443",
            "https://APP.example.com",
            "http://app.example.com",
            "http://localhost",
            "http://localhost:30000",
            "null",
            "*",
            "",
        ] {
            let answer = server.get("/health/live").header("Origin", origin).send().await;
            assert_closed(&answer.expect(200));
            let answer = preflight(&server, "/api/v1/auth/me", origin, "GET").await;
            assert_closed(&answer);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
            answer.assert_allmine(405);
        }
        // Listed, and something else as well.
        let two = server
            .get("/health/live")
            .header("Origin", APP)
            .header("Origin", "https://evil.example");
        assert_closed(&two.send().await);
        // No question whether a page may: what OPTIONS always was.
        let answer = server
            .request(Method::OPTIONS, "/api/v1/auth/me")
            .header("Origin", APP);
        answer.send().await.assert_allmine(405);
    }
);

on_both!(without_the_setting_no_origin_is_listed, async |server: Server| {
    for (path, method, methods) in PATHS {
        let answer = preflight(&server, path, APP, method).await.expect(405);
        assert_closed(&answer);
        assert_eq!(answer.header("allow"), Some(methods));
        assert_eq!(answer.header("vary"), None);
        let answer = server.get(path).header("Origin", APP).send().await;
        assert_closed(&answer);
        assert_eq!(answer.header("vary"), None);
    }
});

#[test]
fn what_is_no_origin_is_refused_by_name() {
    for value in [
        "*",
        "null",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com,*",
        "app.example.com",
    ] {
        let setup = Setup::on(Database::Sqlite).env("DOORBELL_CORS_ORIGINS", value);
        let said = setup.refuses_to_start();
        assert!(said.contains("DOORBELL_CORS_ORIGINS"), "{value}: {said}");
    }
}
