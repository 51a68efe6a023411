//! A new secret: what is sealed moves to it beside running servers, and then the old one is not needed to open anything.

use std::cell::Cell;
use std::process::Output;

use doorbell_tests::{Phone, Server, Setup, json, on_both};

const OLD: &str = "old:s3ntinel-of-the-old-secret-0123456789";
const NEW: &str = "new:s3ntinel-of-the-new-secret-0123456789";
const ENDPOINT: &str = "https://push.example.com/a-browser";

async fn reseal(setup: &Setup) -> Output {
    let setup = setup.clone();
    let ran = tokio::task::spawn_blocking(move || setup.run(&["secret", "reseal"]));
    ran.await.expect("it runs")
}

fn said(output: &[u8]) -> String {
    let said = String::from_utf8_lossy(output).into_owned();
    assert!(!said.contains("s3ntinel"), "{said}");
    said
}

/// What `subject` is said to have had moved and there already.
fn counts(said: &str, subject: &str) -> (u64, u64) {
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix(subject)?.strip_prefix(": "));
    let numbers: Vec<u64> = line
        .unwrap_or_else(|| panic!("nothing of {subject}: {said}"))
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers[..] {
        [moved, there] => (moved, there),
        _ => panic!("not two numbers of {subject}: {said}"),
    }
}

on_both!(
    once_all_is_resealed_the_new_secret_alone_serves_it,
    |setup| setup.env("DOORBELL_SECRET", OLD),
    async |mut server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let body = json!({"platform": "ios", "deviceId": "phone", "token": "rings",
            "liveActivityPushToStartToken": "starts"});
        server.device_token(&person, &body).await.assert_status(200);
        server.subscribe(&person, ENDPOINT).await.assert_status(201);
        let keys = server.get("/.well-known/jwks.json").send().await.json();
        assert!(server.stop().success());

        // First every server learns the new secret; what it writes from now on is sealed under that.
        let both = server
            .setup()
            .clone()
            .env("DOORBELL_SECRET", &format!("{NEW},{OLD}"));
        let during = both.clone().start();
        let other = during.sign_in(&Phone::nth(2)).await;
        let body = json!({"platform": "ios", "deviceId": "tablet", "token": "another"});
        during.device_token(&other, &body).await.assert_status(200);

        // Then the rest is moved, while people go on.
        let done = Cell::new(false);
        let load = async {
            while !done.get() {
                let body = json!({"platform": "ios", "deviceId": "phone", "token": "rings"});
                during.device_token(&person, &body).await.assert_status(200);
                during.subscribe(&person, ENDPOINT).await.assert_status(201);
                assert_eq!(during.device(&other, "tablet").await["pushToken"], "another");
            }
        };
        let moving = async {
            let moved = reseal(&both).await;
            let again = reseal(&both).await;
            done.set(true);
            (moved, again)
        };
        let ((), (moved, again)) = tokio::join!(load, moving);
        assert!(
            moved.status.success() && again.status.success(),
            "{moved:?} {again:?}"
        );
        let moved = said(&moved.stdout);
        assert_eq!(counts(&moved, "keys.sealed"), (2, 0));
        for column in [
            "push_tokens.sealed",
            "subscriptions.sealed_endpoint",
            "subscriptions.sealed_keys",
        ] {
            let (moved, there) = counts(&moved, column);
            let rows = if column.starts_with("push_tokens") { 3 } else { 1 };
            assert_eq!(moved + there, rows, "{column}");
        }
        // A second time there is nothing to do.
        assert_eq!(counts(&said(&again.stdout), "in all"), (0, 7));
        drop(during);

        let after = server.setup().clone().env("DOORBELL_SECRET", NEW).start();
        let published = after.get("/.well-known/jwks.json").send().await.json();
        assert_eq!(published, keys);
        assert_eq!(after.device(&person, "phone").await["pushToken"], "rings");
        assert_eq!(after.device(&other, "tablet").await["pushToken"], "another");
        let subscriptions = after.subscriptions(&person).await;
        assert_eq!(subscriptions[0]["endpoint"], ENDPOINT);
        // What hangs on the old secret by name cannot be moved: that session's next tokens need it.
        after.refresh(&person.refresh).await.assert_allmine(401);
        after.refresh(&other.refresh).await.assert_status(200);
        let back = after.sign_in(&Phone::nth(1)).await;
        assert_eq!(back.user_id, person.user_id);
        let body = json!({"platform": "ios", "deviceId": "phone", "token": "rings"});
        after.device_token(&back, &body).await.assert_status(200);
    }
);

on_both!(
    what_opens_under_no_secret_is_named_and_the_rest_is_moved,
    |setup| setup.env("DOORBELL_SECRET", OLD),
    async |mut server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let body = json!({"platform": "ios", "deviceId": "phone", "token": "rings"});
        server.device_token(&person, &body).await.assert_status(200);
        let subscription = server.subscribe(&person, ENDPOINT).await.expect(201).json();
        assert!(server.stop().success());

        // With the new secret alone nothing opens, and nothing is written.
        let failed = reseal(&server.setup().clone().env("DOORBELL_SECRET", NEW)).await;
        assert!(!failed.status.success(), "{failed:?}");
        assert!(said(&failed.stderr).contains("DOORBELL_SECRET"), "{failed:?}");
        let named = said(&failed.stdout);
        for column in [
            "keys.sealed",
            "push_tokens.sealed",
            "subscriptions.sealed_endpoint",
        ] {
            assert!(named.contains(&format!("{column} of the row 0")), "{named}");
        }
        server.start_again();
        assert_eq!(server.device(&person, "phone").await["pushToken"], "rings");
        assert!(server.stop().success());

        // A value that was put into another column of its own row is as foreign as one of another secret.
        assert_eq!(
            server.execute("UPDATE subscriptions SET sealed_keys = sealed_endpoint"),
            1
        );
        let both = server
            .setup()
            .clone()
            .env("DOORBELL_SECRET", &format!("{NEW},{OLD}"));
        let failed = reseal(&both).await;
        assert!(!failed.status.success(), "{failed:?}");
        let named = said(&failed.stdout);
        let id = subscription["id"].as_str().expect("an id");
        assert!(
            named.contains(&format!("subscriptions.sealed_keys of the row {id} stays")),
            "{named}"
        );
        assert_eq!(counts(&named, "in all"), (4, 0));
        let after = server.setup().clone().env("DOORBELL_SECRET", NEW).start();
        assert_eq!(after.device(&person, "phone").await["pushToken"], "rings");
    }
);
