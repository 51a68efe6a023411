//! What no client should send: answered in the dialect of its path, with nothing written and nothing echoed.

use doorbell_tests::{Answer, Phone, Request, Server, SignedIn, Value, json, on_both};

/// What no answer and no log line may show.
const SENTINEL: &str = "s3ntinel";

/// An operation of Allmine with a body.
struct Operation {
    path: &'static str,
    signed_in: bool,
    good: Value,
    /// What the good body is answered.
    answered: u16,
    /// Its fields in the order of the contract, and the longest value that each may have.
    required: &'static [(&'static str, usize)],
    optional: &'static [(&'static str, usize)],
}

impl Operation {
    fn request(&self, server: &Server, person: &SignedIn) -> Request {
        let request = server.post(self.path);
        if self.signed_in {
            request.by(person)
        } else {
            request
        }
    }

    async fn ask(&self, server: &Server, person: &SignedIn, body: &Value) -> Answer {
        self.request(server, person).json(body).send().await
    }

    fn with(&self, name: &str, value: Value) -> Value {
        let mut body = self.good.clone();
        body[name] = value;
        body
    }
}

/// All of them but the change of the profile, which the account's own stories go through.
fn operations() -> Vec<Operation> {
    let phone = json!({"countryCode": "90", "phoneNumber": "5559999999"});
    let mut guess = phone.clone();
    guess["code"] = json!("123456");
    vec![
        Operation {
            path: "/api/v1/auth/verify-otp",
            signed_in: false,
            good: guess,
            answered: 404,
            required: &[("countryCode", 1024), ("phoneNumber", 1024), ("code", 8)],
            optional: &[("signupSource", 1024), ("signupCampaign", 1024)],
        },
        Operation {
            path: "/api/v1/auth/refresh",
            signed_in: false,
            good: json!({"refreshToken": "t"}),
            answered: 401,
            required: &[("refreshToken", 1024)],
            optional: &[],
        },
        Operation {
            path: "/api/v1/auth/revoke-token",
            signed_in: true,
            good: json!({"refreshToken": "t"}),
            answered: 404,
            required: &[("refreshToken", 1024)],
            optional: &[],
        },
        Operation {
            path: "/api/v1/notifications/live-activity-sessions",
            signed_in: true,
            good: json!({"streamId": "s", "deviceId": "d", "liveActivityToken": "l", "activityId": "a"}),
            answered: 404,
            required: &[
                ("streamId", 256),
                ("deviceId", 256),
                ("liveActivityToken", 4096),
                ("activityId", 256),
            ],
            optional: &[],
        },
        Operation {
            path: "/api/v1/notifications/device-token",
            signed_in: true,
            good: json!({"platform": "ios", "deviceId": "d", "token": "t"}),
            answered: 200,
            required: &[("platform", 7), ("deviceId", 256)],
            optional: &[
                ("token", 4096),
                ("timezone", 256),
                ("liveActivityPushToStartToken", 4096),
            ],
        },
        Operation {
            path: "/api/v1/auth/send-otp",
            signed_in: false,
            good: phone,
            answered: 200,
            required: &[("countryCode", 1024), ("phoneNumber", 1024)],
            optional: &[],
        },
    ]
}

/// One request of each dialect that is good but for its body.
fn of_each_dialect(server: &Server, person: &SignedIn) -> [Request; 4] {
    [
        server.post("/api/v1/notifications/device-token").by(person),
        server.post("/api/v1/push.token").rocket_by(person),
        server
            .post("/notifications/devices/add-device")
            .by(person)
            .fingerprint("f"),
        server.post("/push/subscribe").by(person),
    ]
}

#[track_caller]
fn assert_nothing_written(server: &Server) {
    for table in ["devices", "push_tokens", "subscriptions", "push_addresses"] {
        assert_eq!(server.count(table), 0, "{table}");
    }
    // The one who asks, and nobody else.
    assert_eq!((server.count("users"), server.count("otp_sessions")), (1, 1));
}

on_both!(
    every_bad_field_is_named_and_none_is_echoed,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for operation in operations() {
            let fields = || operation.required.iter().chain(operation.optional);
            for (name, longest) in fields() {
                for bad in [
                    json!(5),
                    json!(true),
                    json!([SENTINEL]),
                    json!({"s3ntinel": SENTINEL}),
                    json!(""),
                    json!("s3ntinel\u{0}"),
                    json!("s3ntinel\u{1f600}".repeat(longest / 12 + 1)),
                ] {
                    let answer = operation
                        .ask(&server, &person, &operation.with(name, bad.clone()))
                        .await;
                    assert_eq!(answer.assert_allmine(400), [*name], "{} {bad}", operation.path);
                    assert!(!answer.text().contains(SENTINEL), "{answer}");
                }
            }
            for (name, _) in operation.required {
                let mut absent = operation.good.clone();
                absent.as_object_mut().expect("an object").remove(*name);
                for body in [absent, operation.with(name, Value::Null)] {
                    let answer = operation.ask(&server, &person, &body).await;
                    assert_eq!(answer.assert_allmine(400), [*name], "{} {body}", operation.path);
                }
            }
            // All at once: what is missing, and what is wrong, in the contract's order.
            let missing: Vec<_> = operation.required.iter().map(|(name, _)| *name).collect();
            let answer = operation.ask(&server, &person, &json!({})).await;
            assert_eq!(answer.assert_allmine(400), missing, "{}", operation.path);
            let wrong: Value = fields().map(|(name, _)| ((*name).to_owned(), json!(5))).collect();
            let all: Vec<_> = fields().map(|(name, _)| *name).collect();
            let answer = operation.ask(&server, &person, &wrong).await;
            assert_eq!(answer.assert_allmine(400), all, "{}", operation.path);
        }
        assert_nothing_written(&server);
        assert!(!server.log().contains(SENTINEL));

        // The bodies were good but for that.
        for operation in operations() {
            let answer = operation.ask(&server, &person, &operation.good).await;
            answer.assert_status(operation.answered);
        }
    }
);

on_both!(
    what_is_no_json_object_is_400_and_so_is_another_content_type,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for operation in operations() {
            let good = operation.good.to_string();
            let (first, _) = operation.required[0];
            let first = &operation.good[first];
            let nested = |depth: usize| {
                let name = operation.required[0].0;
                let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
                good.replacen(&format!("\"{name}\":{first}"), &format!("\"{name}\":{deep}"), 1)
            };
            let twice = good.replacen('{', &format!("{{\"{}\":{first},", operation.required[0].0), 1);
            let mut utf16 = vec![0xff, 0xfe];
            utf16.extend(good.encode_utf16().flat_map(u16::to_le_bytes));
            let broken: Vec<Vec<u8>> = vec![
                Vec::new(),
                b" ".to_vec(),
                b"null".to_vec(),
                b"5".to_vec(),
                b"\"s3ntinel\"".to_vec(),
                b"[]".to_vec(),
                format!("[{good}]").into_bytes(),
                b"{".to_vec(),
                good.as_bytes()[..good.len() - 1].to_vec(),
                format!("{good}{good}").into_bytes(),
                format!("{good} s3ntinel").into_bytes(),
                format!("\u{feff}{good}").into_bytes(),
                good.replace('"', "'").into_bytes(),
                good.replacen('}', ",}", 1).into_bytes(),
                good.replacen('{', "{\"s3ntinel\":NaN,", 1).into_bytes(),
                good.replacen(&first.to_string(), "\"\\ud800\"", 1).into_bytes(),
                good.replacen(&first.to_string(), "\"\\udc00\\ud800\"", 1)
                    .into_bytes(),
                good.replacen(&first.to_string(), "\"\\u12\"", 1).into_bytes(),
                good.replacen(&first.to_string(), "\"a\nb\"", 1).into_bytes(),
                [&b"{\"a\":\"\xff\","[..], &good.as_bytes()[1..]].concat(),
                [&b"{\"a\":\"\xed\xa0\x80\","[..], &good.as_bytes()[1..]].concat(),
                utf16,
                twice.into_bytes(),
                nested(10_000).into_bytes(),
                good.replace(['{', '}', '"'], "").replace(':', "=").into_bytes(),
            ];
            for body in broken {
                let request = operation.request(&server, &person);
                let answer = request.body("application/json", body.clone()).send().await;
                let told = String::from_utf8_lossy(&body)
                    .chars()
                    .take(200)
                    .collect::<String>();
                let none = Vec::<String>::new();
                assert_eq!(answer.assert_allmine(400), none, "{} {told}", operation.path);
                assert!(!answer.text().contains(SENTINEL), "{answer}");
            }
            let request = || operation.request(&server, &person);
            let other = [
                request().untyped_body(good.clone()),
                request().body("text/plain", good.clone()),
                request().body("application/x-www-form-urlencoded", good.clone()),
                request().body("application/jsonp", good.clone()),
                request().body("application/json-patch+json", good.clone()),
                request().body("multipart/form-data; boundary=x", good.clone()),
                request().body("", good.clone()),
                request()
                    .header("Content-Type", "text/plain")
                    .json(&operation.good),
            ];
            for request in other {
                let answer = request.send().await;
                let none = Vec::<String>::new();
                assert_eq!(answer.assert_allmine(400), none, "{}", operation.path);
            }
        }
        assert_nothing_written(&server);

        for operation in operations() {
            for content_type in [
                "application/json; charset=utf-8",
                "Application/JSON",
                "application/json ;q=1",
            ] {
                let request = operation.request(&server, &person);
                let answer = request
                    .body(content_type, operation.good.to_string())
                    .send()
                    .await;
                answer.assert_status(operation.answered);
            }
        }
    }
);

on_both!(text_of_every_script_is_text, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let device_token = async |body: String| {
        let request = server.post("/api/v1/notifications/device-token").by(&person);
        request.body("application/json", body).send().await
    };
    // Spelt in UTF-8 and in escapes, with what nobody listed around it, it is one device.
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in [
        "{\"platform\":\"ios\",\"deviceId\":\"📱\u{202e}é\",\"token\":\"t\"}".to_owned(),
        r#"{"platform":"\u0069os","deviceId":"\ud83d\udcf1\u202E\u00e9","token":"t"}"#.to_owned(),
        "{\"platform\":\"ios\",\"deviceId\":\"📱\u{202e}é\",\"unlisted\":{\"a\":[1e999999999,null]},\"\":0}"
            .to_owned(),
        format!("{{\"deep\":{deep},\"platform\":\"ios\",\"deviceId\":\"📱\u{202e}é\"}}"),
    ] {
        let answer = device_token(body).await;
        assert!(matches!(answer.status(), 200 | 400), "{answer}");
    }
    assert_eq!(server.count("devices"), 1);
    let device = server.device(&person, "📱\u{202e}é").await;
    assert_eq!(
        (&device["deviceId"], &device["pushToken"]),
        (&json!("📱\u{202e}é"), &json!("t"))
    );

    // Lengths are counted in bytes.
    let named = |length: usize| {
        let name = "😀".repeat(length);
        json!({"platform": "ios", "deviceId": name, "token": name}).to_string()
    };
    device_token(named(64)).await.assert_status(200);
    assert_eq!(device_token(named(65)).await.assert_allmine(400), ["deviceId"]);
    let token = json!({"platform": "ios", "deviceId": "d", "token": "é".repeat(2048)}).to_string();
    device_token(token).await.assert_status(200);
});

on_both!(a_time_zone_is_one_that_the_world_knows, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let with_zone = async |zone: &str| {
        let body = json!({"platform": "ios", "deviceId": "d", "token": "t", "timezone": zone});
        server.device_token(&person, &body).await
    };
    for zone in [
        "Mars/Phobos",
        "Europe/Istanbul ",
        "Europe/Istanbul\n",
        "Europe",
        "+03:00",
        "UTC+3",
        "GMT+3",
        "../Europe/Istanbul",
        "/etc/localtime",
        "Local",
        "posixrules",
        "İstanbul",
    ] {
        assert_eq!(
            with_zone(zone).await.assert_allmine(400),
            ["timezone"],
            "{zone:?}"
        );
    }
    assert_nothing_written(&server);
    for zone in [
        "Europe/Istanbul",
        "America/Argentina/Buenos_Aires",
        "Asia/Calcutta",
        "UTC",
    ] {
        with_zone(zone).await.assert_status(200);
    }
    for platform in ["windows", "iOS", "IOS", "ios ", "апн"] {
        let body = json!({"platform": platform, "deviceId": "d", "token": "t"});
        let answer = server.device_token(&person, &body).await;
        assert_eq!(answer.assert_allmine(400), ["platform"], "{platform:?}");
    }
});

on_both!(
    a_session_that_is_over_outranks_a_bad_body,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        server.log_out(&person).await;
        let large = vec![b' '; 70_000];
        for body in [&b"{"[..], b"[]", b"{}", b"{\"platform\":5}", &large] {
            for (kind, content_type) in [("JSON", "application/json"), ("text", "text/plain")] {
                let [allmine, rocket, easyflow, ocore] =
                    of_each_dialect(&server, &person).map(|request| request.body(content_type, body));
                let told = format!("{kind} of {} bytes", body.len());
                let answer = allmine.send().await;
                assert_eq!(answer.status(), 401, "{told}: {answer}");
                answer.assert_allmine(401);
                rocket.send().await.assert_rocket(401);
                easyflow.send().await.assert_easyflow(401);
                ocore.send().await.assert_problem(401, "unauthorized");
            }
        }
        // A path that names nothing, too.
        for path in [
            "/api/v1/auth/sessions/x",
            "/api/v1/notifications/device-token/%ff",
        ] {
            server.delete(path).by(&person).send().await.assert_allmine(401);
        }
        let patch = server.patch("/api/v1/users/me").by(&person);
        patch
            .json(&json!({"username": "a"}))
            .send()
            .await
            .assert_allmine(401);
    }
);
