//! Accounts at their end, and how long things are kept. Servers may sweep by themselves too, so what is looked at is what is left.

use std::time::Duration;

use doorbell_tests::{Phone, PushService, Server, SignedIn, Value, json, on_both};

const DAY: Duration = Duration::from_hours(24);
const DELETION: &str = "/api/v1/users/me/account-deletion";

/// Sweeps until nothing is left to do, and says how many rows of that kind went.
fn sweep(server: &Server, kind: &str) -> u64 {
    let output = server.run(&["sweep"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let count = said
        .lines()
        .find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    count
        .and_then(|count| count.parse().ok())
        .unwrap_or_else(|| panic!("no {kind} in {said}"))
}

async fn me(server: &Server, person: &SignedIn) -> Value {
    let answer = server.get("/api/v1/auth/me").by(person).send().await;
    answer.expect(200).json()["data"].take()
}

async fn named(server: &Server, person: &SignedIn, name: &str) {
    let body = json!({"name": name, "username": name});
    let answer = server
        .patch("/api/v1/users/me")
        .by(person)
        .json(&body)
        .send()
        .await;
    answer.assert_status(200);
}

async fn rings(server: &Server, person: &SignedIn, token: &str) {
    let body = json!({"platform": "ios", "deviceId": "phone", "token": token, "timezone": "Europe/Istanbul"});
    server.device_token(person, &body).await.assert_status(200);
}

on_both!(
    a_deleted_accounts_number_signs_up_anew_and_nothing_of_it_is_left,
    async |server: Server| {
        let phone = Phone::nth(1);
        let first = server.sign_in(&phone).await;
        named(&server, &first, "Zeynep_s3ntinel").await;
        rings(&server, &first, "s3ntinel-token").await;
        let endpoint = "https://updates.push.services.mozilla.com/wpush/v2/s3ntinel";
        server.subscribe(&first, endpoint).await.assert_status(201);
        server.post(DELETION).by(&first).send().await.assert_status(200);

        // Signing in stays possible, and until it is due nothing happens.
        server.advance(29 * DAY + Duration::from_mins(23 * 60 + 30));
        let last = server.sign_in(&phone).await;
        assert_eq!(last.user_id, first.user_id);
        rings(&server, &last, "s3ntinel-token").await;
        assert_eq!(sweep(&server, "accounts"), 0);
        assert_eq!(me(&server, &last).await["accountDeletionStatus"], "pending");

        server.advance(Duration::from_mins(30));
        sweep(&server, "accounts");
        let refused = server.get("/api/v1/auth/me").by(&last).send().await;
        refused.assert_allmine(401);
        server.refresh(&last.refresh).await.assert_allmine(401);
        let late = server.delete(DELETION).by(&last).send().await;
        late.assert_allmine(401);
        for table in [
            "sessions",
            "devices",
            "push_tokens",
            "subscriptions",
            "push_addresses",
            "otp_sessions",
            "otp_phones",
            "code_outbox",
            "users WHERE phone IS NOT NULL",
            "users WHERE username IS NOT NULL",
        ] {
            assert_eq!(server.count(table), 0, "{table}");
        }
        assert_eq!(server.count("users WHERE deletion_status = 'finalized'"), 1);
        assert_eq!(
            server.count("audit_events WHERE action = 'deletion_finalized'"),
            1
        );
        assert_eq!(sweep(&server, "accounts"), 0, "once");

        // The number, the name and the token are anybody's.
        let again = server.sign_in(&phone).await;
        assert_ne!(again.user_id, first.user_id);
        let user = me(&server, &again).await;
        for fact in ["name", "username", "timezone", "accountDeletionStatus"] {
            assert_eq!(user[fact], Value::Null, "{fact}");
        }
        assert!(server.devices(&again).await.is_empty());
        let export = server.get("/api/v1/users/me/export").by(&again).send().await;
        let text = export.expect(200).text();
        assert!(
            !text.contains("s3ntinel") && !text.contains(&first.user_id),
            "{text}"
        );
        let stranger = server.sign_in(&Phone::nth(2)).await;
        named(&server, &stranger, "zeynep_S3NTINEL").await;
        rings(&server, &stranger, "s3ntinel-token").await;
        server.subscribe(&stranger, endpoint).await.assert_status(201);
        assert_eq!(server.count("audit_events WHERE action = 'address_gained'"), 0);
    }
);

on_both!(
    what_was_said_to_somebody_alone_goes_with_their_account,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let mut people = Vec::new();
        for n in [1, 2] {
            let person = server.sign_in(&Phone::nth(n)).await;
            let browser = service.browser(&n.to_string());
            server
                .subscribe_browser(&person, &browser)
                .await
                .assert_status(201);
            people.push(person);
        }
        let [first, other] = &people[..] else {
            unreachable!()
        };
        server.post(DELETION).by(first).send().await.assert_status(200);
        server.advance(29 * DAY);
        for users in [vec![&first.user_id], vec![&first.user_id, &other.user_id]] {
            let body = json!({"to": {"users": users}, "data": {"word": "s3ntinel"}});
            let id = server.accepted(&by, &body).await;
            let jobs = server.settled(&by, &id).await;
            assert!(jobs.iter().all(|job| job["state"] == "delivered"), "{jobs:?}");
        }
        assert_eq!((server.count("messages"), server.count("finished_jobs")), (2, 3));
        server.advance(DAY);
        assert_eq!(sweep(&server, "accounts"), 1);
        assert_eq!((server.count("messages"), server.count("finished_jobs")), (1, 1));
    }
);

on_both!(
    a_deletion_that_was_taken_back_never_comes,
    async |server: Server| {
        let phone = Phone::nth(1);
        let first = server.sign_in(&phone).await;
        named(&server, &first, "Zeynep").await;
        rings(&server, &first, "token").await;
        server.post(DELETION).by(&first).send().await.assert_status(200);

        server.advance(29 * DAY);
        let back = server.sign_in(&phone).await;
        server.delete(DELETION).by(&back).send().await.assert_status(200);
        server.advance(10 * DAY);
        assert_eq!(sweep(&server, "accounts"), 0);
        let again = server.sign_in(&phone).await;
        assert_eq!(again.user_id, first.user_id);
        let user = me(&server, &again).await;
        assert_eq!(
            (&user["username"], &user["accountDeletionStatus"]),
            (&json!("Zeynep"), &json!("cancelled"))
        );
        // The phone of somebody away still rings.
        assert_eq!(server.device(&again, "phone").await["pushToken"], "token");
    }
);

on_both!(
    what_is_over_goes_in_its_time_and_what_still_rings_stays,
    async |server: Server| {
        let (away, out) = (
            server.sign_in(&Phone::nth(1)).await,
            server.sign_in(&Phone::nth(2)).await,
        );
        rings(&server, &away, "kept").await;
        rings(&server, &out, "silent").await;
        let logout = server.post("/api/v1/auth/logout").by(&out).send().await;
        logout.assert_status(200);

        // A day from its expiry, which is five minutes after it was sent.
        server.advance(DAY + Duration::from_mins(1));
        sweep(&server, "codes");
        assert_eq!(server.count("otp_sessions"), 2);
        server.advance(Duration::from_mins(6));
        sweep(&server, "codes");
        assert_eq!(server.count("otp_sessions"), 0);
        assert_eq!(server.count("otp_phones"), 2);

        server.advance(88 * DAY);
        sweep(&server, "sessions");
        assert_eq!(server.count("sessions"), 2);
        assert_eq!(server.count("otp_phones"), 0);
        server.advance(DAY);
        sweep(&server, "sessions");
        assert_eq!(server.count("sessions WHERE ended_at IS NOT NULL"), 0);
        assert_eq!(
            (server.count("push_tokens"), server.count("push_addresses")),
            (1, 1)
        );

        // Its session expired more than 90 days ago, and is still what the token hangs on.
        server.advance(45 * DAY);
        sweep(&server, "sessions");
        assert_eq!(server.count("sessions"), 1);
        let back = server.sign_in(&away.phone).await;
        assert_eq!(server.device(&back, "phone").await["pushToken"], "kept");

        // Long unseen, it goes; the device stays.
        server.advance(136 * DAY);
        sweep(&server, "tokens");
        assert_eq!(
            (server.count("push_tokens"), server.count("push_addresses")),
            (0, 0)
        );
        let back = server.sign_in(&away.phone).await;
        assert_eq!(server.device(&back, "phone").await["pushToken"], Value::Null);
        rings(&server, &back, "kept").await;
        assert_eq!(server.device(&back, "phone").await["pushToken"], "kept");

        let lines = server.count("audit_events");
        server.advance(130 * DAY);
        sweep(&server, "events");
        assert!(server.count("audit_events") < lines);
        let later = server.sign_in(&away.phone).await;
        let activity = server.get("/api/v1/users/me/activity").by(&later).send().await;
        let items = activity.expect(200).json()["data"]["items"].take();
        let actions: Vec<&str> = items
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|item| item["action"].as_str())
            .collect();
        // The first sign-in and its device are forgotten.
        assert_eq!(actions, ["signed_in"; 3]);
    }
);

on_both!(
    a_sweep_of_an_empty_registry_does_nothing,
    async |server: Server| {
        let output = server.run(&["sweep"]);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        let kinds = [
            "accounts",
            "tokens",
            "subscriptions",
            "sessions",
            "codes",
            "phones",
            "counters",
            "events",
            "jobs",
            "messages",
            "idempotency_keys",
            "untold_events",
            "unreached",
            "rests",
        ];
        let expected = kinds.map(|kind| format!("{kind} 0\n")).concat();
        assert_eq!(said, expected);
    }
);
