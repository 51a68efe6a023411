//! Sessions over two servers on one database: refreshed by many at once, stolen, and ended.

use std::collections::BTreeSet;
use std::time::Duration;

use doorbell_tests::{Answer, Phone, Server, join_all, json, on_both};

const ENDPOINT: &str = "https://push.example.com/a-browser";

async fn me(server: &Server, access: &str) -> Answer {
    server.get("/api/v1/auth/me").bearer(access).send().await
}

/// Asks until the server is not too busy: a 503 says that nothing was written, and when to come back.
async fn refresh(server: &Server, token: &str) -> Answer {
    for _ in 0..20 {
        let answer = server.refresh(token).await;
        if answer.status() != 503 {
            return answer;
        }
    }
    server.refresh(token).await
}

/// The tokens of a refresh that was honoured: access, then refresh.
#[track_caller]
fn tokens(answer: Answer) -> (String, String) {
    let body = answer.expect(200).json();
    let token = |name: &str| body[name].as_str().expect("a token").to_owned();
    (token("accessToken"), token("refreshToken"))
}

on_both!(
    a_hundred_parallel_refreshes_over_two_servers_give_one_successor,
    async |first: Server| {
        let second = Server::second_on(&first);
        let servers = [&first, &second];
        let person = first.sign_in(&Phone::nth(1)).await;
        let answers = join_all((0..100).map(|n| refresh(servers[n % 2], &person.refresh))).await;
        let given: Vec<(String, String)> = answers.into_iter().map(tokens).collect();
        let successors: BTreeSet<&str> = given.iter().map(|(_, refresh)| refresh.as_str()).collect();
        assert_eq!(successors.len(), 1, "{successors:?}");
        // Each of the hundred is signed in, at the server that did not answer it too.
        for (n, (access, _)) in given.iter().enumerate().step_by(9) {
            me(servers[(n + 1) % 2], access).await.assert_status(200);
        }
        assert_eq!(
            first.count("sessions WHERE ended_at IS NOT NULL"),
            0,
            "none of it was a theft"
        );
        let successor = successors.first().expect("one");
        tokens(second.refresh(successor).await);
    }
);

on_both!(
    a_stolen_refresh_token_ends_the_session_on_both_servers_and_silences_its_devices,
    async |first: Server| {
        let second = Server::second_on(&first);
        let person = first.sign_in(&Phone::nth(1)).await;
        let body = json!({"platform": "ios", "deviceId": "phone", "token": "rings"});
        first.device_token(&person, &body).await.assert_status(200);
        second.subscribe(&person, ENDPOINT).await.assert_status(201);
        let bystander = second.sign_in(&Phone::nth(1)).await;
        let (_, parent) = tokens(first.refresh(&person.refresh).await);
        let (access, newest) = tokens(second.refresh(&parent).await);
        me(&first, &access).await.assert_status(200);

        // Older than the immediate predecessor: shown to the one server, the session is over at the other at once.
        second.refresh(&person.refresh).await.assert_allmine(401);
        for server in [&first, &second] {
            me(server, &access).await.assert_allmine(401);
            server.refresh(&newest).await.assert_allmine(401);
            let refused = server.device_token(&person, &body).await;
            refused.assert_allmine(401);
        }
        assert_eq!(first.count("sessions WHERE end_reason = 'reuse'"), 1);
        let trail =
            "audit_events WHERE action = 'session_ended' AND reason = 'reuse' AND session_id IS NOT NULL";
        assert_eq!(first.count(trail), 1, "however often it was shown since");

        // What it had registered is silent, and revives when the person registers it anew.
        for server in [&first, &second] {
            let phone = server.device(&bystander, "phone").await;
            assert!(phone["pushToken"].is_null(), "{phone}");
            assert!(server.subscriptions(&bystander).await.is_empty());
        }
        first.device_token(&bystander, &body).await.assert_status(200);
        assert_eq!(second.device(&bystander, "phone").await["pushToken"], "rings");
        assert_eq!(first.count("push_tokens"), 1, "the same row");
    }
);

on_both!(
    a_replay_outside_its_half_minute_is_a_theft_wherever_it_is_shown,
    async |first: Server| {
        let second = Server::second_on(&first);
        let person = first.sign_in(&Phone::nth(1)).await;
        let (_, successor) = tokens(first.refresh(&person.refresh).await);
        let (_, replayed) = tokens(second.refresh(&person.refresh).await);
        assert_eq!(replayed, successor);
        first.advance(Duration::from_secs(31));
        second.refresh(&person.refresh).await.assert_allmine(401);
        first.refresh(&successor).await.assert_allmine(401);
        me(&first, &person.access).await.assert_allmine(401);
    }
);
