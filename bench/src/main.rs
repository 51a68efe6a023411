//! What Doorbell costs, and what the alternatives do: `doorbell-bench quick [sqlite|postgres]`, `full` or `push`.

mod cluster;
mod contenders;
mod full;
mod load;
mod people;
mod push;
mod quick;
mod report;
mod server;
mod sitting;
mod usage;

use std::path::PathBuf;

use anyhow::{Context, bail};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let binary = std::env::var_os("DOORBELL_BIN")
        .map(PathBuf::from)
        .context("DOORBELL_BIN is not set")?;
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("quick") => quick::measure(&binary, &arguments.next().unwrap_or_default()).await,
        Some("full") => full::measure(&binary).await,
        Some("push") => push::measure(&binary).await,
        _ => bail!("quick, full or push?"),
    }
}
