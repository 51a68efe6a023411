//! Doorbell and the others, in turns.

use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, ensure};

use super::{Populated, Sitting, contender};
use crate::contenders::{CONNECTIONS, Contender, Peers, Script, Work};
use crate::load::{self, Pace};
use crate::people::Person;
use crate::sitting::{self, Result};

impl Sitting {
    fn pgbench(&self) -> anyhow::Result<[Contender; 2]> {
        let bare = self.cluster.make("bare")?;
        let people = self.people;
        self.cluster.query(
            &bare,
            &format!(
                "CREATE TABLE bare (id int PRIMARY KEY, token text NOT NULL, updated_at timestamptz NOT NULL) WITH (fillfactor = 80);
                 INSERT INTO bare SELECT n, md5(n::text), now() FROM generate_series(1, {people}) n; ANALYZE"
            ),
        )?;
        let effects = self.cluster.make("effects")?;
        let migrated = Command::new(&self.binary)
            .arg("migrate")
            .env("DATABASE_URL", &effects)
            .status()?;
        ensure!(migrated.success(), "doorbell migrate");
        self.strangers(&effects, 1, people)?;
        self.cluster.query(&effects, "ANALYZE")?;
        let script = |database, name: &str| {
            Work::Pgbench(Script::new(
                database,
                self.bench.join("pgbench").join(name),
                people,
            ))
        };
        Ok([
            Contender {
                name: "pgbench, one bare upsert a transaction",
                work: script(bare, "bare.sql"),
            },
            Contender {
                name: "pgbench, what a registration writes",
                work: script(effects, "effects.sql"),
            },
        ])
    }

    /// The best that single writes come to, over several sizes of the pool.
    async fn alone(&self, url: &str, postgres: &Populated) -> anyhow::Result<Contender> {
        let mut best: Option<(f64, Contender)> = None;
        for (size, name) in [
            ("4", "the same, DOORBELL_COMBINE=1, 4 connections"),
            ("8", "the same, DOORBELL_COMBINE=1, 8 connections"),
            ("16", "the same, DOORBELL_COMBINE=1, 16 connections"),
            ("32", "the same, DOORBELL_COMBINE=1, 32 connections"),
        ] {
            let server = self.serve(url, &[("DOORBELL_COMBINE", "1"), ("DOORBELL_POOL", size)])?;
            let one = contender(name, &server, postgres.registrations());
            let run = one.run(&self.cluster, self.plan.measured, Pace::Closed).await?;
            println!("{name}: {:.0}/s", run.rate);
            if best.as_ref().is_none_or(|(rate, _)| run.rate > *rate) {
                best = Some((run.rate, one));
            }
        }
        best.map(|(_, one)| one).context("no size")
    }

    pub(super) async fn registering(
        &mut self,
        combined: &Contender,
        postgres: &Populated,
        sqlite: &Populated,
        url: &str,
    ) -> anyhow::Result<f64> {
        let mut contenders = vec![self.alone(url, postgres).await?];
        contenders.extend(self.pgbench()?);
        let peers = Peers::new(self.bench.join(".peers"));
        let fastify_at = self.cluster.make("fastify")?;
        let fastify = peers.fastify(&fastify_at, self.people)?;
        load::once(&fastify.server.address, &fastify.registrations, CONNECTIONS).await?;
        contenders.push(contender(
            "fastify + pg, by hand",
            &Rc::new(fastify.server),
            fastify.registrations,
        ));
        let (parse, registrations) = peers.parse(&self.cluster.make("parse")?, self.people)?;
        contenders.push(contender("parse-server", &Rc::new(parse), registrations));
        let (django, registrations) = peers.django(&self.cluster.make("django")?, self.people)?;
        contenders.push(contender("Django + fcm-django", &Rc::new(django), registrations));
        contenders.push(contender(
            "Doorbell on SQLite",
            &sqlite.server,
            sqlite.registrations(),
        ));
        let relaxed = self.serve(&self.file(), &[("DOORBELL_SQLITE_SYNCHRONOUS", "normal")])?;
        contenders.push(contender(
            "Doorbell on SQLite, synchronous=NORMAL",
            &relaxed,
            sqlite.registrations(),
        ));

        let all: Vec<&Contender> = std::iter::once(combined).chain(&contenders).collect();
        let results = sitting::alternate(&all, self.plan, Pace::Closed, &self.cluster).await?;
        self.report.say("## Registering a device\n\nEverybody's device is there already; it says again what it is and where it is reached, as after an app's release.")?;
        self.report.table(&results)?;
        self.report.chart(
            "Registrations a second: Doorbell on PostgreSQL is so many times each of these",
            &results,
        )?;
        self.verified(url, &fastify_at, sqlite).await?;
        Ok(results.first().map_or(0.0, Result::rate))
    }

    /// That the rows are there.
    async fn verified(&mut self, url: &str, fastify: &str, sqlite: &Populated) -> anyhow::Result<()> {
        let people = self.people.to_string();
        for (database, table) in [
            (url, "devices"),
            (url, "push_tokens"),
            (url, "push_addresses"),
            (fastify, "devices_by_hand"),
        ] {
            let rows = self
                .cluster
                .query(database, &format!("SELECT count(*) FROM {table}"))?;
            ensure!(rows == people, "{table} has {rows} rows");
        }
        let lists: Vec<_> = sqlite.people.iter().take(1_000).map(Person::devices).collect();
        for answer in load::once(&sqlite.server.address, &lists, CONNECTIONS).await? {
            let one = String::from_utf8(answer)?.contains("\"totalDocs\":1");
            ensure!(one, "somebody on SQLite has not one device");
        }
        self.report.say(&format!(
            "Afterwards, on PostgreSQL, each table held {people} rows: Doorbell's devices, tokens and addresses, and the table by hand. On \
             SQLite 1,000 people were asked for their devices: one each."
        ))
    }

    pub(super) async fn listing(&mut self, postgres: &Populated, sqlite: &Populated) -> anyhow::Result<()> {
        let peers = Peers::new(self.bench.join(".peers"));
        let url = self.cluster.make("fastify_lists")?;
        let fastify = peers.fastify(&url, self.people)?;
        load::once(&fastify.server.address, &fastify.registrations, CONNECTIONS).await?;
        // The first answer to everybody pins a fingerprint, which is a write.
        for populated in [postgres, sqlite] {
            load::once(&populated.server.address, &populated.lists(), CONNECTIONS).await?;
        }
        let contenders = [
            contender("Doorbell on PostgreSQL", &postgres.server, postgres.lists()),
            contender("fastify + pg, by hand", &Rc::new(fastify.server), fastify.lists),
            contender("Doorbell on SQLite", &sqlite.server, sqlite.lists()),
        ];
        let all: Vec<&Contender> = contenders.iter().collect();
        let results = sitting::alternate(&all, self.plan, Pace::Closed, &self.cluster).await?;
        self.report.say("## Listing one's devices")?;
        self.report.table(&results)
    }

    /// How long answers take when the server has time to spare.
    pub(super) async fn half_of_the_most(&mut self, combined: &Contender, most: f64) -> anyhow::Result<()> {
        let results =
            sitting::alternate(&[combined], self.plan, Pace::Open(most / 2.0), &self.cluster).await?;
        self.report.say(&format!(
            "## At half of that\n\n{:.0} registrations a second leave when they are due, whether or not others have been answered, and are timed \
             from then.",
            most / 2.0
        ))?;
        self.report.table(&results)
    }
}
