//! `doorbell health`: what a container's supervisor can run where there is no `curl`.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

/// How long the server may take over each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which server is asked.
#[derive(Debug, Args)]
pub(crate) struct HealthCheck {
    /// Where it listens. One that listens on every address is asked on loopback.
    #[arg(long, env = "DOORBELL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
}

impl HealthCheck {
    /// Asks `/health/ready`; fails unless the answer is 200.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let address = self.address()?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
            .with_context(|| format!("nobody listens on {address}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut status = String::new();
        BufReader::new(stream)
            .read_line(&mut status)
            .with_context(|| format!("{address} does not answer"))?;
        match status.split(' ').nth(1) {
            Some("200") => Ok(()),
            _ => bail!("{address} is not ready: {}", status.trim_end()),
        }
    }

    fn address(&self) -> anyhow::Result<SocketAddr> {
        let named = self
            .listen
            .to_socket_addrs()
            .with_context(|| format!("DOORBELL_LISTEN: {} is no address", self.listen))?
            .next();
        let mut address = named.with_context(|| format!("DOORBELL_LISTEN: {} is no address", self.listen))?;
        if address.port() == 0 {
            bail!("DOORBELL_LISTEN names no port: which server to ask cannot be told");
        }
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(listen: &str) -> Option<String> {
        let check = HealthCheck {
            listen: listen.to_owned(),
        };
        check.address().ok().map(|address| address.to_string())
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        for (listen, asked) in [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("0.0.0.0:8080", Some("127.0.0.1:8080")),
            ("[::]:8080", Some("[::1]:8080")),
            ("192.0.2.1:80", Some("192.0.2.1:80")),
            ("127.0.0.1:0", None),
            ("nowhere", None),
        ] {
            assert_eq!(address(listen).as_deref(), asked, "{listen}");
        }
    }
}
