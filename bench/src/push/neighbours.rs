//! Messages through a push service that is well, while another one hangs.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::sleep_until;

use super::{BROWSERS, Doorbell, Sitting, median};
use crate::load;
use crate::people::request;

/// Messages of a turn, and how far apart they are due. Each rings one person's browsers.
const MESSAGES: usize = 200;
const APART: Duration = Duration::from_millis(75);

/// How many attempts a push service is asked at once that is known to hang. At first there are more.
const A_HUNG_LANE: usize = 8;

/// How long messages took, in milliseconds.
#[derive(Clone, Copy)]
struct Took {
    median: f64,
    p99: f64,
}

impl Sitting {
    /// Measures each without and with a push service that hangs.
    pub(super) async fn neighbours(&mut self, doorbells: &[&Doorbell]) -> anyhow::Result<()> {
        let mut table = String::from(
            "| | median, ms | p99, ms | median beside one that hangs | p99 beside one that hangs | p99, with / without |\n\
             |---|--:|--:|--:|--:|--:|\n",
        );
        for doorbell in doorbells {
            let (mut alone, mut beside) = (Vec::new(), Vec::new());
            for _ in 0..self.rounds {
                alone.push(self.paced(doorbell).await?);
                self.hangs.take();
                let stuck = doorbell.send(&[doorbell.message(&doorbell.away)]).await?;
                self.hangs.wait(A_HUNG_LANE).await?;
                beside.push(self.paced(doorbell).await?);
                doorbell.take_back(&stuck).await?;
            }
            let of = |those: &[Took], figure: fn(&Took) -> f64| median(those.iter().map(figure).collect());
            let ratios = alone
                .iter()
                .zip(&beside)
                .map(|(alone, beside)| beside.p99 / alone.p99);
            writeln!(
                table,
                "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} |",
                doorbell.name,
                of(&alone, |took| took.median),
                of(&alone, |took| took.p99),
                of(&beside, |took| took.median),
                of(&beside, |took| took.p99),
                median(ratios.collect()),
            )?;
        }
        self.report.say(&format!(
            "## Beside a push service that hangs\n\n{:.1} messages a second leave when they are due, each to the {BROWSERS} browsers of one \
             person; each push is timed from when its message was due to the push service's answer ({} a turn). Beside them {} jobs wait for \
             another push service, which reads and never answers: 64 attempts hang in the first ten seconds of the first turn, from then on {A_HUNG_LANE}.",
            APART.as_secs_f64().recip(),
            MESSAGES * BROWSERS,
            super::AWAY * BROWSERS,
        ))?;
        self.report.say(table.trim_end())
    }

    /// Sends messages when they are due, and sees how long the pushes take.
    async fn paced(&self, doorbell: &Doorbell) -> anyhow::Result<Took> {
        self.takes.take();
        let start = Instant::now() + APART;
        let turns = (0_u32..).zip(doorbell.people.iter().take(MESSAGES));
        let mut sent = Vec::new();
        for (turn, person) in turns {
            let due = start + APART * turn;
            sleep_until(due.into()).await;
            let message = doorbell.message(std::slice::from_ref(person));
            let address = doorbell.server.address.clone();
            sent.push(tokio::spawn(async move {
                load::once(&address, &[message], 1).await.map(drop)
            }));
        }
        for sent in sent {
            sent.await??;
        }
        self.takes.wait(MESSAGES * BROWSERS).await?;
        let mut times = Vec::with_capacity(MESSAGES * BROWSERS);
        for (path, at) in self.takes.take() {
            let n = path.rsplit('/').next().context("no name")?.parse::<usize>()?;
            let due = start + APART * u32::try_from(n / BROWSERS)?;
            times.push(at.saturating_duration_since(due).as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        let took = Took {
            median: at(50),
            p99: at(99),
        };
        println!(
            "{}: median {:.1} ms, p99 {:.1} ms",
            doorbell.name, took.median, took.p99
        );
        Ok(took)
    }
}

impl Doorbell {
    /// Takes messages back, and waits for what was on its way.
    async fn take_back(&self, messages: &[String]) -> anyhow::Result<()> {
        for id in messages {
            let path = format!("/v1/messages/{id}");
            let asked = [request("DELETE", &path, &self.bearer(), None)];
            load::once(&self.server.address, &asked, 1).await?;
            self.settled(id).await?;
        }
        Ok(())
    }
}
