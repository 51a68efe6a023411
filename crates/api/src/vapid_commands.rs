//! `doorbell vapid`: the keys by which this service names itself to push services.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Subcommand;
use doorbell_domain::Timestamp;
use doorbell_domain::ports::VapidKeys;
use doorbell_domain::store::{KeyUse, StoredKey, read};
use doorbell_domain::vapid::VapidRotationRefused;
use doorbell_keys::{AddVapidError, add_vapid_key, open_vapid};

use crate::configuration::Configuration;
use crate::key_commands::{instant, open, print};

#[derive(Debug, Subcommand)]
pub(crate) enum VapidCommand {
    /// Add a key that browsers subscribe under, and exit. Servers take it up by themselves.
    ///
    /// A minute later all servers give it to browsers (`GET /push/vapid-key`). Subscriptions that are there stay with the key that
    /// they were made under, which goes on signing for them: a push service takes no other. A second one is refused until the
    /// first is given out.
    Rotate(Box<Configuration>),
    /// Print the VAPID keys, and exit.
    ///
    /// Newest first: id, when it was made, from when browsers are given it, what it does now, and its public half.
    List(Box<Configuration>),
}

/// Runs `doorbell vapid …`.
pub(crate) async fn vapid(command: &VapidCommand) -> anyhow::Result<()> {
    match command {
        VapidCommand::Rotate(configuration) => {
            let custody = open(configuration).await?;
            let added = add_vapid_key(
                custody.store.as_ref(),
                &custody.sealer,
                custody.entropy.as_ref(),
                custody.clock.as_ref(),
            );
            let added = added.await.map_err(refused)?;
            print(&format!(
                "{} added: browsers are given it from {}\n",
                added.id,
                instant(added.life.starts_at)
            ))
        }
        VapidCommand::List(configuration) => {
            let custody = open(configuration).await?;
            let rows = read(custody.store.as_ref(), |reads| reads.keys(KeyUse::Vapid)).await?;
            let keys = open_vapid(custody.sealer.as_ref(), &rows)?;
            print(&table(&rows, &keys, custody.clock.now()))
        }
    }
}

fn refused(error: AddVapidError) -> anyhow::Error {
    let AddVapidError::Refused(VapidRotationRefused::Pending { id, starts_at }) = error else {
        return error.into();
    };
    anyhow::anyhow!(
        "a rotation is under way: the VAPID key {id} was added already, and browsers are given it from {}",
        instant(starts_at)
    )
}

fn table(rows: &[StoredKey], keys: &dyn VapidKeys, now: Timestamp) -> String {
    let line = |id: &str, created: &str, starts: &str, state: &str, public: &str| {
        format!("{id:<36}  {created:<20}  {starts:<20}  {state:<7}  {public}\n")
    };
    let offered = keys.offered(now).id;
    let mut lines = line("ID", "CREATED", "GIVEN FROM", "NOW", "PUBLIC KEY");
    for row in rows {
        let id = row.id.to_string();
        let state = if id == offered {
            "given"
        } else if row.life.is_pending(now) {
            "waits"
        } else {
            "signs"
        };
        let public = keys.public(&id).map(|key| BASE64_URL_SAFE_NO_PAD.encode(key));
        lines.push_str(&line(
            &id,
            &instant(row.created_at),
            &instant(row.life.starts_at),
            state,
            &public.unwrap_or_default(),
        ));
    }
    lines
}
