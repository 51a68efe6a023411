//! The account: what a person says of themselves, and its end.

use std::ops::Range;
use std::time::Duration;

use doorbell_tests::{Answer, Phone, Server, SignedIn, Value, is_instant, join_all, json, on_both};

const DAY: Duration = Duration::from_hours(24);
const ME: &str = "/api/v1/users/me";
const DELETION: &str = "/api/v1/users/me/account-deletion";

/// Asserts Allmine's envelope around a success, and returns its data.
#[track_caller]
fn data(answer: Answer) -> Value {
    let body = answer.expect(200).json();
    let expected = json!({"isSuccess": true, "statusCode": 200, "data": body["data"], "errors": [],
        "timestamp": body["timestamp"]});
    assert_eq!(body, expected);
    assert!(is_instant(body["timestamp"].as_str().expect("a text")), "{body}");
    body["data"].clone()
}

async fn me(server: &Server, person: &SignedIn) -> Value {
    data(server.get("/api/v1/auth/me").by(person).send().await)
}

async fn change(server: &Server, person: &SignedIn, change: Value) -> Answer {
    server.patch(ME).by(person).json(&change).send().await
}

/// The number of an instant's day, in the proleptic Gregorian calendar.
fn day(instant: &str) -> i64 {
    let part = |range: Range<usize>| instant[range].parse::<i64>().expect("a number");
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // A year that begins in March has its odd day at its end.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
}

/// `user` with those members in place of its own.
fn with(mut user: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().expect("an object") {
        assert!(user.get(name).is_some(), "{name} is no key of {user}");
        user[name] = value.clone();
    }
    user
}

on_both!(
    a_person_changes_what_they_own_and_nothing_else,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let before = me(&server, &person).await;
        assert_eq!(before, person.answer["user"]);

        // Everything at once, and with it what is not theirs to change.
        let own = json!({
            "name": "John", "surname": "Doe 😀", "username": "John.Doe_1", "profilePhoto": "sample.jpg",
            "availabilityStatus": "busy", "birthDate": "1990-05-01T12:00:00.000Z", "gender": "undisclosed",
            "interests": ["music", "müzik"], "expertise": "designer", "email": "john@example.com",
            "bio": "Passionate about \"travel\"\n", "instagram": "i", "x": "x", "tiktok": "t", "snapchat": "s",
            "facebook": "f", "privacyPolicyAccepted": true, "privacyPolicyVersion": "1.2.0",
            "termsOfUseAccepted": true, "termsOfUseVersion": "1.1.0", "consentFormAccepted": true,
            "consentFormVersion": "1.0.0",
        });
        let mut body = own.clone();
        let foreign = json!({
            "countryCode": "1", "phoneNumber": "4155552671", "roles": ["admin"], "followersCount": 9,
            "followingCount": 9, "minutePriceInLiveStream": 9, "creditBalance": 9, "lastLogin": "2000-01-01",
            "signupSource": "mine", "signupCampaign": "mine", "timezone": "Europe/Istanbul",
            "lastUsernameChangeDate": null, "accountDeletionStatus": "finalized",
            "accountDeletionRequestedAt": "2000-01-01T00:00:00.000Z", "isRegistrationComplete": false,
            "id": "1", "unknown": {},
        });
        for (name, value) in foreign.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let changed = data(change(&server, &person, body).await);
        let named_at = &changed["lastUsernameChangeDate"];
        assert!(is_instant(named_at.as_str().expect("an instant")), "{named_at}");
        let expected = with(
            with(before.clone(), &own),
            &json!({"isRegistrationComplete": true, "lastUsernameChangeDate": named_at}),
        );
        assert_eq!(changed, expected);
        assert_eq!(me(&server, &person).await, expected);

        // What is not named stays; null forgets.
        assert_eq!(data(change(&server, &person, json!({})).await), expected);
        let forgetful = json!({"name": null, "interests": null, "gender": null, "birthDate": null,
            "availabilityStatus": null, "consentFormAccepted": null, "consentFormVersion": null});
        let forgotten = with(
            expected,
            &json!({"name": null, "interests": [], "gender": null, "birthDate": null,
                "availabilityStatus": "available", "consentFormAccepted": false, "consentFormVersion": null,
                "isRegistrationComplete": false}),
        );
        assert_eq!(data(change(&server, &person, forgetful).await), forgotten);
        // A date alone is its midnight.
        let born = data(change(&server, &person, json!({"birthDate": "1990-05-01"})).await);
        assert_eq!(born["birthDate"], "1990-05-01T00:00:00.000Z");

        // The next sign-in shows it all.
        let again = server.sign_in(&person.phone).await;
        let expected = with(born, &json!({"lastLogin": again.answer["user"]["lastLogin"]}));
        assert_eq!(again.answer["user"], expected);
        assert_eq!(again.answer["isRegistrationComplete"], false);
    }
);

on_both!(
    a_registration_is_complete_with_its_fifth_fact,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let facts = [
            json!({"termsOfUseAccepted": true}),
            json!({"username": "johndoe123"}),
            json!({"privacyPolicyAccepted": true}),
            json!({"surname": "Doe"}),
            json!({"name": "John"}),
        ];
        for (n, fact) in facts.iter().enumerate() {
            let user = data(change(&server, &person, fact.clone()).await);
            assert_eq!(user["isRegistrationComplete"], n == 4, "after {fact}");
        }
        let answer = server.sign_in(&person.phone).await.answer;
        assert_eq!(answer["isRegistrationComplete"], true);
        assert_eq!(answer["user"]["isRegistrationComplete"], true);
        let user = data(change(&server, &person, json!({"termsOfUseAccepted": false})).await);
        assert_eq!(user["isRegistrationComplete"], false);
    }
);

on_both!(
    what_is_no_fact_is_blamed_on_its_field_and_nothing_changes,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let before = me(&server, &person).await;
        let texts = [
            "name",
            "surname",
            "profilePhoto",
            "expertise",
            "bio",
            "instagram",
            "x",
            "tiktok",
            "snapchat",
            "facebook",
            "privacyPolicyVersion",
            "termsOfUseVersion",
            "consentFormVersion",
        ];
        let bad_texts = [
            json!(""),
            json!("s3ntinel".repeat(129)),
            json!("s3ntinel\0"),
            json!(5),
            json!(["s3ntinel"]),
        ];
        let mut cases: Vec<(&str, Value)> = Vec::new();
        for name in texts {
            cases.extend(bad_texts.iter().map(|bad| (name, bad.clone())));
        }
        for name in [
            "privacyPolicyAccepted",
            "termsOfUseAccepted",
            "consentFormAccepted",
        ] {
            cases.extend([json!("true"), json!(1)].map(|bad| (name, bad)));
        }
        let users = [
            "ab",
            "s3ntinel bad",
            "s3ntinel-1",
            "jöhn",
            &"s".repeat(31),
            "abc\n",
            "",
        ];
        cases.extend(users.map(|bad| ("username", json!(bad))));
        cases.extend(["s3ntinel", "Busy", ""].map(|bad| ("availabilityStatus", json!(bad))));
        cases.extend(["s3ntinel", "MALE", ""].map(|bad| ("gender", json!(bad))));
        let dates = ["s3ntinel", "2026-02-30", "15.01.2026", "2026-01-15T25:00:00Z", ""];
        cases.extend(dates.map(|bad| ("birthDate", json!(bad))));
        let mails = ["s3ntinel", "@s3ntinel", "s3ntinel@", ""];
        cases.extend(mails.map(|bad| ("email", json!(bad))));
        let lists = [
            json!("s3ntinel"),
            json!([1]),
            json!([""]),
            json!(["s3ntinel".repeat(129)]),
            json!(vec!["s3ntinel"; 101]),
            json!({"0": "s3ntinel"}),
        ];
        cases.extend(lists.map(|bad| ("interests", bad)));
        for (name, bad) in cases {
            // What is good beside it is not kept either.
            let mut body = json!({"name": "John", "bio": "Travels"});
            body[name] = bad.clone();
            let answer = change(&server, &person, body).await;
            assert_eq!(answer.assert_allmine(400), [name], "{bad}");
            assert!(!answer.text().contains("s3ntinel"), "{answer}");
        }
        // All that is wrong is named at once.
        let body = json!({"name": 1, "username": "a", "gender": "g", "interests": "i", "email": "e"});
        let named = change(&server, &person, body).await.assert_allmine(400);
        assert_eq!(named, ["name", "username", "gender", "interests", "email"]);
        assert_eq!(me(&server, &person).await, before);

        // At their bounds they are good.
        for name in texts {
            let longest = "é".repeat(512);
            let user = data(change(&server, &person, json!({name: longest})).await);
            assert_eq!(user[name], json!(longest));
        }
    }
);

on_both!(
    a_user_name_is_one_persons_whatever_its_case_and_rests_for_30_days,
    async |server: Server| {
        let (john, jane) = (
            server.sign_in(&Phone::nth(1)).await,
            server.sign_in(&Phone::nth(2)).await,
        );
        let named = data(change(&server, &john, json!({"username": "JohnDoe"})).await);
        assert_eq!(named["username"], "JohnDoe");

        // Taken, in any case, and then nothing of the change is kept.
        for taken in ["JohnDoe", "johndoe", "JOHNDOE"] {
            change(&server, &jane, json!({"username": taken, "name": "Jane"}))
                .await
                .assert_allmine(409);
        }
        assert_eq!(me(&server, &jane).await, jane.answer["user"]);

        // Said again it is no change; anything else is, and too soon.
        let same = change(&server, &john, json!({"username": "JohnDoe", "name": "John"})).await;
        assert_eq!(data(same)["name"], "John");
        for other in [json!("johndoe"), json!("other"), Value::Null] {
            change(&server, &john, json!({"username": other, "name": "X"}))
                .await
                .assert_allmine(409);
        }
        assert_eq!(me(&server, &john).await["name"], "John");

        server.advance(30 * DAY);
        let john = server.sign_in(&john.phone).await;
        let renamed = data(change(&server, &john, json!({"username": "John.Doe"})).await);
        assert_eq!(renamed["username"], "John.Doe");
        assert!(
            renamed["lastUsernameChangeDate"].as_str() > named["lastUsernameChangeDate"].as_str(),
            "{renamed}"
        );
        change(&server, &john, json!({"username": "JohnDoe"}))
            .await
            .assert_allmine(409);
        // The old name is free for anybody.
        let jane = server.sign_in(&jane.phone).await;
        let named = data(change(&server, &jane, json!({"username": "johndoe"})).await);
        assert_eq!(named["username"], "johndoe");
    }
);

on_both!(
    of_10_people_who_want_one_name_one_gets_it,
    async |server: Server| {
        let people = join_all((0..10).map(async |n| server.sign_in(&Phone::nth(n)).await)).await;
        let names = ["Wanted", "wanted", "WANTED"];
        let answers = join_all(
            people
                .iter()
                .zip(names.iter().cycle())
                .map(|(person, name)| change(&server, person, json!({"username": name}))),
        )
        .await;
        let (named, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
        assert_eq!(named.len(), 1);
        for answer in refused {
            answer.assert_allmine(409);
        }
    }
);

on_both!(
    an_account_waits_30_days_for_its_deletion_which_can_be_taken_back,
    async |server: Server| {
        let phone = Phone::nth(1);
        let (here, there) = (server.sign_in(&phone).await, server.sign_in(&phone).await);
        let ask = async |person: &SignedIn| server.post(DELETION).by(person).send().await;
        let cancel = async |person: &SignedIn| server.delete(DELETION).by(person).send().await;

        // Nothing to take back yet.
        cancel(&here).await.assert_allmine(409);

        let asked = ask(&here).await.expect(200).json();
        let instant = |answer: &Value, name: &str| {
            let text = answer[name].as_str().expect("an instant").to_owned();
            assert!(is_instant(&text), "{answer}");
            text
        };
        let (requested, scheduled) = (instant(&asked, "requestedAt"), instant(&asked, "scheduledFor"));
        let pending = json!({"status": "pending", "requestedAt": requested, "scheduledFor": scheduled,
            "cancelledAt": null, "finalizedAt": null});
        assert_eq!(asked, pending);
        assert_eq!(day(&scheduled) - day(&requested), 30);
        assert_eq!(scheduled[10..], requested[10..], "at the same time of day");

        // Every session but the caller's has ended.
        let out = server.get("/api/v1/auth/me").by(&there).send().await;
        out.assert_allmine(401);
        server.refresh(&there.refresh).await.assert_allmine(401);
        let shown = me(&server, &here).await;
        let expected = with(
            here.answer["user"].clone(),
            &json!({"lastLogin": shown["lastLogin"], "accountDeletionStatus": "pending",
                "accountDeletionRequestedAt": requested, "accountDeletionScheduledFor": scheduled}),
        );
        assert_eq!(shown, expected);

        // Once is enough, and refusing changes nothing.
        server.advance(Duration::from_mins(1));
        ask(&here).await.assert_allmine(409);
        assert_eq!(me(&server, &here).await, shown);

        // Who signs in meanwhile can still take it back.
        let back = server.sign_in(&phone).await;
        assert_eq!(back.user_id, here.user_id);
        let cancelled = cancel(&back).await.expect(200).json();
        let at = instant(&cancelled, "cancelledAt");
        assert!(at > requested, "{cancelled}");
        let expected = json!({"status": "cancelled", "requestedAt": requested, "scheduledFor": scheduled,
            "cancelledAt": at, "finalizedAt": null});
        assert_eq!(cancelled, expected);
        cancel(&back).await.assert_allmine(409);
        let shown = me(&server, &back).await;
        assert_eq!(shown["accountDeletionStatus"], "cancelled");
        assert_eq!(shown["accountDeletionCancelledAt"], json!(at));

        // And ask anew, with nothing of the old request left.
        let asked = ask(&back).await.expect(200).json();
        assert_eq!(
            (&asked["status"], &asked["cancelledAt"]),
            (&json!("pending"), &Value::Null)
        );
        assert!(instant(&asked, "requestedAt") > requested, "{asked}");
        // The caller's own session was spared, the one from before was not.
        me(&server, &back).await;
        let out = server.get("/api/v1/auth/me").by(&here).send().await;
        out.assert_allmine(401);
    }
);

on_both!(
    of_parallel_requests_for_deletion_one_is_granted,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let answers = join_all((0..10).map(|_| server.post(DELETION).by(&person).send())).await;
        let (granted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
        assert_eq!(granted.len(), 1);
        for answer in refused {
            answer.assert_allmine(409);
        }
    }
);
