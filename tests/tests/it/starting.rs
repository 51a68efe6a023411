//! A server starts, answers and ends.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use doorbell_tests::{Database, Held, Phone, Server, Setup, json, on_both};

on_both!(a_started_server_is_alive, async |server| {
    server.get("/health/live").send().await.assert_status(200);
});

on_both!(an_unknown_path_is_a_problem, async |server| {
    server
        .get("/nowhere")
        .send()
        .await
        .assert_problem(404, "not_found");
});

on_both!(a_server_asked_to_end_exits_with_0, async |mut server: Server| {
    server.get("/health/live").send().await.assert_status(200);
    let status = server.stop();
    assert_eq!(status.code(), Some(0), "{}", server.log());
});

on_both!(
    a_server_starts_again_on_what_it_kept,
    async |mut server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let body = json!({"platform": "ios", "deviceId": "d", "token": "t"});
        server.device_token(&person, &body).await.assert_status(200);
        let waiting = Phone::nth(2);
        let code = server.code_for(&waiting).await;
        let keys = server.get("/.well-known/jwks.json").send().await.json();

        // By a clean end, and by a power cut: what was acknowledged is there, and every token still opens.
        let mut refresh = person.refresh.clone();
        for cut in [false, true] {
            if cut {
                server.kill();
                server.start_again();
            } else {
                server.restart();
            }
            server.get("/health/ready").send().await.assert_status(200);
            let device = server.device(&person, "d").await;
            assert_eq!(device["pushToken"], "t");
            let refreshed = server.refresh(&refresh).await.expect(200).json();
            refreshed["refreshToken"]
                .as_str()
                .expect("a token")
                .clone_into(&mut refresh);
            let published = server.get("/.well-known/jwks.json").send().await.json();
            assert_eq!(published, keys);
        }
        server.verify_otp(&waiting, &code).await.assert_status(200);
    }
);

on_both!(two_servers_share_a_database, async |first| {
    let second = Server::second_on(&first);
    first.get("/health/ready").send().await.assert_status(200);
    second.get("/health/ready").send().await.assert_status(200);
});

/// Three servers race for the migrations, the secret and the keys.
fn servers_start_at_once(database: Database) {
    let setup = Setup::on(database);
    let together = Barrier::new(3);
    let servers: Vec<Server> = thread::scope(|scope| {
        let starts: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let setup = setup.clone();
                    together.wait();
                    setup.start()
                })
            })
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().expect("it starts"))
            .collect()
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let phone = Phone::nth(1);
        let code = servers[0].code_for(&phone).await;
        let answer = servers[1].verify_otp(&phone, &code).await.expect(200).json();
        let token = answer["accessToken"].as_str().expect("a token");
        for server in &servers {
            server.get("/health/ready").send().await.assert_status(200);
            let me = server.get("/api/v1/auth/me").bearer(token).send().await;
            me.assert_status(200);
        }
        drop(servers);
    });
}

mod servers_start_at_once_on_an_empty_database {
    use super::{Database, servers_start_at_once};

    #[test]
    fn sqlite() {
        servers_start_at_once(Database::Sqlite);
    }

    #[test]
    fn postgres() {
        servers_start_at_once(Database::Postgres);
    }
}

#[test]
fn another_scheme_is_refused_by_name() {
    for (url, named) in [
        ("mysql://u:s3ntinel@localhost/doorbell", "mysql"),
        ("file:///tmp/s3ntinel.db", "file"),
        ("POSTGRES://u:s3ntinel@localhost/doorbell", "POSTGRES"),
        ("s3ntinel.db", "DATABASE_URL"),
        ("", "DATABASE_URL"),
        ("sqlite://", "DATABASE_URL"),
        ("postgres://u:s3ntinel@127.0.0.1:1/doorbell", "DATABASE_URL"),
    ] {
        let setup = Setup::on(Database::Sqlite).env("DATABASE_URL", url);
        let said = setup.refuses_to_start();
        assert!(said.contains(named), "{url}: {said}");
        assert!(!said.contains("s3ntinel"), "{url}: {said}");
    }
}

const OLD: &str = "old:s3ntinel-of-the-old-secret-0123456789";
const NEW: &str = "new:s3ntinel-of-the-new-secret-0123456789";

on_both!(
    a_secret_that_does_not_open_what_is_kept_is_refused,
    |setup| setup.env("DOORBELL_SECRET", OLD),
    async |mut server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let with = |secret: &str| server.setup().clone().env("DOORBELL_SECRET", secret);
        let renamed = OLD.replace("old:", "new:");
        let changed = OLD.replace("0123", "3210");
        let bare = OLD.replace("old:", "");
        for (secret, why) in [
            (NEW, "another secret"),
            (renamed.as_str(), "the same by another name"),
            (changed.as_str(), "another by the same name"),
            (bare.as_str(), "without its name"),
            ("old:s3ntinel", "too short"),
            ("", "nothing"),
        ] {
            let said = with(secret).refuses_to_start();
            assert!(said.contains("DOORBELL_SECRET"), "{why}: {said}");
            assert!(!said.contains("s3ntinel"), "{why}: {said}");
        }

        // Rotated by its rules: the new one first, the old one after it.
        let next = with(&format!("{NEW},{OLD}")).start();
        let me = next.get("/api/v1/auth/me").by(&person).send().await;
        me.assert_status(200);
        next.refresh(&person.refresh).await.assert_status(200);
        // Nothing of this has hurt the one that runs.
        let me = server.get("/api/v1/auth/me").by(&person).send().await;
        me.assert_status(200);
        drop(next);
        server.restart();
        assert!(!server.log().contains("s3ntinel"), "{}", server.log());
    }
);

#[test]
fn production_refuses_what_is_for_developers_by_name() {
    // Bare: nothing that a test sets, and nothing that a developer needs not set.
    let production = || {
        Setup::on(Database::Sqlite)
            .env("DOORBELL_MODE", "production")
            .without("DOORBELL_LIMITS")
            .without("DOORBELL_CLOCK_OFFSET_FILE")
    };
    let bare = production();
    let said = bare.refuses_to_start();
    assert!(said.contains("DOORBELL_SECRET"), "{said}");
    let left = std::fs::read_dir(bare.folder()).expect("its folder");
    let left: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(
        left,
        ["clock-offset"],
        "no secret is made up in production, and no file"
    );
    let said = production().env("DOORBELL_SECRET", OLD).refuses_to_start();
    assert!(said.contains("DOORBELL_SENDERS"), "{said}");
    let said = production()
        .env("DOORBELL_SECRET", OLD)
        .env("DOORBELL_SENDERS", "pigeon")
        .refuses_to_start();
    assert!(
        said.contains("DOORBELL_SENDERS") && said.contains("pigeon"),
        "{said}"
    );
}

#[test]
fn a_value_that_cannot_be_is_refused_by_name() {
    for (name, value, told) in [
        ("DOORBELL_MODE", "test", "development, production"),
        ("DOORBELL_LIMITS", "maybe", "on, off"),
        ("DOORBELL_OTP_LENGTH", "3", "4..=8"),
        ("DOORBELL_OTP_LENGTH", "9", "4..=8"),
        ("DOORBELL_OTP_TTL", "5m", "whole seconds, from 1 to 600"),
        ("DOORBELL_OTP_ATTEMPTS", "0", "1..=10"),
        ("DOORBELL_TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/8"),
        ("DOORBELL_LISTEN", "8080", "127.0.0.1:8080"),
    ] {
        let said = Setup::on(Database::Sqlite).env(name, value).refuses_to_start();
        assert!(
            said.contains(name) && said.contains(told),
            "{name}={value}: {said}"
        );
    }
}

on_both!(a_taken_address_is_refused_by_name, async |server| {
    let said = server
        .setup()
        .clone()
        .env("DOORBELL_LISTEN", server.address())
        .refuses_to_start();
    assert!(said.contains("DOORBELL_LISTEN"), "{said}");
});

on_both!(
    a_server_asked_to_end_finishes_what_is_in_flight,
    async |mut server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        // Each is held where the server has read its head and waits for its body.
        let bodies: Vec<String> = (0..32)
            .map(|n| {
                json!({"platform": "ios", "deviceId": format!("d{n}"), "token": format!("t{n}")}).to_string()
            })
            .collect();
        let in_flight: Vec<Held> = bodies
            .iter()
            .map(|body| {
                let head = format!(
                    "POST /api/v1/notifications/device-token HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
                    person.access,
                    body.len()
                );
                server.begin(&head)
            })
            .collect();
        server.ask_to_end();
        let answers: Vec<String> = thread::scope(|scope| {
            let finished: Vec<_> = in_flight
                .into_iter()
                .zip(&bodies)
                .map(|(held, body)| scope.spawn(move || held.finish(body)))
                .collect();
            finished
                .into_iter()
                .map(|answer| answer.join().expect("an answer"))
                .collect()
        });
        for answer in answers {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        let status = server.stop();
        assert_eq!(status.code(), Some(0), "{}", server.log());
        assert_eq!(server.count("devices"), 32);

        // Started again, it knows all of them.
        server.start_again();
        server.advance(Duration::from_secs(1));
        assert_eq!(server.devices(&person).await.len(), 32);
    }
);
