//! A database that is gone, locked, read-only or full: 503 in the dialect of the path, soon, and never 401.

use std::path::Path;
use std::time::{Duration, Instant};

use doorbell_tests::{
    AUTH, Answer, Cluster, Database, FINGERPRINT, P256DH, Phone, Request, Server, Setup, SignedIn, join_all,
    json, on_both, play,
};

/// Within this time every request is answered.
const SOON: Duration = Duration::from_secs(5);

/// How long a server may take to find its database again.
const RECOVERY: Duration = Duration::from_secs(30);

/// An operation, and what it answers when all is well.
struct Operation {
    asked: &'static str,
    request: Request,
    answered: u16,
}

fn operation(asked: &'static str, request: Request, answered: u16) -> Operation {
    Operation {
        asked,
        request,
        answered,
    }
}

/// Every operation that needs the database, in an order in which each is answered as said. The person's device `d`
/// has the id `device`.
fn operations(server: &Server, person: &SignedIn, device: &str) -> Vec<Operation> {
    let mut all = of_sign_in(server, person);
    all.extend(of_notifications(server, person));
    all.extend(of_rocketchat(server, person));
    all.extend(of_easyflow(server, person, device));
    all.extend(of_ocore(server, person));
    all.extend(of_the_account(server, person));
    all.push(operation("ready", server.get("/health/ready"), 200));
    let logout = server.post("/api/v1/auth/logout").by(person);
    all.push(operation("logout", logout, 200));
    all
}

fn of_sign_in(server: &Server, person: &SignedIn) -> Vec<Operation> {
    let phone = json!({"countryCode": "90", "phoneNumber": "5559999999"});
    let guess = json!({"countryCode": "90", "phoneNumber": "5558888888", "code": "123456"});
    let refresh = json!({"refreshToken": person.refresh});
    let unknown = json!({"refreshToken": "unknown"});
    let post = |path: &str| server.post(&format!("/api/v1/auth/{path}"));
    let get = |path: &str| server.get(&format!("/api/v1/auth/{path}")).by(person);
    let nobody = "/api/v1/auth/sessions/019ae000-0000-7000-8000-000000000001";
    vec![
        operation("send-otp", post("send-otp").json(&phone), 200),
        operation("verify-otp", post("verify-otp").json(&guess), 404),
        operation("refresh", post("refresh").json(&refresh), 200),
        operation(
            "revoke-token",
            post("revoke-token").by(person).json(&unknown),
            404,
        ),
        operation("sessions", get("sessions"), 200),
        operation("end session", server.delete(nobody).by(person), 404),
        operation("validate-token", get("validate-token"), 200),
        operation("me", get("me"), 200),
    ]
}

fn of_notifications(server: &Server, person: &SignedIn) -> Vec<Operation> {
    let device = json!({"platform": "ios", "deviceId": "d", "token": "t2"});
    let activity = json!({"streamId": "s", "deviceId": "d", "liveActivityToken": "l", "activityId": "a"});
    let post = |path: &str| server.post(&format!("/api/v1/notifications/{path}")).by(person);
    let delete = |path: &str| server.delete(&format!("/api/v1/notifications/{path}")).by(person);
    vec![
        operation("device-token", post("device-token").json(&device), 200),
        operation(
            "live activity",
            post("live-activity-sessions").json(&activity),
            200,
        ),
        operation("end live activity", delete("live-activity-sessions/a"), 200),
        operation("remove device-token", delete("device-token/unknown"), 404),
    ]
}

fn of_rocketchat(server: &Server, person: &SignedIn) -> Vec<Operation> {
    let token = json!({"type": "gcm", "value": "r", "appName": "a"});
    let post = server.post("/api/v1/push.token").rocket_by(person);
    let delete = server.delete("/api/v1/push.token").rocket_by(person);
    let info = server.get("/api/v1/push.info").rocket_by(person);
    vec![
        operation("push.token", post.json(&token), 200),
        operation("remove push.token", delete.json(&json!({"token": "r"})), 200),
        operation("push.info", info, 200),
    ]
}

fn of_easyflow(server: &Server, person: &SignedIn, device: &str) -> Vec<Operation> {
    let added = json!({"deviceId": "e", "platform": "ios", "environment": "production", "pushToken": "e",
        "mobileSettings": {}});
    let refreshed = json!({"deviceId": "d", "pushToken": "t3"});
    let updated = json!({"id": device, "environment": "sandbox"});
    let ask = |request: Request| request.by(person).fingerprint(FINGERPRINT);
    let post = |path: &str| ask(server.post(&format!("/notifications/devices/{path}")));
    let update = ask(server.patch("/notifications/devices/update"));
    let get = ask(server.get("/notifications/devices/get?deviceId=d"));
    let list = ask(server.get("/notifications/devices"));
    vec![
        operation("add-device", post("add-device").json(&added), 200),
        operation("refresh-token", post("refresh-token").json(&refreshed), 200),
        operation("update device", update.json(&updated), 200),
        operation("get device", get, 200),
        operation("devices", list, 200),
    ]
}

fn of_ocore(server: &Server, person: &SignedIn) -> Vec<Operation> {
    let endpoint = json!({"endpoint": "https://push.example.net/1"});
    let subscription = json!({"endpoint": endpoint["endpoint"], "keys": {"p256dh": P256DH, "auth": AUTH}});
    let get = |path: &str| server.get(path).by(person);
    let subscribe = server.post("/push/subscribe").by(person);
    let unsubscribe = server.delete("/push/subscribe").by(person);
    vec![
        operation("subscribe", subscribe.json(&subscription), 201),
        operation("subscriptions", get("/push/subscriptions"), 200),
        operation("subscriptions under /api", get("/api/push/subscriptions"), 200),
        operation("vapid-key", get("/push/vapid-key"), 200),
        operation("unsubscribe", unsubscribe.json(&endpoint), 204),
    ]
}

fn of_the_account(server: &Server, person: &SignedIn) -> Vec<Operation> {
    let deletion = "/api/v1/users/me/account-deletion";
    let change = server.patch("/api/v1/users/me").by(person);
    let ask = server.post(deletion).by(person);
    let take_back = server.delete(deletion).by(person);
    vec![
        operation("change me", change.json(&json!({"name": "John"})), 200),
        operation("ask for deletion", ask, 200),
        operation("take it back", take_back, 200),
    ]
}

/// Sends it, and asserts that it is answered soon.
async fn soon(asked: &str, request: Request) -> Answer {
    let began = Instant::now();
    let answer = request.send().await;
    let took = began.elapsed();
    assert!(took < SOON, "{asked} took {took:?}: {answer}");
    answer
}

/// Asserts a 503 of the dialect that the path speaks.
#[track_caller]
fn assert_unavailable(asked: &str, answer: &Answer) {
    assert_eq!(answer.status(), 503, "{asked}: {answer}");
    let shown = answer.to_string();
    let path = shown.split(' ').nth(1).expect("a path");
    if path.starts_with("/api/v1/push.") {
        answer.assert_rocket(503);
    } else if path.starts_with("/api/v1/") {
        assert!(answer.assert_allmine(503).is_empty());
    } else if path.starts_with("/notifications/") {
        answer.assert_easyflow(503);
    } else {
        answer.assert_problem(503, "unavailable");
    }
}

/// Asks again and again until the server has found its database; until then it says that it has not.
async fn recovered(server: &Server, request: impl Fn() -> Request) -> Answer {
    let began = Instant::now();
    loop {
        let answer = request().send().await;
        if answer.status() != 503 {
            return answer;
        }
        assert!(began.elapsed() < RECOVERY, "{answer}\n{}", server.log());
    }
}

fn register(server: &Server, person: &SignedIn, device: &str, token: &str) -> Request {
    let body = json!({"platform": "ios", "deviceId": device, "token": token});
    let path = "/api/v1/notifications/device-token";
    server.post(path).by(person).json(&body)
}

/// Somebody with a device `d`, and that device's id.
async fn somebody(server: &Server) -> (SignedIn, String) {
    let person = server.sign_in(&Phone::nth(1)).await;
    register(server, &person, "d", "t")
        .send()
        .await
        .assert_status(200);
    let device = server.device(&person, "d").await;
    let id = device["id"].as_str().expect("an id").to_owned();
    (person, id)
}

fn on_a_cluster(story: impl AsyncFnOnce(Cluster)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async { story(Cluster::start()).await });
}

#[test]
fn with_postgresql_stopped_everything_is_503_until_it_is_back() {
    on_a_cluster(async |cluster| {
        let server = Setup::on_cluster(&cluster).start();
        let (person, device) = somebody(&server).await;
        cluster.stop();

        let asked = operations(&server, &person, &device);
        let answers = join_all(
            asked
                .into_iter()
                .map(async |operation| (operation.asked, soon(operation.asked, operation.request).await)),
        );
        for (asked, answer) in answers.await {
            assert_unavailable(asked, &answer);
        }
        // A good token with a bad body is nobody's to judge yet; what needs no database is judged.
        let bad = server.post("/push/subscribe").by(&person).body("text/plain", "{");
        assert_unavailable("a bad body", &soon("a bad body", bad).await);
        let forged = server.get("/api/v1/auth/me").bearer("forged").send().await;
        forged.assert_allmine(401);
        let body = json!({"countryCode": "90", "phoneNumber": "5"});
        let blamed = server.post("/api/v1/auth/send-otp").json(&body).send().await;
        assert_eq!(blamed.assert_allmine(400), ["phoneNumber"]);
        server.get("/api/v1/nowhere").send().await.assert_allmine(404);
        for path in ["/health/live", "/.well-known/jwks.json"] {
            server.get(path).send().await.assert_status(200);
        }
        // Nobody can start now, and is told why without the password.
        let said = Setup::on(Database::Sqlite)
            .env(
                "DATABASE_URL",
                &cluster.url().replace("postgres@", "postgres:s3ntinel@"),
            )
            .refuses_to_start();
        assert!(
            said.contains("DATABASE_URL") && !said.contains("s3ntinel"),
            "{said}"
        );

        cluster.start_again();
        let ready = recovered(&server, || server.get("/health/ready")).await;
        ready.assert_status(200);
        for Operation {
            asked,
            request,
            answered,
        } in operations(&server, &person, &device)
        {
            let answer = soon(asked, request).await;
            assert_eq!(answer.status(), answered, "{asked}: {answer}");
        }

        // Its connections broke once more, and nobody noticed.
        let person = server.sign_in(&Phone::nth(2)).await;
        cluster.stop();
        cluster.start_again();
        let answer = recovered(&server, || server.get("/api/v1/auth/me").by(&person)).await;
        answer.assert_status(200);
        assert_eq!(
            server.log().matches("\"level\":\"ERROR\"").count(),
            0,
            "{}",
            server.log()
        );
        assert_eq!(server.count("push_tokens"), 2);
    });
}

on_both!(
    a_locked_database_is_503_for_writes_and_none_of_them_comes_late,
    async |server: Server| {
        let (person, _) = somebody(&server).await;
        let lock = server.lock_database();
        let phone = json!({"countryCode": "90", "phoneNumber": "5559999999"});
        let refresh = json!({"refreshToken": person.refresh});
        let subscription = json!({"endpoint": "https://push.example.net/1",
            "keys": {"p256dh": P256DH, "auth": AUTH}});
        let mut writes = vec![
            ("send-otp", server.post("/api/v1/auth/send-otp").json(&phone)),
            ("refresh", server.post("/api/v1/auth/refresh").json(&refresh)),
            ("logout", server.post("/api/v1/auth/logout").by(&person)),
            (
                "push.token",
                server
                    .post("/api/v1/push.token")
                    .rocket_by(&person)
                    .json(&json!({"type": "gcm", "value": "r", "appName": "a"})),
            ),
            (
                "refresh-token",
                server
                    .post("/notifications/devices/refresh-token")
                    .by(&person)
                    .fingerprint(FINGERPRINT)
                    .json(&json!({"deviceId": "d", "pushToken": "late"})),
            ),
            (
                "subscribe",
                server.post("/push/subscribe").by(&person).json(&subscription),
            ),
        ];
        writes.extend((0..10).map(|_| ("device-token", register(&server, &person, "late", "late"))));
        let answers = join_all(
            writes
                .into_iter()
                .map(async |(asked, request)| (asked, soon(asked, request).await)),
        );
        for (asked, answer) in answers.await {
            assert_unavailable(asked, &answer);
        }
        // Reading may go on, or not; nobody is told that they are not who they are.
        let me = soon("me", server.get("/api/v1/auth/me").by(&person)).await;
        assert!(matches!(me.status(), 200 | 503), "{me}");
        drop(lock);

        // What was refused stays undone, also now that it could be done.
        let answer = recovered(&server, || register(&server, &person, "d", "t")).await;
        answer.assert_status(200);
        assert_eq!(server.count("devices"), 1);
        assert_eq!(server.count("push_addresses"), 1);
        assert_eq!(server.count("sessions WHERE ended_at IS NULL AND counter = 0"), 1);
        assert_eq!(server.count("otp_sessions"), 1);
        let late = register(&server, &person, "late", "late").send().await;
        late.assert_status(200);
    }
);

#[test]
fn a_database_that_takes_no_writes_is_503_for_them_and_answers_what_it_can() {
    play(
        Database::Postgres,
        |setup| setup,
        async |server| {
            let (person, device) = somebody(&server).await;
            server.set_read_only(true);
            for Operation {
                asked,
                request,
                answered,
            } in operations(&server, &person, &device)
            {
                let answer = soon(asked, request).await;
                let reads = [
                    "sessions",
                    "validate-token",
                    "me",
                    "push.info",
                    "get device",
                    "devices",
                    "subscriptions",
                    "subscriptions under /api",
                    "vapid-key",
                ];
                if reads.contains(&asked) {
                    assert_eq!(answer.status(), answered, "{asked}: {answer}");
                } else if !matches!(asked, "ready" | "verify-otp") {
                    // Whether a server that can only read is ready is not promised, nor who finds that no code lives.
                    assert_unavailable(asked, &answer);
                }
            }
            server.set_read_only(false);
            let answer = recovered(&server, || register(&server, &person, "d", "t")).await;
            answer.assert_status(200);
        },
    );
}

#[test]
fn on_a_full_disk_writes_are_503_and_nothing_that_was_acknowledged_is_lost() {
    play(
        Database::Sqlite,
        |setup| setup,
        async |mut server: Server| {
            let (person, _) = somebody(&server).await;
            assert!(server.stop().success(), "{}", server.log());
            let file = server.sqlite_file().expect("SQLite's file");
            // Its log is beside it, unless the server folded it in as it ended.
            let length_of = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
            let length = length_of(&file).max(length_of(&file.with_extension("db-wal")));
            let token = |n: u32| format!("{n:04000}");

            let full = server.setup().clone().largest_file(length + 256 * 1024).start();
            let mut kept = None;
            for n in 0..1000 {
                let answer = soon("device-token", register(&full, &person, "d", &token(n))).await;
                if answer.status() != 200 {
                    assert_unavailable("device-token", &answer);
                    break;
                }
                kept = Some(token(n));
            }
            let kept = kept.expect("there was room for one");
            assert_ne!(kept, token(999), "the disk was never full");
            // What is there can still be read, and what was refused was not half done.
            assert_eq!(full.device(&person, "d").await["pushToken"], json!(kept));
            full.get("/api/v1/auth/me")
                .by(&person)
                .send()
                .await
                .assert_status(200);
            drop(full);

            // There is room again.
            server.start_again();
            assert_eq!(server.device(&person, "d").await["pushToken"], json!(kept));
            register(&server, &person, "d", "t")
                .send()
                .await
                .assert_status(200);
            assert_eq!(server.device(&person, "d").await["pushToken"], "t");
        },
    );
}
