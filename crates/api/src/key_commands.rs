//! `doorbell keys` and `doorbell secret`: what an operator does to keys while servers run.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use actix_web::rt::time::sleep;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use doorbell_domain::Timestamp;
use doorbell_domain::sealed::SealedColumn;
use doorbell_domain::signing_key::{RotationRefused, Urgency, signer};
use doorbell_domain::store::{KeyUse, StoreError, StoredKey, read};
use doorbell_keys::{RotateError, Rotated, Stretch, Stuck, reseal_stretch, rotate};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::composition::Custody;
use crate::configuration::{Configuration, Mode, Switch};
use crate::database::Database;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Add a key that signs access tokens, and exit. Servers take it up by themselves.
    ///
    /// The new key is published at once (`/.well-known/jwks.json`) and signs from six minutes later: others may keep the published
    /// keys for five. The old key verifies until its last token has died, an hour and ten minutes after the new one has begun; then
    /// it is neither published nor believed. Running servers look every ten seconds. A second rotation is refused until the
    /// first one's key signs. Rows of retired keys are deleted by the next rotation.
    Rotate(Box<Rotate>),
    /// Print the keys that sign access tokens, and exit.
    ///
    /// Newest first: id (`kid`), when it was made, from when it signs, when it retires, and what it does now.
    List(Box<Configuration>),
}

/// What `keys rotate` is told.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Sign with the new key at once, for a key that may have leaked. For ten seconds servers that have not seen it yet refuse
    /// its tokens, and for five minutes so may others who check tokens by the published keys. A rotation that waits for its start
    /// is put aside.
    #[arg(long)]
    now: bool,

    /// With `--now`: retire all other keys at once too, so that every access token from before is refused within ten
    /// seconds. Nobody is signed out: clients refresh.
    #[arg(long, requires = "now")]
    revoke: bool,

    #[command(flatten)]
    configuration: Configuration,
}

impl Rotate {
    const fn urgency(&self) -> Urgency {
        match (self.now, self.revoke) {
            (_, true) => Urgency::Revoke,
            (true, false) => Urgency::Now,
            (false, false) => Urgency::Planned,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Move everything that is sealed to the first secret of `DOORBELL_SECRET`, and exit.
    ///
    /// For a change of secret: give all servers `new:…,old:…` first, then run this. It works beside them, 500 values a transaction,
    /// never waits for their writes, and may be stopped and run again. A value that opens under none of the secrets is named by
    /// table and id, and makes this fail once all others are moved.
    ///
    /// What is not sealed cannot be moved: refresh tokens and pending one-time codes carry MACs by their secret's name. So
    /// keep the old secret in the list for 30 days more (a session's idle life), or those who did not come by have to sign in
    /// anew. For a secret that leaked, take it out at once: everybody signs in anew.
    Reseal(Box<Configuration>),
}

/// Runs `doorbell keys …`.
pub(crate) async fn keys(command: &KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Rotate(told) => {
            let custody = open(&told.configuration).await?;
            let rotated = rotate(
                custody.store.as_ref(),
                &custody.sealer,
                custody.entropy.as_ref(),
                custody.clock.as_ref(),
                told.urgency(),
            );
            print(&rotation(&rotated.await.map_err(refused)?))
        }
        KeysCommand::List(configuration) => {
            let custody = open(configuration).await?;
            let keys = read(custody.store.as_ref(), |reads| reads.keys(KeyUse::AccessToken)).await?;
            print(&table(&keys, custody.clock.now()))
        }
    }
}

fn refused(error: RotateError) -> anyhow::Error {
    let RotateError::Refused(RotationRefused::Pending { id, starts_at }) = error else {
        return error.into();
    };
    anyhow::anyhow!(
        "a rotation is under way: the key {id} was added already and signs from {}; rotate again after that, \
         or with --now if a key may have leaked",
        instant(starts_at)
    )
}

fn rotation(rotated: &Rotated) -> String {
    let mut lines = format!(
        "{} added: published now, signs from {}\n",
        rotated.id,
        instant(rotated.rotation.starts_at)
    );
    let retiring = rotated.rotation.retire.iter();
    lines.extend(retiring.map(|(id, at)| format!("{id} retires at {}\n", instant(*at))));
    let gone = rotated.rotation.remove.iter();
    lines.extend(gone.map(|id| format!("{id} had retired and is deleted\n")));
    lines
}

fn table(keys: &[StoredKey], now: Timestamp) -> String {
    let line = |id: &str, created: &str, starts: &str, retires: &str, state: &str| {
        format!("{id:<36}  {created:<20}  {starts:<20}  {retires:<20}  {state}\n")
    };
    let signs = signer(keys, now).map(|key| key.id);
    let mut lines = line("KID", "CREATED", "SIGNS FROM", "RETIRES", "NOW");
    for key in keys {
        let state = if key.life.is_retired(now) {
            "retired"
        } else if signs == Some(key.id) {
            "signs"
        } else if key.life.is_pending(now) {
            "published"
        } else {
            "verifies"
        };
        lines.push_str(&line(
            &key.id.to_string(),
            &instant(key.created_at),
            &instant(key.life.starts_at),
            &key.life.retires_at.map_or_else(|| "-".to_owned(), instant),
            state,
        ));
    }
    lines
}

/// To the second, as RFC 3339 writes it.
pub(crate) fn instant(at: Timestamp) -> String {
    let whole = Timestamp::from_micros(at.unix_seconds().saturating_mul(1_000_000));
    whole.to_datetime().format(&Rfc3339).unwrap_or_default()
}

/// Runs `doorbell secret …`.
pub(crate) async fn secret(command: &SecretCommand) -> anyhow::Result<()> {
    let SecretCommand::Reseal(configuration) = command;
    let custody = open(configuration).await?;
    let mut total = Tally::default();
    for column in SealedColumn::ALL {
        let moved = reseal(&custody, column).await?;
        print(&format!("{}: {moved}\n", column.name()))?;
        if moved.stuck > NAMED {
            print(&format!("and {} more rows like those\n", moved.stuck - NAMED))?;
        }
        total.moved += moved.moved;
        total.there += moved.there;
        total.stuck += moved.stuck;
    }
    print(&format!("in all: {total}\n"))?;
    if total.stuck > 0 {
        bail!(
            "{} sealed values open under none of the secrets in DOORBELL_SECRET; they stay as they are, and are named above",
            total.stuck
        );
    }
    print(
        "keep the old secrets in DOORBELL_SECRET for 30 days: refresh tokens and pending codes hang on them by name\n",
    )
}

/// What became of a column's values.
#[derive(Debug, Default)]
struct Tally {
    moved: u64,
    there: u64,
    stuck: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} moved, {} there already", self.moved, self.there)
    }
}

/// How many rows of a column are named that cannot be moved: with a wrong secret it is all of them.
const NAMED: u64 = 20;

async fn reseal(custody: &Custody, column: SealedColumn) -> anyhow::Result<Tally> {
    let mut moved = Tally::default();
    let mut after = None;
    loop {
        let (stretch, earlier) = patiently(custody, column, after).await?;
        let Some(last) = stretch.last else {
            return Ok(moved);
        };
        moved.moved += stretch.moved + earlier;
        // What an earlier attempt moved is found there by the last.
        moved.there += stretch.there.saturating_sub(earlier);
        for Stuck { row, reason } in &stretch.stuck {
            moved.stuck += 1;
            if moved.stuck <= NAMED {
                print(&format!("{} of the row {row} stays: {reason}\n", column.name()))?;
            }
        }
        after = Some(last);
    }
}

/// How often a stretch is tried whose rows are being written, or while the database is busy, and how long between.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Tries a stretch until none of its rows is being written; with it, how many values earlier attempts have moved.
async fn patiently(
    custody: &Custody,
    column: SealedColumn,
    after: Option<Uuid>,
) -> anyhow::Result<(Stretch, u64)> {
    let mut before = 0;
    for _ in 0..ATTEMPTS {
        match reseal_stretch(custody.store.as_ref(), &custody.sealer, column, after).await {
            Ok(stretch) if stretch.busy == 0 => return Ok((stretch, before)),
            Ok(stretch) => before += stretch.moved,
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(%error, column = column.name(), "tried again");
            }
            Err(error) => return Err(error).with_context(|| column.name()),
        }
        sleep(PAUSE).await;
    }
    bail!(
        "{}: the database is too busy; what was moved stays moved, run this again",
        column.name()
    )
}

/// Refuses to go on where the database is a file that is not there: what works on what servers made has nothing to do in a new one,
/// and would look as though it had succeeded.
pub(crate) fn demand_file(configuration: &Configuration) -> anyhow::Result<()> {
    if let Database::Sqlite(path) = Database::parse(&configuration.database_url)?
        && !path.is_file()
    {
        let path = std::path::absolute(&path).unwrap_or(path);
        bail!("DATABASE_URL: there is no file {}", path.display());
    }
    Ok(())
}

/// Opens a database that is there, and whose schema is this program's: these commands work on what servers made.
pub(crate) async fn open(configuration: &Configuration) -> anyhow::Result<Custody> {
    if configuration.mode == Mode::Production && configuration.clock_offset_file.is_some() {
        bail!("DOORBELL_CLOCK_OFFSET_FILE is for development only");
    }
    demand_file(configuration)?;
    let custody = Custody::open(configuration, Switch::Off)?;
    let ready = custody.store.ready().await;
    ready.context("DATABASE_URL: this database cannot be used; `doorbell migrate` brings its schema up")?;
    Ok(custody)
}

/// A table may be cut off by whoever reads it.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use doorbell_domain::signing_key::KeyLife;

    use super::*;
    use crate::configuration::{Command, CommandLine};

    #[test]
    fn a_rotation_is_as_urgent_as_it_is_told() {
        let urgency = |flags: &[&str]| {
            let line = ["doorbell", "keys", "rotate"].iter().chain(flags);
            match CommandLine::try_parse_from(line).ok()?.command {
                Command::Keys {
                    command: KeysCommand::Rotate(told),
                } => Some(told.urgency()),
                _ => None,
            }
        };
        assert_eq!(urgency(&[]), Some(Urgency::Planned));
        assert_eq!(urgency(&["--now"]), Some(Urgency::Now));
        assert_eq!(urgency(&["--now", "--revoke"]), Some(Urgency::Revoke));
        assert_eq!(
            urgency(&["--revoke"]),
            None,
            "what is revoked must be replaced at once"
        );
    }

    #[test]
    fn the_table_says_what_each_key_does_now_and_nothing_of_its_private_half() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 + 999_999);
        let key = |n: u128, starts: i64, retires: Option<i64>| StoredKey {
            id: Uuid::from_u128(n),
            usage: KeyUse::AccessToken,
            sealed: b"s3ntinel".to_vec(),
            created_at: at(0),
            life: KeyLife {
                starts_at: at(starts),
                retires_at: retires.map(at),
            },
        };
        let keys = [
            key(4, 400, None),
            key(3, 300, Some(500)),
            key(2, 200, Some(500)),
            key(1, 100, Some(350)),
        ];
        let said = table(&keys, at(350));
        let lines: Vec<_> = said.lines().skip(1).collect();
        for (line, state) in lines.iter().zip(["published", "signs", "verifies", "retired"]) {
            assert!(line.ends_with(state), "{line}");
        }
        assert!(lines[0].contains("1970-01-01T00:06:40Z  -  "), "{said}");
        assert!(lines[3].contains("1970-01-01T00:05:50Z"), "{said}");
        assert!(!said.contains("s3ntinel"), "{said}");
    }
}
