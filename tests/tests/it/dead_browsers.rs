//! Browsers that their push service calls gone: believed the second time, and of too many not at all.

use std::time::{Duration, Instant};

use doorbell_tests::{
    BackEnd, Browser, PushReply, PushService, Server, Setup, SignedIn, Value, json, on_both, ring,
};

const DAY: Duration = Duration::from_hours(24);

async fn subscribed(server: &Server, n: u32, service: &PushService) -> (SignedIn, Browser) {
    server.with_browser(n, service, &format!("of-{n}")).await
}

/// How many jobs a message to that person has.
async fn reached(server: &Server, by: &BackEnd, person: &SignedIn) -> Value {
    let answer = server.send_message(by, &ring(person)).await.expect(202);
    answer.json()["jobs"].clone()
}

/// Rings somebody whose push service says that they are gone.
async fn dies(server: &Server, by: &BackEnd, person: &SignedIn) {
    let id = server.ring(by, person).await;
    let (state, reason) = server.end_of(by, &id).await;
    assert_eq!((state.as_str(), reason), ("dead", json!("gone")));
}

async fn actions(server: &Server, by: &BackEnd, person: &SignedIn) -> Vec<String> {
    let trail = server.trail(by, &person.user_id, "?limit=100").await;
    let entries = trail["entries"].as_array().expect("entries");
    entries
        .iter()
        .filter_map(|entry| entry["action"].as_str().map(str::to_owned))
        .collect()
}

on_both!(
    a_browser_that_is_gone_twice_a_day_apart_is_removed,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = subscribed(&server, 1, &service).await;
        service.script(&browser, [PushReply::Status(410), PushReply::Status(404)]);
        dies(&server, &by, &person).await;
        service.next().await;
        // It is not shown any more, and not rung either until a day has passed.
        assert!(server.subscriptions(&person).await.is_empty());
        assert_eq!(reached(&server, &by, &person).await, 0);
        assert_eq!(actions(&server, &by, &person).await[0], "credential_suspect");
        server.advance(DAY + Duration::from_mins(1));
        dies(&server, &by, &person).await;
        service.next().await;
        let began = Instant::now();
        while server.count("subscriptions") > 0 {
            assert!(began.elapsed() < Duration::from_mins(1), "{}", server.log());
        }
        assert_eq!(server.count("devices"), 0);
        assert_eq!(actions(&server, &by, &person).await[0], "credential_dead");
        server.advance(DAY);
        assert_eq!(reached(&server, &by, &person).await, 0);
        assert!(service.rest().is_empty());
    }
);

on_both!(
    a_suspect_that_rings_a_day_later_is_none,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = subscribed(&server, 1, &service).await;
        service.script(&browser, [PushReply::Status(410)]);
        dies(&server, &by, &person).await;
        server.advance(DAY + Duration::from_mins(1));
        let id = server.ring(&by, &person).await;
        assert_eq!(server.end_of(&by, &id).await.0, "delivered");
        assert_eq!(reached(&server, &by, &person).await, 1);
    }
);

on_both!(registering_again_revives_a_suspect, async |server: Server| {
    let service = PushService::start().await;
    let by = server.back_end("shop");
    let (person, browser) = subscribed(&server, 1, &service).await;
    let before = server.subscriptions(&person).await;
    service.script(&browser, [PushReply::Status(410)]);
    dies(&server, &by, &person).await;
    assert_eq!(reached(&server, &by, &person).await, 0);
    // Ids of one millisecond are in no order.
    server.advance(Duration::from_secs(1));
    server
        .subscribe_browser(&person, &browser)
        .await
        .assert_status(201);
    let after = server.subscriptions(&person).await;
    assert_eq!((after.len(), &after[0]["id"]), (1, &before[0]["id"]));
    assert_eq!(actions(&server, &by, &person).await[0], "credential_revived");
    let id = server.ring(&by, &person).await;
    assert_eq!(server.end_of(&by, &id).await.0, "delivered");
});

on_both!(
    a_suspect_that_nobody_rings_is_removed_after_thirty_days,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = subscribed(&server, 1, &service).await;
        service.script(&browser, [PushReply::Status(410)]);
        dies(&server, &by, &person).await;
        server.advance(29 * DAY);
        assert!(server.run(&["sweep"]).status.success());
        assert_eq!(server.count("subscriptions"), 1);
        server.advance(2 * DAY);
        assert!(server.run(&["sweep"]).status.success());
        assert_eq!(server.count("subscriptions"), 0);
        assert_eq!(server.count("devices"), 0);
        let seen = actions(&server, &by, &person).await;
        assert_eq!(seen[..2], ["credential_dead", "credential_suspect"]);
    }
);

/// Six people with ten browsers each.
async fn many(server: &Server, service: &PushService) -> Vec<SignedIn> {
    let mut people = Vec::new();
    for n in 10..16 {
        let names: Vec<String> = (0..10).map(|k| format!("{n}-{k}")).collect();
        people.push(server.with_browsers(n, service, &names).await.0);
    }
    people
}

/// Rings all of them at once, and sees that their push service says of all that they are gone.
async fn all_die(server: &Server, by: &BackEnd, people: &[SignedIn]) {
    let users: Vec<&str> = people.iter().map(|person| person.user_id.as_str()).collect();
    let body = json!({"to": {"users": users}, "notification": {"title": "Ring"}});
    let id = server.accepted(by, &body).await;
    let jobs = server.settled(by, &id).await;
    assert_eq!(jobs.len(), 60);
    assert!(jobs.iter().all(|job| job["state"] == "dead"), "{jobs:?}");
}

on_both!(
    when_too_many_are_said_to_be_gone_nobody_is_believed_until_an_operator_says_so,
    Setup::metrics,
    async |server: Server| {
        const STOPPED: &str = "doorbell_pruning_stopped";
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let people = many(&server, &service).await;
        let (other, _) = subscribed(&server, 2, &service).await;
        assert_eq!(server.metric(STOPPED), Some(0.0));
        service.answer_all(PushReply::Status(410));
        all_die(&server, &by, &people).await;
        // One more, of somebody else: its job is dead, and nothing is held against its browser.
        dies(&server, &by, &other).await;
        server.metric_becomes(STOPPED, 1.0);
        assert_eq!(server.subscriptions(&other).await.len(), 1);
        server.advance(Duration::from_mins(2));
        dies(&server, &by, &other).await;
        assert_eq!(server.subscriptions(&other).await.len(), 1);

        let resumed = server.run(&["pruning", "resume"]);
        assert!(resumed.status.success(), "{resumed:?}");
        assert_eq!(
            String::from_utf8_lossy(&resumed.stdout).trim(),
            "pruning is resumed"
        );
        let again = server.run(&["pruning", "resume"]);
        assert_eq!(
            String::from_utf8_lossy(&again.stdout).trim(),
            "pruning was not stopped"
        );
        dies(&server, &by, &other).await;
        assert!(server.subscriptions(&other).await.is_empty());
        server.metric_becomes(STOPPED, 0.0);
    }
);

on_both!(
    while_nobody_is_believed_nobody_is_removed_for_what_was_said_before,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (early, _) = subscribed(&server, 1, &service).await;
        let people = many(&server, &service).await;
        service.answer_all(PushReply::Status(410));
        dies(&server, &by, &early).await;
        assert!(server.subscriptions(&early).await.is_empty());
        all_die(&server, &by, &people).await;
        server.advance(31 * DAY);
        assert!(server.run(&["sweep"]).status.success());
        assert_eq!(server.count("subscriptions"), 61);
        assert!(server.run(&["pruning", "resume"]).status.success());
        assert!(server.run(&["sweep"]).status.success());
        assert!(server.count("subscriptions") < 61);
    }
);

// Whoever registers what is not there says nothing of others.
on_both!(
    one_person_whose_browsers_are_gone_has_nobody_else_doubted,
    Setup::metrics,
    async |server: Server| {
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let names: Vec<String> = (0..60).map(|n: u32| n.to_string()).collect();
        let (person, _) = server.with_browsers(1, &service, &names).await;
        let (other, browser) = subscribed(&server, 2, &service).await;
        service.answer_all(PushReply::Status(410));
        let id = server.ring(&by, &person).await;
        assert_eq!(server.settled(&by, &id).await.len(), 60);
        assert!(server.subscriptions(&person).await.is_empty());
        service.script(&browser, [PushReply::Status(410)]);
        dies(&server, &by, &other).await;
        assert!(server.subscriptions(&other).await.is_empty());
        assert_eq!(server.metric("doorbell_pruning_stopped"), Some(0.0));
    }
);
