//! How browsers are rung, as it is configured.

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use doorbell_push::web_push::Subject;

use crate::configuration::Mode;

/// Whom push services write to about a developer's messages: nobody.
const DEVELOPER: &str = "mailto:developer@doorbell.example";

/// Who carries messages to devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// The push services of browsers.
    Webpush,
    /// Nobody: messages are accepted, and their jobs fail.
    None,
}

/// Who carries messages, and what is said to push services.
#[derive(Debug, Args)]
pub(crate) struct PushSettings {
    /// Who carries messages to devices: `webpush`, or `none`.
    #[arg(
        long,
        env = "DOORBELL_PROVIDERS",
        value_enum,
        value_delimiter = ',',
        default_value = "webpush"
    )]
    providers: Vec<Provider>,

    /// Whom push services write to about this service: `mailto:` and an address, or an https URL. Absent: in production
    /// `DOORBELL_ISSUER`.
    #[arg(long, env = "DOORBELL_VAPID_SUBJECT")]
    vapid_subject: Option<String>,
}

impl PushSettings {
    /// Whether browsers are rung.
    pub(crate) fn rings_browsers(&self) -> anyhow::Result<bool> {
        match self.providers[..] {
            [Provider::Webpush] => Ok(true),
            [Provider::None] => Ok(false),
            _ => bail!("DOORBELL_PROVIDERS must name each provider once, or `none` alone"),
        }
    }

    /// Whom push services write to.
    pub(crate) fn subject(&self, mode: Mode, issuer: &str) -> anyhow::Result<Subject> {
        let text = match (&self.vapid_subject, mode) {
            (Some(text), _) => text,
            (None, Mode::Production) => issuer,
            (None, Mode::Development) => DEVELOPER,
        };
        let subject = Subject::parse(text)
            .context("DOORBELL_VAPID_SUBJECT must be mailto: and an address, or an https URL")?;
        if mode == Mode::Production && subject.is_local() {
            bail!("DOORBELL_VAPID_SUBJECT must not be at localhost in production");
        }
        Ok(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_to_write_to_is_known_outside_this_machine_in_production() {
        const ISSUER: &str = "https://doorbell.example.com";
        let subject = |text: Option<&str>, mode| {
            let settings = PushSettings {
                providers: vec![Provider::Webpush],
                vapid_subject: text.map(str::to_owned),
            };
            let subject = settings.subject(mode, ISSUER);
            subject.map(|subject| subject.as_str().to_owned())
        };
        let (production, development) = (Mode::Production, Mode::Development);
        assert_eq!(
            subject(None, production).expect("the issuer"),
            format!("{ISSUER}/")
        );
        assert_eq!(subject(None, development).expect("nobody"), DEVELOPER);
        let (me, local) = ("mailto:push@example.com", "https://localhost/");
        assert_eq!(subject(Some(me), production).expect("me"), me);
        assert_eq!(subject(Some(local), development).expect("local"), local);
        for (text, mode) in [
            (local, production),
            ("example.com", development),
            ("", production),
        ] {
            let refusal = subject(Some(text), mode).expect_err(text).to_string();
            assert!(refusal.starts_with("DOORBELL_VAPID_SUBJECT"), "{refusal}");
        }
    }

    #[test]
    fn providers_are_named_once_or_there_are_none() {
        let rings = |providers: &[Provider]| {
            let settings = PushSettings {
                providers: providers.to_vec(),
                vapid_subject: None,
            };
            settings.rings_browsers().ok()
        };
        assert_eq!(rings(&[Provider::Webpush]), Some(true));
        assert_eq!(rings(&[Provider::None]), Some(false));
        for bad in [
            &[Provider::Webpush, Provider::None][..],
            &[Provider::Webpush, Provider::Webpush],
            &[],
        ] {
            assert_eq!(rings(bad), None, "{bad:?}");
        }
    }
}
