//! Whom a push service writes to about this service's messages.

use std::net::IpAddr;

use doorbell_domain::web_push::is_public;
use thiserror::Error;
use url::{Host, Url};

/// The `sub` of RFC 8292 §2.1: a `mailto:` or `https:` URL. Push services refuse others, and Apple's one at localhost too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    text: String,
    host: Host<String>,
}

/// It is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be mailto: and an address, or an https URL")]
pub struct SubjectError;

impl Subject {
    /// Reads `mailto:NAME@HOST` or `https://HOST…`.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let url = Url::parse(text).map_err(|_| SubjectError)?;
        let host = match url.scheme() {
            "mailto" => {
                let (name, host) = url.path().rsplit_once('@').ok_or(SubjectError)?;
                if name.is_empty() || name.contains(['@', ',']) {
                    return Err(SubjectError);
                }
                Host::parse(host).map_err(|_| SubjectError)?
            }
            "https" => url.host().ok_or(SubjectError)?.to_owned(),
            _ => return Err(SubjectError),
        };
        // As it was read: white space around it, which the parser forgives, would not be forgiven by others.
        let text = url.into();
        Ok(Self { text, host })
    }

    /// Whether only this machine or its network knows who that is.
    pub fn is_local(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(ip) => !is_public(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => !is_public(IpAddr::V6(*ip)),
        }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_an_address_or_a_page() {
        for text in [
            "mailto:push@example.com",
            "https://example.com/contact",
            "https://example.com/",
        ] {
            let subject = Subject::parse(text).expect(text);
            assert_eq!((subject.as_str(), subject.is_local()), (text, false));
        }
        for text in [
            "",
            "push@example.com",
            "mailto:",
            "mailto:push",
            "mailto:@example.com",
            "mailto:push@",
            "mailto:a@example.com,b@example.com",
            "http://example.com/",
            "tel:+905551234567",
            "https://",
        ] {
            assert_eq!(Subject::parse(text), Err(SubjectError), "{text:?}");
        }
    }

    #[test]
    fn one_at_home_is_told_apart() {
        for text in [
            "mailto:me@localhost",
            "https://localhost:8080/",
            "https://a.localhost/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1/",
        ] {
            assert!(Subject::parse(text).expect(text).is_local(), "{text}");
        }
    }
}
