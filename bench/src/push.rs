//! `bench-push`: messages from their acceptance to the push service's answer, for 10,000 browsers on both databases, beside npm's
//! web-push; and what a push service that hangs does to the others' messages.

mod neighbours;
mod ringing;
mod service;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::service::{Manner, PushService};
use crate::cluster::Cluster;
use crate::contenders::CONNECTIONS;
use crate::full::{circumstances, number};
use crate::load;
use crate::people::{self, Person, request};
use crate::quick::Folder;
use crate::report::{Part, Report};
use crate::server::{Server, api_key};

/// Browsers of each person.
const BROWSERS: usize = 10;

/// People whose push service hangs.
const AWAY: usize = 50;

/// What a browser decrypts, in bytes.
const PLAINTEXT: usize = 300;

/// What all of it shares.
struct Sitting {
    cluster: Cluster,
    folder: Folder,
    bench: PathBuf,
    rounds: usize,
    /// People with their browsers at a push service that is well.
    people: usize,
    takes: PushService,
    hangs: PushService,
    report: Report,
}

/// A server whose people have subscribed their browsers.
struct Doorbell {
    name: &'static str,
    server: Server,
    key: String,
    /// Those whose push service is well.
    people: Vec<Person>,
    /// Those whose push service hangs.
    away: Vec<Person>,
}

pub(crate) async fn measure(binary: &Path) -> anyhow::Result<()> {
    let bench = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut sitting = Sitting {
        cluster: Cluster::from_environment()?,
        folder: Folder::new()?,
        rounds: number("ROUNDS", 10)?,
        people: number("BROWSERS", 10_000)? / BROWSERS,
        takes: PushService::start(Manner::Takes)?,
        hangs: PushService::start(Manner::Hangs)?,
        report: Report::new(Part::Delivery, &bench),
        bench,
    };
    sitting.preface()?;
    let url = sitting.cluster.make("push")?;
    let file = format!("sqlite://{}", sitting.folder.0.join("push.db").display());
    let postgres = sitting.populate("Doorbell on PostgreSQL", binary, &url).await?;
    let sqlite = sitting.populate("Doorbell on SQLite", binary, &file).await?;
    sitting.ringing(&[&postgres, &sqlite]).await?;
    sitting.neighbours(&[&postgres, &sqlite]).await?;
    println!("bench/RESULTS.md is written");
    Ok(())
}

impl Sitting {
    fn preface(&mut self) -> anyhow::Result<()> {
        let (machine, versions) = circumstances();
        let settings = self.cluster.settings()?;
        self.report.say(&format!(
            "Written by `make bench-push`; [what is measured, and how](README.md).\n\n\
             - machine: {machine}\n- versions: {versions}\n- PostgreSQL: {settings}\n\
             - {} browsers of {} people; what a browser decrypts is {PLAINTEXT} bytes. Medians of {} rounds in which each has its turn. The \
             sender, the database and the push service share the processors.",
            self.people * BROWSERS,
            self.people,
            self.rounds,
        ))
    }

    /// Has everybody sign in and subscribe.
    async fn populate(&self, name: &'static str, binary: &Path, database: &str) -> anyhow::Result<Doorbell> {
        let server = Server::doorbell(binary, &self.folder.0, database, &[])?;
        let began = Instant::now();
        let mut people = people::sign_in(&server.address, self.people + AWAY).await?.people;
        let away = people.split_off(self.people);
        for (people, service) in [(&people, &self.takes), (&away, &self.hangs)] {
            let endpoints = (0..people.len() * BROWSERS).map(|n| format!("{}/push/{n}", service.origin()));
            let subscriptions: Vec<_> = endpoints
                .enumerate()
                .filter_map(|(n, endpoint)| Some(people.get(n / BROWSERS)?.subscribe_at(&endpoint)))
                .collect();
            load::once(&server.address, &subscriptions, CONNECTIONS).await?;
        }
        println!("{name}: subscribed after {} s", began.elapsed().as_secs());
        Ok(Doorbell {
            name,
            key: api_key(binary, &self.folder.0, database)?,
            server,
            people,
            away,
        })
    }
}

impl Doorbell {
    /// What rings these people's browsers.
    fn message(&self, to: &[Person]) -> Vec<u8> {
        let users: Vec<&str> = to.iter().map(|person| person.id.as_str()).collect();
        let mut body = json!({"to": {"users": users}, "ttl": 3600, "urgency": "high"});
        if let (Value::Object(body), Value::Object(content)) = (&mut body, content()) {
            body.extend(content);
        }
        request("POST", "/v1/messages", &self.bearer(), Some(&body))
    }

    /// Sends messages one after the other, and gives their ids.
    async fn send(&self, messages: &[Vec<u8>]) -> anyhow::Result<Vec<String>> {
        let answers = load::once(&self.server.address, messages, 1).await?;
        let ids = answers.iter().map(|answer| {
            let answer: Value = serde_json::from_slice(answer)?;
            let id = answer.get("id").and_then(Value::as_str).context("no id")?;
            Ok(id.to_owned())
        });
        ids.collect()
    }

    /// Waits until every job of a message is over; gives how many were delivered.
    async fn settled(&self, id: &str) -> anyhow::Result<u64> {
        let ask = request("GET", &format!("/v1/messages/{id}?limit=1"), &self.bearer(), None);
        let began = Instant::now();
        while began.elapsed() < Duration::from_mins(3) {
            let answers = load::once(&self.server.address, std::slice::from_ref(&ask), 1).await?;
            let answer: Value = serde_json::from_slice(answers.first().context("no answer")?)?;
            let count = |state: &str| {
                let count = answer.get("counts").and_then(|counts| counts.get(state));
                count.and_then(Value::as_u64).unwrap_or(0)
            };
            if count("pending") + count("sending") + count("retrying") == 0 {
                return Ok(count("delivered"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        bail!("message {id} is not over")
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.key)
    }
}

/// What a message says, so long that a browser decrypts [`PLAINTEXT`] bytes.
fn content() -> Value {
    let content = |body: &str| json!({"notification": {"title": "Your order is on its way", "body": body}, "data": {"orderId": "4421"}});
    // As a browser gets it, there is an id in front.
    let id = "00000000-0000-0000-0000-000000000000";
    let around = format!(r#""messageId":"{id}","#).len() + content("").to_string().len();
    content(&"x".repeat(PLAINTEXT.saturating_sub(around)))
}

/// That each browser was rung once.
fn each_once(mut paths: Vec<String>, browsers: usize) -> anyhow::Result<()> {
    let all = paths.len();
    paths.sort_unstable();
    paths.dedup();
    ensure!(
        all == browsers && paths.len() == browsers,
        "{all} pushes to {} of {browsers} browsers",
        paths.len()
    );
    Ok(())
}

/// The one in the middle.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
