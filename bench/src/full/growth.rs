//! How the rate changes with the tables, the batches and the servers.

use anyhow::ensure;

use super::{Populated, Sitting, contender};
use crate::contenders::{CONNECTIONS, Contender};
use crate::load::{Load, Pace};
use crate::sitting::{self, Plan, Result};

impl Sitting {
    /// What changes with the size of the tables, with servers, and with batches.
    pub(super) async fn growing(
        &mut self,
        combined: &Contender,
        postgres: &Populated,
        url: &str,
        copies: &[(usize, String)],
    ) -> anyhow::Result<()> {
        let mut larger = Vec::new();
        for (strangers, copy) in copies {
            let name = if *strangers < 1_000_000 {
                "with 10⁵ strangers' devices"
            } else {
                "with 10⁶ strangers' devices, checkpoints within"
            };
            larger.push((
                copy,
                contender(name, &self.serve(copy, &[])?, postgres.registrations()),
            ));
        }
        let all: Vec<&Contender> = std::iter::once(combined)
            .chain(larger.iter().map(|(_, one)| one))
            .collect();
        // A checkpoint begins with every round.
        let mut results: Vec<Result> = Vec::new();
        for _ in 0..self.plan.rounds {
            self.cluster.begin_checkpoint();
            let round = sitting::alternate(
                &all,
                Plan {
                    rounds: 1,
                    ..self.plan
                },
                Pace::Closed,
                &self.cluster,
            )
            .await?;
            for (at, result) in round.into_iter().enumerate() {
                match results.get_mut(at) {
                    Some(known) => known.runs.extend(result.runs),
                    None => results.push(result),
                }
            }
        }
        self.report.say("## More devices in the tables")?;
        self.report.table(&results)?;
        let sizes = self.cluster.query(
            copies.last().map_or(url, |(_, copy)| copy),
            "SELECT string_agg(relname || ' ' || pg_size_pretty(pg_table_size(oid)) || ' + ' || pg_size_pretty(pg_indexes_size(oid)) || ' of indexes', ', ')
                FROM pg_class WHERE relkind = 'r' AND relname IN ('users', 'sessions', 'devices', 'push_tokens', 'push_addresses')",
        )?;
        self.report.say(&format!("The largest of them: {sizes}."))?;
        drop(larger);

        let mut batches = Vec::new();
        for (size, name) in [
            ("2", "2 a batch at most"),
            ("8", "8"),
            ("32", "32"),
            ("128", "128"),
        ] {
            batches.push(contender(
                name,
                &self.serve(url, &[("DOORBELL_COMBINE", size)])?,
                postgres.registrations(),
            ));
        }
        let all: Vec<&Contender> = std::iter::once(combined).chain(&batches).collect();
        let results = sitting::alternate(&all, self.plan, Pace::Closed, &self.cluster).await?;
        self.report
            .say("## Batches of other sizes\n\nThe first takes up to 256.")?;
        self.report.table(&results)?;
        drop(batches);
        self.two_servers(postgres, url).await
    }

    async fn two_servers(&mut self, postgres: &Populated, url: &str) -> anyhow::Result<()> {
        let second = self.serve(url, &[])?;
        let (here, there) = (
            Load::of(postgres.registrations()),
            Load::of(postgres.registrations()),
        );
        let mut figures = Vec::new();
        for _ in 0..self.plan.rounds {
            let one = here
                .run(
                    &postgres.server.address,
                    CONNECTIONS,
                    self.plan.measured,
                    Pace::Closed,
                )
                .await?;
            let (first, other) = tokio::try_join!(
                here.run(
                    &postgres.server.address,
                    CONNECTIONS / 2,
                    self.plan.measured,
                    Pace::Closed
                ),
                there.run(&second.address, CONNECTIONS / 2, self.plan.measured, Pace::Closed),
            )?;
            let failed = one.failed + first.failed + other.failed;
            ensure!(failed == 0, "{failed} registrations failed");
            figures.push((one.rate, first.rate + other.rate));
        }
        figures.sort_by(|a, b| a.1.total_cmp(&b.1));
        let two = figures.get(figures.len() / 2).map_or(0.0, |(_, two)| *two);
        figures.sort_by(|a, b| a.0.total_cmp(&b.0));
        let one = figures.get(figures.len() / 2).map_or(0.0, |(one, _)| *one);
        self.report.say(&format!(
            "## Two servers on one database\n\nOn the same processors, half of the connections each: {two:.0} registrations a second, and {one:.0} by one server."
        ))
    }
}
