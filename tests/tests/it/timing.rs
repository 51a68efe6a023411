//! That nobody learns whose a number is from how long it takes to answer. `-- timing --nocapture` prints the figures.

use std::time::{Duration, Instant};

use doorbell_tests::{Answer, Latencies, Phone, Server, Setup, on_both};

/// How many of each kind are asked in a round.
const EACH: u32 = 100;

/// After each round all that was seen so far is looked at: a difference that somebody could use stays, and what a busy machine does
/// evens out.
const ROUNDS: u32 = 8;

/// How far from a half the probability may be that one kind takes longer, and from one the ratio of their quicker quarters. Where both
/// are alike one round in three thousand passes the first by chance.
const WITHIN: f64 = 0.15;

/// As far as that for a number that nobody was ever sent a code by: that there is nothing to supersede makes a difference, of less
/// than what a request varies by, and tells nobody whose the others are.
const WITHIN_IF_NEW: f64 = 0.25;

/// As in production, but that one client may ask for many, and that two wrong codes lock a phone.
fn generous(setup: Setup) -> Setup {
    let lifted = [
        "NETWORK_SENDS",
        "NETWORK_VERIFIES",
        "PREFIX_SENDS",
        "COUNTRY_SENDS",
    ];
    let setup = lifted.iter().fold(setup.limits(), |setup, limit| {
        setup.env(&format!("DOORBELL_LIMIT_{limit}"), "1000000")
    });
    setup
        .env("DOORBELL_LIMIT_PHONE_FAILURES", "2")
        .env("DOORBELL_OTP_COOLDOWN", "0")
        // What a disk takes would cover all else.
        .env("DOORBELL_SQLITE_SYNCHRONOUS", "normal")
}

async fn timed(server: &Server, phone: &Phone, status: u16) -> Duration {
    let began = Instant::now();
    let answer = server.send_otp(phone).await;
    let took = began.elapsed();
    answer.assert_status(status);
    took
}

/// Locks phones for four minutes, and says how each is answered then.
async fn lock(server: &Server, phones: [&Phone; 2]) {
    let mut wrong = Vec::new();
    for phone in phones {
        let code = server.code_for(phone).await;
        wrong.push(if code.starts_with('1') { "200000" } else { "100000" });
    }
    for seconds in [1, 31, 61, 121] {
        server.advance(Duration::from_secs(seconds));
        for (phone, code) in phones.into_iter().zip(&wrong) {
            server.verify_otp(phone, code).await.assert_status(400);
        }
    }
}

/// Two kinds of numbers that must be answered alike: the `n`th of each, once it has been made what it is.
trait Kinds {
    const NAMES: [&str; 2];
    const STATUS: u16;
    const WITHIN: f64;

    async fn make(&self, server: &Server, n: u32) -> [Phone; 2];
}

/// Asks for codes for both kinds in turns, until they are seen to be answered alike.
async fn answered_alike<K: Kinds>(server: &Server, kinds: K) {
    let database = if server.sqlite_file().is_some() {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    let mut took = [Latencies::default(), Latencies::default()];
    let mut seen = Vec::new();
    for round in 0..ROUNDS {
        let mut phones = Vec::new();
        for n in 0..EACH {
            phones.push(kinds.make(server, round * EACH + n).await);
        }
        for (n, pair) in phones.iter().enumerate() {
            // Whoever comes second may find something warm.
            for kind in [n % 2, 1 - n % 2] {
                took[kind].push(timed(server, &pair[kind], K::STATUS).await);
            }
        }
        let longer = took[0].longer_than(&took[1]);
        let ratio = took[0].quicker_quarter_over(&took[1]);
        let told = format!(
            "{database}: {}: {}, {}: {}; the first takes longer with probability {longer:.2}, its quicker quarter {ratio:.2} times as long",
            K::NAMES[0],
            took[0],
            K::NAMES[1],
            took[1]
        );
        println!("{told}");
        if (longer - 0.5).abs() <= K::WITHIN && (ratio - 1.0).abs() <= K::WITHIN {
            return;
        }
        seen.push(told);
    }
    panic!("they are told apart by time:\n{}", seen.join("\n"));
}

/// Somebody's number, and one that a code was asked for just as often, and that nobody signed in by.
struct Nobodys;

impl Kinds for Nobodys {
    const NAMES: [&str; 2] = ["somebody's", "nobody's"];
    const STATUS: u16 = 200;
    const WITHIN: f64 = WITHIN;

    async fn make(&self, server: &Server, n: u32) -> [Phone; 2] {
        let phones = [Phone::nth(n), Phone::nth(1_000_000 + n)];
        server.sign_in(&phones[0]).await;
        server.send_otp(&phones[1]).await.assert_status(200);
        phones
    }
}

/// Somebody's number, and one that is new to the service.
struct NeverSeen;

impl Kinds for NeverSeen {
    const NAMES: [&str; 2] = ["somebody's", "never seen"];
    const STATUS: u16 = 200;
    const WITHIN: f64 = WITHIN_IF_NEW;

    async fn make(&self, server: &Server, n: u32) -> [Phone; 2] {
        let phones = [Phone::nth(2_000_000 + n), Phone::nth(3_000_000 + n)];
        server.sign_in(&phones[0]).await;
        phones
    }
}

/// The same two locked numbers again and again: what is refused changes nothing.
struct Locked([Phone; 2]);

impl Kinds for Locked {
    const NAMES: [&str; 2] = ["somebody's, locked", "nobody's, locked"];
    const STATUS: u16 = 429;
    const WITHIN: f64 = WITHIN;

    async fn make(&self, _: &Server, _: u32) -> [Phone; 2] {
        self.0.clone()
    }
}

on_both!(
    nobodys_number_is_answered_as_soon_as_somebodys,
    generous,
    async |server: Server| {
        answered_alike(&server, Nobodys).await;
        answered_alike(&server, NeverSeen).await;
    }
);

on_both!(
    nobodys_locked_number_is_answered_like_somebodys,
    generous,
    async |server: Server| {
        let phones = [Phone::nth(1), Phone::nth(2)];
        server.sign_in(&phones[0]).await;
        lock(&server, phones.each_ref()).await;
        let shape = |answer: &Answer| {
            let names = ["content-type", "cache-control", "content-length"];
            let mut body = answer.json();
            body["timestamp"].take();
            (
                answer.status(),
                body,
                names.map(|name| answer.header(name).map(str::to_owned)),
                answer.header("retry-after").is_some(),
            )
        };
        let answers = [
            server.send_otp(&phones[0]).await,
            server.send_otp(&phones[1]).await,
        ];
        assert_eq!(shape(&answers[0]), shape(&answers[1]));
        answered_alike(&server, Locked(phones)).await;
    }
);
