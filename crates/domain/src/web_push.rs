//! Web Push subscriptions (RFC 8030, RFC 8291).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use url::{Host, Position, Url};

use crate::address::{Address, Provider, ValueHash};
use crate::secret::Secret;
use crate::text::Text;
use crate::{DeviceUid, SessionId, SubscriptionId, Timestamp, UserId};

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Which endpoints are believed to be push services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointPolicy {
    /// `https` at port 443 of a public host.
    Public,
    /// That, or `http` at any port of `localhost` or `127.0.0.1`, for a push service on the developer's machine.
    LocalToo,
}

/// The address of a browser's mailbox at its push service: a capability, so it never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct WebPushEndpoint {
    url: Secret,
    /// Reckoned once: a plan compares every subscription of its batch by it.
    hash: ValueHash,
}

/// Why an endpoint was refused. Never holds the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Not an absolute URL of at most 2,048 bytes.
    #[error("must be an absolute URL of at most 2048 bytes")]
    Malformed,
    /// Another scheme than `https`.
    #[error("must be an https URL")]
    Scheme,
    /// Another port than 443.
    #[error("must use port 443")]
    Port,
    /// A user name, password or fragment stands in it.
    #[error("must hold neither credentials nor a fragment")]
    Credentials,
    /// The host is an address that no push service has.
    #[error("must not name a private, loopback, link-local or reserved address")]
    PrivateHost,
}

impl WebPushEndpoint {
    /// The longest endpoint, in bytes.
    pub const MAX: usize = 2048;

    /// Accepts what `policy` believes to be a push service's URL, and keeps it byte for byte.
    pub fn parse(text: impl Into<String>, policy: EndpointPolicy) -> Result<Self, EndpointError> {
        let text = text.into();
        // The URL parser forgives white space and control characters; a push service never sends any.
        if text.len() > Self::MAX || text.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\') {
            return Err(EndpointError::Malformed);
        }
        let url = Url::parse(&text).map_err(|_| EndpointError::Malformed)?;
        let host = url.host().ok_or(EndpointError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Credentials);
        }
        if policy == EndpointPolicy::LocalToo && url.scheme() == "http" && is_developers_machine(&host) {
            return Ok(Self::restore(text));
        }
        if url.scheme() != "https" {
            return Err(EndpointError::Scheme);
        }
        if url.port_or_known_default() != Some(443) {
            return Err(EndpointError::Port);
        }
        let public = match host {
            Host::Domain(name) => is_public_name(name),
            Host::Ipv4(ip) => is_public(IpAddr::V4(ip)),
            Host::Ipv6(ip) => is_public(IpAddr::V6(ip)),
        };
        if !public {
            return Err(EndpointError::PrivateHost);
        }
        // The parser forgives other spellings of a place, and the text is kept as it is: two spellings would be two
        // addresses, each with an owner.
        let path = text.strip_prefix(&url[..Position::BeforePath]);
        if path.is_some_and(|path| path.is_empty() || path.starts_with(['/', '?'])) {
            Ok(Self::restore(text))
        } else {
            Err(EndpointError::Malformed)
        }
    }

    /// Wraps an endpoint that [`Self::parse`] accepted when its row was written.
    pub fn restore(text: String) -> Self {
        Self {
            hash: ValueHash::of(&text),
            url: Secret::new(text),
        }
    }

    /// The URL, for the push service and for its owner.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// The push service alone: scheme, host and port (RFC 6454 §6.2). What follows them opens the mailbox.
    pub fn origin(&self) -> String {
        let url = Url::parse(self.url.expose());
        url.map_or_else(|_| "null".to_owned(), |url| url.origin().ascii_serialization())
    }

    /// The push service's host.
    pub fn host(&self) -> Option<Host> {
        let url = Url::parse(self.url.expose()).ok()?;
        url.host().map(|host| host.to_owned())
    }

    /// What belongs to one user at a time.
    pub const fn address(&self) -> Address {
        Address {
            provider: Provider::WebPush,
            hash: self.hash,
        }
    }
}

impl fmt::Debug for WebPushEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebPushEndpoint({:?})", self.hash)
    }
}

fn is_developers_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => *ip == Ipv4Addr::LOCALHOST,
        Host::Ipv6(_) => false,
    }
}

/// `localhost` and its subdomains name this machine (RFC 6761 §6.3), a name without a dot the local network.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    name.contains('.')
        && name.split('.').all(|label| !label.is_empty())
        && !["localhost", "local", "internal", "localdomain", "arpa"].contains(&last)
}

/// Whether an address can be a push service's: globally reachable by the IANA special-purpose registries
/// (RFC 6890), an IPv4 address inside an IPv6 one judged as itself.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let reserved = match (a, b, c) {
        // This network, private, loopback, link-local, multicast, reserved and broadcast.
        (0 | 10 | 127 | 224.., _, _) | (169, 254, _) | (192, 168, _) => true,
        (172, 16..=31, _) => true,
        // Carrier-grade NAT (RFC 6598).
        (100, 64..=127, _) => true,
        // Protocol assignments, documentation, 6to4 relay, benchmarking.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !reserved
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is allotted; the NAT64, 6to4, Teredo, ORCHID, documentation and protocol parts of it or
    // beside it carry or name addresses that the filter above would refuse.
    let global = a & 0xe000 == 0x2000;
    // 2001::/23 holds protocol assignments, Teredo and ORCHID among them.
    let special =
        (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || (0x3ff0..=0x3fff).contains(&a);
    global && !special
}

/// Whether points lie on the curve that Web Push keys use.
pub trait CurvePoints: Send + Sync {
    /// Whether `point`, 65 octets in uncompressed form (SEC 1 §2.3.3), lies on P-256 (RFC 8291 §7 demands it).
    fn is_on_p256(&self, point: &[u8; 65]) -> bool;
}

/// The keys that a message to a browser is encrypted for (RFC 8291 §2).
#[derive(Clone, PartialEq, Eq)]
pub struct SubscriptionKeys {
    p256dh: [u8; 65],
    auth: [u8; 16],
}

/// Which of a subscription's keys is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeysError {
    /// `p256dh` is not base64url of an uncompressed point on P-256.
    #[error("must be base64url of an uncompressed point on the P-256 curve")]
    P256dh,
    /// `auth` is not base64url of 16 octets.
    #[error("must be base64url of 16 bytes")]
    Auth,
}

impl SubscriptionKeys {
    /// Reads both keys as a browser gives them: base64url, with or without padding. An error for each that is none.
    pub fn parse(p256dh: &str, auth: &str, curve: &dyn CurvePoints) -> Result<Self, Vec<KeysError>> {
        let point = decode(p256dh).filter(|point| point.first() == Some(&0x04) && curve.is_on_p256(point));
        match (point, decode(auth)) {
            (Some(p256dh), Some(auth)) => Ok(Self { p256dh, auth }),
            (point, auth) => {
                let point = point.is_none().then_some(KeysError::P256dh);
                let auth = auth.is_none().then_some(KeysError::Auth);
                Err(point.into_iter().chain(auth).collect())
            }
        }
    }

    /// Keys read from a row.
    pub const fn restore(p256dh: [u8; 65], auth: [u8; 16]) -> Self {
        Self { p256dh, auth }
    }

    /// The browser's public key.
    pub const fn p256dh(&self) -> &[u8; 65] {
        &self.p256dh
    }

    /// The shared authentication secret.
    pub const fn auth(&self) -> &[u8; 16] {
        &self.auth
    }
}

/// The octets of base64url, with or without padding; `None` for any other number of them.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // 65 octets are 88 characters with padding: nothing longer is worth decoding.
    if text.len() > 88 {
        return None;
    }
    BASE64URL.decode(text).ok()?.try_into().ok()
}

impl fmt::Debug for SubscriptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubscriptionKeys([redacted])")
    }
}

/// A Web Push subscription's row. It lives on a device of its own and leaves with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The row's identity.
    pub id: SubscriptionId,
    /// The owner; always the address's owner and the device's user.
    pub user: UserId,
    /// Its device, of platform web, whose `deviceId` is this id.
    pub device: DeviceUid,
    /// The session under which it was last registered.
    pub session: SessionId,
    /// Whether that session has ended, which suspends the subscription. Derived when read, never stored.
    pub session_ended: bool,
    /// The mailbox.
    pub endpoint: WebPushEndpoint,
    /// What to encrypt for.
    pub keys: SubscriptionKeys,
    /// The VAPID key whose public half the browser was given (RFC 8292 §4).
    pub vapid_key: String,
    /// The person's name for the browser.
    pub device_name: Option<Text>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<Text>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it was last registered or rung.
    pub last_used_at: Timestamp,
    /// Since when it is suspected to be dead ([`suspicion`](crate::suspicion)); registering it ends that.
    pub suspect_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Anything;

    impl CurvePoints for Anything {
        fn is_on_p256(&self, _: &[u8; 65]) -> bool {
            true
        }
    }

    fn refused(text: &str) -> EndpointError {
        WebPushEndpoint::parse(text, EndpointPolicy::Public).expect_err(text)
    }

    #[test]
    fn the_real_push_services_are_believed() {
        for url in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
            "https://web.push.apple.com/QGuQyavXutnMH",
            "https://wns2-par02p.notify.windows.com/w/?token=BQY%3d",
            "https://8.8.8.8/x",
        ] {
            let endpoint = WebPushEndpoint::parse(url, EndpointPolicy::Public).expect(url);
            assert_eq!(endpoint.expose(), url);
            let origin = endpoint.origin();
            assert!(url.starts_with(&format!("{origin}/")) && origin.matches('/').count() == 2);
            assert!(!format!("{endpoint:?}").contains("http"));
        }
    }

    #[test]
    fn addresses_inside_the_house_are_refused_in_every_disguise() {
        for host in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[fe80::1]",
            "[fc00::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[64:ff9b::7f00:1]",
            "[2001::1]",
            "localhost",
            "a.localhost",
            "localhost.",
            "intranet",
            "printer.local",
            "metadata.google.internal",
        ] {
            assert_eq!(
                refused(&format!("https://{host}/x")),
                EndpointError::PrivateHost,
                "{host}"
            );
        }
    }

    #[test]
    fn only_https_at_443_without_credentials() {
        assert_eq!(refused("http://push.example.com/x"), EndpointError::Scheme);
        assert_eq!(refused("ftp://push.example.com/x"), EndpointError::Scheme);
        assert_eq!(refused("https://push.example.com:8443/x"), EndpointError::Port);
        assert_eq!(
            refused("https://user@push.example.com/x"),
            EndpointError::Credentials
        );
        assert_eq!(
            refused("https://fcm.googleapis.com@evil.example/x"),
            EndpointError::Credentials
        );
        assert_eq!(
            refused("https://push.example.com/x#y"),
            EndpointError::Credentials
        );
        for text in [
            "",
            "push.example.com",
            "//push.example.com",
            "https://",
            "https://a b.com/",
            "https://a.com/\n",
            "https:push.example.com/x",
            "https:///push.example.com/x",
            "https://PUSH.example.com/x",
            "https://push.example.com:443/x",
            "https://@push.example.com/x",
        ] {
            assert_eq!(refused(text), EndpointError::Malformed, "{text:?}");
        }
        let long = format!("https://push.example.com/{}", "x".repeat(2048));
        assert_eq!(refused(&long), EndpointError::Malformed);
        assert_eq!(refused("http://localhost:8090/x"), EndpointError::Scheme);
        assert!(WebPushEndpoint::parse("http://localhost:8090/x", EndpointPolicy::LocalToo).is_ok());
        assert!(WebPushEndpoint::parse("http://127.0.0.1:8090/x", EndpointPolicy::LocalToo).is_ok());
        assert!(WebPushEndpoint::parse("http://10.0.0.1:8090/x", EndpointPolicy::LocalToo).is_err());
    }

    #[test]
    fn keys_decode_with_or_without_padding_to_their_exact_lengths() {
        let point = {
            let mut point = [1; 65];
            point[0] = 4;
            point
        };
        let p256dh = BASE64URL.encode(point);
        let auth = BASE64URL.encode([2; 16]);
        let keys = SubscriptionKeys::parse(&p256dh, &auth, &Anything).expect("well-formed");
        assert_eq!((keys.p256dh(), keys.auth()), (&point, &[2; 16]));
        let bare = |text: &str| text.trim_end_matches('=').to_owned();
        assert_eq!(
            SubscriptionKeys::parse(&bare(&p256dh), &bare(&auth), &Anything),
            Ok(keys)
        );
        for bad in [
            "",
            "AAAA",
            "BA==",
            &BASE64URL.encode([4; 64]),
            &BASE64URL.encode([5; 65]),
            "+/+/",
        ] {
            assert_eq!(
                SubscriptionKeys::parse(bad, &auth, &Anything),
                Err(vec![KeysError::P256dh]),
                "{bad}"
            );
        }
        for bad in ["", "AAAA", &BASE64URL.encode([2; 15]), &BASE64URL.encode([2; 17])] {
            assert_eq!(
                SubscriptionKeys::parse(&p256dh, bad, &Anything),
                Err(vec![KeysError::Auth]),
                "{bad}"
            );
        }
        assert_eq!(
            SubscriptionKeys::parse("A", "x", &Anything),
            Err(vec![KeysError::P256dh, KeysError::Auth])
        );
    }
}
