//! `bench-quick`: what Doorbell costs on this machine, measured from outside the release binary.
//!
//! Starts the binary on SQLite and on PostgreSQL, signs people in, and keeps 64 connections busy with one
//! operation at a time, every request with another person's own token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::contenders::CONNECTIONS;
use crate::load::{self, Load, Outcome, Pace};
use crate::people::{self, Person};
use crate::server::Server;

/// How long one operation is measured, after a warm-up of a fifth of it.
const MEASURED: Duration = Duration::from_secs(10);
/// How many people register.
const PEOPLE: usize = 2_000;
/// Starts whose median is quoted.
const STARTS: usize = 11;

/// Measures both databases, or the one whose name begins with `only`.
pub(crate) async fn measure(binary: &Path, only: &str) -> anyhow::Result<()> {
    let size = std::fs::metadata(binary)?.len();
    let mega = f64::from(u32::try_from(size / 1_000)?) / 1e3;
    println!("binary: {mega:.1} MB");
    let folder = Folder::new()?;
    if "sqlite".starts_with(only) {
        let url = format!("sqlite://{}", folder.0.join("bench.db").display());
        one(binary, &folder.0, "SQLite", &url).await?;
    }
    if "postgres".starts_with(only) {
        let url = Cluster::from_environment()?.make("quick")?;
        one(binary, &folder.0, "PostgreSQL", &url).await?;
    }
    Ok(())
}

async fn one(binary: &Path, folder: &Path, name: &str, database: &str) -> anyhow::Result<()> {
    let start = || Server::doorbell(binary, folder, database, &[]);
    // The first start makes the database; the others find it.
    drop(start()?);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start()?.took);
    }
    starts.sort();
    let median = starts.get(STARTS / 2).copied().unwrap_or_default();
    println!(
        "{name}: exec to ready, median of {STARTS}: {:.0} ms",
        median.as_secs_f64() * 1e3
    );

    let server = start()?;
    // One number parsed: whatever is read lazily has been read.
    let first = people::sign_in(&server.address, 1).await?;
    println!("{name}: resident, idle: {:.1} MiB", server.resident()?);
    drop(first);

    let people = people::sign_in(&server.address, PEOPLE).await?.people;
    let each = |request: fn(&Person, usize) -> Vec<u8>| -> Vec<Vec<u8>> {
        let people = people.iter().enumerate();
        people.map(|(n, person)| request(person, n)).collect()
    };
    let registered = run(&server, each(Person::device_token)).await?;
    said(name, "device-token", &registered);
    println!("{name}: resident, after that load: {:.1} MiB", server.resident()?);

    load::once(&server.address, &each(Person::subscribe), CONNECTIONS).await?;
    let listed = run(&server, each(|person, _| person.subscriptions())).await?;
    said(name, "subscriptions list", &listed);
    println!("{name}: resident, peak: {:.1} MiB", server.peak()?);
    Ok(())
}

async fn run(server: &Server, requests: Vec<Vec<u8>>) -> anyhow::Result<Outcome> {
    let load = Load::of(requests);
    load.run(&server.address, CONNECTIONS, MEASURED, Pace::Closed)
        .await
}

fn said(name: &str, operation: &str, outcome: &Outcome) {
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name}: {operation}, {CONNECTIONS} connections: {:.0} requests/s, median {:.1} ms, p99 {:.1} ms, {} not 2xx",
        outcome.rate,
        millis(outcome.median),
        millis(outcome.p99),
        outcome.failed
    );
}

/// A folder of this process; removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("doorbell-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
