//! Flags and environment, and what production refuses.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use doorbell_application::Policy;
use doorbell_domain::code::{CodeLength, CodePolicy};
use doorbell_domain::session::SessionPolicy;
use ipnet::IpNet;
use time::Duration;

use crate::senders::{Sender, SenderConfiguration};

/// Phone sign-in and push-token registry in one binary.
#[derive(Debug, Parser)]
#[command(name = "doorbell", version, about, propagate_version = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the four dialects.
    Serve(Box<Configuration>),
    /// Bring the database's schema up to this program, and exit.
    Migrate(Box<Configuration>),
    /// Print the OpenAPI document, and exit.
    Openapi,
}

/// Whom the server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// A developer: codes are answered and logged, a secret is made up.
    Development,
    /// Everybody: refuses to start with anything that is for developers.
    Production,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// How surely a commit is on the disk when it is answered, in SQLite's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SqliteSynchronous {
    /// It outlives a loss of power.
    Full,
    /// It outlives this program.
    Normal,
}

/// What a server is told. Durations are whole seconds.
#[derive(Debug, Args)]
pub(crate) struct Configuration {
    /// Where the registry is kept: `sqlite://PATH` or `postgres://…`.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/doorbell.db",
        hide_env_values = true
    )]
    pub(crate) database_url: String,

    /// Address to listen on; port 0 picks one and prints it.
    #[arg(long, env = "DOORBELL_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,

    /// Whom the server serves.
    #[arg(long, env = "DOORBELL_MODE", value_enum, default_value = "development")]
    pub(crate) mode: Mode,

    /// `[id:]text[,id:text…]`, each text at least 32 bytes: the first seals, all open. Made up in development.
    #[arg(long, env = "DOORBELL_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,

    /// Digits of a one-time code, 4 to 8.
    #[arg(long, env = "DOORBELL_OTP_LENGTH", default_value_t = 6, value_parser = clap::value_parser!(u8).range(4..=8))]
    pub(crate) otp_length: u8,

    /// How long a one-time code lives.
    #[arg(long, env = "DOORBELL_OTP_TTL", default_value_t = 300, value_parser = clap::value_parser!(i64).range(1..=600))]
    pub(crate) otp_ttl: i64,

    /// How many guesses of one code are compared.
    #[arg(long, env = "DOORBELL_OTP_ATTEMPTS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) otp_attempts: u32,

    /// How long a phone waits for its next code.
    #[arg(long, env = "DOORBELL_OTP_COOLDOWN", default_value_t = 60, value_parser = clap::value_parser!(i64).range(0..=3600))]
    pub(crate) otp_cooldown: i64,

    /// `off` lifts the cool-down, never a code's attempts; development only.
    #[arg(long, env = "DOORBELL_LIMITS", value_enum, default_value = "on")]
    pub(crate) limits: Switch,

    /// How many devices a user may have.
    #[arg(long, env = "DOORBELL_MAX_DEVICES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_devices: u32,

    /// How long an account waits for its deletion.
    #[arg(long, env = "DOORBELL_DELETION_GRACE", default_value_t = 2_592_000, value_parser = clap::value_parser!(i64).range(0..=31_536_000))]
    pub(crate) deletion_grace: i64,

    /// The `iss` of access tokens.
    #[arg(long, env = "DOORBELL_ISSUER", default_value = "doorbell")]
    pub(crate) issuer: String,

    #[command(flatten)]
    pub(crate) senders: SenderConfiguration,

    /// Networks (CIDR) whose X-Forwarded-For is believed.
    #[arg(long, env = "DOORBELL_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<IpNet>,

    /// `off` leaves the schema to `doorbell migrate`.
    #[arg(long, env = "DOORBELL_MIGRATE", value_enum, default_value = "on")]
    pub(crate) migrate: Switch,

    /// How many registrations are planned and written together at most; 1 leaves each to itself.
    #[arg(long, env = "DOORBELL_COMBINE", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) combine: u16,

    /// Connections to PostgreSQL for all but registrations, which have two of their own; absent: two a processor, at most 8.
    #[arg(long, env = "DOORBELL_POOL", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) pool: Option<u32>,

    /// How surely SQLite has a commit on disk when it is answered: `normal` may lose the last ones with the power.
    #[arg(long, env = "DOORBELL_SQLITE_SYNCHRONOUS", value_enum, default_value = "full")]
    pub(crate) sqlite_synchronous: SqliteSynchronous,

    /// A file of seconds added to the clock, re-read at each use; development only.
    #[arg(long, env = "DOORBELL_CLOCK_OFFSET_FILE")]
    pub(crate) clock_offset_file: Option<PathBuf>,
}

/// Which database a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Database {
    /// Reads a URL by its scheme; every other scheme is refused by name, so that a mistyped one never becomes
    /// an empty file.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = url
            .split_once("://")
            .context("DATABASE_URL must be sqlite://PATH or postgres://…")?;
        match scheme {
            "sqlite" if rest.is_empty() => bail!("DATABASE_URL names no file: sqlite://PATH"),
            "sqlite" if rest.contains(['?', '#']) => bail!("DATABASE_URL takes no parameters for sqlite"),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "postgres" | "postgresql" => Ok(Self::Postgres(url.to_owned())),
            other => bail!("DATABASE_URL has the scheme `{other}`; it must be `sqlite` or `postgres`"),
        }
    }
}

impl Configuration {
    /// Refuses what must not be so in production, naming the variable.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.mode == Mode::Development {
            return Ok(());
        }
        if self.secret.is_none() {
            bail!("DOORBELL_SECRET must be set in production");
        }
        if self.limits == Switch::Off {
            bail!("DOORBELL_LIMITS cannot be off in production");
        }
        if self.clock_offset_file.is_some() {
            bail!("DOORBELL_CLOCK_OFFSET_FILE is for development only");
        }
        if self.otp_cooldown == 0 {
            bail!("DOORBELL_OTP_COOLDOWN cannot be 0 in production");
        }
        if self.senders.senders.contains(&Sender::Log) {
            bail!("DOORBELL_SENDERS names `log`, which prints one-time codes: it is for development only");
        }
        Ok(())
    }

    /// The service's policy.
    pub(crate) fn policy(&self) -> anyhow::Result<Policy> {
        let length = CodeLength::new(self.otp_length).context("DOORBELL_OTP_LENGTH must be 4 to 8")?;
        let cooldown = if self.limits == Switch::Off {
            0
        } else {
            self.otp_cooldown
        };
        Ok(Policy {
            codes: CodePolicy {
                length,
                ttl: Duration::seconds(self.otp_ttl),
                attempts: self.otp_attempts,
                cooldown: Duration::seconds(cooldown),
            },
            sessions: SessionPolicy::STANDARD,
            deletion_grace: Duration::seconds(self.deletion_grace),
            max_devices: self.max_devices,
            reveal_codes: self.mode == Mode::Development,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(args: &[&str]) -> Configuration {
        let line = ["doorbell", "serve"].iter().chain(args);
        match CommandLine::try_parse_from(line).expect("a command line").command {
            Command::Serve(configuration) | Command::Migrate(configuration) => *configuration,
            Command::Openapi => panic!("`doorbell serve` prints no document"),
        }
    }

    #[test]
    fn a_database_is_named_by_its_scheme() {
        let sqlite = |path: &str| Database::Sqlite(PathBuf::from(path));
        assert_eq!(
            Database::parse("sqlite://data/doorbell.db").expect("named"),
            sqlite("data/doorbell.db")
        );
        assert_eq!(
            Database::parse("sqlite:///var/lib/d.db").expect("named"),
            sqlite("/var/lib/d.db")
        );
        for url in ["postgres://u:p@host/db", "postgresql:///db"] {
            assert_eq!(
                Database::parse(url).expect("named"),
                Database::Postgres(url.to_owned())
            );
        }
        for url in [
            "",
            "data.db",
            "mysql://host/db",
            "sqlite://",
            "file://x",
            "sqlite://a?mode=ro",
        ] {
            assert!(Database::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn production_names_the_variable_that_keeps_it_from_starting() {
        let secret = "--secret=an example of a secret that is long enough";
        for (args, variable) in [
            (vec!["--mode=production"], "DOORBELL_SECRET"),
            (vec!["--mode=production", secret], "DOORBELL_SENDERS"),
            (
                vec!["--mode=production", secret, "--limits=off"],
                "DOORBELL_LIMITS",
            ),
            (
                vec!["--mode=production", secret, "--clock-offset-file=f"],
                "DOORBELL_CLOCK_OFFSET_FILE",
            ),
            (
                vec!["--mode=production", secret, "--otp-cooldown=0"],
                "DOORBELL_OTP_COOLDOWN",
            ),
        ] {
            let refusal = configured(&args).check().expect_err(variable).to_string();
            assert!(refusal.starts_with(variable), "{refusal}");
        }
        assert!(configured(&[]).check().is_ok());
    }

    #[test]
    fn limits_off_lift_the_cool_down_and_nothing_else() {
        let policy = configured(&["--limits=off"]).policy().expect("a policy");
        assert_eq!(
            (policy.codes.cooldown, policy.codes.attempts),
            (Duration::ZERO, 5)
        );
    }
}
