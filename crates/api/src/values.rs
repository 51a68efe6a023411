//! How values of settings are read, so that a wrong one is told what it should have been.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// Reads whole seconds.
pub(crate) fn seconds(
    range: RangeInclusive<u32>,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |text| {
        let read = text.parse().ok().filter(|seconds| range.contains(seconds));
        read.ok_or_else(|| {
            format!(
                "it must be whole seconds, from {} to {}",
                range.start(),
                range.end()
            )
        })
    }
}

/// Reads a network, or an address, which is a network of one.
pub(crate) fn network(text: &str) -> Result<IpNet, &'static str> {
    let network = text.parse().ok();
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    network
        .or_else(address)
        .ok_or("it must be a network such as 10.0.0.0/8, or an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_in_their_range() {
        let read = seconds(1..=600);
        assert_eq!((read("1"), read("600")), (Ok(1), Ok(600)));
        for wrong in ["0", "601", "5m", "1.5", "-1", "", " 1"] {
            let told = read(wrong).expect_err(wrong);
            assert_eq!(told, "it must be whole seconds, from 1 to 600");
        }
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        let read = |text| network(text).map(|network| network.to_string());
        assert_eq!(read("10.0.0.0/8"), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(read("10.0.0.1"), Ok("10.0.0.1/32".to_owned()));
        assert_eq!(read("2001:db8::1"), Ok("2001:db8::1/128".to_owned()));
        for wrong in ["10.0.0.0/33", "proxy", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
