//! The keys by which this service names itself to push services: a new one for new browsers, the old ones for those that have them.

use std::process::Output;
use std::time::{Duration, Instant};

use doorbell_tests::{AUTH, Answer, P256DH, Phone, Server, SignedIn, Value, json, on_both};

/// Longer than servers take to look for keys, even on a machine that compiles beside.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs `doorbell vapid …` beside the servers.
async fn vapid(server: &Server, command: &'static str) -> Output {
    let setup = server.setup().clone();
    let ran = tokio::task::spawn_blocking(move || setup.run(&["vapid", command]));
    ran.await.expect("it runs")
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// What `doorbell vapid list` says of each key: its name, what it does now, and its public half.
async fn listed(server: &Server) -> Vec<[String; 3]> {
    let output = vapid(server, "list").await;
    assert!(output.status.success(), "{output:?}");
    let told = said(&output.stdout);
    let line = |line: &str| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [id, _, _, state, public] = parts[..] else {
            panic!("not five columns: {told}");
        };
        [id, state, public].map(str::to_owned)
    };
    told.lines().skip(1).map(line).collect()
}

async fn given(server: &Server, person: &SignedIn) -> String {
    let answer = server.get("/push/vapid-key").by(person).send().await.expect(200);
    answer.json()["publicKey"].as_str().expect("a key").to_owned()
}

async fn subscribe(server: &Server, person: &SignedIn, mailbox: &str, key: Option<&str>) -> Answer {
    let mut body = json!({"endpoint": format!("https://fcm.googleapis.com/fcm/send/{mailbox}"),
        "keys": {"p256dh": P256DH, "auth": AUTH}});
    if let Some(key) = key {
        body["applicationServerKey"] = Value::from(key);
    }
    server.post("/push/subscribe").by(person).json(&body).send().await
}

on_both!(a_new_vapid_key_is_for_new_browsers, async |first: Server| {
    let second = Server::second_on(&first);
    let person = first.sign_in(&Phone::nth(1)).await;
    let under = |key: &str| first.count(&format!("subscriptions WHERE vapid_key = '{key}'"));
    let [old] = &listed(&first).await[..] else {
        panic!("one key at first");
    };
    let [old, state, old_public] = old;
    assert_eq!(
        (state.as_str(), old_public),
        ("given", &given(&first, &person).await)
    );
    subscribe(&first, &person, "early", None).await.assert_status(201);
    assert_eq!(under(old), 1);

    // The second one waits until every server knows it.
    let rotated = vapid(&first, "rotate").await;
    assert!(rotated.status.success(), "{rotated:?}");
    let told = said(&rotated.stdout);
    let new = told.split(' ').next().expect("a key's name").to_owned();
    let keys = listed(&first).await;
    let [waiting, before] = &keys[..] else {
        panic!("two keys: {keys:?}");
    };
    assert_eq!((&waiting[0], waiting[1].as_str()), (&new, "waits"));
    assert_eq!((&before[0], before[1].as_str()), (old, "given"));
    assert_eq!(&given(&first, &person).await, old_public);
    let refused = vapid(&first, "rotate").await;
    assert!(!refused.status.success(), "{refused:?}");
    let why = said(&refused.stderr);
    assert!(why.contains("under way") && why.contains(&new), "{why}");

    // Then all give it, and the old one signs on.
    first.advance(Duration::from_secs(61));
    let new_public = &waiting[2];
    let begun = Instant::now();
    for server in [&first, &second] {
        while &given(server, &person).await != new_public {
            assert!(begun.elapsed() < PATIENCE, "not given after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let states: Vec<_> = listed(&first)
        .await
        .into_iter()
        .map(|[_, state, _]| state)
        .collect();
    assert_eq!(states, ["given", "signs"]);
    subscribe(&second, &person, "late", None).await.assert_status(201);
    assert_eq!((under(old), under(&new)), (1, 1));
    // Renewed, the early browser is as it was; so it is when another signs in there.
    subscribe(&second, &person, "early", None)
        .await
        .assert_status(201);
    let other = second.sign_in(&Phone::nth(2)).await;
    subscribe(&second, &other, "early", None).await.assert_status(201);
    assert_eq!((under(old), under(&new)), (1, 1));

    // Whoever took the key before and subscribed after can say so.
    let slow = subscribe(&second, &person, "slow", Some(old_public)).await;
    slow.assert_status(201);
    assert_eq!((under(old), under(&new)), (2, 1));
    let foreign = subscribe(&second, &person, "foreign", Some(P256DH)).await;
    foreign.assert_status(400);
    assert_eq!(foreign.json()["code"], "invalid_field", "{foreign}");
});
