//! A code on its way: out of the database, to whoever sends it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use doorbell_tests::{
    Database, Phone, Receiver, Reply, Server, Setup, TWILIO_TOKEN, Value, WEBHOOK_SECRET, is_instant,
    join_all, json, on_both,
};

const SEND: &str = "/api/v1/auth/send-otp";

/// The same server, started again with senders.
fn sending_by(server: Server, senders: impl FnOnce(Setup) -> Setup) -> Server {
    let setup = server.setup().clone();
    drop(server);
    senders(setup).start()
}

/// Waits until nothing is left to deliver.
async fn all_is_delivered(server: &Server) {
    let began = Instant::now();
    while server.count("code_outbox") > 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "{}", server.log());
        tokio::task::yield_now().await;
    }
}

/// What a code's message says, beside its envelope.
fn data(message: &Value) -> [&str; 4] {
    ["phone", "code", "language", "text"].map(|key| message["data"][key].as_str().expect("a text"))
}

on_both!(a_code_arrives_signed_and_signs_in, async |server: Server| {
    let mut receiver = Receiver::start([]).await;
    let server = sending_by(server, |setup| setup.webhook(&receiver));
    let phone = Phone::nth(1);
    let answered = server.code_for(&phone).await;

    let received = receiver.next().await;
    assert_eq!(received.path, "/codes");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(
        received.header("webhook-signature"),
        received.signature(WEBHOOK_SECRET)
    );
    let message = received.json();
    let [to, code, language, text] = data(&message);
    assert_eq!((to, code, language), ("+905550000001", answered.as_str(), "tr"));
    assert_eq!(
        text,
        format!("Doorbell kodunuz: {code}. Bu kodu kimseye vermeyin.")
    );
    assert_eq!(message["type"], "otp.requested");
    assert_eq!(message["data"]["channel"], "sms");
    for instant in [&message["timestamp"], &message["data"]["expiresAt"]] {
        assert!(instant.as_str().is_some_and(is_instant), "{message}");
    }
    all_is_delivered(&server).await;
    server.verify_otp(&phone, code).await.assert_status(200);
    assert!(receiver.rest().is_empty());
});

on_both!(
    a_code_is_written_in_the_language_that_is_liked_best,
    async |server: Server| {
        let mut receiver = Receiver::start([]).await;
        let server = sending_by(server, |setup| {
            setup
                .webhook(&receiver)
                .env("DOORBELL_APP_NAME", "Allmine")
                .env("DOORBELL_OTP_DOMAIN", "allmine.example.com")
        });
        let body = json!({"countryCode": "90", "phoneNumber": "5551234567"});
        let request = server
            .post(SEND)
            .header("Accept-Language", "de, en;q=0.9, tr;q=0.8");
        request.json(&body).send().await.assert_status(200);
        let message = receiver.next().await.json();
        let [_, code, language, text] = data(&message);
        assert_eq!(language, "en");
        let expected = format!(
            "Your Allmine code is {code}. Do not give it to anybody.\n\n@allmine.example.com #{code}"
        );
        assert_eq!(text, expected);
        all_is_delivered(&server).await;
    }
);

on_both!(
    what_fails_is_tried_again_under_the_same_id_until_it_is_taken,
    async |server: Server| {
        let mut receiver = Receiver::start([Reply::Status(500), Reply::Status(503)]).await;
        let server = sending_by(server, |setup| setup.webhook(&receiver));
        let phone = Phone::nth(1);
        let code = server.code_for(&phone).await;
        let mut ids = BTreeSet::new();
        for _ in 0..3 {
            let received = receiver.next().await;
            assert_eq!(
                received.header("webhook-signature"),
                received.signature(WEBHOOK_SECRET)
            );
            assert_eq!(received.json()["data"]["code"], code);
            ids.insert(received.header("webhook-id").to_owned());
        }
        assert_eq!(ids.len(), 1, "{ids:?}");
        all_is_delivered(&server).await;
        assert!(receiver.rest().is_empty());
        server.verify_otp(&phone, &code).await.assert_status(200);
        assert!(!server.log().contains(&phone.number), "{}", server.log());
    }
);

on_both!(
    a_code_outlives_the_server_that_was_asked_for_it,
    async |server: Server| {
        let mut receiver = Receiver::start([Reply::Silence]).await;
        let mut server = sending_by(server, |setup| setup.webhook(&receiver));
        let phone = Phone::nth(1);
        let code = server.code_for(&phone).await;
        // Somebody begins to send it, and nobody ever learns how that ended.
        let first = receiver.next().await;
        server.kill();
        server.start_again();
        server.get("/health/ready").send().await.assert_status(200);
        assert_eq!(server.count("code_outbox WHERE fence = 1"), 1, "its lease runs");
        server.advance(Duration::from_secs(61));
        let second = receiver.next().await;
        assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
        assert_ne!(
            second.header("webhook-timestamp"),
            first.header("webhook-timestamp")
        );
        assert_eq!(second.json()["data"]["code"], code);
        all_is_delivered(&server).await;
        server.verify_otp(&phone, &code).await.assert_status(200);
        assert!(receiver.rest().is_empty());
    }
);

on_both!(
    a_request_is_answered_alike_whatever_its_sender_does,
    async |server: Server| {
        // Nobody listens there any more.
        let url = Receiver::start([]).await.url("/codes");
        let mut server = sending_by(server, |setup| {
            setup
                .env("DOORBELL_SENDERS", "webhook")
                .env("DOORBELL_OTP_WEBHOOK_URL", &url)
                .env("DOORBELL_OTP_WEBHOOK_SECRET", WEBHOOK_SECRET)
        });
        let phone = Phone::nth(1);
        let code = server.code_for(&phone).await;
        server.verify_otp(&phone, &code).await.assert_status(200);
        assert_eq!(server.count("code_outbox"), 1, "it is still to be delivered");

        // A server with another sender takes it up.
        assert!(server.stop().success(), "{}", server.log());
        let mut receiver = Receiver::start([]).await;
        let next = server.setup().clone().webhook(&receiver).start();
        next.advance(Duration::from_secs(31));
        assert_eq!(receiver.next().await.json()["data"]["code"], code);
        all_is_delivered(&next).await;
    }
);

on_both!(
    the_next_sender_is_asked_when_one_does_not_take_a_code,
    async |server: Server| {
        let mut webhook = Receiver::start([Reply::Status(500), Reply::Status(403)]).await;
        let mut twilio = Receiver::start([Reply::Status(201), Reply::Status(201)]).await;
        let server = sending_by(server, |setup| {
            let both = setup.webhook(&webhook).twilio(&twilio);
            both.env("DOORBELL_SENDERS", "webhook,twilio")
        });
        for n in 1..=2 {
            let phone = Phone::nth(n);
            let code = server.code_for(&phone).await;
            assert_eq!(webhook.next().await.json()["data"]["code"], code);
            let received = twilio.next().await;
            assert_eq!(received.path, "/2010-04-01/Accounts/AC0123/Messages.json");
            let basic = BASE64_STANDARD.encode(format!("AC0123:{TWILIO_TOKEN}"));
            assert_eq!(received.header("authorization"), format!("Basic {basic}"));
            let form: BTreeMap<String, String> =
                url::form_urlencoded::parse(&received.body).into_owned().collect();
            assert_eq!(form["To"], format!("+90{}", phone.number));
            assert_eq!(form["MessagingServiceSid"], "MG0123");
            assert!(form["Body"].contains(&code), "{form:?}");
            all_is_delivered(&server).await;
            server.verify_otp(&phone, &code).await.assert_status(200);
        }
        assert!(webhook.rest().is_empty() && twilio.rest().is_empty());
    }
);

on_both!(
    a_superseded_or_refused_code_is_not_sent_again,
    async |server: Server| {
        let mut receiver = Receiver::start([Reply::Status(500)]).await;
        let server = sending_by(server, |setup| setup.webhook(&receiver));
        let phone = Phone::nth(1);
        server.code_for(&phone).await;
        let first = receiver.next().await;
        server.code_for(&phone).await;
        let second = receiver.next().await;
        assert_ne!(second.header("webhook-id"), first.header("webhook-id"));
        all_is_delivered(&server).await;
        assert!(receiver.rest().is_empty());

        let mut refusing = Receiver::start([Reply::Status(422)]).await;
        let server = sending_by(server, |setup| setup.webhook(&refusing));
        let code = server.code_for(&phone).await;
        refusing.next().await;
        all_is_delivered(&server).await;
        assert!(refusing.rest().is_empty());
        // It is a code all the same, should it have come by another way.
        server.verify_otp(&phone, &code).await.assert_status(200);
    }
);

on_both!(of_two_servers_one_sends_each_code, async |server: Server| {
    let mut receiver = Receiver::start([]).await;
    let first = sending_by(server, |setup| setup.webhook(&receiver));
    let second = Server::second_on(&first);
    let asked = join_all((0..40).map(|n| {
        let server = if n % 2 == 0 { &first } else { &second };
        async move { server.code_for(&Phone::nth(n)).await }
    }));
    let asked: BTreeSet<String> = asked.await.into_iter().collect();
    all_is_delivered(&first).await;
    let (mut ids, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..40 {
        let received = receiver.next().await;
        ids.insert(received.header("webhook-id").to_owned());
        codes.insert(data(&received.json())[1].to_owned());
    }
    assert_eq!((ids.len(), codes), (40, asked));
    assert!(receiver.rest().is_empty());
});

#[test]
fn senders_that_are_not_whole_are_refused_by_name() {
    let webhook = |url: &str, secret: &str| {
        Setup::on(Database::Sqlite)
            .env("DOORBELL_SENDERS", "webhook")
            .env("DOORBELL_OTP_WEBHOOK_URL", url)
            .env("DOORBELL_OTP_WEBHOOK_SECRET", secret)
    };
    for (setup, variable) in [
        (webhook("", WEBHOOK_SECRET), "DOORBELL_OTP_WEBHOOK_URL"),
        (
            webhook("http://codes.example.com/", WEBHOOK_SECRET),
            "DOORBELL_OTP_WEBHOOK_URL",
        ),
        (
            webhook("https://codes.example.com/", "whsec_s3ntinel"),
            "DOORBELL_OTP_WEBHOOK_SECRET",
        ),
        (
            webhook("https://codes.example.com/", WEBHOOK_SECRET).env("DOORBELL_SENDERS", "webhook,twilio"),
            "DOORBELL_TWILIO_ACCOUNT_SID",
        ),
    ] {
        let said = setup.refuses_to_start();
        assert!(said.contains(variable), "{variable}: {said}");
        assert!(!said.contains("s3ntinel"), "{said}");
    }
}

on_both!(
    production_starts_with_a_sender_and_answers_no_code,
    Setup::production,
    async |server: Server| {
        let sent = server.send_otp(&Phone::nth(1)).await.expect(200).json();
        assert_eq!(sent, json!({"countryCode": "+90", "phoneNumber": "5550000001"}));
    }
);
