//! PostgreSQL alone, driven by the client that comes with it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::cluster::Cluster;
use crate::usage::Family;

/// Clients, each with a connection of its own: more do not make it faster, and fewer leave it waiting for its disk.
const CLIENTS: &str = "32";

/// A script of pgbench's on a database of its own.
pub(crate) struct Script {
    database: String,
    file: PathBuf,
    /// What every `:people` in the script stands for.
    people: usize,
}

impl Script {
    pub(crate) fn new(database: String, file: PathBuf, people: usize) -> Self {
        Self {
            database,
            file,
            people,
        }
    }

    /// Transactions a second, and the processor time of pgbench itself.
    pub(crate) fn run(&self, cluster: &Cluster, measured: Duration) -> anyhow::Result<(f64, Duration)> {
        // Whole seconds are all that it takes.
        let seconds = measured.as_secs().max(1).to_string();
        let this = Family(std::process::id());
        let before = this.processor()?;
        let output = cluster
            .program("pgbench")
            .args([
                "--no-vacuum",
                "--protocol",
                "prepared",
                "--client",
                CLIENTS,
                "--jobs",
                "1",
                "--time",
                &seconds,
            ])
            .args(["--define", &format!("people={}", self.people)])
            .arg("--file")
            .arg(&self.file)
            .arg(&self.database)
            .output()?;
        ensure!(
            output.status.success(),
            "pgbench: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = String::from_utf8(output.stdout)?;
        let rate = said
            .lines()
            .find_map(|line| line.strip_prefix("tps = "))
            .and_then(|rest| rest.split(' ').next())
            .context("pgbench said no tps")?
            .parse()?;
        Ok((rate, this.processor()?.saturating_sub(before)))
    }
}
