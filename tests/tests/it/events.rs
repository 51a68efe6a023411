//! What happens is told to a service of the operator's: signed, until it takes it, and never with a token in it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use doorbell_tests::{
    EVENTS_SECRET, Phone, PushReply, PushService, Received, Receiver, Reply, Server, Value, is_instant,
    join_all, json, on_both,
};

const DAY: Duration = Duration::from_hours(24);

/// The same server, started again with somebody to tell.
fn telling(server: Server, receiver: &Receiver) -> Server {
    let setup = server.setup().clone();
    drop(server);
    setup.metrics().events(receiver).start()
}

/// Waits until nothing is left to tell.
async fn all_is_told(server: &Server) {
    let began = Instant::now();
    while server.count("event_outbox") > 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", server.log());
        tokio::task::yield_now().await;
    }
}

/// The next event, its envelope looked at, and that it says nothing of these; its kind and its data.
async fn next(receiver: &mut Receiver, secrets: &[&str]) -> (String, Value) {
    let received = receiver.next().await;
    assert_eq!(received.path, "/events");
    assert_signed(&received);
    let text = String::from_utf8_lossy(&received.body).into_owned();
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let mut event = received.json();
    assert!(event["timestamp"].as_str().is_some_and(is_instant), "{event}");
    let kind = event["type"].as_str().expect("a type").to_owned();
    (kind, event["data"].take())
}

#[track_caller]
fn assert_signed(received: &Received) {
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(
        received.header("webhook-signature"),
        received.signature(EVENTS_SECRET)
    );
}

/// Waits until the only event that failed has failed so often.
async fn has_failed(server: &Server, times: u32) {
    let began = Instant::now();
    while server.count(&format!("event_outbox WHERE failures = {times}")) == 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", server.log());
        tokio::task::yield_now().await;
    }
}

fn phone_with(token: &str) -> Value {
    json!({"platform": "ios", "deviceId": "phone", "token": token, "timezone": "Europe/Istanbul"})
}

fn told(outcome: &str) -> String {
    format!("doorbell_events_total{{outcome=\"{outcome}\"}}")
}

on_both!(
    who_loses_a_token_or_a_session_is_named_and_nothing_of_the_token,
    async |server: Server| {
        let mut receiver = Receiver::start([]).await;
        let server = telling(server, &receiver);
        let (first, second) = (Phone::nth(1), Phone::nth(2));
        let secrets = ["s3ntinel", first.number.as_str(), second.number.as_str()];
        let earlier = server.sign_in(&first).await;
        let body = phone_with("s3ntinel-token");
        server.device_token(&earlier, &body).await.assert_status(200);
        let device = server.devices(&earlier).await[0]["id"].clone();
        let later = server.sign_in(&second).await;
        server.device_token(&later, &body).await.assert_status(200);
        let (kind, data) = next(&mut receiver, &secrets).await;
        assert_eq!(kind, "credential.moved");
        assert_eq!(
            data,
            json!({"userId": earlier.user_id, "deviceId": device, "reason": "apns"})
        );

        server.log_out(&later).await;
        let (kind, data) = next(&mut receiver, &secrets).await;
        assert_eq!(kind, "credential.suspended");
        assert_eq!(
            (&data["userId"], &data["reason"]),
            (&json!(later.user_id), &json!("logout"))
        );
        assert!(data["sessionId"].is_string(), "{data}");
        all_is_told(&server).await;
        assert!(receiver.rest().is_empty());
        server.metric_becomes(&told("accepted"), 2.0);
    }
);

on_both!(
    a_browser_that_dies_is_told_of_and_so_is_the_end_of_each_message,
    async |server: Server| {
        let mut receiver = Receiver::start([]).await;
        let server = telling(server, &receiver);
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = server.with_browser(1, &service, "s3ntinel").await;
        let device = server.devices(&person).await[0]["id"].clone();
        service.script(&browser, [PushReply::Status(410), PushReply::Status(404)]);
        let gone = json!({"userId": person.user_id, "deviceId": device, "reason": "webpush"});
        for kind in ["credential.suspended", "credential.dead"] {
            let id = server.ring(&by, &person).await;
            let mut told = BTreeSet::new();
            for _ in 0..2 {
                let (kind, data) = next(&mut receiver, &["s3ntinel", "Ring"]).await;
                told.insert((kind, data.to_string()));
            }
            let finished = json!({"messageId": id});
            let expected = [(kind, &gone), ("message.finished", &finished)];
            let expected = expected.map(|(kind, data)| (kind.to_owned(), data.to_string()));
            assert_eq!(told, BTreeSet::from(expected));
            server.advance(DAY + Duration::from_mins(1));
        }
        all_is_told(&server).await;
        assert!(receiver.rest().is_empty());
    }
);

on_both!(
    a_browser_that_is_dead_for_a_month_is_told_of_as_it_goes,
    async |server: Server| {
        let mut receiver = Receiver::start([]).await;
        let server = telling(server, &receiver);
        let service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = server.with_browser(1, &service, "s3ntinel").await;
        let device = server.devices(&person).await[0]["id"].clone();
        service.script(&browser, [PushReply::Status(410)]);
        server.ring(&by, &person).await;
        for _ in ["credential.suspended", "message.finished"] {
            next(&mut receiver, &[]).await;
        }
        server.advance(31 * DAY);
        assert!(server.run(&["sweep"]).status.success());
        let (kind, data) = next(&mut receiver, &["s3ntinel"]).await;
        assert_eq!(kind, "credential.dead");
        let gone = json!({"userId": person.user_id, "deviceId": device, "reason": "webpush"});
        assert_eq!(data, gone);
        all_is_told(&server).await;
        assert!(receiver.rest().is_empty());
    }
);

on_both!(
    what_is_not_taken_is_posted_again_under_the_same_id_and_not_too_soon,
    async |server: Server| {
        let mut receiver = Receiver::start([Reply::Status(500), Reply::Busy(3_600)]).await;
        let server = telling(server, &receiver);
        let (person, other) = (
            server.sign_in(&Phone::nth(1)).await,
            server.sign_in(&Phone::nth(2)).await,
        );
        server.log_out(&person).await;
        let first = receiver.next().await;
        has_failed(&server, 1).await;
        server.advance(Duration::from_secs(6));
        let second = receiver.next().await;
        has_failed(&server, 2).await;
        // An hour was asked for: what happens before it is over is told, and that not again.
        server.advance(Duration::from_mins(58));
        server.log_out(&other).await;
        let between = receiver.next().await;
        assert_eq!(between.json()["data"]["userId"], other.user_id);
        server.advance(Duration::from_mins(3));
        let third = receiver.next().await;
        for received in [&first, &second, &between, &third] {
            assert_signed(received);
        }
        for again in [&second, &third] {
            assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
            assert_ne!(
                again.header("webhook-timestamp"),
                first.header("webhook-timestamp")
            );
            assert_eq!(again.body, first.body);
        }
        all_is_told(&server).await;
        assert!(receiver.rest().is_empty());
        server.metric_becomes(&told("again"), 2.0);
        server.metric_becomes(&told("accepted"), 2.0);
    }
);

on_both!(a_receiver_that_has_gone_is_told_once, async |server: Server| {
    let mut receiver = Receiver::start([Reply::Status(410)]).await;
    let server = telling(server, &receiver);
    let person = server.sign_in(&Phone::nth(1)).await;
    server.log_out(&person).await;
    receiver.next().await;
    all_is_told(&server).await;
    assert!(receiver.rest().is_empty());
    server.metric_becomes(&told("refused"), 1.0);
});

on_both!(
    an_event_outlives_the_server_that_told_of_it,
    async |server: Server| {
        let mut receiver = Receiver::start([Reply::Silence]).await;
        let mut server = telling(server, &receiver);
        let person = server.sign_in(&Phone::nth(1)).await;
        server.log_out(&person).await;
        let first = receiver.next().await;
        server.kill();
        server.start_again();
        assert_eq!(server.count("event_outbox WHERE fence = 1"), 1, "its lease runs");
        server.advance(Duration::from_secs(61));
        let second = receiver.next().await;
        assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
        all_is_told(&server).await;
        assert!(receiver.rest().is_empty());
    }
);

on_both!(of_two_servers_one_tells_of_each_event, async |server: Server| {
    let mut receiver = Receiver::start([]).await;
    let first = telling(server, &receiver);
    let second = Server::second_on(&first);
    let people = join_all((0..20).map(|n| {
        let server = if n % 2 == 0 { &first } else { &second };
        async move {
            let person = server.sign_in(&Phone::nth(n)).await;
            server.log_out(&person).await;
            person.user_id
        }
    }));
    let people: BTreeSet<String> = people.await.into_iter().collect();
    all_is_told(&first).await;
    let mut told = BTreeSet::new();
    for received in receiver.rest() {
        assert_signed(&received);
        let user = received.json()["data"]["userId"].as_str().map(str::to_owned);
        assert!(told.insert(user.expect("a user")), "told twice: {received:?}");
    }
    assert_eq!(told, people);
});

on_both!(
    where_nobody_is_told_nothing_is_kept_and_what_was_goes,
    async |server: Server| {
        // Nobody listens there any more.
        let gone = Receiver::start([]).await;
        let telling = telling(server, &gone);
        drop(gone);
        let person = telling.sign_in(&Phone::nth(1)).await;
        telling.log_out(&person).await;
        has_failed(&telling, 1).await;
        let setup = telling.setup().clone();
        drop(telling);

        let silent = setup
            .without("DOORBELL_EVENTS_WEBHOOK")
            .without("DOORBELL_EVENTS_WEBHOOK_SECRET")
            .start();
        let person = silent.sign_in(&Phone::nth(1)).await;
        silent.log_out(&person).await;
        assert_eq!(silent.count("event_outbox"), 1, "the one of before");
        silent.advance(2 * DAY);
        assert!(silent.run(&["sweep"]).status.success());
        assert_eq!(silent.count("event_outbox"), 1);
        silent.advance(DAY + Duration::from_mins(1));
        assert!(silent.run(&["sweep"]).status.success());
        assert_eq!(silent.count("event_outbox"), 0);
    }
);
