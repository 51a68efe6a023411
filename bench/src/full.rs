//! `bench`: Doorbell beside its alternatives, in one sitting, and how its cost grows. Every request of a load carries another
//! person's own token.

mod growth;
mod side_by_side;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cluster::Cluster;
use crate::contenders::{CONNECTIONS, Contender, Work};
use crate::load::{self, Load};
use crate::people::{self, Person, rate};
use crate::quick::Folder;
use crate::report::{Part, Report};
use crate::server::Server;
use crate::sitting::Plan;

/// What a sitting is made of.
struct Sitting {
    binary: PathBuf,
    folder: Folder,
    cluster: Cluster,
    /// This folder of the repository.
    bench: PathBuf,
    plan: Plan,
    /// How many people take part, each with a device.
    people: usize,
    /// How many strangers' devices lie in the larger tables.
    strangers: Vec<usize>,
    report: Report,
}

/// Doorbell with people who have signed in and registered once.
struct Populated {
    server: Rc<Server>,
    people: Vec<Person>,
}

pub(crate) async fn measure(binary: &Path) -> anyhow::Result<()> {
    let bench = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut sitting = Sitting {
        binary: binary.to_owned(),
        folder: Folder::new()?,
        cluster: Cluster::from_environment()?,
        plan: Plan {
            rounds: number("ROUNDS", 5)?,
            measured: Duration::from_secs(u64::try_from(number("SECONDS_A_TURN", 5)?)?),
        },
        people: number("PEOPLE", 20_000)?,
        strangers: vec![100_000, number("STRANGERS", 1_000_000)?],
        report: Report::new(Part::Registry, &bench),
        bench,
    };
    sitting.preface()?;

    sitting.report.say("## Signing in")?;
    let url = sitting.cluster.make("doorbell")?;
    let people = sitting.populate("PostgreSQL", &url).await?;
    let copies = sitting.copies()?;
    let postgres = Populated {
        server: sitting.serve(&url, &[])?,
        people,
    };
    let file = sitting.file();
    let people = sitting.populate("SQLite", &file).await?;
    let sqlite = Populated {
        server: sitting.serve(&file, &[])?,
        people,
    };
    let combined = contender(
        "Doorbell on PostgreSQL",
        &postgres.server,
        postgres.registrations(),
    );

    let rate = sitting.registering(&combined, &postgres, &sqlite, &url).await?;
    sitting.listing(&postgres, &sqlite).await?;
    sitting.half_of_the_most(&combined, rate).await?;
    sitting.growing(&combined, &postgres, &url, &copies).await?;
    println!("bench/RESULTS.md is written");
    Ok(())
}

/// A number from the environment.
pub(crate) fn number(name: &str, otherwise: usize) -> anyhow::Result<usize> {
    std::env::var(name).map_or(Ok(otherwise), |text| {
        text.parse().with_context(|| format!("{name} is no number"))
    })
}

/// What the machine is, and of which versions what takes part.
pub(crate) fn circumstances() -> (String, String) {
    let machine = std::env::var("MACHINE").unwrap_or_else(|_| "a machine that was not described".to_owned());
    (machine, std::env::var("VERSIONS").unwrap_or_default())
}

impl Sitting {
    fn preface(&mut self) -> anyhow::Result<()> {
        let (machine, versions) = circumstances();
        let settings = self.cluster.settings()?;
        let Plan { rounds, measured } = self.plan;
        self.report.say(&format!(
            "# Results\n\nWritten by `make bench`; [what is measured, and how](README.md).\n\n\
             - machine: {machine}\n- versions: {versions}\n- PostgreSQL: {settings}\n\
             - {CONNECTIONS} connections, {people} people with a token and a device each; {rounds} rounds in which each has its turn of \
             {seconds} s, after a fifth of that unmeasured. The load generator, the server and the database share the processors. \
             Medians of the rounds.",
            people = self.people,
            seconds = measured.as_secs(),
        ))
    }

    fn serve(&self, database: &str, settings: &[(&str, &str)]) -> anyhow::Result<Rc<Server>> {
        Ok(Rc::new(Server::doorbell(
            &self.binary,
            &self.folder.0,
            database,
            settings,
        )?))
    }

    /// Lets everybody sign in and register for the first time, by a server that is gone afterwards.
    async fn populate(&mut self, name: &str, database: &str) -> anyhow::Result<Vec<Person>> {
        let server = self.serve(database, &[])?;
        let signed_in = people::sign_in(&server.address, self.people).await?;
        let refreshes: Vec<_> = signed_in.people.iter().take(5_000).map(Person::refresh).collect();
        let began = Instant::now();
        load::once(&server.address, &refreshes, CONNECTIONS).await?;
        let refreshes = rate(refreshes.len(), began)?;
        let began = Instant::now();
        load::once(&server.address, &registrations(&signed_in.people), CONNECTIONS).await?;
        let firsts = rate(self.people, began)?;
        self.report.say(&format!(
            "On {name}, a second, once each: {:.0} send-otp, {:.0} verify-otp, {refreshes:.0} refresh, {firsts:.0} first \
             registrations of a device.",
            signed_in.sends, signed_in.verifies
        ))?;
        Ok(signed_in.people)
    }

    fn file(&self) -> String {
        format!("sqlite://{}", self.folder.0.join("bench.db").display())
    }

    /// The same people's registry with ever more strangers beside them.
    fn copies(&self) -> anyhow::Result<Vec<(usize, String)>> {
        let mut copies = Vec::new();
        for strangers in &self.strangers {
            let url = self.cluster.copy("doorbell", &format!("with_{strangers}"))?;
            let began = Instant::now();
            // In parts, as nothing commits a million rows at once.
            let part = 50_000.min(*strangers);
            for first in (1..=*strangers).step_by(part) {
                self.strangers(&url, first, (first + part - 1).min(*strangers))?;
            }
            self.cluster.query(&url, "VACUUM ANALYZE")?;
            println!("{strangers} strangers: {} s", began.elapsed().as_secs());
            copies.push((*strangers, url));
        }
        Ok(copies)
    }

    fn strangers(&self, database: &str, first: usize, last: usize) -> anyhow::Result<()> {
        let file = self.bench.join("pgbench/people.sql");
        self.cluster
            .script(database, &file, &[("first", first), ("last", last)])
    }
}

impl Populated {
    fn registrations(&self) -> Vec<Vec<u8>> {
        registrations(&self.people)
    }

    fn lists(&self) -> Vec<Vec<u8>> {
        self.people.iter().map(Person::devices).collect()
    }
}

fn registrations(people: &[Person]) -> Vec<Vec<u8>> {
    let people = people.iter().enumerate();
    people.map(|(n, person)| person.device_token(n)).collect()
}

fn contender(name: &'static str, server: &Rc<Server>, requests: Vec<Vec<u8>>) -> Contender {
    Contender {
        name,
        work: Work::Http {
            server: Rc::clone(server),
            load: Load::of(requests),
        },
    }
}
