//! All browsers rung at once.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::{BROWSERS, Doorbell, PLAINTEXT, Sitting, content, each_once, median};
use crate::contenders::Peers;
use crate::load;
use crate::people::{browser_keys, request};
use crate::server::Server;
use crate::usage::Family;

/// People of one message.
const AUDIENCE: usize = 100;

/// Messages that the peer encrypts for its own figure.
const ENCRYPTED: usize = 5_000;

/// One turn of one that rings.
struct Turn {
    /// Pushes that came.
    count: f64,
    /// Answers of the push service a second, from the first request on.
    rate: f64,
    /// Until all was written down.
    over: Duration,
    /// Processor time until then: of who sends, of PostgreSQL, and of the push service.
    sender: Duration,
    database: Duration,
    service: Duration,
}

/// One that rings.
enum Ringer<'a> {
    Doorbell(&'a Doorbell),
    WebPush(&'a Server),
}

impl Ringer<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Doorbell(doorbell) => doorbell.name,
            Self::WebPush(_) => "npm web-push, 64 at once, which keeps nothing",
        }
    }

    fn server(&self) -> &Server {
        match self {
            Self::Doorbell(doorbell) => &doorbell.server,
            Self::WebPush(server) => server,
        }
    }
}

impl Sitting {
    /// Rings every browser once, by each in turn.
    pub(super) async fn ringing(&mut self, doorbells: &[&Doorbell]) -> anyhow::Result<()> {
        let peer = Peers::new(self.bench.join(".peers")).web_push()?;
        let mut ringers: Vec<_> = doorbells.iter().map(|one| Ringer::Doorbell(one)).collect();
        ringers.push(Ringer::WebPush(&peer));
        let mut turns: Vec<Vec<Turn>> = ringers.iter().map(|_| Vec::new()).collect();
        // The first round of all warms up and does not count.
        for round in 0..=self.rounds {
            for (ringer, turns) in ringers.iter().zip(&mut turns) {
                let turn = self.turn(ringer).await?;
                println!(
                    "{}: {:.0}/s, over after {:.1?}",
                    ringer.name(),
                    turn.rate,
                    turn.over
                );
                if round > 0 {
                    turns.push(turn);
                }
            }
        }
        let encrypted = self.encrypted_by(&peer).await?;
        self.report.say(&format!(
            "## {} browsers rung\n\nBy Doorbell in messages to {AUDIENCE} people each, accepted one after the other; by web-push from one \
             process that is told to. From the first request to the push service's last answer.",
            self.people * BROWSERS
        ))?;
        self.report.say(&table(&ringers, &turns)?)?;
        let encryption = std::env::var("ENCRYPTION").unwrap_or_default();
        self.report.say(&format!(
            "## Encryption alone\n\nMessages of {PLAINTEXT} bytes that one core encrypts and signs for in a second, nothing sent. npm web-push \
             (`generateRequestDetails`, {ENCRYPTED} times, processor time of its process): {encrypted:.0}. Doorbell, by \
             `make bench-encryption`:\n\n```text\n{}\n```",
            encryption.trim_end()
        ))
    }

    async fn turn(&self, ringer: &Ringer<'_>) -> anyhow::Result<Turn> {
        let (family, database) = (Family(ringer.server().id()), self.cluster.family()?);
        let before = (
            family.processor()?,
            database.processor()?,
            self.takes.processor()?,
        );
        let browsers = self.people * BROWSERS;
        self.takes.take();
        let began = Instant::now();
        match ringer {
            Ringer::Doorbell(doorbell) => {
                let messages: Vec<_> = doorbell
                    .people
                    .chunks(AUDIENCE)
                    .map(|audience| doorbell.message(audience))
                    .collect();
                let mut delivered = 0;
                for id in doorbell.send(&messages).await? {
                    delivered += doorbell.settled(&id).await?;
                }
                ensure!(
                    usize::try_from(delivered)? == browsers,
                    "{delivered} were delivered"
                );
            }
            Ringer::WebPush(server) => drop(self.ask(server, "/send", browsers).await?),
        }
        let over = began.elapsed();
        let pushes = self.takes.take();
        let last = pushes.iter().map(|(_, at)| *at).max().context("nothing came")?;
        let count = f64::from(u32::try_from(pushes.len())?);
        each_once(pushes.into_iter().map(|(path, _)| path).collect(), browsers)?;
        Ok(Turn {
            count,
            rate: count / (last - began).as_secs_f64(),
            over,
            sender: family.processor()?.saturating_sub(before.0),
            database: database.processor()?.saturating_sub(before.1),
            service: self.takes.processor()?.saturating_sub(before.2),
        })
    }

    /// Messages that the peer encrypts in a second of a processor.
    async fn encrypted_by(&self, peer: &Server) -> anyhow::Result<f64> {
        let mut rates = Vec::new();
        for _ in 0..self.rounds {
            let answer = self.ask(peer, "/encrypt", ENCRYPTED).await?;
            let micros = answer.get("micros").and_then(Value::as_f64).context("no time")?;
            rates.push(f64::from(u32::try_from(ENCRYPTED)?) / micros * 1e6);
        }
        Ok(median(rates))
    }

    async fn ask(&self, peer: &Server, task: &str, count: usize) -> anyhow::Result<Value> {
        let id = "00000000-0000-0000-0000-000000000000";
        let mut payload = json!({"messageId": id});
        if let (Value::Object(payload), Value::Object(content)) = (&mut payload, content()) {
            payload.extend(content);
        }
        let payload = payload.to_string();
        ensure!(payload.len() == PLAINTEXT, "{} bytes", payload.len());
        let body = json!({
            "origin": self.takes.origin(), "count": count, "keys": browser_keys(), "payload": payload,
        });
        let asked = [request("POST", task, "", Some(&body))];
        let answers = load::once(&peer.address, &asked, 1).await?;
        Ok(serde_json::from_slice(answers.first().context("no answer")?)?)
    }
}

fn table(ringers: &[Ringer<'_>], turns: &[Vec<Turn>]) -> anyhow::Result<String> {
    let mut table = String::from(
        "| | messages a second | from – to | sender, cores | PostgreSQL, cores | push service, cores | sender, µs of a core each | all \
         written down after |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (ringer, turns) in ringers.iter().zip(turns) {
        let of = |figure: &dyn Fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
        let cores = |time: fn(&Turn) -> Duration| {
            of(&|turn: &Turn| time(turn).as_secs_f64() / turn.over.as_secs_f64())
        };
        let rates = || turns.iter().map(|turn| turn.rate);
        let each = of(&|turn| turn.sender.as_secs_f64() * 1e6 / turn.count);
        writeln!(
            table,
            "| {} | {:.0} | {:.0} – {:.0} | {:.2} | {:.2} | {:.2} | {:.0} | {:.1} s |",
            ringer.name(),
            of(&|turn| turn.rate),
            rates().fold(f64::INFINITY, f64::min),
            rates().fold(0.0, f64::max),
            cores(|turn| turn.sender),
            cores(|turn| turn.database),
            cores(|turn| turn.service),
            each,
            of(&|turn| turn.over.as_secs_f64()),
        )?;
    }
    Ok(table.trim_end().to_owned())
}
