//! The demo's operations: people ring their own browsers, in development.

use doorbell_tests::{AUTH, P256DH, Phone, Receiver, Reply, Server, Setup, SignedIn, Value, json, on_both};

/// Subscribes a browser of theirs with a push service of the test's own.
async fn subscribe(server: &Server, person: &SignedIn, endpoint: &str) {
    let body = json!({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}});
    let request = server.post("/push/subscribe").by(person).json(&body);
    request.send().await.assert_status(201);
}

async fn ring(server: &Server, person: &SignedIn) -> Value {
    let request = server.post("/demo/ring").by(person);
    let answer = request
        .json(&json!({"text": "Somebody is at the door."}))
        .send()
        .await;
    answer.expect(202).json()
}

/// What became of a ring whose job is over.
async fn ended(server: &Server, person: &SignedIn, path: &str) -> Value {
    for _ in 0..5_000 {
        let report = server.get(path).by(person).send().await.expect(200).json();
        let state = report["jobs"][0]["state"].as_str().expect("a state");
        if !["pending", "sending", "retrying"].contains(&state) {
            return report;
        }
    }
    panic!("it never ends");
}

on_both!(
    people_ring_their_own_browsers_and_see_what_became_of_it,
    async |server: Server| {
        let mut push_service = Receiver::start([Reply::Status(201)]).await;
        let [ada, eve] = [1, 2].map(Phone::nth);
        let (ada, eve) = (server.sign_in(&ada).await, server.sign_in(&eve).await);
        subscribe(&server, &ada, &push_service.url("/push/ada")).await;
        let accepted = ring(&server, &ada).await;
        assert_eq!(accepted["jobs"], 1);
        assert_eq!(push_service.next().await.header("content-encoding"), "aes128gcm");
        let path = format!("/demo/rings/{}", accepted["id"].as_str().expect("an id"));
        let report = ended(&server, &ada, &path).await;
        assert_eq!(report["counts"], json!({"delivered": 1}));
        assert_eq!(report["jobs"][0]["provider"], "webpush");
        // What somebody else rang is nobody's business.
        let answer = server.get(&path).by(&eve).send().await;
        answer.assert_problem(404, "not_found");
        let answer = server.get("/demo/rings/mine").by(&ada).send().await;
        answer.assert_problem(404, "not_found");
    }
);

on_both!(
    a_ring_needs_somebody_to_ring_and_something_to_say,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for body in [
            json!({}),
            json!({"text": ""}),
            json!({"text": 1}),
            json!({"text": "Hello"}),
        ] {
            let answer = server.post("/demo/ring").by(&person).json(&body).send().await;
            answer.assert_problem(400, "invalid_field");
        }
        let answer = server
            .post("/demo/ring")
            .json(&json!({"text": "Hello"}))
            .send()
            .await;
        answer.assert_problem(401, "unauthorized");
    }
);

on_both!(
    in_production_there_is_no_demo,
    Setup::production,
    async |server: Server| {
        for path in [
            "/demo",
            "/demo/worker.js",
            "/demo/assets/0000000000000000/demo.js",
            "/demo/rings/x",
        ] {
            server.get(path).send().await.assert_problem(404, "not_found");
        }
        let answer = server
            .post("/demo/ring")
            .json(&json!({"text": "Hello"}))
            .send()
            .await;
        answer.assert_problem(404, "not_found");
    }
);
