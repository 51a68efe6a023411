//! Who delivers one-time codes, as it is configured.

use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use doorbell_codes::{Autofill, LogSender, Origin, Senders, Title, Twilio, TwilioAccount, Webhook, Wording};
use doorbell_domain::Clock;
use doorbell_outward::{Outward, WebhookSecret};

use crate::configuration::Mode;
use crate::own_service;

const TWILIO_SID: &str = "DOORBELL_TWILIO_ACCOUNT_SID";

/// Who delivers one-time codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sender {
    /// Prints them on standard output, for development.
    Log,
    /// Posts them to a service of one's own.
    Webhook,
    /// Sends them as text messages.
    Twilio,
}

/// What the senders are told.
#[derive(Debug, Args)]
pub(crate) struct SenderConfiguration {
    /// Senders of one-time codes, in order: the next is asked when one fails or refuses.
    #[arg(
        long,
        env = "DOORBELL_SENDERS",
        value_enum,
        value_delimiter = ',',
        default_value = "log"
    )]
    pub(crate) senders: Vec<Sender>,

    /// What the application is called in text messages, at most 30 characters.
    #[arg(long, env = "DOORBELL_APP_NAME", default_value = "Doorbell")]
    app_name: String,

    /// Host name of the site that may fill codes in: ends texts with `@domain #code`.
    #[arg(long, env = "DOORBELL_OTP_DOMAIN")]
    otp_domain: Option<String>,

    /// Android app that may fill codes in, by its SMS Retriever hash: ends texts with it where there is no domain.
    #[arg(long, env = "DOORBELL_OTP_APP_HASH")]
    otp_app_hash: Option<String>,

    /// Where `webhook` posts codes: https, or in development http on this machine.
    #[arg(long, env = "DOORBELL_OTP_WEBHOOK_URL", hide_env_values = true)]
    otp_webhook_url: Option<String>,

    /// What it signs them with: `whsec_` and the base64 of 24 to 64 bytes.
    #[arg(long, env = "DOORBELL_OTP_WEBHOOK_SECRET", hide_env_values = true)]
    otp_webhook_secret: Option<String>,

    /// The account that `twilio` sends on.
    #[arg(long, env = "DOORBELL_TWILIO_ACCOUNT_SID", hide_env_values = true)]
    twilio_account_sid: Option<String>,

    /// Its token.
    #[arg(long, env = "DOORBELL_TWILIO_AUTH_TOKEN", hide_env_values = true)]
    twilio_auth_token: Option<String>,

    /// What it sends from: a number or a name, or a messaging service (`MG…`).
    #[arg(long, env = "DOORBELL_TWILIO_FROM")]
    twilio_from: Option<String>,

    /// Root of Twilio's API: https, or in development http on this machine.
    #[arg(
        long,
        env = "DOORBELL_TWILIO_BASE_URL",
        default_value = "https://api.twilio.com"
    )]
    twilio_base_url: String,
}

impl SenderConfiguration {
    /// The senders, in their order. What they need and have not is named by its variable, never with its value.
    pub(crate) fn build(&self, mode: Mode, clock: &Arc<dyn Clock>) -> anyhow::Result<Senders> {
        let mut senders = Senders::new();
        // Made once where it is needed, so that the senders share its connections.
        let mut outward = None;
        for (n, sender) in self.senders.iter().enumerate() {
            if self.senders.iter().take(n).any(|before| before == sender) {
                bail!("DOORBELL_SENDERS names a sender twice");
            }
            senders = match sender {
                Sender::Log => senders.then("log", Arc::new(LogSender)),
                Sender::Webhook => {
                    let webhook = Webhook::new(
                        own_service::address("DOORBELL_OTP_WEBHOOK_URL", self.webhook_url()?, mode)?,
                        self.webhook_secret()?,
                        self.wording()?,
                        client(&mut outward)?,
                        Arc::clone(clock),
                    );
                    senders.then("webhook", Arc::new(webhook))
                }
                Sender::Twilio => {
                    let twilio = Twilio::new(
                        &own_service::address("DOORBELL_TWILIO_BASE_URL", &self.twilio_base_url, mode)?,
                        self.twilio_account()?,
                        self.twilio_origin()?,
                        self.wording()?,
                        client(&mut outward)?,
                        Arc::clone(clock),
                    );
                    senders.then("twilio", Arc::new(twilio))
                }
            };
        }
        Ok(senders)
    }

    /// What the senders that are named need and have not: one line each, which begins with its variable.
    pub(crate) fn lacks(&self) -> Vec<String> {
        let parts = self.senders.iter().flat_map(|sender| match sender {
            Sender::Log => vec![],
            Sender::Webhook => vec![
                self.webhook_url().err(),
                self.webhook_secret().err(),
                self.wording().err(),
            ],
            Sender::Twilio => vec![
                self.twilio_sid().err(),
                self.twilio_token().err(),
                self.twilio_origin().err(),
                self.wording().err(),
            ],
        });
        let mut lacks: Vec<String> = Vec::new();
        for part in parts.flatten() {
            let part = part.to_string();
            // Two senders may lack the same.
            if !lacks.contains(&part) {
                lacks.push(part);
            }
        }
        lacks
    }

    fn webhook_url(&self) -> anyhow::Result<&str> {
        required(
            "DOORBELL_OTP_WEBHOOK_URL",
            "webhook",
            self.otp_webhook_url.as_deref(),
        )
    }

    fn webhook_secret(&self) -> anyhow::Result<WebhookSecret> {
        const NAME: &str = "DOORBELL_OTP_WEBHOOK_SECRET";
        let secret = required(NAME, "webhook", self.otp_webhook_secret.as_deref())?;
        own_service::secret(NAME, secret)
    }

    fn twilio_sid(&self) -> anyhow::Result<&str> {
        required(TWILIO_SID, "twilio", self.twilio_account_sid.as_deref())
    }

    fn twilio_token(&self) -> anyhow::Result<&str> {
        let token = self.twilio_auth_token.as_deref();
        required("DOORBELL_TWILIO_AUTH_TOKEN", "twilio", token)
    }

    fn twilio_account(&self) -> anyhow::Result<TwilioAccount> {
        TwilioAccount::new(self.twilio_sid()?, self.twilio_token()?)
            .with_context(|| format!("{TWILIO_SID} must be letters and digits"))
    }

    fn twilio_origin(&self) -> anyhow::Result<Origin> {
        const NAME: &str = "DOORBELL_TWILIO_FROM";
        let from = required(NAME, "twilio", self.twilio_from.as_deref())?;
        Origin::parse(from).with_context(|| format!("{NAME} must not be empty"))
    }

    fn wording(&self) -> anyhow::Result<Wording> {
        let title = Title::parse(&self.app_name)
            .context("DOORBELL_APP_NAME must be 1 to 30 characters in one line")?;
        let autofill = match (&self.otp_domain, &self.otp_app_hash) {
            (Some(domain), _) => Autofill::domain(domain)
                .context("DOORBELL_OTP_DOMAIN must be a host name, such as example.com")?,
            (None, Some(hash)) => Autofill::app_hash(hash).context(
                "DOORBELL_OTP_APP_HASH must be the 11 characters that SMS Retriever knows the app by",
            )?,
            (None, None) => Autofill::OFF,
        };
        Ok(Wording::new(title, autofill))
    }
}

fn client(made: &mut Option<Outward>) -> anyhow::Result<Outward> {
    if let Some(outward) = made {
        return Ok(outward.clone());
    }
    let outward = Outward::new().context("DOORBELL_SENDERS")?;
    Ok(made.insert(outward).clone())
}

fn required<'a>(name: &str, sender: &str, value: Option<&'a str>) -> anyhow::Result<&'a str> {
    value
        .filter(|value| !value.is_empty())
        .with_context(|| format!("{name} must be set for the sender `{sender}`"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::clock::SystemClock;
    use crate::configuration::{Command, CommandLine};

    const SECRET: &str = "--otp-webhook-secret=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const URL: &str = "--otp-webhook-url=https://codes.example.com/send";
    const TWILIO: [&str; 4] = [
        "--senders=twilio",
        "--twilio-account-sid=AC0123",
        "--twilio-auth-token=s3ntinel",
        "--twilio-from=MG0123",
    ];

    fn built(mode: Mode, args: &[&str]) -> anyhow::Result<Senders> {
        let line = ["doorbell", "serve"].iter().chain(args);
        let Command::Serve(configuration) = CommandLine::try_parse_from(line).expect("a line").command else {
            panic!("it serves");
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(None));
        configuration.senders.build(mode, &clock)
    }

    #[track_caller]
    fn assert_refused(mode: Mode, args: &[&str], variable: &str) {
        let Err(refusal) = built(mode, args) else {
            panic!("{args:?} is taken");
        };
        let refusal = format!("{refusal:#}");
        assert!(refusal.starts_with(variable), "{args:?}: {refusal}");
        assert!(!refusal.contains("s3ntinel"), "{refusal}");
    }

    #[test]
    fn what_a_sender_needs_is_named_by_its_variable() {
        let production = Mode::Production;
        for (args, variable) in [
            (vec!["--senders=webhook"], "DOORBELL_OTP_WEBHOOK_URL"),
            (vec!["--senders=webhook", URL], "DOORBELL_OTP_WEBHOOK_SECRET"),
            (
                vec!["--senders=webhook", URL, "--otp-webhook-secret=whsec_s3ntinel"],
                "DOORBELL_OTP_WEBHOOK_SECRET",
            ),
            (vec!["--senders=twilio"], "DOORBELL_TWILIO_ACCOUNT_SID"),
            (TWILIO[..2].to_vec(), "DOORBELL_TWILIO_AUTH_TOKEN"),
            (TWILIO[..3].to_vec(), "DOORBELL_TWILIO_FROM"),
            (vec!["--senders=log,webhook,log", URL, SECRET], "DOORBELL_SENDERS"),
        ] {
            assert_refused(production, &args, variable);
        }
        for (more, variable) in [
            ("--app-name=", "DOORBELL_APP_NAME"),
            ("--otp-domain=https://example.com", "DOORBELL_OTP_DOMAIN"),
            ("--otp-app-hash=short", "DOORBELL_OTP_APP_HASH"),
            ("--twilio-base-url=http://127.0.0.1:1", "DOORBELL_TWILIO_BASE_URL"),
        ] {
            let args: Vec<_> = TWILIO.into_iter().chain([more]).collect();
            assert_refused(production, &args, variable);
        }
        assert!(built(production, &TWILIO).is_ok());
        assert!(built(production, &["--senders=webhook", URL, SECRET]).is_ok());
    }
}
