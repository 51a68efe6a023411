//! `doorbell`: configuration, composition and the server's life.

mod admin;
mod api_key_commands;
mod backup;
mod clock;
mod composition;
mod configuration;
mod connection;
mod database;
mod delivery_commands;
mod development_secret;
mod event_settings;
mod following;
mod health;
mod key_commands;
mod limit_settings;
mod logging;
mod misspelt;
mod opened;
mod own_service;
mod policy;
mod production;
mod push_settings;
mod quick_start;
mod senders;
mod server;
mod signals;
mod sweep;
mod values;
mod vapid_commands;
mod variables;

use std::io::Write;

use configuration::{Command, CommandLine};

/// Short-lived buffers of many threads: glibc's arenas would keep several times as much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let CommandLine { command } = variables::read(&arguments());
    command.log().start();
    match command {
        Command::Serve(configuration) => {
            misspelt::warn();
            actix_web::rt::System::new().block_on(server::serve(&configuration))
        }
        Command::Migrate(configuration) => composition::migrate(&configuration),
        Command::Keys { command } => actix_web::rt::System::new().block_on(key_commands::keys(&command)),
        Command::Secret { command } => actix_web::rt::System::new().block_on(key_commands::secret(&command)),
        Command::Vapid { command } => actix_web::rt::System::new().block_on(vapid_commands::vapid(&command)),
        Command::Apikey { command } => {
            actix_web::rt::System::new().block_on(api_key_commands::api_key(&command))
        }
        Command::Jobs { command } => actix_web::rt::System::new().block_on(delivery_commands::jobs(&command)),
        Command::Pruning { command } => {
            actix_web::rt::System::new().block_on(delivery_commands::pruning(&command))
        }
        Command::Sweep(configuration) => actix_web::rt::System::new().block_on(sweep::sweep(&configuration)),
        Command::Openapi => {
            match std::io::stdout().write_all(doorbell_http::openapi()?.as_bytes()) {
                // Whoever reads has read enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                written => Ok(written?),
            }
        }
        Command::Backup { path, configuration } => backup::back_up(&configuration, &path),
        Command::Health(check) => check.run(),
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
