//! Names that strangers gave, and the addresses that they lead to.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use doorbell_domain::ports::BoxFuture;
use doorbell_domain::web_push::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

/// The domain name system.
pub trait Names: Send + Sync {
    /// Every address of a name.
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// What a lookup came to. Those who wait for one share it.
type Found = Result<Vec<IpAddr>, io::ErrorKind>;

type Resolver = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// The machine's own resolver.
///
/// It blocks a thread for as long as it takes, and names can be made that take long. So only a few threads are ever busy with it, one
/// with each name, and who comes next waits.
#[derive(Clone)]
pub struct SystemNames {
    threads: Arc<Semaphore>,
    /// The names that are being asked for.
    asked: Arc<Mutex<HashMap<String, watch::Receiver<Option<Found>>>>>,
    resolver: Resolver,
}

impl SystemNames {
    /// A resolver that asks for `most` names at once.
    pub fn new(most: usize) -> Self {
        Self::with(most, |name| {
            let addresses = (name, 0).to_socket_addrs()?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }

    fn with(most: usize, resolver: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(most)),
            asked: Arc::default(),
            resolver: Arc::new(resolver),
        }
    }

    /// Where the answer about a name will be: it is asked for once, however many want to know it meanwhile.
    fn ask(&self, name: String) -> watch::Receiver<Option<Found>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = asked.get(&name) {
            return answer.clone();
        }
        let (tell, answer) = watch::channel(None);
        asked.insert(name.clone(), answer.clone());
        drop(asked);
        let this = self.clone();
        // A task of its own: the thread is busy until it has an answer, whether anybody still waits for that or not.
        tokio::spawn(async move {
            let found = this.find(name.clone()).await;
            let mut asked = this.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.remove(&name);
            drop(asked);
            tell.send_replace(Some(found));
        });
        answer
    }

    async fn find(&self, name: String) -> Found {
        let _thread = self.threads.acquire().await.map_err(|_| io::ErrorKind::Other)?;
        let resolver = Arc::clone(&self.resolver);
        let found = spawn_blocking(move || resolver(&name)).await;
        found
            .map_err(|_| io::ErrorKind::Other)?
            .map_err(|error| error.kind())
    }
}

impl fmt::Debug for SystemNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemNames")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Names for SystemNames {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut answer = self.ask(name);
        Box::pin(async move {
            let found = answer
                .wait_for(Option::is_some)
                .await
                .map_err(io::Error::other)?
                .clone();
            found
                .unwrap_or(Err(io::ErrorKind::Other))
                .map_err(io::Error::from)
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
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use super::*;

    struct Fixed(Vec<IpAddr>);

    impl Names for Fixed {
        fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let addresses = self.0.clone();
            Box::pin(async { Ok(addresses) })
        }
    }

    #[tokio::test]
    async fn a_name_that_is_slow_to_find_busies_one_thread_and_is_asked_for_once() {
        let (answer, slow) = mpsc::channel::<()>();
        let slow = Mutex::new(slow);
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let names = SystemNames::with(2, move |name| {
            counted.fetch_add(1, Ordering::SeqCst);
            if name == "slow.example.com" {
                let _ = slow.lock().expect("whole").recv();
            }
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        });
        let waiting: Vec<_> = (0..100)
            .map(|_| names.addresses("slow.example.com".to_owned()))
            .collect();
        for n in 0..10 {
            let found = names.addresses(format!("{n}.example.com")).await;
            assert_eq!(found.expect("found").len(), 1);
        }
        drop(answer);
        for waits in waiting {
            assert_eq!(waits.await.expect("found").len(), 1);
        }
        assert_eq!(count.load(Ordering::SeqCst), 11);
        // It is not remembered: what comes later asks again.
        names
            .addresses("slow.example.com".to_owned())
            .await
            .expect("found");
        assert_eq!(count.load(Ordering::SeqCst), 12);
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
