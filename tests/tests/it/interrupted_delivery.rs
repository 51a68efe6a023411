//! What a server is sending when it ends, by itself or not: nothing that was accepted is lost.

use std::time::Duration;

use doorbell_tests::{
    BackEnd, Browser, Database, Phone, PushReply, PushService, Server, Setup, SignedIn, join_all, json,
    on_both,
};

/// Longer than a claim holds.
const LEASE: Duration = Duration::from_secs(61);

async fn with_browsers(server: &Server, service: &PushService, many: usize) -> (SignedIn, Vec<Browser>) {
    let person = server.sign_in(&Phone::nth(1)).await;
    let browsers: Vec<Browser> = (0..many).map(|n| service.browser(&n.to_string())).collect();
    let all = join_all(
        browsers
            .iter()
            .map(|browser| server.subscribe_browser(&person, browser)),
    );
    for answer in all.await {
        answer.assert_status(201);
    }
    (person, browsers)
}

async fn all_arrive(server: &Server, by: &BackEnd, id: &str, many: usize) {
    server.settled(by, id).await;
    let message = server.message(by, id).await;
    assert_eq!(message["counts"], json!({"delivered": many}), "{message}");
}

on_both!(
    asked_to_end_a_server_finishes_what_it_sends_and_leaves_the_rest,
    async |mut server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, _) = with_browsers(&server, &service, 150).await;
        service.answer_all(PushReply::Gated(201));
        let id = server.ring(&by, &person).await;
        service.next().await;
        server.ask_to_end();
        service.open_gate();
        assert!(server.stop().success());
        let seen = 1 + service.rest().len();
        server.start_again();
        all_arrive(&server, &by, &id, 150).await;
        assert_eq!(
            seen + service.rest().len(),
            150,
            "nobody is rung twice by a server that ends well"
        );
    }
);

on_both!(
    what_a_killed_server_was_sending_is_sent_again_when_its_lease_is_over,
    async |mut server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browsers) = with_browsers(&server, &service, 1).await;
        service.script(&browsers[0], [PushReply::Silence]);
        let id = server.ring(&by, &person).await;
        let first = service.next().await;
        server.kill();
        server.start_again();
        let message = server.message(&by, &id).await;
        assert_eq!(message["counts"], json!({"sending": 1}), "its lease runs");
        server.advance(LEASE);
        let second = service.next().await;
        assert_eq!(browsers[0].read(&second), browsers[0].read(&first));
        all_arrive(&server, &by, &id, 1).await;
    }
);

on_both!(
    a_message_outlives_the_server_that_accepted_it,
    async |mut server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browsers) = with_browsers(&server, &service, 150).await;
        let id = server.ring(&by, &person).await;
        server.kill();
        server.start_again();
        server.advance(LEASE);
        all_arrive(&server, &by, &id, 150).await;
        let rung = service.rest();
        for browser in &browsers {
            assert!(
                rung.iter().any(|push| push.path == browser.path()),
                "{} was not rung",
                browser.path()
            );
        }
    }
);

on_both!(
    a_job_that_nobody_comes_back_from_is_set_aside_and_can_be_put_back,
    async |mut server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browsers) = with_browsers(&server, &service, 1).await;
        service.script(&browsers[0], vec![PushReply::Silence; 5]);
        let id = server.ring(&by, &person).await;
        for _ in 0..5 {
            service.next().await;
            server.kill();
            server.start_again();
            server.advance(LEASE);
        }
        let (state, reason) = server.end_of(&by, &id).await;
        assert_eq!((state.as_str(), reason), ("failed", json!("set_aside")));
        assert!(service.rest().is_empty());
        let redriven = server.run(&["jobs", "redrive"]);
        assert_eq!(
            String::from_utf8_lossy(&redriven.stdout).trim(),
            "1 jobs put back",
            "{redriven:?}"
        );
        service.next().await;
        all_arrive(&server, &by, &id, 1).await;
        let nothing = server.run(&["jobs", "redrive"]);
        assert_eq!(String::from_utf8_lossy(&nothing.stdout).trim(), "0 jobs put back");
    }
);

#[test]
fn two_servers_ring_each_browser_once() {
    doorbell_tests::play(
        Database::Postgres,
        |setup: Setup| setup,
        async |server: Server| {
            let mut service = PushService::start().await;
            let by = server.back_end("shop");
            let other = Server::second_on(&server);
            let (person, _) = with_browsers(&server, &service, 180).await;
            let mut ids = Vec::new();
            for n in 0..4 {
                let through = if n % 2 == 0 { &server } else { &other };
                ids.push(through.ring(&by, &person).await);
            }
            for id in &ids {
                all_arrive(&server, &by, id, 180).await;
            }
            assert_eq!(service.rest().len(), 4 * 180);
            drop(other);
            assert!(service.rest().is_empty());
        },
    );
}
