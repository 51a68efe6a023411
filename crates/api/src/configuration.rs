//! Flags and environment.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use doorbell_http::Origin;
use ipnet::IpNet;

use crate::api_key_commands::ApiKeyCommand;
use crate::delivery_commands::{JobsCommand, PruningCommand};
use crate::event_settings::EventSettings;
use crate::health::HealthCheck;
use crate::key_commands::{KeysCommand, SecretCommand};
use crate::limit_settings::LimitSettings;
use crate::logging::LogFilter;
use crate::push_settings::PushSettings;
use crate::senders::SenderConfiguration;
use crate::values::{network, seconds};
use crate::vapid_commands::VapidCommand;

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
    /// The keys that sign access tokens: add one, or list them.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// The keys by which this service names itself to push services: add one, or list them.
    Vapid {
        #[command(subcommand)]
        command: VapidCommand,
    },
    /// The secret that columns are sealed under: move all that is sealed to a new one.
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// The keys by which back ends send messages: make one, list them, or revoke one.
    Apikey {
        #[command(subcommand)]
        command: ApiKeyCommand,
    },
    /// Deliveries that were set aside: put them back.
    Jobs {
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// Holding credentials for dead that their provider says are gone: resume it where too many of them were.
    Pruning {
        #[command(subcommand)]
        command: PruningCommand,
    },
    /// Carry out deletions that are due, remove what is kept no longer, and exit once nothing is left to do.
    Sweep(Box<Configuration>),
    /// Print the OpenAPI document, and exit.
    Openapi,
    /// Copy the SQLite database to a new file, also while it is served, and exit.
    Backup {
        /// The file to make, which must not be there.
        path: PathBuf,
        #[command(flatten)]
        configuration: Box<Configuration>,
    },
    /// Ask a server on this machine whether it can serve; exit with 0 if it can.
    Health(HealthCheck),
}

impl Command {
    /// What is logged meanwhile.
    pub(crate) fn log(&self) -> LogFilter {
        match self {
            Self::Serve(configuration)
            | Self::Migrate(configuration)
            | Self::Sweep(configuration)
            | Self::Backup { configuration, .. } => configuration.log.clone(),
            Self::Keys { .. }
            | Self::Secret { .. }
            | Self::Vapid { .. }
            | Self::Apikey { .. }
            | Self::Jobs { .. }
            | Self::Pruning { .. }
            | Self::Openapi
            | Self::Health(_) => LogFilter::default(),
        }
    }
}

/// Whom the server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// A developer: codes are answered and logged, a secret is made up.
    Development,
    /// Everybody: refuses to start with anything that is for developers.
    Production,
}

impl Mode {
    /// The name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
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
#[derive(Args)]
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
    #[arg(long, env = "DOORBELL_OTP_TTL", default_value_t = 300, value_parser = seconds(1..=600))]
    pub(crate) otp_ttl: u32,

    /// How many guesses of one code are compared.
    #[arg(long, env = "DOORBELL_OTP_ATTEMPTS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) otp_attempts: u32,

    /// How long a phone waits for its next code.
    #[arg(long, env = "DOORBELL_OTP_COOLDOWN", default_value_t = 60, value_parser = seconds(0..=3_600))]
    pub(crate) otp_cooldown: u32,

    /// Countries that codes are sent to, by ISO 3166 (`TR,DE`), or `all`; must be set in production.
    #[arg(long, env = "DOORBELL_OTP_COUNTRIES", value_delimiter = ',')]
    pub(crate) otp_countries: Vec<String>,

    /// Numbers with a code of their own that is never sent: `+905551234567=1234,…`.
    #[arg(
        long,
        env = "DOORBELL_TEST_NUMBERS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub(crate) test_numbers: Vec<String>,

    /// The day on which test numbers end (`2026-12-31`, UTC); without it production refuses them.
    #[arg(long, env = "DOORBELL_TEST_NUMBERS_UNTIL")]
    pub(crate) test_numbers_until: Option<String>,

    /// `off` lifts the cool-down, all limits and the lock of a phone, never a code's attempts; development only.
    #[arg(long, env = "DOORBELL_LIMITS", value_enum, default_value = "on")]
    pub(crate) limits: Switch,

    #[command(flatten)]
    pub(crate) limit: LimitSettings,

    /// How many devices a user may have.
    #[arg(long, env = "DOORBELL_MAX_DEVICES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_devices: u32,

    /// How long an account waits for its deletion.
    #[arg(long, env = "DOORBELL_DELETION_GRACE", default_value_t = 2_592_000, value_parser = seconds(0..=31_536_000))]
    pub(crate) deletion_grace: u32,

    /// The `iss` of access tokens.
    #[arg(long, env = "DOORBELL_ISSUER", default_value = "doorbell")]
    pub(crate) issuer: String,

    #[command(flatten)]
    pub(crate) senders: SenderConfiguration,

    #[command(flatten)]
    pub(crate) push: PushSettings,

    #[command(flatten)]
    pub(crate) events: EventSettings,

    /// Networks (CIDR), or single addresses, whose X-Forwarded-For is believed.
    #[arg(long, env = "DOORBELL_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxies: Vec<IpNet>,

    /// `off` leaves the schema to `doorbell migrate`.
    #[arg(long, env = "DOORBELL_MIGRATE", value_enum, default_value = "on")]
    pub(crate) migrate: Switch,

    /// How many registrations are planned and written together at most; 1 leaves each to itself.
    #[arg(long, env = "DOORBELL_COMBINE", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) combine: u16,

    /// Connections to PostgreSQL for requests; registrations and what works beside have two of their own each; absent: two a processor, at most 8.
    #[arg(long, env = "DOORBELL_POOL", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) pool: Option<u32>,

    /// How surely SQLite has a commit on disk when it is answered: `normal` may lose the last ones with the power.
    #[arg(long, env = "DOORBELL_SQLITE_SYNCHRONOUS", value_enum, default_value = "full")]
    pub(crate) sqlite_synchronous: SqliteSynchronous,

    /// A file of seconds added to the clock, re-read at each use; development only.
    #[arg(long, env = "DOORBELL_CLOCK_OFFSET_FILE")]
    pub(crate) clock_offset_file: Option<PathBuf>,

    /// Address of a second listener, for `/metrics` alone; absent: there is none.
    #[arg(long, env = "DOORBELL_ADMIN_LISTEN")]
    pub(crate) admin_listen: Option<String>,

    /// Origins whose pages may call from a browser, as `scheme://host[:port]`; absent: none may.
    #[arg(long, env = "DOORBELL_CORS_ORIGINS", value_delimiter = ',')]
    pub(crate) cors_origins: Vec<Origin>,

    /// Connections that are served at once; more wait to be accepted.
    #[arg(long, env = "DOORBELL_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_connections: u32,

    /// How long a request may take in all, from its head to its answer.
    #[arg(long, env = "DOORBELL_REQUEST_TIMEOUT", default_value_t = 30, value_parser = seconds(1..=300))]
    pub(crate) request_timeout: u32,

    /// What is logged, on standard error as JSON lines: a level, or `target=level,…`.
    #[arg(long, env = "DOORBELL_LOG", default_value = "info")]
    pub(crate) log: LogFilter,
}

/// Says nothing: some of it is secret.
impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").finish_non_exhaustive()
    }
}

impl Configuration {
    /// What `doorbell serve` is told by these arguments.
    #[cfg(test)]
    pub(crate) fn of(args: &[&str]) -> Self {
        let line = ["doorbell", "serve"].iter().chain(args);
        match CommandLine::try_parse_from(line).expect("a command line").command {
            Command::Serve(configuration) => *configuration,
            _ => panic!("`doorbell serve` serves"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_prints_no_secret() {
        let configuration = Configuration::of(&[
            "--secret=s3ntinel-of-a-secret",
            "--database-url=postgres://u:s3ntinel@localhost/doorbell",
        ]);
        assert!(!format!("{configuration:?}").contains("s3ntinel"));
    }
}
