//! Those who send while a server is killed, what they send to, and those who are rung.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use doorbell_tests::{BackEnd, Browser, Phone, PushService, Server, SignedIn, Value, join_all, json};
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::Plan;

/// People, and browsers of each.
const PEOPLE: usize = 10;
pub(super) const BROWSERS: usize = 2;

/// Clients that send at once.
const SENDERS: usize = 16;

/// How often a client asks, until it is answered.
const ATTEMPTS: usize = 5;

/// Longer than a claim holds.
const LEASE: Duration = Duration::from_secs(61);

/// Far more than anything here takes, on a machine that compiles beside.
const PATIENCE: Duration = Duration::from_mins(2);

/// Between two looks at what is left to do.
const PACE: Duration = Duration::from_millis(25);

/// How many looks in a row must find the same, until it is what nobody works at.
const LOOKS: usize = 20;

/// Servers on one database, and who uses them.
pub(super) struct Field {
    pub(super) servers: Vec<Mutex<Server>>,
    shop: BackEnd,
    people: Vec<SignedIn>,
}

/// A message whose sender was answered 202.
pub(super) struct Accepted {
    pub(super) id: String,
    pub(super) person: usize,
    /// How many requests broke off before.
    pub(super) broken: usize,
}

impl Field {
    /// The servers of `plan` on the first one's database, and everybody subscribed.
    pub(super) async fn of(first: Server, plan: Plan, service: &PushService) -> (Self, Vec<Vec<Browser>>) {
        let shop = first.back_end("shop");
        let (mut people, mut browsers) = (Vec::new(), Vec::new());
        for n in 0..PEOPLE {
            let person = first.sign_in(&Phone::nth(u32::try_from(n).expect("few"))).await;
            let theirs: Vec<_> = (0..BROWSERS)
                .map(|browser| service.browser(&format!("{n}-{browser}")))
                .collect();
            for browser in &theirs {
                first.subscribe_browser(&person, browser).await.assert_status(201);
            }
            people.push(person);
            browsers.push(theirs);
        }
        let mut servers = vec![first];
        while servers.len() < plan.servers {
            servers.push(Server::second_on(&servers[0]));
        }
        let field = Self {
            servers: servers.into_iter().map(Mutex::new).collect(),
            shop,
            people,
        };
        (field, browsers)
    }

    /// Sends the `n`th message of a round, first to the server that its sender is at, and when the connection breaks to the next one,
    /// as the same request.
    async fn send(&self, round: usize, n: usize, home: usize) -> Accepted {
        let person = n % self.people.len();
        let body = json!({
            "to": {"users": [self.people[person].user_id]},
            "notification": {"title": format!("Ring {n}"), "body": "A server dies"},
        });
        for broken in 0..ATTEMPTS {
            let server = &self.servers[(home + broken) % self.servers.len()];
            // Let go before it is sent, so that the server can be killed over it.
            let request = server.lock().await.post("/v1/messages");
            let request = request
                .bearer(&self.shop.key)
                .header("Idempotency-Key", format!("{round}-{n}"));
            if let Ok(answer) = request.json(&body).attempt().await {
                let answer = answer.expect(202).json();
                assert_eq!(answer["jobs"], json!(BROWSERS), "{answer}");
                let id = answer["id"].as_str().expect("an id").to_owned();
                return Accepted { id, person, broken };
            }
        }
        panic!("message {n} of round {round} was not taken in {ATTEMPTS} attempts");
    }

    /// Sends a round's messages by all senders, and kills a server within.
    pub(super) async fn send_all(self: &Arc<Self>, plan: Plan, round: usize) -> Vec<Accepted> {
        let (victim, moment) = plan.blow(round);
        let next = Arc::new(AtomicUsize::new(0));
        let (answers, mut answered) = watch::channel(0);
        let answers = Arc::new(answers);
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (field, next, answers) = (Arc::clone(self), Arc::clone(&next), Arc::clone(&answers));
                tokio::spawn(async move {
                    let mut accepted = Vec::new();
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= plan.messages {
                            return accepted;
                        }
                        accepted.push(field.send(round, n, sender).await);
                        answers.send_modify(|answers| *answers += 1);
                    }
                })
            })
            .collect();
        // The senders' alone, so that nobody waits for those that have failed.
        drop(answers);
        answered
            .wait_for(|answers| *answers >= moment)
            .await
            .expect("the senders run");
        {
            let mut server = self.servers[victim].lock().await;
            server.kill();
            server.start_again();
        }
        let accepted = join_all(senders).await.into_iter();
        accepted.flat_map(|sent| sent.expect("a sender")).collect()
    }

    /// Waits until nothing moves; gives how many jobs the killed server left behind.
    pub(super) async fn stand_still(&self) -> i64 {
        let began = Instant::now();
        let server = self.servers[0].lock().await;
        let (mut left, mut same) = (server.count("push_jobs"), 0);
        while same < LOOKS {
            assert!(began.elapsed() < PATIENCE, "{left} jobs are never left alone");
            sleep(PACE).await;
            let now = server.count("push_jobs");
            let untouched = server.count("push_jobs WHERE NOT claimed");
            same = if now == left && untouched == 0 {
                same + 1
            } else {
                0
            };
            left = now;
        }
        left
    }

    /// Lets the leases run out, and waits until no job is open any more, or nothing comes of waiting.
    pub(super) async fn finish(&self) {
        let server = self.servers[0].lock().await;
        server.advance(LEASE);
        let began = Instant::now();
        while server.count("push_jobs") > 0 && began.elapsed() < PATIENCE {
            sleep(PACE).await;
        }
    }

    /// What each message is said to have come to, by state: by all servers in turn, which must say the same.
    pub(super) async fn said_of(&self, accepted: &[Accepted]) -> Vec<Value> {
        let mut said = Vec::with_capacity(accepted.len());
        for (turn, some) in accepted.chunks(SENDERS).enumerate() {
            let server = self.servers[turn % self.servers.len()].lock().await;
            let asked = some.iter().map(|message| server.message(&self.shop, &message.id));
            let answers = join_all(asked).await.into_iter();
            said.extend(answers.map(|message| message["counts"].clone()));
        }
        said
    }
}
