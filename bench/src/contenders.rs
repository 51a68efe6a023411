//! What is measured side by side.

mod peers;
mod pgbench;

pub(crate) use self::peers::Peers;
pub(crate) use self::pgbench::Script;

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::load::{Load, Pace};
use crate::server::Server;
use crate::usage::Family;

/// Connections that are kept busy.
pub(crate) const CONNECTIONS: usize = 64;

/// One that takes part.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
}

/// How it is kept busy.
pub(crate) enum Work {
    /// By requests.
    Http { server: Rc<Server>, load: Load },
    /// By pgbench, which is a client of its own.
    Pgbench(Script),
}

/// One run of one contender.
#[derive(Clone, Copy, Default)]
pub(crate) struct Run {
    /// Registrations a second, or whatever it does.
    pub(crate) rate: f64,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) failed: usize,
    /// Processors that the server kept busy, pgbench's own for pgbench.
    pub(crate) server: f64,
    /// Processors that PostgreSQL kept busy.
    pub(crate) database: f64,
    /// What the server's processes hold after it, in MiB.
    pub(crate) memory: f64,
}

impl Contender {
    /// Measures it once.
    pub(crate) async fn run(&self, cluster: &Cluster, measured: Duration, pace: Pace) -> anyhow::Result<Run> {
        let database = cluster.family()?;
        let began = Instant::now();
        let database_before = database.processor()?;
        let cores = |used: Duration| used.as_secs_f64() / began.elapsed().as_secs_f64();
        match &self.work {
            Work::Http { server, load } => {
                let family = Family(server.id());
                let before = family.processor()?;
                let outcome = load.run(&server.address, CONNECTIONS, measured, pace).await?;
                Ok(Run {
                    rate: outcome.rate,
                    median: outcome.median,
                    p99: outcome.p99,
                    failed: outcome.failed,
                    server: cores(family.processor()?.saturating_sub(before)),
                    database: cores(database.processor()?.saturating_sub(database_before)),
                    memory: family.memory()?,
                })
            }
            Work::Pgbench(script) => {
                let (rate, used) = script.run(cluster, measured)?;
                Ok(Run {
                    rate,
                    server: cores(used),
                    database: cores(database.processor()?.saturating_sub(database_before)),
                    ..Run::default()
                })
            }
        }
    }
}
