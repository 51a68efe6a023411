//! How a server is to be started.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::database::{self, OwnDatabase};
use crate::process::{Process, binary};
use crate::{Cluster, Database, Server};

/// A server about to be started: its database, its folder and its environment.
#[derive(Clone, Debug)]
pub struct Setup {
    home: Arc<Home>,
    environment: BTreeMap<String, String>,
    /// In blocks of 512 bytes.
    file_size: Option<u64>,
}

/// What servers on one database share. Fields are dropped in order: the database before its folder.
#[derive(Debug)]
struct Home {
    database: OwnDatabase,
    folder: TempDir,
}

impl Setup {
    /// On a new database of that kind.
    pub fn on(database: Database) -> Self {
        match database {
            Database::Sqlite => Self::with(OwnDatabase::sqlite),
            Database::Postgres => Self::with(|_| OwnDatabase::postgres(&database::shared_cluster())),
        }
    }

    /// On a new database of a cluster that the test may stop.
    pub fn on_cluster(cluster: &Cluster) -> Self {
        Self::with(|_| OwnDatabase::postgres(cluster.url()))
    }

    fn with(database: impl FnOnce(&Path) -> OwnDatabase) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let home = Home {
            database: database(folder.path()),
            folder,
        };
        let mut setup = Self {
            home: Arc::new(home),
            environment: BTreeMap::new(),
            file_size: None,
        };
        setup.pass(Duration::ZERO);
        let path = |name: &str| setup.folder().join(name).display().to_string();
        let clock = path(CLOCK);
        let url = setup.database().url().to_owned();
        setup.set("DATABASE_URL", url);
        setup.set("DOORBELL_LISTEN", "127.0.0.1:0");
        setup.set("DOORBELL_LIMITS", "off");
        setup.set("DOORBELL_CLOCK_OFFSET_FILE", clock);
        setup
    }

    /// With the cool-down between two codes, as in production.
    #[must_use]
    pub fn limits(self) -> Self {
        self.env("DOORBELL_LIMITS", "on")
    }

    /// In production, with all that it asks for, and a sender of codes that nobody listens to.
    #[must_use]
    pub fn production(self) -> Self {
        self.env("DOORBELL_MODE", "production")
            .env("DOORBELL_SECRET", "an example of a secret that is long enough")
            .env("DOORBELL_ISSUER", "https://doorbell.example.com")
            .env("DOORBELL_OTP_COUNTRIES", "TR")
            .without("DOORBELL_LIMITS")
            .without("DOORBELL_CLOCK_OFFSET_FILE")
            .env("DOORBELL_SENDERS", "webhook")
            .env("DOORBELL_OTP_WEBHOOK_URL", "https://127.0.0.1:1/")
            .env(
                "DOORBELL_OTP_WEBHOOK_SECRET",
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            )
    }

    /// With that variable set.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Without that variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// On a disk that seems full to any file of more than `bytes`.
    #[must_use]
    pub fn largest_file(mut self, bytes: u64) -> Self {
        self.file_size = Some(bytes / 512);
        self
    }

    /// Starts the server and waits until it listens.
    pub fn start(self) -> Server {
        Server::from_setup(self)
    }

    /// Starts it where it should refuse to; returns what it said.
    pub fn refuses_to_start(&self) -> String {
        let mut process = Process::start(self.command(&["serve"]));
        let status = process.wait();
        assert!(!status.success(), "it ended with {status}:\n{}", process.log());
        process.log()
    }

    /// Runs another command of the binary (`migrate`, `backup`, …) in this environment to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }

    /// The folder that the server works in: its SQLite file and whatever it keeps beside.
    pub fn folder(&self) -> &Path {
        self.home.folder.path()
    }

    /// The SQLite file's path, where there is one.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        self.database().url().strip_prefix("sqlite://").map(PathBuf::from)
    }

    pub(crate) fn database(&self) -> &OwnDatabase {
        &self.home.database
    }

    /// The server's process, started.
    pub(crate) fn spawn(&self) -> Process {
        Process::start(self.command(&["serve"]))
    }

    /// Lets `time` pass on the clock of every server of this home.
    pub(crate) fn pass(&self, time: Duration) {
        let file = self.folder().join(CLOCK);
        let before = fs::read_to_string(&file).map_or(0, |text| text.trim().parse().unwrap_or(0));
        // Renamed into place, so that no server reads half of it.
        let next = self.folder().join("clock-offset.next");
        fs::write(&next, (before + time.as_secs()).to_string()).expect("the clock's file is written");
        fs::rename(&next, &file).expect("the clock's file is replaced");
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.file_size {
            None => Command::new(binary()),
            Some(blocks) => {
                let mut shell = Command::new("sh");
                // Ignored, the signal leaves the failing write to whoever made it.
                shell
                    .arg("-c")
                    .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""))
                    .arg(binary());
                shell
            }
        };
        command
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.folder());
        // What the machine needs to run a program at all, and nothing that could configure this one.
        for name in [
            "PATH",
            "LD_LIBRARY_PATH",
            "DYLD_LIBRARY_PATH",
            "TMPDIR",
            "LLVM_PROFILE_FILE",
        ] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(&self.environment);
        command
    }
}

const CLOCK: &str = "clock-offset";
