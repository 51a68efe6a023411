//! Rocket.Chat's test push: people ring their own devices.

use std::time::Duration;

use doorbell_tests::{Answer, Phone, PushService, Server, Setup, SignedIn, join_all, json, on_both};

async fn test_push(server: &Server, person: &SignedIn) -> Answer {
    server.post("/api/v1/push.test").rocket_by(person).send().await
}

fn without_providers(setup: Setup) -> Setup {
    setup.env("DOORBELL_PROVIDERS", "none")
}

on_both!(
    a_test_rings_all_of_the_callers_browsers,
    async |server: Server| {
        let mut service = PushService::start().await;
        let person = server.sign_in(&Phone::nth(1)).await;
        let neighbour = server.sign_in(&Phone::nth(2)).await;
        let browsers = ["a", "b"].map(|name| service.browser(name));
        for browser in &browsers {
            server
                .subscribe_browser(&person, browser)
                .await
                .assert_status(201);
        }
        server
            .subscribe_browser(&neighbour, &service.browser("c"))
            .await
            .assert_status(201);
        // No provider carries it, so it is not counted.
        let token = json!({"type": "gcm", "value": "TOKEN", "appName": "MyApp"});
        server.push_token(&person, &token).await.assert_status(200);
        let answer = test_push(&server, &person).await.expect(200);
        assert_eq!(answer.json(), json!({"tokensCount": 2, "success": true}));
        for _ in 0..2 {
            let push = service.next().await;
            let browser = browsers.iter().find(|browser| browser.path() == push.path);
            let said = browser.expect("one of the caller's").read(&push);
            let body = said["notification"]["body"].as_str();
            assert!(body.is_some_and(|text| !text.is_empty()), "{said}");
        }
        // Whatever the body is, it is none.
        for body in ["{}", "{\"more\":1}", "{", "[]"] {
            let request = server.post("/api/v1/push.test").rocket_by(&person);
            let answer = request.body("text/plain", body).send().await.expect(200);
            assert_eq!(answer.json()["tokensCount"], 2);
        }
        let by = server.back_end("shop");
        let trail = server.trail(&by, &person.user_id, "").await;
        assert_eq!(trail["entries"][0]["kind"], "delivery", "{trail}");
    }
);

on_both!(who_has_nothing_to_ring_is_told_so, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let nothing = json!({"success": false,
        "error": "There are no tokens for this user [error-no-tokens-for-this-user]",
        "errorType": "error-no-tokens-for-this-user", "details": {"method": "push_test"}});
    assert_eq!(test_push(&server, &person).await.expect(400).json(), nothing);
    server.post("/api/v1/push.test").send().await.assert_rocket(401);
    server
        .get("/api/v1/push.test")
        .rocket_by(&person)
        .send()
        .await
        .assert_rocket(405);
    // What was registered under a session that has ended does not ring.
    let service = PushService::start().await;
    server
        .subscribe_browser(&person, &service.browser("a"))
        .await
        .assert_status(201);
    server.log_out(&person).await;
    test_push(&server, &person).await.assert_rocket(401);
    let again = server.sign_in(&Phone::nth(1)).await;
    assert_eq!(test_push(&server, &again).await.expect(400).json(), nothing);
});

on_both!(
    without_a_provider_push_is_off,
    without_providers,
    async |server: Server| {
        let service = PushService::start().await;
        let person = server.sign_in(&Phone::nth(1)).await;
        server
            .subscribe_browser(&person, &service.browser("a"))
            .await
            .assert_status(201);
        let off = json!({"success": false, "error": "Push is disabled [error-push-disabled]",
            "errorType": "error-push-disabled", "details": {"method": "push_test"}});
        assert_eq!(test_push(&server, &person).await.expect(400).json(), off);
        let info = server.get("/api/v1/push.info").rocket_by(&person).send().await;
        assert_eq!(info.expect(200).json()["pushGatewayEnabled"], false);
        // A message is accepted, and ends.
        let by = server.back_end("shop");
        let id = server.ring(&by, &person).await;
        let (state, reason) = server.end_of(&by, &id).await;
        assert_eq!((state.as_str(), reason), ("failed", json!("provider_off")));
    }
);

on_both!(
    a_test_is_sent_once_a_second,
    Setup::limits,
    async |server: Server| {
        let service = PushService::start().await;
        let person = server.sign_in(&Phone::nth(1)).await;
        server
            .subscribe_browser(&person, &service.browser("a"))
            .await
            .assert_status(201);
        let answers = join_all((0..16).map(|_| test_push(&server, &person))).await;
        let (sent, limited): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status() == 200);
        assert!(!sent.is_empty() && !limited.is_empty());
        for answer in limited {
            answer.assert_rocket(429);
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        server.advance(Duration::from_secs(2));
        test_push(&server, &person).await.assert_status(200);
    }
);

on_both!(a_provider_is_told_of, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let info = server.get("/api/v1/push.info").rocket_by(&person).send().await;
    assert_eq!(
        info.expect(200).json(),
        json!({"pushGatewayEnabled": true, "defaultPushGateway": false, "success": true})
    );
});
