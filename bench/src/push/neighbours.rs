//! Messages through a push service that is well, while another one hangs.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::time::sleep_until;

use super::{BROWSERS, Doorbell, Sitting};
use crate::load;
use crate::people::request;

/// Messages of a turn, and how far apart they are due. Each rings one person's browsers.
const MESSAGES: usize = 200;
const APART: Duration = Duration::from_millis(75);

/// How many attempts a push service is asked at once that is known to hang. At first there are more.
const A_HUNG_LANE: usize = 8;

/// How long pushes took, in milliseconds.
struct Took(Vec<f64>);

impl Took {
    /// Those of several turns.
    fn of<'a>(turns: impl IntoIterator<Item = &'a Self>) -> Self {
        Self(turns.into_iter().flat_map(|turn| &turn.0).copied().collect())
    }

    /// What so many hundredths of them did not exceed.
    fn at(&mut self, hundredths: usize) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let place = self.0.len() * hundredths / 100;
        self.0.get(place).copied().unwrap_or_default()
    }
}

impl Sitting {
    /// Measures each without and with a push service that hangs.
    pub(super) async fn neighbours(&mut self, doorbells: &[&Doorbell]) -> anyhow::Result<()> {
        let mut table = String::from(
            "| | median, ms | p99, ms | median beside one that hangs | p99 beside one that hangs | p99, with / without | without, one half / the other |\n\
             |---|--:|--:|--:|--:|--:|--:|\n",
        );
        for doorbell in doorbells {
            let (mut alone, mut beside) = (Vec::new(), Vec::new());
            for round in 0..self.rounds {
                // In turns, so that neither is always the one that comes after.
                if round % 2 == 0 {
                    alone.push(self.paced(doorbell).await?);
                }
                self.hangs.take();
                let stuck = doorbell.send(&[doorbell.message(&doorbell.away)]).await?;
                self.hangs.wait(A_HUNG_LANE).await?;
                beside.push(self.paced(doorbell).await?);
                doorbell.take_back(&stuck).await?;
                if round % 2 == 1 {
                    alone.push(self.paced(doorbell).await?);
                }
            }
            // What the same measured twice differs by.
            let mut half = Took::of(alone.iter().step_by(2));
            let mut other = Took::of(alone.iter().skip(1).step_by(2));
            let (mut alone, mut beside) = (Took::of(&alone), Took::of(&beside));
            writeln!(
                table,
                "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {:.2} |",
                doorbell.name,
                alone.at(50),
                alone.at(99),
                beside.at(50),
                beside.at(99),
                beside.at(99) / alone.at(99),
                half.at(99) / other.at(99),
            )?;
        }
        self.report.say(&format!(
            "## Beside a push service that hangs\n\n{:.1} messages a second leave when they are due, each to the {BROWSERS} browsers of one \
             person; each push is timed from when its message was due to the push service's answer: {} in all, as many with as without. Beside them {} jobs wait for \
             another push service, which reads and never answers: 64 attempts hang in the first ten seconds of the first turn, from then on {A_HUNG_LANE}. \
             The last column is what chance does: the p99 of every other turn without, divided by that of the rest.",
            APART.as_secs_f64().recip(),
            MESSAGES * BROWSERS * self.rounds,
            super::AWAY * BROWSERS,
        ))?;
        self.report.say(table.trim_end())
    }

    /// Sends messages when they are due, and sees how long the pushes take, in milliseconds.
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
        let mut took = Took(times);
        println!(
            "{}: median {:.1} ms, p99 {:.1} ms",
            doorbell.name,
            took.at(50),
            took.at(99)
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
