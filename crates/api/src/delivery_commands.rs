//! `doorbell jobs` and `doorbell pruning`: what an operator does to deliveries while servers run.

use anyhow::Context;
use clap::Subcommand;

use crate::composition::{self, Composed};
use crate::configuration::Configuration;
use crate::key_commands::{demand_file, print};

/// How many jobs are put back in one transaction.
const AT_ONCE: u32 = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Put the jobs back that were set aside, and exit. Those whose message is still worth delivering are attempted at once.
    ///
    /// A job is set aside (`failed`, reason `set_aside`) when five claims in a row have ended nobody knows how: it may be what
    /// ended the servers. Find out why first.
    Redrive(Box<Configuration>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PruningCommand {
    /// Hold credentials for dead again that their provider says are gone, and exit.
    ///
    /// When more than a fifth of a minute's answers (of 50 at least, of five people) say so, nobody is believed any more: nothing is suspected or removed until this
    /// is run. See first that the provider has recovered, and that the answers are not of your own making.
    Resume(Box<Configuration>),
}

/// Runs `doorbell jobs …`.
pub(crate) async fn jobs(command: &JobsCommand) -> anyhow::Result<()> {
    let JobsCommand::Redrive(configuration) = command;
    demand_file(configuration)?;
    let Composed { api, .. } = composition::compose(configuration).await?;
    let mut total = 0;
    loop {
        let redriven = api.doorbell.redrive_jobs(AT_ONCE).await.context("redriving")?;
        total += redriven;
        if redriven < u64::from(AT_ONCE) {
            break;
        }
    }
    print(&format!("{total} jobs put back\n"))
}

/// Runs `doorbell pruning …`.
pub(crate) async fn pruning(command: &PruningCommand) -> anyhow::Result<()> {
    let PruningCommand::Resume(configuration) = command;
    demand_file(configuration)?;
    let Composed { api, .. } = composition::compose(configuration).await?;
    let resumed = api.doorbell.resume_pruning().await.context("resuming")?;
    print(if resumed {
        "pruning is resumed\n"
    } else {
        "pruning was not stopped\n"
    })
}
