//! How much may be asked for, and what happens to whoever asks for more: on every server alike, over restarts.

use std::time::Duration;

use doorbell_tests::{Answer, Database, Phone, Server, Setup, join_all, json, on_both, play};

const MINUTE: Duration = Duration::from_mins(1);

/// The seconds that a 429 asks to wait, in Allmine's envelope.
fn wait(answer: &Answer) -> Duration {
    answer.assert_allmine(429);
    let seconds = answer.header("retry-after").expect("Retry-After");
    Duration::from_secs(seconds.parse().expect("whole seconds"))
}

/// A code that is not this one.
fn another(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..code.len() - 1])
}

/// Guesses wrongly until it is told to wait; how many guesses were compared, and how long it must wait.
async fn guess_until_locked(server: &Server, phone: &Phone) -> (u32, Duration) {
    let mut compared = 0;
    loop {
        let code = server.code_for(phone).await;
        let wrong = another(&code);
        for _ in 0..5 {
            server.verify_otp(phone, &wrong).await.assert_allmine(400);
            compared += 1;
        }
        let answer = server.verify_otp(phone, &wrong).await;
        if answer.status() == 429 {
            return (compared, wait(&answer));
        }
        // The code's own attempts are spent.
        answer.assert_allmine(409);
        server.advance(MINUTE * 30);
    }
}

on_both!(
    a_phone_is_sent_five_codes_in_ten_minutes,
    Setup::limits,
    async |server: Server| {
        let phone = Phone::nth(1);
        for n in 1..=5 {
            server.send_otp(&phone).await.assert_status(200);
            let left = wait(&server.send_otp(&phone).await);
            assert!(n == 5 || left <= MINUTE, "the cool-down: {left:?}");
            server.advance(MINUTE);
        }
        let left = wait(&server.send_otp(&phone).await);
        assert!(left > MINUTE * 4 && left <= MINUTE * 5, "{left:?}");
        // Who waits as told is served.
        server.advance(left);
        server.send_otp(&phone).await.assert_status(200);
    }
);

on_both!(
    a_phone_is_sent_ten_codes_a_day,
    Setup::limits,
    async |server: Server| {
        let phone = Phone::nth(1);
        for _ in 0..10 {
            server.send_otp(&phone).await.assert_status(200);
            server.advance(MINUTE * 10);
        }
        let left = wait(&server.send_otp(&phone).await);
        assert!(left > MINUTE * 60 * 22, "{left:?}");
        server.advance(left);
        server.send_otp(&phone).await.assert_status(200);
    }
);

on_both!(
    wrong_codes_lock_the_phone_whatever_codes_they_were_at,
    Setup::limits,
    async |server: Server| {
        let phone = Phone::nth(1);
        let (compared, left) = guess_until_locked(&server, &phone).await;
        assert_eq!(compared, 20, "only compared guesses count");
        assert!(left <= Duration::from_secs(30), "{left:?}");
        wait(&server.send_otp(&phone).await);
        // A phone that nobody guessed at is not touched.
        server.sign_in(&Phone::nth(2)).await;

        // Each further failure doubles the time.
        server.advance(MINUTE * 10);
        let code = server.code_for(&phone).await;
        server
            .verify_otp(&phone, &another(&code))
            .await
            .assert_allmine(400);
        let left = wait(&server.verify_otp(&phone, &code).await);
        assert!(left > Duration::from_secs(30) && left <= MINUTE, "{left:?}");

        // Success ends it: twenty more are compared before the next lock.
        server.advance(left);
        server.verify_otp(&phone, &code).await.assert_status(200);
        server.advance(MINUTE * 60 * 24);
        let (compared, left) = guess_until_locked(&server, &phone).await;
        assert_eq!(compared, 20);
        assert!(left <= Duration::from_secs(30), "{left:?}");
        let locks = "audit_events WHERE action = 'phone_locked'";
        assert_eq!(
            server.count(locks),
            1,
            "on the trail of whom the phone had signed in by then"
        );
    }
);

on_both!(
    a_network_has_its_share_of_codes_guesses_and_refreshes,
    |setup: Setup| setup
        .limits()
        .env("DOORBELL_TRUSTED_PROXIES", "127.0.0.0/8")
        .env("DOORBELL_LIMIT_NETWORK_SENDS", "3")
        .env("DOORBELL_LIMIT_NETWORK_VERIFIES", "2")
        .env("DOORBELL_LIMIT_NETWORK_REFRESHES", "2"),
    async |server: Server| {
        let send = async |n: u32, from: &str| {
            let Phone { country, number } = Phone::nth(n);
            let body = json!({"countryCode": country, "phoneNumber": number});
            let request = server
                .post("/api/v1/auth/send-otp")
                .header("x-forwarded-for", from);
            request.json(&body).send().await
        };
        for n in 0..3 {
            send(n, "203.0.113.9").await.assert_status(200);
        }
        let left = wait(&send(3, "203.0.113.9").await);
        assert!(left > MINUTE * 59 && left <= MINUTE * 60, "{left:?}");
        // What was refused counted nowhere: the phone has no cool-down.
        send(3, "203.0.113.10").await.assert_status(200);
        // A site has one IPv6 network, and others have theirs.
        for n in 4..7 {
            send(n, &format!("2001:db8:0:1::{n}")).await.assert_status(200);
        }
        wait(&send(7, "2001:db8:0:1:ffff::1").await);
        send(7, "2001:db8:0:2::1").await.assert_status(200);

        let guess = async |from: &str| {
            let Phone { country, number } = Phone::nth(9);
            let body = json!({"countryCode": country, "phoneNumber": number, "code": "000000"});
            let request = server
                .post("/api/v1/auth/verify-otp")
                .header("x-forwarded-for", from);
            request.json(&body).send().await
        };
        for _ in 0..2 {
            guess("198.51.100.1").await.assert_allmine(404);
        }
        wait(&guess("198.51.100.1").await);
        guess("198.51.100.2").await.assert_allmine(404);

        let person = server.sign_in(&Phone::nth(8)).await;
        let refresh = async |token: &str| {
            let request = server
                .post("/api/v1/auth/refresh")
                .header("x-forwarded-for", "192.0.2.7");
            request.json(&json!({"refreshToken": token})).send().await
        };
        let first = refresh(&person.refresh).await.expect(200).json();
        let second = first["refreshToken"].as_str().expect("a token").to_owned();
        let third = refresh(&second).await.expect(200).json();
        let third = third["refreshToken"].as_str().expect("a token").to_owned();
        let left = wait(&refresh(&third).await);
        assert!(left <= MINUTE * 5, "{left:?}");
        server.advance(left);
        // The token that was refused is as good as it was.
        refresh(&third).await.assert_status(200);
    }
);

on_both!(
    a_range_a_country_and_the_service_have_their_limits,
    |setup: Setup| setup
        .limits()
        .env("DOORBELL_LIMIT_PREFIX_SENDS", "2")
        .env("DOORBELL_LIMIT_COUNTRY_SENDS", "4")
        .env("DOORBELL_LIMIT_ALL_SENDS", "5"),
    async |server: Server| {
        let send = async |country: &str, number: &str| {
            let phone = Phone {
                country: country.to_owned(),
                number: number.to_owned(),
            };
            server.send_otp(&phone).await
        };
        send("90", "5551230001").await.assert_status(200);
        send("90", "5551230002").await.assert_status(200);
        wait(&send("90", "5551230003").await);
        send("90", "5551240001").await.assert_status(200);
        send("90", "5551250001").await.assert_status(200);
        wait(&send("90", "5551260001").await);
        // Another country has its own limit, and all have one.
        send("49", "15112345678").await.assert_status(200);
        let left = wait(&send("44", "7400123456").await);
        server.advance(left);
        send("44", "7400123456").await.assert_status(200);
    }
);

on_both!(
    codes_are_sent_to_listed_countries_at_ordinary_cost_only,
    |setup: Setup| setup.env("DOORBELL_OTP_COUNTRIES", "TR,US"),
    async |server: Server| {
        for (country, number, served) in [
            ("90", "5551234567", true),
            ("1", "2015550123", true),
            // Canada shares its code with the United States.
            ("1", "5062345678", false),
            ("49", "15112345678", false),
            ("1", "9002345678", false),
            ("979", "123456789", false),
        ] {
            let body = json!({"countryCode": country, "phoneNumber": number});
            let answer = server.post("/api/v1/auth/send-otp").json(&body).send().await;
            if served {
                answer.assert_status(200);
            } else {
                assert_eq!(answer.assert_allmine(400), ["phoneNumber"]);
            }
        }
        assert_eq!(server.count("otp_phones"), 2, "nothing is kept of the others");
    }
);

on_both!(
    a_test_number_takes_its_code_under_the_same_limits,
    |setup: Setup| setup
        .limits()
        .env("DOORBELL_TEST_NUMBERS", "+905551234567=1234,+905551234568=4321")
        .env("DOORBELL_TEST_NUMBERS_UNTIL", "2200-01-01"),
    async |server: Server| {
        let phone = Phone {
            country: "90".to_owned(),
            number: "5551234567".to_owned(),
        };
        assert_eq!(server.code_for(&phone).await, "1234");
        wait(&server.send_otp(&phone).await);
        for _ in 0..5 {
            server.verify_otp(&phone, "4321").await.assert_allmine(400);
        }
        server.verify_otp(&phone, "1234").await.assert_allmine(409);
        server.advance(MINUTE);
        server.code_for(&phone).await;
        server.verify_otp(&phone, "1234").await.assert_status(200);
        server.verify_otp(&phone, "1234").await.assert_allmine(409);
        assert!(
            !server.log().contains("code for +905551234567"),
            "it is never sent"
        );
    }
);

on_both!(
    a_number_is_answered_alike_whether_or_not_it_is_anybodys,
    Setup::limits,
    async |server: Server| {
        let (known, unknown) = (Phone::nth(1), Phone::nth(2));
        server.sign_in(&known).await;
        server.advance(MINUTE * 60);
        let shape = |answer: &Answer| {
            let mut body = answer.json();
            for name in ["phoneNumber", "code"] {
                let length = body[name].as_str().map(str::len);
                body[name] = json!(length);
            }
            let names = [
                "content-type",
                "cache-control",
                "content-length",
                "retry-after",
                "x-content-type-options",
            ];
            (
                answer.status(),
                body,
                names.map(|name| answer.header(name).map(str::to_owned)),
            )
        };
        let answers = [server.send_otp(&known).await, server.send_otp(&unknown).await];
        assert_eq!(shape(&answers[0]), shape(&answers[1]));
        for _ in 0..2 {
            assert_eq!(
                server.verify_otp(&known, "000000").await.status(),
                server.verify_otp(&unknown, "000000").await.status()
            );
        }
    }
);

on_both!(
    limits_outlive_a_restart,
    Setup::limits,
    async |mut server: Server| {
        let phone = Phone::nth(1);
        for _ in 0..5 {
            server.send_otp(&phone).await.assert_status(200);
            server.advance(MINUTE);
        }
        server.kill();
        server.start_again();
        wait(&server.send_otp(&phone).await);
    }
);

/// Fifty people, or one person's fifty taps, on two servers.
#[test]
fn of_fifty_parallel_requests_for_one_phone_one_is_sent_by_two_servers() {
    play(Database::Postgres, Setup::limits, async |first| {
        let second = Server::second_on(&first);
        let phone = Phone::nth(1);
        let answers = join_all((0..50).map(async |n| {
            let server = if n % 2 == 0 { &first } else { &second };
            loop {
                let answer = server.send_otp(&phone).await;
                // A pool of connections has its own limit, and says that nothing was done.
                if answer.status() != 503 {
                    return answer;
                }
            }
        }))
        .await;
        let sent = answers.iter().filter(|answer| answer.status() == 200).count();
        assert_eq!(sent, 1);
        for answer in answers.iter().filter(|answer| answer.status() != 200) {
            assert!(wait(answer) <= MINUTE);
        }
        assert_eq!(first.count("otp_sessions"), 1);
    });
}

#[test]
fn two_servers_share_one_limit_exactly() {
    let setup = |setup: Setup| setup.limits().env("DOORBELL_LIMIT_ALL_SENDS", "20");
    play(Database::Postgres, setup, async |first| {
        let second = Server::second_on(&first);
        let answers = join_all((0..48).map(async |n| {
            let server = if n % 2 == 0 { &first } else { &second };
            loop {
                let answer = server.send_otp(&Phone::nth(n)).await;
                let quick = answer.header("retry-after") == Some("1");
                // There was room that another took: whoever asks again finds what is left.
                if answer.status() != 503 && !(answer.status() == 429 && quick) {
                    return answer.status();
                }
            }
        }))
        .await;
        let sent = answers.iter().filter(|status| **status == 200).count();
        assert_eq!(sent, 20);
        assert_eq!(first.count("otp_sessions"), 20);
    });
}

/// 200 guesses at once over two servers: no more are compared than a code has attempts, and the phone's failures are
/// just those.
#[test]
fn parallel_guesses_count_once_each_on_two_servers() {
    play(Database::Postgres, Setup::limits, async |first| {
        let second = Server::second_on(&first);
        let phone = Phone::nth(1);
        let code = first.code_for(&phone).await;
        let wrong = another(&code);
        let answers = join_all((0..200).map(async |n| {
            let server = if n % 2 == 0 { &first } else { &second };
            server.verify_otp(&phone, &wrong).await.status()
        }))
        .await;
        let compared = answers.iter().filter(|status| **status == 400).count();
        assert!(compared <= 5, "{compared}");
        assert_eq!(first.count(&format!("otp_phones WHERE failures = {compared}")), 1);
    });
}
