//! Which push services are sent to.

use url::Host;

use crate::web_push::WebPushEndpoint;

/// Push services by their hosts' names. A browser chooses its own, and whoever says to be a browser any: a list keeps this service from
/// sending to places that are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushServices {
    /// Any.
    Any,
    /// Those at these names and at names under them.
    At(Vec<ServiceName>),
}

/// The name of a push service's host, or what its hosts' names end with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    /// Accepts a domain name, as it stands in URLs; `None` for anything else, an address too.
    pub fn parse(text: &str) -> Option<Self> {
        match Host::parse(text) {
            Ok(Host::Domain(name))
                if name.contains('.') && !name.starts_with('.') && !name.ends_with('.') =>
            {
                Some(Self(name))
            }
            _ => None,
        }
    }

    /// Whether `host` is it or stands under it: by whole labels, so that no name that merely ends alike does.
    fn covers(&self, host: &str) -> bool {
        let before = host.strip_suffix(self.0.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    }
}

/// The push services of the browsers there are: Chrome and what is built on it (the second is old), Firefox, Safari, Edge.
const KNOWN: [&str; 5] = [
    "fcm.googleapis.com",
    "jmt17.google.com",
    "push.services.mozilla.com",
    "web.push.apple.com",
    "notify.windows.com",
];

impl PushServices {
    /// Those of the browsers there are.
    pub fn known() -> Vec<ServiceName> {
        KNOWN.map(|name| ServiceName(name.to_owned())).into()
    }

    /// Whether the endpoint is at one of them.
    pub fn admit(&self, endpoint: &WebPushEndpoint) -> bool {
        match self {
            Self::Any => true,
            Self::At(names) => match endpoint.host() {
                Some(Host::Domain(host)) => names.iter().any(|name| name.covers(&host)),
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(services: &PushServices, host: &str) -> bool {
        services.admit(&WebPushEndpoint::restore(format!("https://{host}/x")))
    }

    #[test]
    fn the_known_ones_are_told_from_those_that_end_alike() {
        let known = PushServices::At(PushServices::known());
        for host in [
            "fcm.googleapis.com",
            "updates.push.services.mozilla.com",
            "web.push.apple.com",
            "wns2-par02p.notify.windows.com",
        ] {
            assert!(admitted(&known, host), "{host}");
        }
        for host in [
            "xfcm.googleapis.com",
            "evilfcm.googleapis.com.attacker.example",
            "googleapis.com",
            "fcm.googleapis.com.",
            "push.example.com",
            "8.8.8.8",
            "[2606:4700::1111]",
        ] {
            assert!(!admitted(&known, host), "{host}");
            assert!(admitted(&PushServices::Any, host), "{host}");
        }
    }

    #[test]
    fn a_service_is_named_by_its_domain() {
        let own = PushServices::At(vec![ServiceName::parse("Push.Example.com").expect("a name")]);
        assert!(admitted(&own, "push.example.com") && admitted(&own, "a.push.example.com"));
        for text in [
            "",
            "com",
            "8.8.8.8",
            "[::1]",
            ".example.com",
            "example.com.",
            "a b.com",
            "https://a.com",
        ] {
            assert_eq!(ServiceName::parse(text), None, "{text:?}");
        }
    }
}
