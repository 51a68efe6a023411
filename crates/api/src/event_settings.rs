//! Who is told what happens, as it is configured.

use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use doorbell_domain::Clock;
use doorbell_domain::ports::EventReceiver;
use doorbell_events::Webhook;
use doorbell_outward::Outward;

use crate::configuration::Mode;
use crate::own_service;

const URL: &str = "DOORBELL_EVENTS_WEBHOOK";
const SECRET: &str = "DOORBELL_EVENTS_WEBHOOK_SECRET";

/// Where events are posted.
#[derive(Args)]
pub(crate) struct EventSettings {
    /// Where events are posted: https, or in development http on this machine. Absent: nowhere, and none are kept.
    #[arg(long, env = URL, hide_env_values = true)]
    events_webhook: Option<String>,

    /// What they are signed with: `whsec_` and the base64 of 24 to 64 bytes.
    #[arg(long, env = SECRET, hide_env_values = true)]
    events_webhook_secret: Option<String>,
}

impl EventSettings {
    /// Whether there is anybody to be told.
    pub(crate) const fn announce(&self) -> bool {
        self.events_webhook.is_some()
    }

    /// Where events are posted, and what they are signed with, if anybody is told.
    fn both(&self) -> anyhow::Result<Option<(&str, &str)>> {
        match (&self.events_webhook, &self.events_webhook_secret) {
            (None, None) => Ok(None),
            (None, Some(_)) => bail!("{URL} must be set where {SECRET} is"),
            (Some(_), None) => bail!("{SECRET} must be set where {URL} is"),
            (Some(url), Some(secret)) => Ok(Some((url, secret))),
        }
    }

    /// What is needed and not there, in a line that begins with its variable.
    pub(crate) fn lacks(&self) -> Option<String> {
        self.both().err().map(|lack| lack.to_string())
    }

    /// Who is told, if anybody is.
    pub(crate) fn build(
        &self,
        mode: Mode,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Option<Arc<dyn EventReceiver>>> {
        let Some((url, secret)) = self.both()? else {
            return Ok(None);
        };
        let webhook = Webhook::new(
            own_service::address(URL, url, mode)?,
            own_service::secret(SECRET, secret)?,
            Outward::new().context(URL)?,
            Arc::clone(clock),
        );
        Ok(Some(Arc::new(webhook)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::configuration::Configuration;

    const THERE: &str = "--events-webhook=https://events.example.com/doorbell";
    const LOCAL: &str = "--events-webhook=http://127.0.0.1:9000/events";
    const SIGNED: &str = "--events-webhook-secret=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    /// Whether anybody is told, or what is said against it.
    fn built(mode: Mode, args: &[&str]) -> Result<bool, String> {
        let settings = Configuration::of(args).events;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(None));
        let built = settings.build(mode, &clock);
        let told = built.map_err(|refusal| format!("{refusal:#}"))?.is_some();
        assert_eq!(told, settings.announce(), "what is kept is what is told");
        Ok(told)
    }

    #[test]
    fn nobody_is_told_unless_it_is_said_who_and_what_signs() {
        assert_eq!(built(Mode::Production, &[]), Ok(false));
        assert_eq!(built(Mode::Production, &[THERE, SIGNED]), Ok(true));
        assert_eq!(built(Mode::Development, &[LOCAL, SIGNED]), Ok(true));
    }

    #[test]
    fn what_is_not_whole_is_refused_by_its_variable() {
        for (args, variable) in [
            (vec![THERE], SECRET),
            (vec![SIGNED], URL),
            (vec!["--events-webhook=", SIGNED], URL),
            (vec![LOCAL, SIGNED], URL),
            (
                vec!["--events-webhook=https://user:s3ntinel@example.com/", SIGNED],
                URL,
            ),
            (vec![THERE, "--events-webhook-secret=whsec_s3ntinel"], SECRET),
        ] {
            let refusal = built(Mode::Production, &args).expect_err("it is not whole");
            assert!(
                refusal.starts_with(&format!("{variable} ")),
                "{args:?}: {refusal}"
            );
            assert!(!refusal.contains("s3ntinel"), "{refusal}");
        }
    }
}
