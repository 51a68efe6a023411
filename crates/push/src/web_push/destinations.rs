//! Where messages may be sent.
//!
//! An endpoint comes from whoever says to be a browser, so it is a way to have this service send to places of its own network. It is
//! judged by its form and its host's name whenever it is used; by its host's addresses when it is registered, to refuse early; and again
//! by those when it is connected to, by the resolver that gives the addresses to connect to (`doorbell_outward::Outward::to_strangers`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorbell_domain::ports::{BoxFuture, Endpoints};
use doorbell_domain::push_services::PushServices;
use doorbell_domain::web_push::{EndpointPolicy, WebPushEndpoint};
use doorbell_domain::{Clock, Timestamp};
use doorbell_outward::{LookupError, Names, look_up};
use tokio::time::timeout;
use url::{Host, Url};

/// How long a name is looked up when an endpoint is registered.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long what was found then is believed for others of the same host. Only to spare lookups: what is connected to is looked up anew.
const BELIEVED: time::Duration = time::Duration::minutes(1);

/// How many hosts that is kept of.
const KEPT: usize = 1_024;

/// Which destinations are allowed.
#[derive(Clone, Debug)]
pub struct Destinations {
    policy: EndpointPolicy,
    services: PushServices,
}

impl Destinations {
    /// Endpoints that `policy` takes, at `services`; those on a developer's machine that `policy` takes need not be listed.
    pub const fn new(policy: EndpointPolicy, services: PushServices) -> Self {
        Self { policy, services }
    }

    /// The URL to send to; `None` if its form or its host forbids it. An endpoint that was registered under other rules is not
    /// believed for that.
    pub(crate) fn judge(&self, endpoint: &WebPushEndpoint) -> Option<Url> {
        WebPushEndpoint::parse(endpoint.expose(), self.policy).ok()?;
        let url = Url::parse(endpoint.expose()).ok()?;
        (url.scheme() == "http" || self.services.admit(endpoint)).then_some(url)
    }

    /// Whether `localhost` is one of them.
    pub(crate) fn home(&self) -> bool {
        self.policy == EndpointPolicy::LocalToo
    }
}

/// Judges endpoints that are registered.
pub struct EndpointLookups {
    destinations: Destinations,
    names: Arc<dyn Names>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    found: Mutex<HashMap<String, (bool, Timestamp)>>,
}

impl EndpointLookups {
    /// Lookups by `names`.
    pub fn new(destinations: Destinations, names: Arc<dyn Names>, clock: Arc<dyn Clock>) -> Self {
        Self {
            destinations,
            names,
            clock,
            patience: PATIENCE,
            found: Mutex::default(),
        }
    }

    async fn may_be_connected_to(&self, host: String) -> bool {
        let now = self.clock.now();
        let found = self.with_found(|found| found.get(&host).copied());
        if let Some((admitted, at)) = found
            && (at..at + BELIEVED).contains(&now)
        {
            return admitted;
        }
        let looked = look_up(self.names.as_ref(), &host, self.destinations.home());
        let looked = timeout(self.patience, looked).await;
        let admitted = !matches!(looked, Ok(Err(LookupError::Forbidden)));
        self.with_found(|found| {
            if found.len() >= KEPT {
                found.clear();
            }
            found.insert(host, (admitted, now));
        });
        admitted
    }

    fn with_found<T>(&self, work: impl FnOnce(&mut HashMap<String, (bool, Timestamp)>) -> T) -> T {
        work(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Endpoints for EndpointLookups {
    fn admit<'a>(&'a self, endpoint: &'a WebPushEndpoint) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            match self.destinations.judge(endpoint).as_ref().and_then(Url::host) {
                Some(Host::Domain(name)) => self.may_be_connected_to(name.to_owned()).await,
                // Judged by its form.
                Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
                None => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use doorbell_testkit::FakeClock;

    use super::*;
    use crate::names::{Said, Scripted};

    const NAME: &str = "https://push.example.com/x";

    fn any() -> Destinations {
        Destinations::new(EndpointPolicy::Public, PushServices::Any)
    }

    async fn admitted(destinations: Destinations, names: &Arc<Scripted>, endpoint: &str) -> bool {
        let clock = Arc::new(FakeClock::default());
        let lookups = EndpointLookups {
            patience: Duration::from_millis(10),
            ..EndpointLookups::new(destinations, Arc::<Scripted>::clone(names), clock)
        };
        lookups
            .admit(&WebPushEndpoint::restore(endpoint.to_owned()))
            .await
    }

    #[tokio::test]
    async fn a_name_is_refused_for_where_it_leads_and_not_for_leading_nowhere() {
        for (said, expected) in [
            (Said::At("8.8.8.8"), true),
            (Said::At("10.0.0.1"), false),
            (Said::At("::ffff:169.254.169.254"), false),
            (Said::Nothing, true),
            (Said::Never, true),
        ] {
            let names = Scripted::of([said]);
            assert_eq!(admitted(any(), &names, NAME).await, expected, "{said:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_listed_push_service_is_not_even_looked_up() {
        let names = Scripted::of([]);
        let known = || Destinations::new(EndpointPolicy::Public, PushServices::At(PushServices::known()));
        for endpoint in [
            NAME,
            "https://8.8.8.8/x",
            "http://localhost:1/x",
            "https://10.0.0.1/x",
        ] {
            assert!(!admitted(known(), &names, endpoint).await, "{endpoint}");
        }
        assert!(!admitted(any(), &names, "https://127.0.0.1/x").await);
        assert!(admitted(any(), &names, "https://8.8.8.8/x").await);
        let names = Scripted::of([Said::At("142.250.0.1")]);
        assert!(admitted(known(), &names, "https://fcm.googleapis.com/fcm/send/x").await);
    }

    #[tokio::test]
    async fn a_developers_own_machine_need_not_be_listed() {
        let home = || Destinations::new(EndpointPolicy::LocalToo, PushServices::At(PushServices::known()));
        let names = Scripted::of([Said::At("127.0.0.1")]);
        assert!(admitted(home(), &names, "http://localhost:8090/x").await);
        assert!(admitted(home(), &names, "http://127.0.0.1:8090/x").await);
        assert!(!admitted(home(), &names, NAME).await);
    }

    #[tokio::test]
    async fn what_was_found_is_believed_for_a_minute() {
        let names = Scripted::of([Said::At("8.8.8.8"), Said::At("10.0.0.1")]);
        let clock = FakeClock::default();
        let lookups = EndpointLookups::new(any(), names, Arc::new(clock.clone()));
        let endpoint = WebPushEndpoint::restore(NAME.to_owned());
        assert!(lookups.admit(&endpoint).await && lookups.admit(&endpoint).await);
        clock.advance(time::Duration::seconds(60));
        assert!(!lookups.admit(&endpoint).await);
    }
}
