//! Servers as child processes, each ended when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// From exec to its saying so.
    pub(crate) took: Duration,
}

impl Server {
    /// Starts Doorbell on `database` in `folder`, with `settings` besides.
    pub(crate) fn doorbell(
        binary: &Path,
        folder: &Path,
        database: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut command = doorbell(binary, folder, database);
        command.arg("serve").envs(settings.iter().copied());
        Self::start(command, |line| {
            line.strip_prefix("listening on http://").map(ToOwned::to_owned)
        })
    }

    /// Starts any server; `listens` finds its address in a line that it prints.
    pub(crate) fn start(
        mut command: Command,
        listens: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut said = String::new();
        let address = loop {
            let Some(line) = lines.next() else {
                drop(child.kill());
                drop(child.wait());
                bail!("{command:?} ended: {said}");
            };
            let line = line?;
            if let Some(address) = listens(&line) {
                break address;
            }
            said = line;
        };
        let took = begun.elapsed();
        // Some print a line a request: somebody must read them.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, took })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
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
    /// SIGTERM first: some have children of their own, which a SIGKILL would leave behind.
    fn drop(&mut self) {
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes an API key, as an operator does.
pub(crate) fn api_key(binary: &Path, folder: &Path, database: &str) -> anyhow::Result<String> {
    let output = doorbell(binary, folder, database)
        .args(["apikey", "create", "bench"])
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout)?;
    Ok(said.split_whitespace().last().context("no key")?.to_owned())
}

fn doorbell(binary: &Path, folder: &Path, database: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("DATABASE_URL", database)
        .env("DOORBELL_LISTEN", "127.0.0.1:0")
        .env("DOORBELL_LIMITS", "off")
        .env("DOORBELL_SECRET", "a secret for measuring and of no other worth")
        .env("DOORBELL_LOG", "warn")
        .current_dir(folder);
    command
}
