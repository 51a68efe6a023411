//! Between a message's acceptance and its delivery things change: nobody's phone rings for somebody else, and logging out is silence.

use std::time::Duration;

use doorbell_tests::{
    BackEnd, Browser, Phone, PushReply, PushService, Server, SignedIn, Value, json, on_both, ring,
};

/// How many messages one push service is sent at once.
const AT_ONCE: usize = 64;

const HOUR: Duration = Duration::from_hours(1);

/// Somebody with a browser, and a message to them that is due in half an hour.
struct Awaited {
    person: SignedIn,
    browser: Browser,
    message: String,
}

async fn awaited(server: &Server, by: &BackEnd, service: &mut PushService) -> Awaited {
    let (person, browser) = server.with_browser(1, service, "shared").await;
    let first = server.ring(by, &person).await;
    let now = server.message(by, &first).await["createdAt"].clone();
    assert_eq!(service.next().await.path, browser.path());
    server.settled(by, &first).await;
    let mut body = ring(&person);
    let due = now.as_str().expect("an instant").replace('Z', "-00:30");
    body["sendAt"] = due.into();
    let message = server.accepted(by, &body).await;
    Awaited {
        person,
        browser,
        message,
    }
}

/// The hour passes; the message ends unsent.
async fn ends_unsent(server: &Server, by: &BackEnd, service: &mut PushService, message: &str, reason: &str) {
    service.rest();
    server.advance(HOUR);
    let (state, why) = server.end_of(by, message).await;
    assert_eq!((state.as_str(), why), ("superseded", json!(reason)));
    assert!(service.rest().is_empty(), "somebody was rung");
}

on_both!(who_has_logged_out_is_not_rung, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let Awaited { person, message, .. } = awaited(&server, &by, &mut service).await;
    server.log_out(&person).await;
    ends_unsent(&server, &by, &mut service, &message, "session_ended").await;
    let trail = server.trail(&by, &person.user_id, "?limit=2").await;
    let actions: Vec<&Value> = trail["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| &entry["kind"])
        .collect();
    assert_eq!(actions, ["event", "delivery"], "{trail}");
});

on_both!(who_comes_back_before_is_rung_again, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let Awaited {
        person,
        browser,
        message,
    } = awaited(&server, &by, &mut service).await;
    server.log_out(&person).await;
    let again = server.sign_in(&person.phone).await;
    server
        .subscribe_browser(&again, &browser)
        .await
        .assert_status(201);
    server.advance(HOUR);
    assert_eq!(server.end_of(&by, &message).await.0, "delivered");
    assert_eq!(service.next().await.path, browser.path());
});

on_both!(
    a_browser_that_somebody_else_has_taken_over_is_not_rung_for_the_first,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let Awaited { browser, message, .. } = awaited(&server, &by, &mut service).await;
        let next = server.sign_in(&Phone::nth(2)).await;
        server.subscribe_browser(&next, &browser).await.assert_status(201);
        service.rest();
        server.advance(HOUR);
        let (state, reason) = server.end_of(&by, &message).await;
        assert_eq!(state, "superseded");
        // The first one's row went with the move.
        assert!(
            ["moved", "removed"].contains(&reason.as_str().expect("a reason")),
            "{reason}"
        );
        assert!(service.rest().is_empty(), "somebody else was rung");
        server.ring(&by, &next).await;
        assert_eq!(service.next().await.path, browser.path());
    }
);

on_both!(
    a_message_that_is_tried_again_does_not_come_after_the_one_that_took_its_place,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let (person, browser) = server.with_browser(1, &service, "a").await;
        let busy = PushReply::With(503, "retry-after", "60".to_owned());
        service.script(&browser, [busy]);
        let mut body = ring(&person);
        body["collapseKey"] = "order-4421".into();
        let first = server.accepted(&by, &body).await;
        service.next().await;
        server
            .jobs_when(&by, &first, |job| job["state"] == "retrying")
            .await;
        let second = server.accepted(&by, &body).await;
        assert_eq!(server.end_of(&by, &second).await.0, "delivered");
        service.next().await;
        server.advance(Duration::from_mins(2));
        let (state, reason) = server.end_of(&by, &first).await;
        assert_eq!((state.as_str(), reason), ("superseded", json!("replaced")));
        assert!(service.rest().is_empty(), "the earlier one came last");
    }
);

on_both!(
    who_logs_out_while_the_push_service_keeps_others_waiting_is_not_rung,
    async |server: Server| {
        let mut service = PushService::start().await;
        service.answer_all(PushReply::Gated(201));
        let by = server.back_end("shop");
        let mut people = Vec::new();
        for n in 10..17 {
            let names: Vec<String> = (0..10).map(|k| format!("{n}-{k}")).collect();
            people.push(server.with_browsers(n, &service, &names).await.0);
        }
        let users: Vec<&str> = people.iter().map(|person| person.user_id.as_str()).collect();
        let body = json!({"to": {"users": users}, "notification": {"title": "Ring"}});
        let message = server.accepted(&by, &body).await;
        // All are claimed, and as many on their way as one push service is sent at once.
        server
            .jobs_when(&by, &message, |job| job["state"] == "sending")
            .await;
        for _ in 0..AT_ONCE {
            service.next().await;
        }
        for person in &people {
            server.log_out(person).await;
        }
        server.advance(Duration::from_secs(4));
        service.open_gate();
        let jobs = server.settled(&by, &message).await;
        let ended = |state: &str| jobs.iter().filter(|job| job["state"] == state).count();
        assert_eq!((ended("delivered"), ended("superseded")), (AT_ONCE, 70 - AT_ONCE));
        assert!(
            service.rest().is_empty(),
            "somebody was rung after they had logged out"
        );
    }
);

on_both!(a_revoked_device_is_not_rung, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let Awaited { person, message, .. } = awaited(&server, &by, &mut service).await;
    let device = server.devices(&person).await[0]["id"].clone();
    let revoked = json!({"id": device, "status": "revoked"});
    server.update_device(&person, &revoked).await.assert_status(200);
    ends_unsent(&server, &by, &mut service, &message, "device_revoked").await;
});

on_both!(
    a_browser_that_has_unsubscribed_is_not_rung,
    async |server: Server| {
        let mut service = PushService::start().await;
        let by = server.back_end("shop");
        let Awaited {
            person,
            browser,
            message,
        } = awaited(&server, &by, &mut service).await;
        server
            .unsubscribe(&person, &browser.endpoint)
            .await
            .assert_status(204);
        ends_unsent(&server, &by, &mut service, &message, "removed").await;
    }
);

on_both!(who_has_been_away_for_long_is_rung, async |server: Server| {
    let mut service = PushService::start().await;
    let by = server.back_end("shop");
    let Awaited { person, .. } = awaited(&server, &by, &mut service).await;
    // The session has expired, and nobody has ended it.
    server.advance(Duration::from_hours(40 * 24));
    server.refresh(&person.refresh).await.assert_status(401);
    let id = server.ring(&by, &person).await;
    assert_eq!(server.end_of(&by, &id).await.0, "delivered");
});
