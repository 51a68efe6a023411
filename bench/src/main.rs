//! `bench-quick`: what Doorbell costs on this machine, measured from outside the release binary.
//!
//! Starts the binary on SQLite and on PostgreSQL, signs people in, and keeps 64 connections busy with one
//! operation at a time, every request with another person's own token. `doorbell-bench sqlite` or `postgres` measures one only.

mod load;
mod people;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use server::{Database, Server};

/// Connections that are kept busy.
const CONNECTIONS: usize = 64;
/// How long one operation is measured, after a warm-up of a fifth of it.
const MEASURED: Duration = Duration::from_secs(10);
/// How many people register.
const PEOPLE: usize = 2_000;
/// Starts whose median is quoted.
const STARTS: usize = 11;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let binary = std::env::var_os("DOORBELL_BIN")
        .map(PathBuf::from)
        .context("DOORBELL_BIN is not set")?;
    let size = std::fs::metadata(&binary)
        .context("no binary at DOORBELL_BIN")?
        .len();
    println!("binary: {:.1} MB", mega(size));
    let asked = std::env::args().nth(1);
    for database in [Database::Sqlite, Database::Postgres] {
        let name = database.name().to_lowercase();
        if asked.as_ref().is_some_and(|asked| !name.starts_with(asked)) {
            continue;
        }
        measure(&binary, database).await?;
    }
    Ok(())
}

async fn measure(binary: &std::path::Path, database: Database) -> anyhow::Result<()> {
    let name = database.name();
    let place = server::Place::new(database)?;
    // The first start makes the database; the others find it.
    drop(Server::start(binary, &place)?);
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(Server::start(binary, &place)?.took);
    }
    starts.sort();
    let median = starts.get(STARTS / 2).copied().unwrap_or_default();
    println!(
        "{name}: exec to ready, median of {STARTS}: {:.0} ms",
        median.as_secs_f64() * 1e3
    );

    let server = Server::start(binary, &place)?;
    // One number parsed: whatever is read lazily has been read.
    let first = people::sign_in(&server.address, 1).await?;
    println!("{name}: resident, idle: {:.1} MiB", server.resident()?);
    drop(first);

    let people = people::sign_in(&server.address, PEOPLE).await?;
    let registrations: Vec<Vec<u8>> = people
        .iter()
        .enumerate()
        .map(|(n, person)| person.device_token(n))
        .collect();
    let registered = load::run(&server.address, &registrations, CONNECTIONS, MEASURED).await?;
    println!("{name}: device-token, {CONNECTIONS} connections: {registered}");
    println!("{name}: resident, after that load: {:.1} MiB", server.resident()?);

    let subscriptions: Vec<Vec<u8>> = people
        .iter()
        .enumerate()
        .map(|(n, person)| person.subscribe(n))
        .collect();
    load::once(&server.address, &subscriptions, CONNECTIONS).await?;
    let lists: Vec<Vec<u8>> = people.iter().map(people::Person::subscriptions).collect();
    let listed = load::run(&server.address, &lists, CONNECTIONS, MEASURED).await?;
    println!("{name}: subscriptions list, {CONNECTIONS} connections: {listed}");
    println!("{name}: resident, peak: {:.1} MiB", server.peak()?);
    Ok(())
}

fn mega(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1e3
}
