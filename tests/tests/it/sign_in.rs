//! A phone, a code, and a way in.

use std::collections::BTreeSet;
use std::time::Duration;

use doorbell_tests::{Answer, Phone, Server, Setup, SignedIn, Value, is_instant, join_all, json, on_both};

const SEND: &str = "/api/v1/auth/send-otp";
const VERIFY: &str = "/api/v1/auth/verify-otp";

/// How long a code lives.
const LIFE: Duration = Duration::from_mins(5);

async fn send(server: &Server, country: &str, number: &str) -> Answer {
    let body = json!({"countryCode": country, "phoneNumber": number});
    server.post(SEND).json(&body).send().await
}

async fn verify(server: &Server, body: Value) -> Answer {
    server.post(VERIFY).json(&body).send().await
}

/// A code that is not this one, of its length.
fn another(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    let last: u8 = last.parse().expect("a digit");
    format!("{rest}{}", (last + 1) % 10)
}

/// A code that the phone was not sent before, since a superseded one is compared with it.
async fn code_other_than(server: &Server, phone: &Phone, before: &str) -> String {
    loop {
        let code = server.code_for(phone).await;
        if code != before {
            return code;
        }
    }
}

on_both!(
    a_code_signs_in_and_both_answers_are_the_documents_own,
    async |server| {
        let sent = send(&server, "90", "5551234567").await.expect(200).json();
        let code = sent["code"].as_str().expect("a code, in development").to_owned();
        assert_eq!(
            sent,
            json!({"countryCode": "+90", "phoneNumber": "5551234567", "code": code})
        );
        assert!(
            code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
            "{code}"
        );

        let body = json!({"countryCode": "90", "phoneNumber": "5551234567", "code": code,
            "signupSource": "instagram_ads", "signupCampaign": "spring_launch_2026", "unlisted": {"a": [1]}});
        let answer = verify(&server, body).await.expect(200).json();
        let last_login = answer["user"]["lastLogin"].as_str().expect("an instant");
        assert!(is_instant(last_login), "{last_login}");
        // Every key of the document's own example.
        let keys = [
            "name",
            "surname",
            "username",
            "countryCode",
            "phoneNumber",
            "signupSource",
            "signupCampaign",
            "profilePhoto",
            "availabilityStatus",
            "birthDate",
            "gender",
            "interests",
            "expertise",
            "email",
            "bio",
            "instagram",
            "x",
            "tiktok",
            "snapchat",
            "facebook",
            "privacyPolicyAccepted",
            "privacyPolicyVersion",
            "termsOfUseAccepted",
            "termsOfUseVersion",
            "consentFormAccepted",
            "consentFormVersion",
            "isRegistrationComplete",
            "roles",
            "followersCount",
            "followingCount",
            "minutePriceInLiveStream",
            "creditBalance",
            "lastLogin",
            "timezone",
            "lastUsernameChangeDate",
            "accountDeletionStatus",
            "accountDeletionRequestedAt",
            "accountDeletionScheduledFor",
            "accountDeletionCancelledAt",
            "accountDeletionFinalizedAt",
        ];
        let mut user: Value = keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
        for (key, value) in [
            ("countryCode", json!("90")),
            ("phoneNumber", json!("5551234567")),
            ("signupSource", json!("instagram_ads")),
            ("signupCampaign", json!("spring_launch_2026")),
            ("availabilityStatus", json!("available")),
            ("interests", json!([])),
            ("privacyPolicyAccepted", json!(false)),
            ("termsOfUseAccepted", json!(false)),
            ("consentFormAccepted", json!(false)),
            ("isRegistrationComplete", json!(false)),
            ("roles", json!(["user"])),
            ("followersCount", json!(0)),
            ("followingCount", json!(0)),
            ("minutePriceInLiveStream", json!(0)),
            ("creditBalance", json!(0)),
            ("lastLogin", json!(last_login)),
        ] {
            user[key] = value;
        }
        let expected = json!({"accessToken": answer["accessToken"], "refreshToken": answer["refreshToken"],
            "expiresIn": 3600, "refreshExpiresIn": 2_592_000, "user": user, "isRegistrationComplete": false});
        assert_eq!(answer, expected);
    }
);

on_both!(
    what_a_first_sign_in_says_of_itself_is_kept,
    async |server: Server| {
        let sign_in = async |n: u32, facts: Value| {
            let phone = Phone::nth(n);
            let code = server.code_for(&phone).await;
            let mut body = json!({"countryCode": phone.country, "phoneNumber": phone.number, "code": code});
            body.as_object_mut()
                .expect("an object")
                .extend(facts.as_object().expect("an object").clone());
            let answer = verify(&server, body).await.expect(200).json();
            SignedIn::from_answer(&phone, answer)
        };
        let first = sign_in(1, json!({"signupSource": "ads", "signupCampaign": "spring"})).await;
        server.advance(Duration::from_hours(1));
        let second = sign_in(1, json!({"signupSource": "shop", "signupCampaign": "winter"})).await;
        assert_eq!(second.user_id, first.user_id);
        assert_ne!(second.session_id, first.session_id);
        let user = &second.answer["user"];
        assert_eq!(
            (&user["signupSource"], &user["signupCampaign"]),
            (&json!("ads"), &json!("spring"))
        );
        let login = |person: &SignedIn| {
            person.answer["user"]["lastLogin"]
                .as_str()
                .expect("an instant")
                .to_owned()
        };
        assert!(
            login(&first) < login(&second),
            "{} {}",
            login(&first),
            login(&second)
        );

        // Who said nothing at first came from nowhere that anybody knows, and stays so.
        let first = sign_in(2, json!({"signupSource": null})).await;
        assert_eq!(first.answer["user"]["signupSource"], Value::Null);
        let second = sign_in(2, json!({"signupSource": "late"})).await;
        assert_eq!(second.answer["user"]["signupSource"], Value::Null);
    }
);

on_both!(
    one_number_in_any_spelling_is_one_person,
    async |server: Server| {
        let spellings = [
            ("90", "5551234567"),
            ("+90", "5551234567"),
            ("90", "05551234567"),
            ("+90", "0 (555) 123-45 67"),
            ("90", " 555 123 45 67 "),
            ("９０", "５５５１２３４５６７"),
            ("+90", "٥٥٥١٢٣٤٥٦٧"),
            ("90", "+905551234567"),
            ("+90", "+90 555 123 45 67"),
            ("90", "555\u{a0}123\u{2011}4567"),
        ];
        let mut people = BTreeSet::new();
        for (n, (country, number)) in spellings.iter().enumerate() {
            let sent = send(&server, country, number).await.expect(200).json();
            assert_eq!(sent["countryCode"], "+90", "{country} {number}");
            assert_eq!(sent["phoneNumber"], "5551234567", "{country} {number}");
            // The code is given back under yet another spelling.
            let (country, number) = spellings[(n + 3) % spellings.len()];
            let body = json!({"countryCode": country, "phoneNumber": number, "code": sent["code"]});
            let answer = verify(&server, body).await.expect(200).json();
            people.insert(SignedIn::from_answer(&Phone::nth(0), answer).user_id);
        }
        assert_eq!(people.len(), 1, "{people:?}");
        assert_eq!(server.count("users"), 1);

        // A mobile number whose type its plan does not know, and one of a country without trunk prefix.
        for (country, number, normal) in [
            ("1", "(415) 555-2671", "4155552671"),
            ("39", "312 345 6789", "3123456789"),
        ] {
            let sent = send(&server, country, number).await.expect(200).json();
            assert_eq!(sent["phoneNumber"], normal);
        }
    }
);

on_both!(
    a_number_that_cannot_exist_is_blamed_on_its_field,
    async |server: Server| {
        let long = "5".repeat(2000);
        for (country, number, blamed) in [
            ("90", "", &["phoneNumber"][..]),
            ("90", "555", &["phoneNumber"]),
            ("90", "55512345678901", &["phoneNumber"]),
            ("90", "0000000000", &["phoneNumber"]),
            ("90", "5551234567x1", &["phoneNumber"]),
            ("90", "555 CALL NOW", &["phoneNumber"]),
            ("90", "+15551234567", &["phoneNumber"]),
            ("90", "5551234567\0", &["phoneNumber"]),
            ("90", &long, &["phoneNumber"]),
            ("999", "5551234567", &["countryCode"]),
            ("", "5551234567", &["countryCode"]),
            ("+", "5551234567", &["countryCode"]),
            ("TR", "5551234567", &["countryCode"]),
            ("0090", "5551234567", &["countryCode"]),
            ("90+", "5551234567", &["countryCode"]),
        ] {
            let sent = send(&server, country, number).await;
            assert_eq!(sent.assert_allmine(400), blamed, "{country:?} {number:?}");
            let body = json!({"countryCode": country, "phoneNumber": number, "code": "123456"});
            let verified = verify(&server, body).await;
            assert_eq!(verified.assert_allmine(400), blamed, "{country:?} {number:?}");
        }
        assert_eq!(server.count("otp_sessions"), 0);
    }
);

on_both!(
    a_code_is_wrong_superseded_used_spent_or_expired,
    async |server: Server| {
        let phone = Phone::nth(1);

        // Nobody asked for one.
        server.verify_otp(&phone, "123456").await.assert_allmine(404);

        // Malformed codes are no guesses; a wrong one is.
        let code = server.code_for(&phone).await;
        for bad in [
            "",
            "123",
            "123456789",
            "12a456",
            "１２３４５６",
            " 123456",
            "123456\n",
            "-12345",
        ] {
            let answer = server.verify_otp(&phone, bad).await;
            assert_eq!(answer.assert_allmine(400), ["code"], "{bad:?}");
        }
        assert_eq!(server.count("otp_sessions WHERE attempts = 0"), 1);
        let answer = server.verify_otp(&phone, &another(&code)).await;
        assert_eq!(answer.assert_allmine(400), ["code"]);
        assert_eq!(server.count("otp_sessions WHERE attempts = 1"), 1);
        // A shorter beginning of it is another code.
        let answer = server.verify_otp(&phone, &code[..5]).await;
        assert_eq!(answer.assert_allmine(400), ["code"]);

        // A new code supersedes it: the old one is a wrong guess of the new.
        let newer = code_other_than(&server, &phone, &code).await;
        assert_eq!(
            server.verify_otp(&phone, &code).await.assert_allmine(400),
            ["code"]
        );
        // It is worth nothing on another phone, with a code of its own or without.
        let neighbour = Phone::nth(2);
        server.verify_otp(&neighbour, &newer).await.assert_allmine(404);
        code_other_than(&server, &neighbour, &newer).await;
        let answer = server.verify_otp(&neighbour, &newer).await;
        assert_eq!(answer.assert_allmine(400), ["code"]);

        // Used once, it is used; when its time is over it was never there.
        server.verify_otp(&phone, &newer).await.assert_status(200);
        server.verify_otp(&phone, &newer).await.assert_allmine(409);
        server
            .verify_otp(&phone, &another(&newer))
            .await
            .assert_allmine(409);
        server.advance(LIFE);
        server.verify_otp(&phone, &newer).await.assert_allmine(404);

        // Five guesses spend it, the right one after them too; then it expires and another may be had.
        let code = server.code_for(&phone).await;
        for _ in 0..5 {
            let answer = server.verify_otp(&phone, &another(&code)).await;
            assert_eq!(answer.assert_allmine(400), ["code"]);
        }
        server.verify_otp(&phone, &code).await.assert_allmine(409);
        server
            .verify_otp(&phone, &another(&code))
            .await
            .assert_allmine(409);
        server.advance(LIFE);
        server.verify_otp(&phone, &code).await.assert_allmine(404);

        // Near its end it is still good; at its end it is not.
        let code = server.code_for(&phone).await;
        server.advance(Duration::from_mins(4));
        server.verify_otp(&phone, &code).await.assert_status(200);
        let code = server.code_for(&phone).await;
        server.advance(LIFE);
        server.verify_otp(&phone, &code).await.assert_allmine(404);
    }
);

on_both!(
    the_fifth_guess_may_still_be_right,
    |setup| setup.env("DOORBELL_OTP_LENGTH", "4"),
    async |server: Server| {
        let phone = Phone::nth(1);
        let code = server.code_for(&phone).await;
        assert_eq!(code.len(), 4, "the seeds' clients have four boxes");
        for _ in 0..4 {
            let answer = server.verify_otp(&phone, &another(&code)).await;
            assert_eq!(answer.assert_allmine(400), ["code"]);
        }
        server.verify_otp(&phone, &code).await.assert_status(200);
    }
);

on_both!(
    a_phone_waits_for_its_next_code_as_long_as_it_is_told,
    Setup::limits,
    async |server: Server| {
        let phone = Phone::nth(1);
        let wait = async || {
            // In any spelling.
            let answer = send(&server, "+90", &format!("0{}", phone.number)).await;
            answer.assert_allmine(429);
            let seconds = answer.header("retry-after").expect("asserted").to_owned();
            seconds.parse::<u64>().expect("asserted")
        };
        let code = server.code_for(&phone).await;
        let told = wait().await;
        assert!((1..=60).contains(&told), "{told}");
        // Another phone does not wait.
        server.code_for(&Phone::nth(2)).await;
        server.advance(Duration::from_secs(20));
        let told_later = wait().await;
        assert!(told_later <= told - 20, "{told} then {told_later}");
        // The code of the refused request was never made, so the first is still the one; using it ends no wait.
        server.verify_otp(&phone, &code).await.assert_status(200);
        server.verify_otp(&phone, &code).await.assert_allmine(409);
        let told = wait().await;
        server.advance(Duration::from_secs(told));
        let code = server.code_for(&phone).await;
        server.verify_otp(&phone, &code).await.assert_status(200);
    }
);

on_both!(of_64_parallel_right_codes_one_signs_in, async |server: Server| {
    let phone = Phone::nth(1);
    let code = server.code_for(&phone).await;
    let answers = join_all((0..64).map(|_| server.verify_otp(&phone, &code))).await;
    let (signed_in, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
    assert_eq!(signed_in.len(), 1);
    for answer in refused {
        answer.assert_allmine(409);
    }
    assert_eq!(server.count("sessions"), 1);
    assert_eq!(server.count("users"), 1);
});

on_both!(
    of_200_parallel_wrong_guesses_5_are_compared,
    async |server: Server| {
        let phone = Phone::nth(1);
        let code = server.code_for(&phone).await;
        let wrong = another(&code);
        let answers = join_all((0..200).map(|_| server.verify_otp(&phone, &wrong))).await;
        let (compared, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 400);
        assert_eq!(compared.len(), 5);
        for answer in refused {
            answer.assert_allmine(409);
        }
        server.verify_otp(&phone, &code).await.assert_allmine(409);
        assert_eq!(server.count("sessions"), 0);
    }
);
