//! The crates' arrows, read off the manifests: what may know what, and what the rules' crates never hold.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of the workspace's crates each may depend on. A crate that is not listed has no place yet: give it one.
const ARROWS: &[(&str, &[&str])] = &[
    ("doorbell-domain", &[]),
    ("doorbell-application", &["doorbell-domain"]),
    ("doorbell-standards", &["doorbell-domain"]),
    ("doorbell-storage", &["doorbell-domain"]),
    (
        "doorbell-storage-postgres",
        &["doorbell-domain", "doorbell-storage"],
    ),
    (
        "doorbell-storage-sqlite",
        &["doorbell-domain", "doorbell-storage"],
    ),
    ("doorbell-keys", &["doorbell-domain"]),
    ("doorbell-outward", &["doorbell-domain"]),
    ("doorbell-codes", &["doorbell-domain", "doorbell-outward"]),
    ("doorbell-events", &["doorbell-domain", "doorbell-outward"]),
    ("doorbell-push", &["doorbell-domain", "doorbell-outward"]),
    ("doorbell-workers", &["doorbell-domain", "doorbell-application"]),
    ("doorbell-http", &["doorbell-domain", "doorbell-application"]),
    ("doorbell-testkit", &["doorbell-domain"]),
    // Black-box tests and benches see the binary and nothing inside it.
    ("doorbell-tests", &[]),
    ("doorbell-bench", &[]),
    // Reads what strangers send, as the server does.
    (
        "doorbell-targets",
        &["doorbell-domain", "doorbell-keys", "doorbell-standards"],
    ),
    // Measures single steps, as a test would run them.
    ("doorbell-micro", &[]),
];

/// The composition root: it sees every crate, and none sees it.
const ROOT: &str = "api";

/// What only tests may depend on.
const TESTS_ONLY: &str = "doorbell-testkit";

/// What the domain's tree never holds: web, databases, runtimes, serialisation, opaque errors.
const FOREIGN_TO_DOMAIN: &[&str] = &[
    "actix",
    "anyhow",
    "async",
    "axum",
    "diesel",
    "futures",
    "http",
    "hyper",
    "jsonwebtoken",
    "libsqlite3-sys",
    "mio",
    "pq-sys",
    "r2d2",
    "reqwest",
    "serde",
    "serde_json",
    "sqlx",
    "tokio",
    "tracing",
    "utoipa",
    "validator",
];

/// What the use cases' tree never holds: anything that runs, listens or stores.
const FOREIGN_TO_APPLICATION: &[&str] = &[
    "actix",
    "async-std",
    "axum",
    "diesel",
    "http",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "pq-sys",
    "r2d2",
    "reqwest",
    "sqlx",
    "tokio",
    "utoipa",
];

#[test]
fn every_arrow_points_the_way_it_may() {
    let mut wrong = Vec::new();
    for package in packages() {
        let allowed = ARROWS
            .iter()
            .find(|(name, _)| *name == package.name)
            .map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            if package.name != ROOT {
                wrong.push(format!("{} has no place in the architecture", package.name));
            }
            continue;
        };
        for sees in &package.depends_on {
            if !allowed.contains(&sees.as_str()) {
                wrong.push(format!("{} → {sees}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that may not be: {wrong:#?}");
}

#[test]
fn nothing_sees_the_binary_and_only_tests_see_the_testkit() {
    for package in packages() {
        assert!(
            !package.depends_on.contains(ROOT) && !package.tests_with.contains(ROOT),
            "{} depends on {ROOT}",
            package.name
        );
        assert!(
            !package.depends_on.contains(TESTS_ONLY),
            "{} ships {TESTS_ONLY}",
            package.name
        );
    }
}

#[test]
fn the_domain_holds_no_machinery() {
    assert_free_of("doorbell-domain", FOREIGN_TO_DOMAIN);
}

#[test]
fn the_use_cases_hold_no_runtime() {
    assert_free_of("doorbell-application", FOREIGN_TO_APPLICATION);
}

#[test]
fn a_package_is_named_after_its_folder() {
    for package in packages() {
        let expected = match package.folder.as_str() {
            ROOT => ROOT.to_owned(),
            folder => format!("doorbell-{folder}"),
        };
        assert_eq!(
            package.name, expected,
            "the package in the folder {}",
            package.folder
        );
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let postgres = migrations("postgres");
    assert!(!postgres.is_empty(), "there is no migration");
    assert_eq!(postgres, migrations("sqlite"));
}

struct Package {
    name: String,
    folder: String,
    /// The workspace's crates that it is built with.
    depends_on: BTreeSet<String>,
    /// Those that only its tests are built with.
    tests_with: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours: BTreeSet<&str> = packages.iter().map(|package| text(&package["name"])).collect();
    packages
        .iter()
        .map(|package| {
            let mut dependencies: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
            for dependency in package["dependencies"].as_array().expect("dependencies") {
                let name = text(&dependency["name"]);
                if ours.contains(name) {
                    let for_tests = dependency["kind"] == "dev";
                    dependencies.entry(for_tests).or_default().insert(name.to_owned());
                }
            }
            let manifest = Path::new(text(&package["manifest_path"]));
            let folder = manifest.parent().and_then(Path::file_name).expect("a folder");
            Package {
                name: text(&package["name"]).to_owned(),
                folder: folder.to_string_lossy().into_owned(),
                depends_on: dependencies.remove(&false).unwrap_or_default(),
                tests_with: dependencies.remove(&true).unwrap_or_default(),
            }
        })
        .collect()
}

/// `cargo tree` and not `cargo metadata`: the latter shows what the whole workspace makes of a dependency.
fn assert_free_of(package: &str, foreign: &[&str]) {
    let tree = cargo(&[
        "tree",
        "--package",
        package,
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    let held: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(held.contains(package), "cargo tree shows nothing of {package}");
    let found: Vec<_> = held
        .into_iter()
        .filter(|name| foreign.iter().any(|root| of_family(name, root)))
        .collect();
    assert!(found.is_empty(), "{package} holds {found:?}");
}

/// Whether `name` is the crate `root`, or one of those named after it (`actix-web`, `serde_core`).
fn of_family(name: &str, root: &str) -> bool {
    name.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

fn migrations(database: &str) -> BTreeSet<String> {
    let folder = top().join("migrations").join(database);
    let names = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    names
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| {
            assert!(
                entry.path().join("up.sql").is_file(),
                "{} has no up.sql",
                entry.path().display()
            );
            entry.file_name().to_string_lossy().into_owned()
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .arg("--offline")
        .current_dir(top())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
