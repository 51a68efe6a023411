//! The release binary as a child process, and what the kernel says of its memory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Which database.
#[derive(Clone, Copy)]
pub(crate) enum Database {
    /// A file of its own.
    Sqlite,
    /// The database that `DOORBELL_BENCH_POSTGRES` names, empty at first.
    Postgres,
}

impl Database {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Where a server keeps its things; removed at the end.
pub(crate) struct Place {
    folder: std::path::PathBuf,
    url: String,
}

impl Place {
    pub(crate) fn new(database: Database) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!(
            "doorbell-bench-{}-{}",
            std::process::id(),
            database.name()
        ));
        std::fs::create_dir_all(&folder)?;
        let url = match database {
            Database::Sqlite => format!("sqlite://{}", folder.join("bench.db").display()),
            Database::Postgres => {
                std::env::var("DOORBELL_BENCH_POSTGRES").context("DOORBELL_BENCH_POSTGRES is not set")?
            }
        };
        Ok(Self { folder, url })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// A running server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// From exec to its saying so.
    pub(crate) took: Duration,
}

impl Server {
    pub(crate) fn start(binary: &Path, place: &Place) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", &place.url)
            .env("DOORBELL_LISTEN", "127.0.0.1:0")
            .env("DOORBELL_LIMITS", "off")
            .env("DOORBELL_SECRET", "a secret for measuring and of no other worth")
            .env("DOORBELL_LOG", "warn")
            .current_dir(&place.folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let line = lines.next().context("the server said nothing")??;
        let took = begun.elapsed();
        let Some(address) = line.strip_prefix("listening on http://").map(ToOwned::to_owned) else {
            child.kill()?;
            bail!("the server said: {line}")
        };
        // The development sender prints a line a code: somebody must read them.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, took })
    }

    /// Resident memory now, in MiB.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        self.status("VmRSS:")
    }

    /// The most it ever was, in MiB.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .context("no such figure")?;
        let kibi: u32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kibi) / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
