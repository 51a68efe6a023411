//! A PostgreSQL cluster that one test may stop and start.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// A cluster of the test's own. It is stopped and removed when this goes, or at the latest with the shared one.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    url: String,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub fn start() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let clusters = env::var_os("DOORBELL_TEST_POSTGRES_CLUSTERS").expect(
            "DOORBELL_TEST_POSTGRES_CLUSTERS is not set: run the tests by `make test` or under scripts/with-postgres",
        );
        let name = format!("own-{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(&clusters).join(name);
        control("create", &folder, &[]);
        let url = control("start", &folder, &[]);
        Self { folder, url }
    }

    /// Stops it as a failing machine would: at once, with no word to those connected.
    pub fn stop(&self) {
        control("stop", &self.folder, &["immediate"]);
    }

    /// Starts it again, at the address it had.
    pub fn start_again(&self) {
        assert_eq!(
            control("start", &self.folder, &[]),
            self.url,
            "a cluster keeps its address"
        );
    }

    /// The URL of the cluster's own database.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.join("data/postmaster.pid").exists() {
            self.stop();
        }
        // What is left is removed with the shared cluster.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One call of the script that also made the shared cluster; returns what it printed.
fn control(verb: &str, folder: &Path, more: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres-cluster");
    let output = Command::new(script)
        .arg(verb)
        .arg(folder)
        .args(more)
        .stdin(Stdio::null())
        .output()
        .expect("scripts/postgres-cluster runs");
    assert!(
        output.status.success(),
        "{verb} of a PostgreSQL cluster: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
