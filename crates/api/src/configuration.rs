//! Flags and environment, and what production refuses.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use doorbell_application::Policy;
use doorbell_domain::code::{CodeLength, CodePolicy};
use doorbell_domain::destination::{Countries, Country};
use doorbell_domain::phone::NumberingPlan;
use doorbell_domain::session::SessionPolicy;
use doorbell_domain::test_numbers::TestNumbers;
use doorbell_domain::{Code, Timestamp};
use doorbell_http::Origin;
use doorbell_standards::LibPhoneNumber;
use ipnet::IpNet;
use time::Duration;
use url::Url;

use crate::api_key_commands::ApiKeyCommand;
use crate::delivery_commands::{JobsCommand, PruningCommand};
use crate::health::HealthCheck;
use crate::limit_settings::LimitSettings;
use crate::logging::LogFilter;

use crate::key_commands::{KeysCommand, SecretCommand};

use crate::push_settings::PushSettings;

use crate::senders::{Sender, SenderConfiguration};

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
    #[arg(long, env = "DOORBELL_OTP_TTL", default_value_t = 300, value_parser = clap::value_parser!(i64).range(1..=600))]
    pub(crate) otp_ttl: i64,

    /// How many guesses of one code are compared.
    #[arg(long, env = "DOORBELL_OTP_ATTEMPTS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) otp_attempts: u32,

    /// How long a phone waits for its next code.
    #[arg(long, env = "DOORBELL_OTP_COOLDOWN", default_value_t = 60, value_parser = clap::value_parser!(i64).range(0..=3600))]
    pub(crate) otp_cooldown: i64,

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
    #[arg(long, env = "DOORBELL_DELETION_GRACE", default_value_t = 2_592_000, value_parser = clap::value_parser!(i64).range(0..=31_536_000))]
    pub(crate) deletion_grace: i64,

    /// The `iss` of access tokens.
    #[arg(long, env = "DOORBELL_ISSUER", default_value = "doorbell")]
    pub(crate) issuer: String,

    #[command(flatten)]
    pub(crate) senders: SenderConfiguration,

    #[command(flatten)]
    pub(crate) push: PushSettings,

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
    #[arg(long, env = "DOORBELL_REQUEST_TIMEOUT", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) request_timeout: u64,

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
    /// Refuses what must not be so in production: all of it at once, a line each, which names the variable.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.mode == Mode::Development {
            return Ok(());
        }
        let refused = self.not_for_production();
        if !refused.is_empty() {
            bail!("production cannot start:\n  {}", refused.join("\n  "));
        }
        Ok(())
    }

    /// What production lacks, and what it has that is for developers.
    fn not_for_production(&self) -> Vec<&'static str> {
        let mut refused = Vec::new();
        if self.secret.is_none() {
            refused.push("DOORBELL_SECRET must be set in production");
        }
        if !is_https(&self.issuer) {
            refused.push(
                "DOORBELL_ISSUER must be the https URL that clients reach this service by, in production",
            );
        }
        if self.otp_countries.is_empty() {
            refused.push(
                "DOORBELL_OTP_COUNTRIES must name the countries that codes are sent to in production (or `all`)",
            );
        }
        if !self.test_numbers.is_empty() && self.test_numbers_until.is_none() {
            refused
                .push("DOORBELL_TEST_NUMBERS_UNTIL must be the day on which test numbers end, in production");
        }
        if self.limits == Switch::Off {
            refused.push("DOORBELL_LIMITS cannot be off in production");
        }
        if self.clock_offset_file.is_some() {
            refused.push("DOORBELL_CLOCK_OFFSET_FILE is for development only");
        }
        if self.otp_cooldown == 0 {
            refused.push("DOORBELL_OTP_COOLDOWN cannot be 0 in production");
        }
        if self.senders.senders.contains(&Sender::Log) {
            refused.push(
                "DOORBELL_SENDERS names `log`, which prints one-time codes: it is for development only",
            );
        }
        refused
    }

    fn countries(&self) -> anyhow::Result<Countries> {
        let all = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("all"));
        match &self.otp_countries[..] {
            [] => Ok(Countries::All),
            [_] if all(&self.otp_countries) => Ok(Countries::All),
            names => {
                let read = names.iter().map(|name| {
                    Country::parse(name).with_context(|| {
                        format!("DOORBELL_OTP_COUNTRIES: `{name}` is no country's two letters")
                    })
                });
                read.collect::<anyhow::Result<_>>().map(Countries::Only)
            }
        }
    }

    /// Reads the test numbers, by a numbering plan. A refusal never holds the code.
    fn numbers_for_tests(&self, plan: &LibPhoneNumber) -> anyhow::Result<TestNumbers> {
        let read = |entry: &String| {
            let (number, code) = entry
                .split_once('=')
                .context("DOORBELL_TEST_NUMBERS must be +NUMBER=CODE,…")?;
            let phone = plan
                .parse_e164(number)
                .with_context(|| format!("DOORBELL_TEST_NUMBERS: `{number}` is no phone number"))?;
            let code = Code::parse(code).with_context(|| {
                format!("DOORBELL_TEST_NUMBERS: the code of {number} is not 4 to 8 digits")
            })?;
            Ok((phone, code))
        };
        let numbers = self
            .test_numbers
            .iter()
            .map(read)
            .collect::<anyhow::Result<_>>()?;
        let format = time::macros::format_description!("[year]-[month]-[day]");
        let until = self.test_numbers_until.as_deref().map(|day| {
            time::Date::parse(day, format)
                .map(|day| Timestamp::from_datetime(day.midnight().assume_utc()))
                .context("DOORBELL_TEST_NUMBERS_UNTIL must be a day such as 2026-12-31")
        });
        Ok(TestNumbers::new(numbers, until.transpose()?))
    }

    /// The service's policy.
    pub(crate) fn policy(&self, plan: &LibPhoneNumber) -> anyhow::Result<Policy> {
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
            limits: (self.limits == Switch::On).then(|| self.limit.policy()),
            countries: self.countries()?,
            test_numbers: self.numbers_for_tests(plan)?,
            sessions: SessionPolicy::STANDARD,
            deletion_grace: Duration::seconds(self.deletion_grace),
            max_devices: self.max_devices,
            reveal_codes: self.mode == Mode::Development,
        })
    }
}

/// Whether `text` is a URL that may name an issuer (RFC 8414 §2): https, with a host, without query and fragment.
fn is_https(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        url.scheme() == "https" && url.has_host() && url.query().is_none() && url.fragment().is_none()
    })
}

#[cfg(test)]
mod tests {
    use doorbell_domain::limits::LimitPolicy;

    use super::*;

    fn configured(args: &[&str]) -> Configuration {
        let line = ["doorbell", "serve"].iter().chain(args);
        match CommandLine::try_parse_from(line).expect("a command line").command {
            Command::Serve(configuration)
            | Command::Migrate(configuration)
            | Command::Sweep(configuration) => *configuration,
            _ => panic!("`doorbell serve` serves"),
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
    fn production_names_every_variable_that_keeps_it_from_starting() {
        let variables = |args: &[&str]| -> Vec<String> {
            let refused = configured(args).not_for_production();
            let first = |line: &str| line.split(' ').next().map(str::to_owned);
            refused.into_iter().filter_map(first).collect()
        };
        let secret = "--secret=an example of a secret that is long enough";
        let (issuer, countries) = ("--issuer=https://doorbell.example.com", "--otp-countries=TR");
        assert_eq!(
            variables(&[]),
            [
                "DOORBELL_SECRET",
                "DOORBELL_ISSUER",
                "DOORBELL_OTP_COUNTRIES",
                "DOORBELL_SENDERS"
            ]
        );
        assert_eq!(variables(&[secret, issuer, countries]), ["DOORBELL_SENDERS"]);
        for (arg, variable) in [
            ("--test-numbers=+905551234567=1234", "DOORBELL_TEST_NUMBERS_UNTIL"),
            ("--limits=off", "DOORBELL_LIMITS"),
            ("--clock-offset-file=f", "DOORBELL_CLOCK_OFFSET_FILE"),
            ("--otp-cooldown=0", "DOORBELL_OTP_COOLDOWN"),
        ] {
            assert_eq!(
                variables(&[secret, issuer, countries, arg]),
                [variable, "DOORBELL_SENDERS"],
                "{arg}"
            );
        }
        let refusal = configured(&["--mode=production"])
            .check()
            .expect_err("it lacks much")
            .to_string();
        assert_eq!(refusal.lines().count(), 5, "a line each: {refusal}");
        assert!(configured(&[]).check().is_ok());
    }

    fn policy(args: &[&str]) -> anyhow::Result<Policy> {
        configured(args).policy(&LibPhoneNumber::load().expect("numbering plans"))
    }

    #[test]
    fn an_issuer_is_an_https_url() {
        for good in ["https://doorbell.example.com", "https://example.com/sign-in"] {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "doorbell",
            "",
            "http://doorbell.example.com",
            "https://",
            "https://e.example?q",
            "https://e.example#f",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
    }

    #[test]
    fn a_configuration_prints_no_secret() {
        let configuration = configured(&[
            "--secret=s3ntinel-of-a-secret",
            "--database-url=postgres://u:s3ntinel@localhost/doorbell",
        ]);
        assert!(!format!("{configuration:?}").contains("s3ntinel"));
    }

    #[test]
    fn limits_off_lift_the_cool_down_and_the_limits_but_no_codes_attempts() {
        let policy = policy(&["--limits=off"]).expect("a policy");
        assert_eq!(
            (policy.codes.cooldown, policy.codes.attempts),
            (Duration::ZERO, 5)
        );
        assert!(policy.limits.is_none());
    }

    #[test]
    fn each_limit_has_its_setting() {
        let of = |args: &[&str]| policy(args).expect("a policy").limits.expect("on");
        assert_eq!(format!("{:?}", of(&[])), format!("{:?}", LimitPolicy::STANDARD));
        for (flag, got) in [
            ("phone-burst", of(&["--limit-phone-burst=3"]).phone_burst.most),
            ("phone-day", of(&["--limit-phone-day=3"]).phone_day.most),
            ("phone-failures", of(&["--limit-phone-failures=3"]).lock.failures),
            (
                "network-sends",
                of(&["--limit-network-sends=3"]).network_sends.most,
            ),
            (
                "network-verifies",
                of(&["--limit-network-verifies=3"]).network_verifies.most,
            ),
            (
                "network-refreshes",
                of(&["--limit-network-refreshes=3"]).network_refreshes.most,
            ),
            ("prefix-sends", of(&["--limit-prefix-sends=3"]).prefix_sends.most),
            (
                "country-sends",
                of(&["--limit-country-sends=3"]).country_sends.most,
            ),
            ("all-sends", of(&["--limit-all-sends=3"]).all_sends.most),
        ] {
            assert_eq!(got, 3, "{flag}");
        }
    }

    #[test]
    fn countries_and_test_numbers_are_read_or_refused_by_name() {
        let listed = policy(&["--otp-countries=tr,DE"]).expect("a policy").countries;
        let countries = ["TR", "DE"].map(|code| Country::parse(code).expect("two letters"));
        assert_eq!(listed, Countries::Only(countries.to_vec()));
        for all in [&[][..], &["--otp-countries=all"]] {
            assert_eq!(policy(all).expect("a policy").countries, Countries::All);
        }
        let numbers = policy(&[
            "--test-numbers=+905551234567=1234",
            "--test-numbers-until=2026-12-31",
        ]);
        let numbers = numbers.expect("a policy").test_numbers;
        let phone = doorbell_domain::PhoneNumber::from_parts(90, "5551234567").expect("well-formed");
        let at = |text: &str| {
            let format = &time::format_description::well_known::Rfc3339;
            Timestamp::from_datetime(time::OffsetDateTime::parse(text, format).expect("an instant"))
        };
        assert!(numbers.code_of(&phone, at("2026-12-30T23:59:59Z")).is_some());
        assert!(numbers.code_of(&phone, at("2026-12-31T00:00:00Z")).is_none());
        for (args, variable) in [
            (&["--otp-countries=TR,90"][..], "DOORBELL_OTP_COUNTRIES"),
            (&["--otp-countries=TR,all"], "DOORBELL_OTP_COUNTRIES"),
            (&["--test-numbers=+905551234567"], "DOORBELL_TEST_NUMBERS"),
            (&["--test-numbers=5551234567=1234"], "DOORBELL_TEST_NUMBERS"),
            (&["--test-numbers=+905551234567=12"], "DOORBELL_TEST_NUMBERS"),
            (&["--test-numbers-until=tomorrow"], "DOORBELL_TEST_NUMBERS_UNTIL"),
        ] {
            let refusal = policy(args).expect_err(variable).to_string();
            assert!(refusal.starts_with(variable), "{refusal}");
        }
    }
}
