//! `doorbell apikey`: the keys by which back ends send messages.

use anyhow::{Context, bail};
use clap::Subcommand;
use doorbell_domain::api_key::{ApiKey, ApiKeyName, draw};
use doorbell_domain::secret::Secret;
use doorbell_domain::store::{read, transact};
use doorbell_domain::{ApiKeyId, FreshIds};

use crate::composition::Custody;
use crate::configuration::Configuration;
use crate::key_commands::{instant, open, print};

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make a key by which a back end sends messages (`POST /v1/messages`), print it, and exit.
    ///
    /// It is the last word of the one line that is printed, and is shown this once: what is kept is its hash. It never expires.
    Create {
        /// What you call it, 1 to 64 bytes; free again once the key of that name is revoked.
        name: String,
        #[command(flatten)]
        configuration: Box<Configuration>,
    },
    /// Print the names of the keys, oldest first, and exit.
    List(Box<Configuration>),
    /// Revoke a key, and exit. All servers refuse it from that moment on; messages that it has sent stay.
    Revoke {
        /// What you call it.
        name: String,
        #[command(flatten)]
        configuration: Box<Configuration>,
    },
}

/// Runs `doorbell apikey …`.
pub(crate) async fn api_key(command: &ApiKeyCommand) -> anyhow::Result<()> {
    match command {
        ApiKeyCommand::Create { name, configuration } => {
            let name = parse(name)?;
            let key = create(&open(configuration).await?, name.clone()).await?;
            print(&format!("{}, shown this once: {}\n", name.as_str(), key.expose()))
        }
        ApiKeyCommand::List(configuration) => {
            let custody = open(configuration).await?;
            let keys = read(custody.store.as_ref(), |reads| reads.api_keys()).await?;
            print(&table(&keys))
        }
        ApiKeyCommand::Revoke { name, configuration } => {
            let name = parse(name)?;
            revoke(&open(configuration).await?, name.clone()).await?;
            print(&format!("{} is revoked\n", name.as_str()))
        }
    }
}

fn parse(name: &str) -> anyhow::Result<ApiKeyName> {
    ApiKeyName::parse(name).context("the name")
}

async fn create(custody: &Custody, name: ApiKeyName) -> anyhow::Result<Secret> {
    let now = custody.clock.now();
    let (text, hash) = draw(custody.entropy.as_ref());
    let key = ApiKey {
        id: ApiKeyId::from_uuid(FreshIds::draw(now, custody.entropy.as_ref()).take()),
        name,
        hash,
        created_at: now,
        revoked_at: None,
    };
    let written = transact(custody.store.as_ref(), move |unit| unit.insert_api_key(&key));
    if !written.await? {
        bail!("there is a key of that name; revoke it first, or take another name");
    }
    Ok(text)
}

async fn revoke(custody: &Custody, name: ApiKeyName) -> anyhow::Result<()> {
    let now = custody.clock.now();
    let revoked = transact(custody.store.as_ref(), move |unit| {
        unit.revoke_api_key(&name, now)
    });
    if !revoked.await? {
        bail!("there is no key of that name, or it is revoked already");
    }
    Ok(())
}

/// The name comes last: it may be of any length, and have spaces.
fn table(keys: &[ApiKey]) -> String {
    let mut lines = format!("{:<20}  {:<20}  NAME\n", "CREATED", "REVOKED");
    lines.extend(keys.iter().map(|key| {
        let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), instant);
        let created = instant(key.created_at);
        format!("{created:<20}  {revoked:<20}  {}\n", key.name.as_str())
    }));
    lines
}

#[cfg(test)]
mod tests {
    use doorbell_domain::Timestamp;
    use doorbell_domain::api_key::ApiKeyHash;

    use super::*;

    #[test]
    fn the_table_names_the_keys_and_shows_none() {
        let key = |name: &str, revoked: Option<i64>| ApiKey {
            id: ApiKeyId::from_uuid(uuid::Uuid::nil()),
            name: ApiKeyName::parse(name).expect("a name"),
            hash: ApiKeyHash::from_bytes([0x5a; 32]),
            created_at: Timestamp::from_micros(0),
            revoked_at: revoked.map(|seconds| Timestamp::from_micros(seconds * 1_000_000)),
        };
        let said = table(&[key("the shop", Some(60)), key("backend", None)]);
        let lines: Vec<_> = said.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "1970-01-01T00:00:00Z  1970-01-01T00:01:00Z  the shop",
                "1970-01-01T00:00:00Z  -                     backend"
            ]
        );
    }
}
