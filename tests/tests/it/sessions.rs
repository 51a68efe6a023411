//! Sessions: refreshed, replayed, expired, listed and ended.

use std::collections::BTreeSet;
use std::time::Duration;

use doorbell_tests::{Answer, Phone, Server, SignedIn, Value, is_instant, join_all, json, on_both};

const DAY: Duration = Duration::from_hours(24);

async fn me(server: &Server, access: &str) -> Answer {
    server.get("/api/v1/auth/me").bearer(access).send().await
}

/// Asserts that neither of these tokens opens anything.
async fn assert_over(server: &Server, access: &str, refresh: &str) {
    me(server, access).await.assert_allmine(401);
    server.refresh(refresh).await.assert_allmine(401);
}

/// The tokens of a refresh that was honoured.
struct Refreshed {
    access: String,
    refresh: String,
    refresh_expires_in: u64,
}

impl Refreshed {
    #[track_caller]
    fn of(answer: Answer) -> Self {
        let body = answer.expect(200).json();
        let text = |name: &str| body[name].as_str().expect("a token").to_owned();
        let seconds = body["refreshExpiresIn"].as_u64().expect("whole seconds");
        let expected = json!({"accessToken": text("accessToken"), "refreshToken": text("refreshToken"),
            "expiresIn": 3600, "refreshExpiresIn": seconds});
        assert_eq!(body, expected);
        Self {
            access: text("accessToken"),
            refresh: text("refreshToken"),
            refresh_expires_in: seconds,
        }
    }
}

/// Asserts Allmine's envelope around a success, and returns its data.
#[track_caller]
fn data(answer: Answer) -> Value {
    let body = answer.expect(200).json();
    let timestamp = body["timestamp"].as_str().expect("an instant");
    assert!(is_instant(timestamp), "{timestamp}");
    let expected = json!({"isSuccess": true, "statusCode": 200, "data": body["data"], "errors": [],
        "timestamp": timestamp});
    assert_eq!(body, expected);
    body["data"].clone()
}

/// The session that an access token is of, and when the token dies, as the server sees it.
async fn validated(server: &Server, access: &str) -> (String, String) {
    let answer = server
        .get("/api/v1/auth/validate-token")
        .bearer(access)
        .send()
        .await;
    let data = data(answer);
    let text = |name: &str| data[name].as_str().expect("a text").to_owned();
    (text("sessionId"), text("expiresAt"))
}

async fn sessions(server: &Server, access: &str) -> Vec<Value> {
    let answer = server.get("/api/v1/auth/sessions").bearer(access).send().await;
    data(answer).as_array().expect("a list").clone()
}

async fn end_session(server: &Server, access: &str, id: &str) -> Answer {
    let path = format!("/api/v1/auth/sessions/{id}");
    server.delete(&path).bearer(access).send().await
}

async fn revoke(server: &Server, access: &str, refresh: &str) -> Answer {
    server
        .post("/api/v1/auth/revoke-token")
        .bearer(access)
        .json(&json!({"refreshToken": refresh}))
        .send()
        .await
}

on_both!(
    a_refresh_token_is_exchanged_and_its_replay_within_30_s_gives_the_same_successor,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let first = Refreshed::of(server.refresh(&person.refresh).await);
        assert_ne!(first.refresh, person.refresh);
        assert_eq!(first.refresh_expires_in, 2_592_000);

        // The answer was lost on its way: asked again, the server gives what it gave, and fresh access.
        server.advance(Duration::from_secs(10));
        let again = Refreshed::of(server.refresh(&person.refresh).await);
        assert_eq!(again.refresh, first.refresh);
        let (session, expires) = validated(&server, &again.access).await;
        assert_eq!(session, person.session_id, "a session outlives its refreshes");
        let (_, expired_before) = validated(&server, &first.access).await;
        assert!(expired_before < expires, "{expired_before} {expires}");

        // Refreshing ends no earlier access token.
        for access in [&person.access, &first.access, &again.access] {
            me(&server, access).await.assert_status(200);
        }

        // After the 30 seconds it was stolen, and whoever holds the successor is out too.
        server.advance(Duration::from_secs(31));
        server.refresh(&person.refresh).await.assert_allmine(401);
        assert_over(&server, &again.access, &person.refresh).await;
        assert_over(&server, &person.access, &first.refresh).await;
        assert_eq!(server.count("sessions WHERE end_reason = 'reuse'"), 1);
    }
);

on_both!(a_grandparent_ends_the_session_at_once, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let bystander = server.sign_in(&Phone::nth(1)).await;
    let parent = Refreshed::of(server.refresh(&person.refresh).await);
    let newest = Refreshed::of(server.refresh(&parent.refresh).await);
    server.refresh(&person.refresh).await.assert_allmine(401);
    assert_over(&server, &newest.access, &newest.refresh).await;
    // The parent's moment of grace died with the session.
    server.refresh(&parent.refresh).await.assert_allmine(401);
    // Only that session.
    me(&server, &bystander.access).await.assert_status(200);
    Refreshed::of(server.refresh(&bystander.refresh).await);
});

on_both!(
    twenty_parallel_refreshes_of_one_token_give_one_successor,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let answers = join_all((0..20).map(|_| server.refresh(&person.refresh))).await;
        let successors: BTreeSet<String> = answers
            .into_iter()
            .map(|answer| Refreshed::of(answer).refresh)
            .collect();
        assert_eq!(successors.len(), 1, "{successors:?}");
        let successor = successors.first().expect("one");
        Refreshed::of(server.refresh(successor).await);
    }
);

on_both!(
    what_is_no_refresh_token_of_ours_is_refused,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let stranger = server.sign_in(&Phone::nth(2)).await;
        let swapped = {
            // One's session with the other's signature.
            let (mine, theirs) = (&person.refresh, &stranger.refresh);
            format!("{}{}", &mine[..mine.len() / 2], &theirs[mine.len() / 2..])
        };
        for token in [
            "x",
            &person.access,
            &person.refresh[..person.refresh.len() - 1],
            &format!("{}A", person.refresh),
            &format!(" {}", person.refresh),
            &person.refresh.to_uppercase(),
            &swapped,
            &"a".repeat(1024),
            "😀",
        ] {
            server.refresh(token).await.assert_allmine(401);
        }
        // None of this was a reuse.
        Refreshed::of(server.refresh(&person.refresh).await);
        Refreshed::of(server.refresh(&stranger.refresh).await);
    }
);

on_both!(
    an_access_token_lives_an_hour_and_a_session_30_days_without_use,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        server.advance(Duration::from_mins(59));
        me(&server, &person.access).await.assert_status(200);
        server.advance(Duration::from_secs(66));
        me(&server, &person.access).await.assert_allmine(401);

        // 30 days after the last refresh, not after the sign-in.
        server.advance(29 * DAY);
        let refreshed = Refreshed::of(server.refresh(&person.refresh).await);
        assert_eq!(refreshed.refresh_expires_in, 2_592_000);
        server.advance(29 * DAY);
        let refreshed = Refreshed::of(server.refresh(&refreshed.refresh).await);
        me(&server, &refreshed.access).await.assert_status(200);
        server.advance(30 * DAY);
        assert_over(&server, &refreshed.access, &refreshed.refresh).await;
        // It expired; nobody ended it.
        assert_eq!(server.count("sessions WHERE ended_at IS NOT NULL"), 0);
    }
);

on_both!(
    a_session_dies_180_days_after_the_sign_in_whatever_its_use,
    async |server: Server| {
        let mut refresh = server.sign_in(&Phone::nth(1)).await.refresh;
        for _ in 0..5 {
            server.advance(29 * DAY);
            let refreshed = Refreshed::of(server.refresh(&refresh).await);
            assert_eq!(refreshed.refresh_expires_in, 2_592_000);
            refresh = refreshed.refresh;
        }
        server.advance(29 * DAY);
        let refreshed = Refreshed::of(server.refresh(&refresh).await);
        let left = 6 * DAY.as_secs();
        let told = refreshed.refresh_expires_in;
        assert!((left - 120..=left).contains(&told), "{told}");

        // An access token does not outlive the session.
        server.advance(Duration::from_mins(6 * 24 * 60 - 30));
        let last = Refreshed::of(server.refresh(&refreshed.refresh).await);
        assert!(last.refresh_expires_in <= 1800, "{}", last.refresh_expires_in);
        me(&server, &last.access).await.assert_status(200);
        server.advance(Duration::from_secs(1801));
        assert_over(&server, &last.access, &last.refresh).await;
    }
);

on_both!(logout_ends_all_sessions_of_the_user, async |server: Server| {
    let phone = Phone::nth(1);
    let (here, there) = (server.sign_in(&phone).await, server.sign_in(&phone).await);
    let neighbour = server.sign_in(&Phone::nth(2)).await;
    let out = server.post("/api/v1/auth/logout").by(&here).send().await;
    assert_eq!(data(out), json!({"success": true}));
    for person in [&here, &there] {
        assert_over(&server, &person.access, &person.refresh).await;
    }
    server
        .post("/api/v1/auth/logout")
        .by(&here)
        .send()
        .await
        .assert_allmine(401);
    me(&server, &neighbour.access).await.assert_status(200);
    // The way back in.
    let back = server.sign_in(&phone).await;
    assert_eq!(back.user_id, here.user_id);
    assert_eq!(sessions(&server, &back.access).await.len(), 1);
});

on_both!(
    a_refresh_token_can_be_revoked_by_its_owner_again_and_again,
    async |server: Server| {
        let phone = Phone::nth(1);
        let (here, there) = (server.sign_in(&phone).await, server.sign_in(&phone).await);
        let stranger = server.sign_in(&Phone::nth(2)).await;

        // Not the caller's, or nobody's.
        for token in [
            stranger.refresh.as_str(),
            "unknown",
            &there.access,
            &"a".repeat(1024),
        ] {
            revoke(&server, &here.access, token).await.assert_allmine(404);
        }
        me(&server, &stranger.access).await.assert_status(200);

        // An older token of a session names it as well as its newest.
        let newer = Refreshed::of(server.refresh(&there.refresh).await);
        for token in [&there.refresh, &newer.refresh, &there.refresh] {
            let answer = revoke(&server, &here.access, token).await;
            assert_eq!(data(answer), json!({"success": true}));
            assert_over(&server, &there.access, &newer.refresh).await;
        }
        me(&server, &here.access).await.assert_status(200);

        // One's own: after that nobody is there to ask again.
        revoke(&server, &here.access, &here.refresh)
            .await
            .assert_status(200);
        assert_over(&server, &here.access, &here.refresh).await;
        revoke(&server, &here.access, &here.refresh)
            .await
            .assert_allmine(401);
    }
);

on_both!(
    sessions_are_listed_newest_first_with_where_they_came_from,
    async |server: Server| {
        let phone = Phone::nth(1);
        let sign_in_from = async |agent: &str| {
            let code = server.code_for(&phone).await;
            let body = json!({"countryCode": "90", "phoneNumber": phone.number, "code": code});
            let answer = server
                .post("/api/v1/auth/verify-otp")
                .header("User-Agent", agent)
                // Nobody is believed about where they are.
                .header("X-Forwarded-For", "203.0.113.7")
                .json(&body)
                .send()
                .await;
            SignedIn::from_answer(&phone, answer.expect(200).json())
        };
        let telephone = sign_in_from("Phone/1.0 (😀)").await;
        server.advance(Duration::from_mins(1));
        let browser = sign_in_from(&format!("Browser/{}", "1".repeat(2000))).await;
        server.sign_in(&Phone::nth(2)).await;

        let listed = sessions(&server, &telephone.access).await;
        let ids: Vec<_> = listed.iter().map(|session| &session["id"]).collect();
        assert_eq!(ids, [&json!(browser.session_id), &json!(telephone.session_id)]);
        let mine = &listed[1];
        for name in ["createdAt", "lastUsedAt", "expiresAt"] {
            assert!(is_instant(mine[name].as_str().expect("a text")), "{mine}");
        }
        assert_eq!(mine["createdAt"], mine["lastUsedAt"]);
        let expected = json!({"id": telephone.session_id, "createdAt": mine["createdAt"],
            "lastUsedAt": mine["lastUsedAt"], "expiresAt": mine["expiresAt"], "current": true,
            "userAgent": "Phone/1.0 (😀)", "ipAddress": "127.0.0.1", "deviceId": null});
        assert_eq!(*mine, expected);
        assert_eq!(listed[0]["current"], false);
        let agent = listed[0]["userAgent"].as_str().expect("a text");
        assert!(agent.starts_with("Browser/1") && agent.len() == 1024, "{agent}");

        // A registration says which device the session is on; a refresh, that it is in use.
        let device = json!({"platform": "ios", "deviceId": "iphone-14-pro", "token": "t"});
        let registered = server
            .post("/api/v1/notifications/device-token")
            .by(&telephone)
            .json(&device)
            .send()
            .await;
        registered.assert_status(200);
        server.advance(Duration::from_mins(1));
        Refreshed::of(server.refresh(&telephone.refresh).await);
        let later = sessions(&server, &browser.access).await;
        assert_eq!(later[0]["current"], true);
        assert_eq!(later[1]["deviceId"], "iphone-14-pro");
        assert_eq!(later[1]["createdAt"], mine["createdAt"]);
        for name in ["lastUsedAt", "expiresAt"] {
            assert!(
                later[1][name].as_str() > mine[name].as_str(),
                "{name}: {mine} then {later:?}"
            );
        }
    }
);

on_both!(one_session_can_be_ended_by_its_user, async |server: Server| {
    let phone = Phone::nth(1);
    let (here, there) = (server.sign_in(&phone).await, server.sign_in(&phone).await);
    let stranger = server.sign_in(&Phone::nth(2)).await;
    for id in [
        stranger.session_id.as_str(),
        "019ae000-0000-7000-8000-000000000001",
        here.user_id.as_str(),
        "1",
        "%00",
        "%ff",
        "%F0%9F%98%80",
        "' OR 1=1 --",
        &"a".repeat(2000),
    ] {
        end_session(&server, &here.access, id).await.assert_allmine(404);
    }
    me(&server, &stranger.access).await.assert_status(200);

    let ended = end_session(&server, &here.access, &there.session_id).await;
    assert_eq!(data(ended), json!({"success": true}));
    assert_over(&server, &there.access, &there.refresh).await;
    end_session(&server, &here.access, &there.session_id)
        .await
        .assert_allmine(404);
    let listed = sessions(&server, &here.access).await;
    assert_eq!(listed.len(), 1, "{listed:?}");

    // One's own session, too.
    end_session(&server, &here.access, &here.session_id)
        .await
        .assert_status(200);
    assert_over(&server, &here.access, &here.refresh).await;
});

on_both!(a_token_says_whose_it_is_and_until_when, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let answer = server.get("/api/v1/auth/validate-token").by(&person).send().await;
    let data = data(answer);
    let expires = data["expiresAt"].as_str().expect("a text");
    // The token's own clock has whole seconds.
    assert!(is_instant(expires) && expires.ends_with("000Z"), "{expires}");
    let expected = json!({"valid": true, "userId": person.user_id, "sessionId": person.session_id,
        "expiresAt": expires});
    assert_eq!(data, expected);
});

on_both!(
    servers_on_one_database_know_of_each_others_sessions_at_once,
    async |first: Server| {
        let second = Server::second_on(&first);
        let phone = Phone::nth(1);

        // A code of the one signs in at the other.
        let code = first.code_for(&phone).await;
        let answer = second.verify_otp(&phone, &code).await.expect(200).json();
        let person = SignedIn::from_answer(&phone, answer);
        me(&first, &person.access).await.assert_status(200);

        // Each honours the other's refresh tokens, their replays too.
        let one = Refreshed::of(first.refresh(&person.refresh).await);
        let replayed = Refreshed::of(second.refresh(&person.refresh).await);
        assert_eq!(replayed.refresh, one.refresh);
        let two = Refreshed::of(second.refresh(&one.refresh).await);
        me(&first, &two.access).await.assert_status(200);

        // Ended at the one, it is ended at the other.
        me(&second, &two.access).await.assert_status(200);
        let out = first.post("/api/v1/auth/logout").bearer(&two.access).send().await;
        out.assert_status(200);
        assert_over(&second, &two.access, &two.refresh).await;
        let answer = second
            .get("/notifications/devices")
            .bearer(&two.access)
            .fingerprint("f")
            .send()
            .await;
        answer.assert_easyflow(401);
    }
);
