//! How browsers are rung, as it is configured.

use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use doorbell_domain::ports::{Endpoints, PushSender, VapidKeys};
use doorbell_domain::push_services::{PushServices, ServiceName};
use doorbell_domain::web_push::EndpointPolicy;
use doorbell_domain::{Clock, Entropy};
use doorbell_outward::SystemNames;
use doorbell_push::Providers;
use doorbell_push::web_push::{Authorizations, Destinations, EndpointLookups, Subject, WebPush};

use crate::configuration::Mode;

/// Whom push services write to about a developer's messages: nobody.
const DEVELOPER: &str = "mailto:developer@doorbell.example";

/// How many names of push services are looked up at once, when browsers subscribe and again when they are rung: neither waits for the
/// other.
const LOOKUPS: usize = 16;

/// Who carries messages to devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// The push services of browsers.
    Webpush,
    /// Nobody: messages are accepted, and their jobs fail.
    None,
}

/// Who carries messages, what is said to push services, and to which.
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

    /// Push services that browsers may have, by their hosts' names, names under them included; `known` stands for those of the browsers
    /// there are, `any` for all. Absent: `known` in production, `any` in development.
    #[arg(long, env = "DOORBELL_WEBPUSH_HOSTS", value_delimiter = ',')]
    webpush_hosts: Vec<String>,
}

/// What rings browsers.
pub(crate) struct Ringing {
    /// Who sends.
    pub(crate) push: Arc<dyn PushSender>,
    /// Who judges endpoints.
    pub(crate) endpoints: Arc<dyn Endpoints>,
}

impl PushSettings {
    /// Whether browsers are rung.
    fn rings_browsers(&self) -> anyhow::Result<bool> {
        match self.providers[..] {
            [Provider::Webpush] => Ok(true),
            [Provider::None] => Ok(false),
            _ => bail!("DOORBELL_PROVIDERS must name each provider once, or `none` alone"),
        }
    }

    /// Whom push services write to.
    fn subject(&self, mode: Mode, issuer: &str) -> anyhow::Result<Subject> {
        let text = match (&self.vapid_subject, mode) {
            (Some(text), _) => text,
            (None, Mode::Production) => issuer,
            (None, Mode::Development) => DEVELOPER,
        };
        let subject = Subject::parse(text)
            .context("DOORBELL_VAPID_SUBJECT must be mailto: and an address, or an https URL")?;
        if mode == Mode::Production && subject.is_local() {
            bail!(
                "DOORBELL_VAPID_SUBJECT, which is DOORBELL_ISSUER where it is not set, must not be at localhost in production"
            );
        }
        Ok(subject)
    }

    /// Which push services are sent to.
    fn services(&self, mode: Mode) -> anyhow::Result<PushServices> {
        let named = |text: &String| text.eq_ignore_ascii_case("any");
        match (&self.webpush_hosts[..], mode) {
            ([], Mode::Development) => return Ok(PushServices::Any),
            ([], Mode::Production) => return Ok(PushServices::At(PushServices::known())),
            ([only], _) if named(only) => return Ok(PushServices::Any),
            _ => {}
        }
        let mut names = Vec::new();
        for text in &self.webpush_hosts {
            if text.eq_ignore_ascii_case("known") {
                names.extend(PushServices::known());
            } else {
                let name = ServiceName::parse(text);
                names.push(name.with_context(|| {
                    format!(
                        "DOORBELL_WEBPUSH_HOSTS: `{text}` is no host's name, nor `known`, nor `any` alone"
                    )
                })?);
            }
        }
        Ok(PushServices::At(names))
    }

    /// What of these settings cannot be: a line each, which begins with its variable.
    pub(crate) fn refused(&self, mode: Mode, issuer: &str) -> Vec<String> {
        let parts = [
            self.rings_browsers().err(),
            // In production the issuer has a line of its own, should that be wrong.
            self.vapid_subject
                .as_ref()
                .and_then(|_| self.subject(mode, issuer).err()),
            self.services(mode).err(),
        ];
        parts.into_iter().flatten().map(|part| part.to_string()).collect()
    }

    /// What rings browsers, by these settings.
    pub(crate) fn build(
        &self,
        mode: Mode,
        issuer: &str,
        policy: EndpointPolicy,
        keys: Arc<dyn VapidKeys>,
        entropy: &Arc<dyn Entropy>,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Ringing> {
        let destinations = Destinations::new(policy, self.services(mode)?);
        let authorizations = Authorizations::new(keys, self.subject(mode, issuer)?);
        let names = || Arc::new(SystemNames::new(LOOKUPS));
        let lookups = EndpointLookups::new(destinations.clone(), names(), Arc::clone(clock));
        let mut providers = Providers::new();
        if self.rings_browsers()? {
            let web_push = WebPush::new(
                destinations,
                authorizations,
                names(),
                Arc::clone(entropy),
                Arc::clone(clock),
            );
            providers = providers.browsers(web_push.context("DOORBELL_PROVIDERS")?);
        }
        Ok(Ringing {
            push: Arc::new(providers),
            endpoints: Arc::new(lookups),
        })
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::WebPushEndpoint;

    use super::*;

    const ISSUER: &str = "https://doorbell.example.com";
    const BARE: PushSettings = PushSettings {
        providers: Vec::new(),
        vapid_subject: None,
        webpush_hosts: Vec::new(),
    };
    const PRODUCTION: Mode = Mode::Production;
    const DEVELOPMENT: Mode = Mode::Development;

    #[test]
    fn whom_to_write_to_is_known_outside_this_machine_in_production() {
        let subject = |text: Option<&str>, mode| {
            let settings = PushSettings {
                vapid_subject: text.map(str::to_owned),
                ..BARE
            };
            let subject = settings.subject(mode, ISSUER);
            subject.map(|subject| subject.as_str().to_owned())
        };
        assert_eq!(
            subject(None, PRODUCTION).expect("the issuer"),
            format!("{ISSUER}/")
        );
        assert_eq!(subject(None, DEVELOPMENT).expect("nobody"), DEVELOPER);
        let (me, local) = ("mailto:push@example.com", "https://localhost/");
        assert_eq!(subject(Some(me), PRODUCTION).expect("me"), me);
        assert_eq!(subject(Some(local), DEVELOPMENT).expect("local"), local);
        for (text, mode) in [
            (local, PRODUCTION),
            ("example.com", DEVELOPMENT),
            ("", PRODUCTION),
        ] {
            let refusal = subject(Some(text), mode).expect_err(text).to_string();
            assert!(refusal.starts_with("DOORBELL_VAPID_SUBJECT"), "{refusal}");
        }
    }

    #[test]
    fn known_push_services_are_sent_to_in_production_and_others_if_they_are_named() {
        let services = |hosts: &[&str], mode| {
            let settings = PushSettings {
                webpush_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
                ..BARE
            };
            settings.services(mode)
        };
        let sent_to = |hosts: &[&str], mode| {
            let services = services(hosts, mode).expect("well-formed");
            ["web.push.apple.com", "push.example.com", "push.example.org"]
                .map(|host| services.admit(&WebPushEndpoint::restore(format!("https://{host}/x"))))
        };
        assert_eq!(sent_to(&[], PRODUCTION), [true, false, false]);
        assert_eq!(sent_to(&[], DEVELOPMENT), [true; 3]);
        assert_eq!(sent_to(&["any"], PRODUCTION), [true; 3]);
        assert_eq!(sent_to(&["push.example.com"], PRODUCTION), [false, true, false]);
        assert_eq!(
            sent_to(&["known", "push.example.com"], DEVELOPMENT),
            [true, true, false]
        );
        for hosts in [
            &["any", "known"][..],
            &["https://push.example.com"],
            &["10.0.0.1"],
            &[""],
        ] {
            let refusal = services(hosts, PRODUCTION).expect_err("refused").to_string();
            assert!(refusal.starts_with("DOORBELL_WEBPUSH_HOSTS"), "{refusal}");
        }
    }

    #[test]
    fn providers_are_named_once_or_there_are_none() {
        let rings = |providers: &[Provider]| {
            let settings = PushSettings {
                providers: providers.to_vec(),
                ..BARE
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
