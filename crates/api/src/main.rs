//! `doorbell`: configuration, composition and the server's life.

mod clock;
mod composition;
mod configuration;
mod development_secret;
mod quick_start;
mod senders;
mod server;
mod signals;

use std::io::Write;

use clap::Parser;
use configuration::{Command, CommandLine};
use tracing_subscriber::EnvFilter;

/// Short-lived buffers of many threads: glibc's arenas would keep several times as much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("DOORBELL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match CommandLine::parse_from(arguments()).command {
        Command::Serve(configuration) => actix_web::rt::System::new().block_on(server::serve(&configuration)),
        Command::Migrate(configuration) => composition::migrate(&configuration),
        Command::Openapi => {
            match std::io::stdout().write_all(doorbell_http::openapi()?.as_bytes()) {
                // Whoever reads has read enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                written => Ok(written?),
            }
        }
    }
}

/// The command line; `doorbell` alone serves.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.len() < 2 {
        arguments.push("serve".into());
    }
    arguments
}
