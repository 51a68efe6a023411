//! Services of the operator's own that this one calls: where they are, and what their messages are signed with.

use anyhow::{Context, bail};
use doorbell_outward::WebhookSecret;
use url::{Host, Url};

use crate::configuration::Mode;

/// Where one of them is reached: nobody may read on the way what it is told.
pub(crate) fn address(name: &str, text: &str, mode: Mode) -> anyhow::Result<Url> {
    let rule = match mode {
        Mode::Production => "an https URL",
        Mode::Development => "an https URL, or an http one on this machine",
    };
    let parsed = Url::parse(text).ok();
    let url = parsed.with_context(|| format!("{name} must be {rule}"))?;
    let local = match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local && mode == Mode::Development);
    if !safe {
        bail!("{name} must be {rule}");
    }
    if !url.username().is_empty() || url.password().is_some() {
        bail!("{name} must not have credentials in it");
    }
    Ok(url)
}

/// What messages to one of them are signed with. An error never has it in its text.
pub(crate) fn secret(name: &str, text: &str) -> anyhow::Result<WebhookSecret> {
    WebhookSecret::parse(text)
        .with_context(|| format!("{name} must be `whsec_` and the base64 of 24 to 64 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_this_machine_leaves_by_https() {
        let url = |url: &str, mode| address("DOORBELL_OTP_WEBHOOK_URL", url, mode).is_ok();
        for local in [
            "http://127.0.0.1:9000/codes",
            "http://localhost/",
            "http://[::1]:1/",
        ] {
            assert!(url(local, Mode::Development), "{local}");
            assert!(!url(local, Mode::Production), "{local}");
        }
        for bad in [
            "http://codes.example.com/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "https://user:s3ntinel@codes.example.com/",
            "codes.example.com",
            "",
        ] {
            assert!(!url(bad, Mode::Development), "{bad}");
        }
    }
}
