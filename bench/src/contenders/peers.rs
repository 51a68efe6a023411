//! What is used for this today, each as its own documentation sets it up.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::people::request;
use crate::server::Server;

/// Where `bench/peers/install` put them.
pub(crate) struct Peers {
    folder: PathBuf,
}

/// The handler by hand, and what its people send.
pub(crate) struct ByHand {
    pub(crate) server: Server,
    pub(crate) registrations: Vec<Vec<u8>>,
    pub(crate) lists: Vec<Vec<u8>>,
}

impl Peers {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A handler as one writes it by hand on fastify and pg, with the requests of so many people.
    pub(crate) fn fastify(&self, database: &str, people: usize) -> anyhow::Result<ByHand> {
        let folder = self.folder.join("fastify");
        let server = node(&folder, "server.mjs", database)?;
        let output = Command::new("node")
            .args(["tokens.mjs", &people.to_string()])
            .env("SECRET", SECRET)
            .current_dir(&folder)
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let tokens = String::from_utf8(output.stdout)?;
        let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
        let registrations = tokens.lines().enumerate().map(|(n, token)| {
            let body = json!({
                "token": crate::people::device_token(n), "platform": "android",
                "deviceId": format!("pixel-8-{n}"), "timezone": "Europe/Istanbul",
            });
            request("POST", "/device-token", &bearer(token), Some(&body))
        });
        let lists = tokens
            .lines()
            .map(|token| request("GET", "/devices", &bearer(token), None));
        Ok(ByHand {
            server,
            registrations: registrations.collect(),
            lists: lists.collect(),
        })
    }

    /// Parse Server's installations, which ask nobody who they are.
    pub(crate) fn parse(&self, database: &str, people: usize) -> anyhow::Result<(Server, Vec<Vec<u8>>)> {
        let server = node(&self.folder.join("parse"), "server.mjs", database)?;
        let headers = "X-Parse-Application-Id: bench\r\n";
        let registrations = (0..people).map(|n| {
            let body = json!({
                "deviceType": "android", "installationId": format!("00000000-0000-4000-8000-{n:012}"),
                "deviceToken": crate::people::device_token(n), "pushType": "fcm", "timeZone": "Europe/Istanbul",
            });
            request("POST", "/parse/installations", headers, Some(&body))
        });
        let registrations = registrations.collect();
        Ok((server, registrations))
    }

    /// npm's web-push in a process of its own, which rings browsers when it is asked to.
    pub(crate) fn web_push(&self) -> anyhow::Result<Server> {
        node(&self.folder.join("web-push"), "server.mjs", "")
    }

    /// fcm-django behind gunicorn with two workers.
    pub(crate) fn django(&self, database: &str, people: usize) -> anyhow::Result<(Server, Vec<Vec<u8>>)> {
        let folder = self.folder.join("django");
        let programs = folder.join(".venv/bin");
        let output = Command::new(programs.join("python"))
            .args(["registry.py", &people.to_string()])
            .env("DATABASE_URL", database)
            .current_dir(&folder)
            .output()?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let tokens = String::from_utf8(output.stdout)?;
        let port = free_port()?;
        let mut command = Command::new(programs.join("gunicorn"));
        command
            .args([
                "--workers",
                "2",
                "--worker-class",
                "gthread",
                "--threads",
                "32",
                "--keep-alive",
                "75",
            ])
            .args([
                "--bind",
                &format!("127.0.0.1:{port}"),
                "--log-file",
                "-",
                "registry:application",
            ])
            .env("DATABASE_URL", database)
            .current_dir(&folder);
        // It logs to standard error, and that is where one reads that it listens.
        let mut piped = Command::new("sh");
        piped
            .args(["-c", "exec \"$@\" 2>&1", "-"])
            .arg(command.get_program())
            .args(command.get_args())
            .env("DATABASE_URL", database)
            .current_dir(&folder);
        let server = Server::start(piped, |line| {
            line.contains("Listening at").then(|| format!("127.0.0.1:{port}"))
        })?;
        let registrations = tokens.lines().enumerate().map(|(n, token)| {
            let body = json!({
                "registration_id": crate::people::device_token(n), "device_id": format!("pixel-8-{n}"), "type": "android",
            });
            request("POST", "/devices", &format!("Authorization: Token {token}\r\n"), Some(&body))
        });
        Ok((server, registrations.collect()))
    }
}

const SECRET: &str = "the secret of a benchmark, of no worth";

fn node(folder: &std::path::Path, script: &str, database: &str) -> anyhow::Result<Server> {
    let port = free_port()?;
    let mut command = Command::new("node");
    command
        .arg(script)
        .env("NODE_ENV", "production")
        .env("DATABASE_URL", database)
        .env("PORT", port.to_string())
        .env("SECRET", SECRET)
        .current_dir(folder);
    Server::start(command, |line| {
        (line == "listening").then(|| format!("127.0.0.1:{port}"))
    })
    .with_context(|| format!("in {}", folder.display()))
}

/// They take a port by its number and print none.
fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
