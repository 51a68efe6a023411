//! Where a request came from.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use doorbell_domain::Language;
use doorbell_domain::text::Text;
use ipnet::IpNet;

/// The networks whose `X-Forwarded-For` is believed; none by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Believes proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// The client's address: the nearest hop that is no trusted proxy. What lies beyond it is the client's
    /// own claim.
    fn client_of(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut client = peer.to_canonical();
        let hops = forwarded.iter().rev().flat_map(|line| line.rsplit(','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            let Ok(ip) = hop.trim().parse::<IpAddr>() else {
                break;
            };
            client = ip.to_canonical();
        }
        client
    }
}

/// The address that a request came from.
pub(crate) fn ip_of(request: &HttpRequest, proxies: &TrustedProxies) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let forwarded: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .map(|line| line.to_str().unwrap_or(""))
        .collect();
    Some(proxies.client_of(peer, &forwarded))
}

/// The request's `User-Agent`, cut to what a row holds; `None` if it is empty or not UTF-8.
pub(crate) fn user_agent_of(request: &HttpRequest) -> Option<Text> {
    let agent = std::str::from_utf8(request.headers().get(USER_AGENT)?.as_bytes()).ok()?;
    let mut end = agent.len().min(Text::MAX);
    while !agent.is_char_boundary(end) {
        end -= 1;
    }
    Text::parse(agent.get(..end)?).ok()
}

/// The language that the request likes best, of those that texts exist in.
pub(crate) fn language_of(request: &HttpRequest) -> Option<Language> {
    let lines = request.headers().get_all(ACCEPT_LANGUAGE);
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    Language::preferred(&lines.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let networks = trusted
            .iter()
            .map(|net| net.parse().expect("a network"))
            .collect();
        TrustedProxies::new(networks)
            .client_of(peer.parse().expect("an address"), forwarded)
            .to_string()
    }

    #[test]
    fn a_strangers_header_is_never_believed() {
        assert_eq!(client(&[], "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(
            client(&["10.0.0.0/8"], "203.0.113.9", &["198.51.100.1"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn the_nearest_untrusted_hop_is_the_client() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(client(&trusted, "10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client(&trusted, "10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(
            client(&trusted, "10.0.0.1", &["1.2.3.4", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(client(&trusted, "10.0.0.1", &["garbage"]), "10.0.0.1");
        assert_eq!(
            client(&trusted, "::ffff:10.0.0.1", &["198.51.100.1"]),
            "198.51.100.1"
        );
    }
}
