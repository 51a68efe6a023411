//! How browsers are rung, as it is configured.

use anyhow::{Context, bail};
use clap::Args;
use doorbell_push::web_push::Subject;

use crate::configuration::Mode;

/// Whom push services write to about a developer's messages: nobody.
const DEVELOPER: &str = "mailto:developer@doorbell.example";

/// What is said to push services.
#[derive(Debug, Args)]
pub(crate) struct PushSettings {
    /// Whom push services write to about this service: `mailto:` and an address, or an https URL. Absent: in production
    /// `DOORBELL_ISSUER`.
    #[arg(long, env = "DOORBELL_VAPID_SUBJECT")]
    vapid_subject: Option<String>,
}

impl PushSettings {
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
}
