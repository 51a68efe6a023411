//! Nothing that is secret appears where it does not belong: in no log, and in no answer but those that are about it, whatever is
//! asked and whoever sends the codes, at debug level, with the store failing in between; nor in what is counted, or others are told.

use std::time::{Duration, Instant};

use doorbell_tests::{
    Answer, Canary, EVENTS_SECRET, FINGERPRINT, Method, Phone, Receiver, Reply, Request, Server, Setup,
    SignedIn, TWILIO_TOKEN, WEBHOOK_SECRET, encoded, json, on_both,
};

const SECRET: &str = "canary-secret-of-the-operator-0123456789abcdef";
const PHONE: &str = "5557418520";
const TOKEN: &str = "canary/alert+token=41";
const SECOND: &str = "canary/second+token=42";
const START: &str = "canary/push-to-start=43";
const ACTIVITY: &str = "canary/live-activity=44";
const ENDPOINT: &str = "https://updates.push.services.mozilla.com/wpush/v2/canary-endpoint-45";
const PRINT: &str = "canary-fingerprint-46";
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "Y2FuYXJ5LWF1dGgtNDc4OQ";

/// What was answered to which request.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    async fn ask(&mut self, name: &str, request: Request) -> Answer {
        let answer = request.send().await;
        self.0.push((name.to_owned(), answer.whole()));
        answer
    }
}

/// Every secret of the story, and where it belongs.
fn canaries(person: &SignedIn, next: &str, codes: &[String]) -> Vec<Canary> {
    const DEVICES: &[&str] = &[
        "GET /notifications/devices",
        "POST /notifications/devices",
        "PATCH /notifications/devices",
        "POST /api/v1/push.token",
    ];
    const SIGN_IN: &[&str] = &["POST /api/v1/auth/verify-otp", "POST /api/v1/auth/refresh"];
    const OF_THE_ACCOUNT: &[&str] = &[
        "POST /api/v1/auth/send-otp",
        "POST /api/v1/auth/verify-otp",
        "GET /api/v1/auth/me",
        "PATCH /api/v1/users/me",
        "GET /api/v1/users/me/export",
    ];
    let mut all = vec![
        Canary::new("the operator's secret", SECRET, &[]),
        Canary::new(
            "a webhook's secret",
            WEBHOOK_SECRET.trim_start_matches("whsec_"),
            &[],
        ),
        Canary::new(
            "the events' secret",
            EVENTS_SECRET.trim_start_matches("whsec_"),
            &[],
        ),
        Canary::new("the token of Twilio's account", TWILIO_TOKEN, &[]),
        Canary::new("the phone", PHONE, OF_THE_ACCOUNT),
        Canary::new("a push token", TOKEN, DEVICES),
        Canary::new("a second push token", SECOND, DEVICES),
        Canary::new("a push-to-start token", START, &[]),
        Canary::new("a live activity's token", ACTIVITY, &[]),
        Canary::new(
            "an endpoint",
            ENDPOINT,
            &["POST /push/subscribe", "GET /push/subscriptions"],
        ),
        Canary::new("a fingerprint", PRINT, &["GET /api/v1/users/me/export"]),
        Canary::new("a subscription's key", P256DH, &[]),
        Canary::new("a subscription's secret", AUTH, &[]),
        Canary::new("the access token", &person.access, SIGN_IN),
        Canary::new("the refresh token", &person.refresh, SIGN_IN),
        Canary::new("the next refresh token", next, SIGN_IN),
    ];
    for code in codes {
        // In development it is answered, so that the story can go on.
        all.push(Canary::new("a code", code, &["POST /api/v1/auth/send-otp"]));
    }
    all
}

/// Everything that can be asked with these secrets, well and badly.
fn requests(server: &Server, person: &SignedIn) -> Vec<(&'static str, Request)> {
    let mut all = of_sign_in(server, person);
    all.extend(of_tokens(server, person));
    all.extend(of_devices(server, person));
    all.extend(of_endings(server, person));
    all
}

fn of_sign_in(server: &Server, person: &SignedIn) -> Vec<(&'static str, Request)> {
    let phone = json!({"countryCode": "90", "phoneNumber": PHONE});
    let guess = json!({"countryCode": "90", "phoneNumber": PHONE, "code": "00000000"});
    let profile = json!({"name": "Anne", "email": [PHONE]});
    let post = |path: &str| server.post(&format!("/api/v1/auth/{path}"));
    let get = |path: &str| server.get(&format!("/api/v1/{path}"));
    vec![
        ("POST /api/v1/auth/send-otp", post("send-otp").json(&phone)),
        ("POST /api/v1/auth/verify-otp", post("verify-otp").json(&guess)),
        (
            "POST /api/v1/auth/refresh",
            post("refresh").json(&json!({"refreshToken": TOKEN})),
        ),
        ("GET /api/v1/auth/me", get("auth/me").by(person)),
        (
            "GET /api/v1/auth/me",
            get("auth/me").bearer(&format!("{}x", person.access)),
        ),
        ("GET /api/v1/auth/sessions", get("auth/sessions").by(person)),
        (
            "GET /api/v1/auth/validate-token",
            get("auth/validate-token").by(person),
        ),
        (
            "PATCH /api/v1/users/me",
            server.patch("/api/v1/users/me").by(person).json(&profile),
        ),
        ("GET /api/v1/users/me/export", get("users/me/export").by(person)),
        (
            "GET /api/v1/users/me/activity",
            get("users/me/activity").by(person),
        ),
    ]
}

fn of_tokens(server: &Server, person: &SignedIn) -> Vec<(&'static str, Request)> {
    let device = json!({"platform": "ios", "deviceId": "phone", "token": TOKEN, "liveActivityPushToStartToken": START});
    let wrong = json!({"platform": TOKEN, "deviceId": [TOKEN], "token": {"a": TOKEN}, "timezone": TOKEN});
    let activity =
        json!({"streamId": "s", "deviceId": "phone", "liveActivityToken": ACTIVITY, "activityId": "a"});
    let rocket = json!({"type": "apn", "value": SECOND, "appName": "app"});
    let none = json!({"token": "none"});
    let tell = || server.post("/api/v1/notifications/device-token").by(person);
    let live = server
        .post("/api/v1/notifications/live-activity-sessions")
        .by(person);
    vec![
        ("POST device-token", tell().json(&device)),
        ("POST device-token", tell().json(&wrong)),
        ("POST device-token", tell().body("application/json", TOKEN)),
        ("POST device-token", tell().body(TOKEN, TOKEN)),
        ("POST live-activity", live.json(&activity)),
        (
            "POST /api/v1/push.token",
            server.post("/api/v1/push.token").rocket_by(person).json(&rocket),
        ),
        (
            "POST push.token, badly",
            server
                .post("/api/v1/push.token")
                .rocket(TOKEN, PHONE)
                .json(&rocket),
        ),
        (
            "DELETE push.token",
            server.delete("/api/v1/push.token").rocket_by(person).json(&none),
        ),
    ]
}

fn of_devices(server: &Server, person: &SignedIn) -> Vec<(&'static str, Request)> {
    let add = json!({"deviceId": "pixel", "platform": "android", "environment": "production", "pushToken": SECOND,
        "mobileSettings": {"appInstanceId": "a", "appVersion": "1", "osVersion": "2", "deviceModel": "m"}});
    let replace = json!({"deviceId": "pixel", "pushToken": TOKEN});
    let subscribe = json!({"endpoint": ENDPOINT, "keys": {"p256dh": P256DH, "auth": AUTH}});
    let bad_keys = json!({"endpoint": ENDPOINT, "keys": {"p256dh": TOKEN, "auth": P256DH}});
    let shown = |request: Request| request.by(person).fingerprint(PRINT);
    let post = |path: &str| shown(server.post(&format!("/notifications/devices/{path}")));
    let list = || server.get("/notifications/devices");
    vec![
        ("POST /notifications/devices", post("add-device").json(&add)),
        (
            "POST /notifications/devices",
            post("refresh-token").json(&replace),
        ),
        (
            "PATCH /notifications/devices",
            shown(server.patch("/notifications/devices/update")).json(&replace),
        ),
        ("GET /notifications/devices", shown(list())),
        (
            "foreign fingerprint",
            list().by(person).fingerprint("canary-fingerprint-99"),
        ),
        (
            "POST /push/subscribe",
            server.post("/push/subscribe").by(person).json(&subscribe),
        ),
        (
            "POST subscribe, badly",
            server.post("/push/subscribe").by(person).json(&bad_keys),
        ),
        (
            "GET /push/subscriptions",
            server.get("/push/subscriptions").by(person),
        ),
        ("GET /push/vapid-key", server.get("/push/vapid-key").by(person)),
    ]
}

fn of_endings(server: &Server, person: &SignedIn) -> Vec<(&'static str, Request)> {
    let token = encoded(TOKEN);
    let of_token = format!("/api/v1/notifications/device-token/{token}");
    let endpoint = json!({"endpoint": ENDPOINT});
    vec![
        (
            "DELETE subscribe",
            server.delete("/push/subscribe").by(person).json(&endpoint),
        ),
        ("DELETE device-token", server.delete(&of_token).by(person)),
        ("DELETE device-token, badly", server.delete(&of_token)),
        ("PUT device-token", server.request(Method::PUT, &of_token)),
        (
            "unknown path",
            server.get(&format!("/nowhere/{token}?token={token}")),
        ),
        (
            "request id",
            server.get("/nowhere").header("x-request-id", SECOND),
        ),
        ("GET /health/ready", server.get("/health/ready")),
        ("GET /.well-known/jwks.json", server.get("/.well-known/jwks.json")),
    ]
}

fn watched(setup: Setup) -> Setup {
    setup
        .metrics()
        .env("DOORBELL_SECRET", SECRET)
        .env("DOORBELL_OTP_LENGTH", "8")
        .env("DOORBELL_LOG", "debug")
}

on_both!(
    no_secret_is_seen_where_it_does_not_belong,
    watched,
    async |server: Server| {
        // Who is told what happens answers with all of it, and fails.
        let mut receiver = Receiver::start([Reply::Echo(500), Reply::Echo(403)]).await;
        let server = started_anew(server, |setup| setup.events(&receiver));
        let codes = vec![server.code_for(&phone()).await, server.code_for(&phone()).await];
        play_out(&server, codes, Some(&mut receiver)).await;
    }
);

/// What a sender answers to the first code, and to the second, twice: as badly as it can, by all that it was told.
const ANSWERS: [Reply; 3] = [Reply::Echo(200), Reply::Echo(500), Reply::Echo(403)];

on_both!(
    nor_where_a_webhook_sends_the_codes_or_fails_to,
    watched,
    async |server: Server| {
        let receiver = Receiver::start(ANSWERS).await;
        let server = started_anew(server, |setup| setup.webhook(&receiver));
        play_out_with(&server, receiver).await;
    }
);

on_both!(
    nor_where_twilio_sends_the_codes_or_fails_to,
    watched,
    async |server: Server| {
        let receiver = Receiver::start(ANSWERS).await;
        let server = started_anew(server, |setup| setup.twilio(&receiver));
        play_out_with(&server, receiver).await;
    }
);

fn phone() -> Phone {
    Phone {
        country: "90".to_owned(),
        number: PHONE.to_owned(),
    }
}

fn started_anew(server: Server, senders: impl FnOnce(Setup) -> Setup) -> Server {
    let setup = server.setup().clone();
    drop(server);
    senders(setup).start()
}

/// Waits until so many attempts to deliver a code have come out so.
async fn deliveries_are(server: &Server, outcome: &str, count: f64) {
    let name = format!("doorbell_code_deliveries_total{{outcome=\"{outcome}\"}}");
    let soon = Instant::now() + Duration::from_secs(30);
    while server.metric(&name) < Some(count) {
        assert!(Instant::now() < soon, "{outcome}: {}", server.metrics());
        tokio::task::yield_now().await;
    }
}

/// The story with a sender that takes the first code, refuses the second, and is not there for the third.
async fn play_out_with(server: &Server, mut receiver: Receiver) {
    let mut codes = Vec::new();
    for outcomes in [&["accepted"][..], &["again", "refused"]] {
        let code = server.code_for(&phone()).await;
        for outcome in outcomes {
            let told = receiver.next().await.body;
            let told = String::from_utf8_lossy(&told).into_owned();
            assert!(told.contains(PHONE) && told.contains(&code), "{told}");
            deliveries_are(server, outcome, 1.0).await;
        }
        codes.push(code);
    }
    drop(receiver);
    codes.push(server.code_for(&phone()).await);
    deliveries_are(server, "again", 2.0).await;
    play_out(server, codes, None).await;
}

/// Whoever was sent these codes signs in by the last of them, asks everything, and leaves; somebody may be told of that.
async fn play_out(server: &Server, mut codes: Vec<String>, events: Option<&mut Receiver>) {
    let mut seen = Seen::default();
    let newest = codes.last().expect("a code").clone();
    let answer = server.verify_otp(&phone(), &newest).await.expect(200);
    let person = SignedIn::from_answer(&phone(), answer.json());
    let next = server.refresh(&person.refresh).await.expect(200).json();
    let next = next["refreshToken"].as_str().expect("a token").to_owned();

    for (name, request) in requests(server, &person) {
        let answer = seen.ask(name, request).await;
        assert!(answer.status() < 500, "{answer}");
        if let (200, "POST /api/v1/auth/send-otp") = (answer.status(), name) {
            codes.push(answer.json()["code"].as_str().expect("a code").to_owned());
        }
    }
    {
        let _locked = server.lock_database();
        for (name, request) in requests(server, &person).into_iter().step_by(7) {
            seen.ask(name, request).await;
        }
    }
    seen.ask(
        "DELETE account",
        server.post("/api/v1/users/me/account-deletion").by(&person),
    )
    .await
    .assert_status(200);
    seen.ask("logout", server.post("/api/v1/auth/logout").by(&person))
        .await
        .assert_status(200);
    seen.ask("GET /api/v1/auth/me", server.get("/api/v1/auth/me").by(&person))
        .await
        .assert_status(401);
    seen.ask("foreign", server.get("/api/v1/auth/me").bearer(FINGERPRINT))
        .await
        .assert_status(401);
    deliveries_are(server, "accepted", 1.0).await;
    if let Some(receiver) = events {
        // The end of the session, at least.
        let first = receiver.next().await;
        for event in [first].into_iter().chain(receiver.rest()) {
            let body = String::from_utf8_lossy(&event.body).into_owned();
            seen.0.push(("an event".to_owned(), format!("{event:?} {body}")));
        }
    }
    let (head, body) = server.ask_admin("GET", "/metrics");
    seen.0.push(("GET /metrics".to_owned(), head + &body));

    let log = server.log();
    // The sender for development prints codes on purpose.
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| !line.starts_with("code for "))
        .collect();
    let log = lines.join("\n");
    assert!(log.contains("\"level\":\"DEBUG\""), "the log is at debug level");
    for canary in canaries(&person, &next, &codes) {
        if let Some(trace) = canary.trace_in(&log) {
            let line = log.lines().find(|line| line.contains(&trace));
            panic!("{} is in the log, as {trace}: {line:?}", canary.name);
        }
        for (name, answer) in &seen.0 {
            if canary.belongs.iter().any(|place| name.starts_with(place)) {
                continue;
            }
            if let Some(trace) = canary.trace_in(answer) {
                panic!("{} is in the answer to {name}, as {trace}: {answer}", canary.name);
            }
        }
    }
}
