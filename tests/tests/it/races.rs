//! Many at once, and what must hold when they are done: one device a name, one owner an address.

use doorbell_tests::{Answer, Database, Phone, Server, SignedIn, Value, join_all, json, on_both, play};

const ENDPOINT: &str = "https://push.example.com/the-one-browser";

/// The servers that stories spread their requests over.
struct Servers<'a>(Vec<&'a Server>);

impl Servers<'_> {
    fn nth(&self, n: usize) -> &Server {
        self.0[n % self.0.len()]
    }
}

/// Stamps one story for one server on each database, and for two servers on one PostgreSQL.
macro_rules! raced {
    ($name:ident, $story:ident) => {
        mod $name {
            use super::{Database, Server, Servers, on_both, play, $story};

            on_both!(one_server, async |server| {
                $story(&Servers(vec![&server])).await;
            });

            #[test]
            fn two_servers() {
                play(
                    Database::Postgres,
                    |setup| setup,
                    async |first| {
                        let second = Server::second_on(&first);
                        $story(&Servers(vec![&first, &second])).await;
                    },
                );
            }
        }
    };
}

raced!(one_name_is_one_device, one_name);
raced!(one_token_has_one_owner, one_token);
raced!(one_endpoint_has_one_owner, one_endpoint);
raced!(opposite_moves_never_fail, opposite_moves);
raced!(a_full_house_takes_nobody_in, full_house);

async fn people(servers: &Servers<'_>, count: u32) -> Vec<SignedIn> {
    join_all((0..count).map(async |n| servers.nth(0).sign_in(&Phone::nth(n)).await)).await
}

/// The shares of `people` that own something, by what each sees of it.
async fn owners(
    servers: &Servers<'_>,
    people: &[SignedIn],
    sees: impl AsyncFn(&Server, &SignedIn) -> usize,
) -> Vec<usize> {
    let seen = join_all(
        people
            .iter()
            .enumerate()
            .map(|(n, person)| sees(servers.nth(n), person)),
    )
    .await;
    seen.into_iter().filter(|seen| *seen > 0).collect()
}

/// How many of a person's devices that value rings.
async fn rings(server: &Server, person: &SignedIn, value: &str) -> usize {
    let devices = server.devices(person).await;
    devices
        .iter()
        .filter(|device| device["pushToken"] == value)
        .count()
}

/// Asks until the server is not too busy. A 503 says that nothing was written and when to come back, so that asking
/// again is what a client does; the stories then count whether that was true.
async fn patiently(ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..20 {
        let answer = ask().await;
        if answer.status() != 503 {
            return answer;
        }
    }
    ask().await
}

#[track_caller]
fn all_succeeded(answers: &[Answer], status: u16) {
    for answer in answers {
        answer.assert_status(status);
    }
}

/// Fifty registrations of one device, in every dialect that names it.
async fn one_name(servers: &Servers<'_>) {
    let person = servers.nth(0).sign_in(&Phone::nth(1)).await;
    let answers = join_all((0..50).map(async |n| {
        let (server, token) = (servers.nth(n), format!("token {n}"));
        match n % 3 {
            0 => {
                let body = json!({"platform": "ios", "deviceId": "phone", "token": token});
                patiently(async || server.device_token(&person, &body).await).await
            }
            1 => {
                let body = json!({"id": "phone", "type": "apn", "value": token, "appName": "default"});
                patiently(async || server.push_token(&person, &body).await).await
            }
            _ => {
                let body = json!({"deviceId": "phone", "platform": "ios", "environment": "production",
                    "pushToken": token, "mobileSettings": {}});
                patiently(async || server.add_device(&person, &body).await).await
            }
        }
    }))
    .await;
    all_succeeded(&answers, 200);
    let devices = servers.nth(1).devices(&person).await;
    assert_eq!(devices.len(), 1, "{devices:?}");
    assert_eq!(devices[0]["deviceId"], "phone");
    assert_eq!(
        servers.nth(0).count("push_tokens"),
        1,
        "the last one replaced the others"
    );
    let told: Vec<String> = (0..50).map(|n| format!("token {n}")).collect();
    let shown = devices[0]["pushToken"].as_str().expect("a token");
    assert!(told.iter().any(|token| token == shown), "{shown}");
    // And one row by all that was answered.
    let rows: Vec<Value> = answers
        .iter()
        .map(Answer::json)
        .filter_map(|body| body["result"].get("_id").cloned())
        .collect();
    assert!(rows.windows(2).all(|pair| pair[0] == pair[1]), "{rows:?}");
}

/// Fifty people register one token, under different applications too.
async fn one_token(servers: &Servers<'_>) {
    let people = people(servers, 50).await;
    let answers = join_all(people.iter().enumerate().map(async |(n, person)| {
        let server = servers.nth(n);
        if n.is_multiple_of(2) {
            let body = json!({"platform": "ios", "deviceId": "phone", "token": "the token"});
            return patiently(async || server.device_token(person, &body).await).await;
        }
        let app = format!("app {}", n % 5);
        let body = json!({"id": "phone", "type": "apn", "value": "the token", "appName": app});
        patiently(async || server.push_token(person, &body).await).await
    }))
    .await;
    all_succeeded(&answers, 200);
    let owners = owners(servers, &people, async |server, person| {
        rings(server, person, "the token").await
    })
    .await;
    assert_eq!(owners, [1], "one owner, on one device");
    let server = servers.nth(0);
    assert_eq!(server.count("push_tokens"), 1);
    assert_eq!(server.count("push_addresses"), 1);
    assert_eq!(server.count("devices"), 50, "every device stays");
    assert_eq!(server.count("audit_events WHERE action = 'address_lost'"), 49);
}

/// Fifty people subscribe one browser.
async fn one_endpoint(servers: &Servers<'_>) {
    let people = people(servers, 50).await;
    let answers = join_all(
        people
            .iter()
            .enumerate()
            .map(|(n, person)| patiently(async move || servers.nth(n).subscribe(person, ENDPOINT).await)),
    )
    .await;
    all_succeeded(&answers, 201);
    let owners = owners(servers, &people, async |server, person| {
        server.subscriptions(person).await.len()
    })
    .await;
    assert_eq!(owners, [1]);
    let server = servers.nth(0);
    assert_eq!((server.count("subscriptions"), server.count("devices")), (1, 1));

    // One person's fifty are one subscription.
    let answers = join_all(
        (0..50).map(async |n| patiently(async || servers.nth(n).subscribe(&people[0], ENDPOINT).await).await),
    )
    .await;
    all_succeeded(&answers, 201);
    let ids: Vec<Value> = answers.iter().map(|answer| answer.json()["id"].take()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!((server.count("subscriptions"), server.count("devices")), (1, 1));
}

/// Pairs of people take each other's tokens, each in the opposite order of the other, round after round.
async fn opposite_moves(servers: &Servers<'_>) {
    const PAIRS: usize = 4;
    const ROUNDS: usize = 15;
    let people = people(servers, 2 * 4).await;
    let (server, other) = (servers.nth(0), servers.nth(1));
    for round in 0..ROUNDS {
        let moves = (0..PAIRS).flat_map(|pair| {
            let (ada, bob) = (&people[2 * pair], &people[2 * pair + 1]);
            let both = |alert: &str, start: &str| {
                json!({"platform": "ios", "deviceId": "phone", "token": format!("{pair} {alert}"),
                    "liveActivityPushToStartToken": format!("{pair} {start}")})
            };
            [(server, ada, both("x", "y")), (other, bob, both("y", "x"))]
        });
        let answers =
            join_all(moves.map(async |(server, person, body)| server.device_token(person, &body).await))
                .await;
        for answer in &answers {
            assert_eq!(answer.status(), 200, "round {round}: {answer}");
        }
        assert_eq!(
            server.count("push_tokens"),
            2 * i64::try_from(PAIRS).expect("few"),
            "round {round}"
        );
    }
    // Endpoints and tokens, hers and his, crosswise.
    let (ada, bob) = (&people[0], &people[1]);
    for round in 0..ROUNDS {
        let body = json!({"platform": "ios", "deviceId": "phone", "token": "crosswise"});
        let (a, b, c, d) = tokio::join!(
            server.device_token(ada, &body),
            server.subscribe(bob, ENDPOINT),
            other.subscribe(ada, ENDPOINT),
            other.device_token(bob, &body),
        );
        let statuses = [a, b, c, d].map(|answer| answer.status());
        assert_eq!(statuses, [200, 201, 201, 200], "round {round}");
        assert_eq!(server.count("subscriptions"), 1);
    }
}

/// More devices at once than a person may have, beside the many that there already are.
async fn full_house(servers: &Servers<'_>) {
    let person = servers.nth(0).sign_in(&Phone::nth(1)).await;
    let register = async |n: usize| {
        let body = json!({"platform": "ios", "deviceId": format!("device {n}")});
        patiently(async || servers.nth(n).device_token(&person, &body).await).await
    };
    for n in (0..190).step_by(10) {
        for answer in join_all((n..n + 10).map(register)).await {
            answer.assert_status(200);
        }
    }
    let answers = join_all((190..240).map(register)).await;
    let refused = answers.iter().filter(|answer| answer.status() != 200);
    let refused: Vec<&Answer> = refused.collect();
    assert_eq!(refused.len(), 40, "200 devices a user is the most");
    for answer in refused {
        answer.assert_allmine(409);
    }
    assert_eq!(servers.nth(0).count("devices"), 200);
}
