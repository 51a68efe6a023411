//! Names that strangers gave, and the addresses that they lead to.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use doorbell_domain::ports::BoxFuture;
use doorbell_domain::web_push::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The domain name system.
pub trait Names: Send + Sync {
    /// Every address of a name.
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
///
/// It blocks a thread for as long as it takes, and names can be made that take long. So only a few threads are ever busy with it, and
/// who comes next waits.
#[derive(Clone, Debug)]
pub struct SystemNames(Arc<Semaphore>);

impl SystemNames {
    /// A resolver that asks for `most` names at once.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }
}

impl Names for SystemNames {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let threads = Arc::clone(&self.0);
        Box::pin(async move {
            let thread = threads.acquire_owned().await.map_err(io::Error::other)?;
            let asked = spawn_blocking(move || {
                // Until it has an answer, whether anybody still waits for it or not.
                let _thread = thread;
                let addresses = (name.as_str(), 0).to_socket_addrs()?;
                Ok(addresses.map(|address| address.ip()).collect())
            });
            asked.await.map_err(io::Error::other)?
        })
    }
}

/// Why no connection to a name may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LookupError {
    /// It leads, with one address at least, to where no stranger's service can be.
    #[error("the name leads to an address that is not public")]
    Forbidden,
    /// It leads nowhere, or nobody answered.
    #[error("the name leads nowhere")]
    Nowhere,
}

/// The addresses of a stranger's name: all of them public, or none. Where `home` is let in, `localhost` is this machine, and nothing
/// else.
pub async fn look_up(names: &dyn Names, name: &str, home: bool) -> Result<Vec<IpAddr>, LookupError> {
    let addresses = names.addresses(name.to_owned()).await;
    let addresses = addresses.map_err(|_| LookupError::Nowhere)?;
    if addresses.is_empty() {
        return Err(LookupError::Nowhere);
    }
    let at_home = home && name == "localhost";
    let allowed = |ip: &IpAddr| {
        if at_home {
            ip.to_canonical().is_loopback()
        } else {
            is_public(*ip)
        }
    };
    if addresses.iter().all(allowed) {
        Ok(addresses)
    } else {
        Err(LookupError::Forbidden)
    }
}

/// Gives a client the addresses that it may connect to, and it connects to no other: what was looked at is what is dialled.
pub(crate) struct Looked {
    pub(crate) names: Arc<dyn Names>,
    pub(crate) home: bool,
}

impl Resolve for Looked {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, home) = (Arc::clone(&self.names), self.home);
        Box::pin(async move {
            let addresses = look_up(names.as_ref(), name.as_str(), home).await?;
            let addresses: Addrs = Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<IpAddr>);

    impl Names for Fixed {
        fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let addresses = self.0.clone();
            Box::pin(async { Ok(addresses) })
        }
    }

    async fn looked(name: &str, addresses: &[&str], home: bool) -> Result<usize, LookupError> {
        let addresses = addresses.iter().map(|ip| ip.parse().expect("an address"));
        let found = look_up(&Fixed(addresses.collect()), name, home).await;
        found.map(|addresses| addresses.len())
    }

    #[tokio::test]
    async fn one_forbidden_address_forbids_a_name() {
        const NAME: &str = "push.example.com";
        for home in [true, false] {
            assert_eq!(looked(NAME, &["8.8.8.8", "2606:4700::1111"], home).await, Ok(2));
            for forbidden in [
                "127.0.0.1",
                "10.0.0.1",
                "169.254.169.254",
                "192.0.2.1",
                "224.0.0.1",
                "::1",
                "fe80::1",
                "::ffff:10.0.0.1",
                "2002:a00:1::",
                "64:ff9b::a00:1",
                "2001:db8::1",
            ] {
                let mixed = ["8.8.8.8", forbidden];
                assert_eq!(
                    looked(NAME, &mixed, home).await,
                    Err(LookupError::Forbidden),
                    "{forbidden}"
                );
            }
            assert_eq!(looked(NAME, &[], home).await, Err(LookupError::Nowhere));
        }
    }

    #[tokio::test]
    async fn this_machine_is_reached_by_its_own_name_alone_and_only_where_it_may() {
        let forbidden = Err(LookupError::Forbidden);
        assert_eq!(looked("localhost", &["127.0.0.1", "::1"], true).await, Ok(2));
        assert_eq!(looked("localhost", &["127.0.0.1"], false).await, forbidden);
        assert_eq!(
            looked("localhost", &["127.0.0.1", "10.0.0.1"], true).await,
            forbidden
        );
        assert_eq!(
            looked("localhost.example.com", &["127.0.0.1"], true).await,
            forbidden
        );
    }

    #[tokio::test]
    async fn the_machine_knows_its_own_name() {
        let found = look_up(&SystemNames::new(1), "localhost", true)
            .await
            .expect("it does");
        assert!(found.iter().all(IpAddr::is_loopback));
        let nothing = look_up(&SystemNames::new(1), "no such name", true).await;
        assert_eq!(nothing, Err(LookupError::Nowhere));
    }
}
