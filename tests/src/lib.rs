//! The harness of the black-box tests: the real binary, on a database of its own, spoken to over HTTP.
//!
//! ```text
//! on_both!(an_unknown_path_is_a_problem, async |server| {
//!     let answer = server.get("/nowhere").send().await;
//!     answer.assert_problem(404, "not_found");
//! });
//! ```
//!
//! Every server takes a port that is free, a folder and a database that nobody else has, and gives them back.
//! Rate limits are off unless the test asks for them, and time passes when the test says so
//! ([`Server::advance`]). Run them with `make test`, which brings PostgreSQL and builds the binary.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what the harness cannot do fails the test that asked for it"
)]

mod answer;
mod browser;
mod client;
mod cluster;
mod database;
mod dialects;
mod latency;
mod messages;
mod metrics;
mod person;
mod process;
mod push_service;
mod raw;
mod receiver;
mod registry;
mod senders;
mod server;
mod setup;
mod traces;

pub use answer::Answer;
pub use browser::Browser;
pub use client::Request;
pub use cluster::Cluster;
pub use database::{Database, DatabaseLock};
pub use dialects::is_instant;
pub use latency::Latencies;
pub use messages::{BackEnd, ring};
pub use person::{Phone, SignedIn};
pub use process::printed;
pub use push_service::{PushReply, PushService};
pub use raw::Held;
pub use receiver::{Received, Receiver, Reply};
pub use registry::{AUTH, FINGERPRINT, P256DH, encoded};
pub use senders::{EVENTS_SECRET, TWILIO_TOKEN, WEBHOOK_SECRET};
pub use server::{Server, play};
pub use setup::Setup;
pub use traces::Canary;

pub use futures_util::future::join_all;
pub use reqwest::Method;
pub use serde_json::{Value, json};

/// Stamps one test for each database: `on_both!(name, story)` or `on_both!(name, setup, story)`.
///
/// The story is an async closure that gets a running [`Server`]. The set-up, when there is one, is a function
/// from [`Setup`] to [`Setup`].
#[macro_export]
macro_rules! on_both {
    ($name:ident, $story:expr $(,)?) => {
        $crate::on_both!($name, |setup| setup, $story);
    };
    ($name:ident, $setup:expr, $story:expr $(,)?) => {
        fn $name(database: $crate::Database) {
            $crate::play(database, $setup, $story);
        }

        mod $name {
            #[test]
            fn sqlite() {
                super::$name($crate::Database::Sqlite);
            }

            #[test]
            fn postgres() {
                super::$name($crate::Database::Postgres);
            }
        }
    };
}
