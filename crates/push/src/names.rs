//! For tests: a domain name system that says what it is told, once each.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use doorbell_domain::ports::BoxFuture;
use doorbell_outward::Names;

/// What it says of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    /// That it is there.
    At(&'static str),
    /// That there is no such name.
    Nothing,
    /// Nothing at all.
    Never,
}

pub(crate) struct Scripted(Mutex<VecDeque<Said>>);

impl Scripted {
    /// Says these, one a lookup; a lookup after them fails the test.
    pub(crate) fn of<const N: usize>(said: [Said; N]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(said.into())))
    }
}

impl Names for Scripted {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let said = self.0.lock().expect("whole").pop_front();
        let said = said.unwrap_or_else(|| panic!("{name} was looked up"));
        Box::pin(async move {
            match said {
                Said::At(ip) => Ok(vec![ip.parse().expect("an address")]),
                Said::Nothing => Err(io::Error::other("there is no such name")),
                Said::Never => std::future::pending().await,
            }
        })
    }
}
