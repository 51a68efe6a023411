//! The PostgreSQL cluster that `scripts/with-postgres` keeps beside this process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::usage::Family;

/// The cluster, and where its programs are.
#[derive(Clone)]
pub(crate) struct Cluster {
    url: String,
    programs: PathBuf,
    folder: PathBuf,
}

impl Cluster {
    /// As `scripts/with-postgres` tells of it.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
        Ok(Self {
            url: variable("DOORBELL_BENCH_POSTGRES")?,
            programs: variable("DOORBELL_TEST_POSTGRES_BIN")?.into(),
            folder: Path::new(&variable("DOORBELL_TEST_POSTGRES_CLUSTERS")?).join("main"),
        })
    }

    /// Makes an empty database, and gives its URL.
    pub(crate) fn make(&self, name: &str) -> anyhow::Result<String> {
        self.query(&self.url, &format!("CREATE DATABASE {name}"))?;
        let (server, _) = self.url.rsplit_once('/').context("a URL without a database")?;
        Ok(format!("{server}/{name}"))
    }

    /// Makes a database as another is now, to which nobody may be connected.
    pub(crate) fn copy(&self, of: &str, name: &str) -> anyhow::Result<String> {
        self.make(&format!("{name} TEMPLATE {of}"))?;
        let (server, _) = self.url.rsplit_once('/').context("a URL without a database")?;
        Ok(format!("{server}/{name}"))
    }

    /// What matters of how it is set up.
    pub(crate) fn settings(&self) -> anyhow::Result<String> {
        self.query(
            &self.url,
            "SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings WHERE name IN
                ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size')",
        )
    }

    /// Begins a checkpoint, and does not wait for its end.
    pub(crate) fn begin_checkpoint(&self) {
        let this = self.clone();
        std::thread::spawn(move || this.query(&this.url, "CHECKPOINT").map(drop));
    }

    /// Runs a script with its variables set.
    pub(crate) fn script(
        &self,
        database: &str,
        file: &Path,
        variables: &[(&str, usize)],
    ) -> anyhow::Result<()> {
        let mut command = self.program("psql");
        for (name, value) in variables {
            command.args(["-v", &format!("{name}={value}")]);
        }
        command
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"])
            .arg(file);
        ensure!(command.status()?.success(), "{}", file.display());
        Ok(())
    }

    /// What a statement answers, unadorned.
    pub(crate) fn query(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let output = self
            .program("psql")
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                database,
                "-c",
                statement,
            ])
            .output()?;
        ensure!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// One of PostgreSQL's programs.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// The server with all its processes.
    pub(crate) fn family(&self) -> anyhow::Result<Family> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        let id = file.lines().next().context("postmaster.pid is empty")?.parse()?;
        Ok(Family(id))
    }
}
