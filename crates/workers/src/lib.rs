//! What a server does beside answering: it delivers what requests have left to deliver, and does what is to be done from
//! time to time.
//!
//! ```text
//! let running = Workers::new()
//!     .deliver(Codes::new(doorbell.clone(), tally), bell)
//!     .every(MINUTE, "expired codes", move || …)
//!     .start();
//! …
//! running.stop(within).await;
//! ```

mod bell;
mod codes;
mod delivery;
mod dispatch;
mod events;
mod messages;
mod outcomes;
mod periodic;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

pub use bell::Bell;
pub use codes::Codes;
pub use delivery::Outbox;
pub use dispatch::Courier;
pub use events::Events;

/// Whether the workers were asked to end.
pub(crate) type Ending = watch::Receiver<bool>;

/// Waits until the workers are asked to end. One whose [`Running`] is gone is asked, too.
pub(crate) async fn asked(ending: &mut Ending) {
    drop(ending.wait_for(|ends| *ends).await);
}

type Start = Box<dyn FnOnce(&mut JoinSet<()>, &Endings) + Send>;

/// When who ends.
struct Endings {
    /// Those who deliver messages: at once, for what they have in flight takes longest.
    dispatch: Ending,
    /// Everybody else.
    rest: Ending,
}

/// Workers that are about to be started.
#[derive(Default)]
#[must_use = "they do nothing until they are started"]
pub struct Workers(Vec<Start>);

impl Workers {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Delivers what lies in `outbox`: when `bell` rings, each second, and when it starts.
    pub fn deliver<O: Outbox>(mut self, outbox: O, bell: Bell) -> Self {
        self.0.push(Box::new(move |tasks, endings| {
            tasks.spawn(delivery::run(Arc::new(outbox), bell, endings.rest.clone()));
        }));
        self
    }

    /// Delivers the messages of `courier`: when `bell` rings, twice a second, and when it starts.
    pub fn dispatch<C: Courier>(mut self, courier: C, bell: Bell) -> Self {
        self.0.push(Box::new(move |tasks, endings| {
            tasks.spawn(dispatch::run(Arc::new(courier), bell, endings.dispatch.clone()));
        }));
        self
    }

    /// Does `work` when it starts, and then each `period`. The work is waited for, so that it never runs twice at once; its
    /// errors are logged under `name` and change nothing. It is dropped where it stands when the server ends.
    pub fn every<F, E>(
        mut self,
        period: Duration,
        name: &'static str,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        self.0.push(Box::new(move |tasks, endings| {
            tasks.spawn(periodic::run(period, name, work, endings.rest.clone()));
        }));
        self
    }

    /// Starts all of them on the runtime that this is called on.
    pub fn start(self) -> Running {
        let (end_dispatch, dispatch) = watch::channel(false);
        let (end, rest) = watch::channel(false);
        let endings = Endings { dispatch, rest };
        let mut tasks = JoinSet::new();
        for start in self.0 {
            start(&mut tasks, &endings);
        }
        Running {
            end_dispatch,
            end,
            tasks,
        }
    }
}

/// Workers at work. Dropping them ends them where they stand.
#[must_use = "they end when this is dropped"]
pub struct Running {
    end_dispatch: watch::Sender<bool>,
    end: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// What has those who deliver messages begin nothing new, before everybody else is stopped.
    pub fn end_of_dispatch(&self) -> EndOfDispatch {
        EndOfDispatch(self.end_dispatch.clone())
    }

    /// Has the workers begin nothing new, and waits for what is in flight at most `within`. What is then left is cut off:
    /// its claims run out by themselves, and whoever is there then takes it up.
    pub async fn stop(mut self, within: Duration) {
        let until = Instant::now() + within;
        self.end_dispatch.send_replace(true);
        self.end.send_replace(true);
        loop {
            match timeout_at(until, self.tasks.join_next()).await {
                Ok(Some(ended)) => drop(ended),
                Ok(None) => return,
                Err(_) => {
                    tracing::warn!("the workers did not end in time");
                    self.tasks.shutdown().await;
                    return;
                }
            }
        }
    }
}

/// Ends the delivery of messages. What is accepted after it is another server's to deliver, or this one's when it is started again.
#[derive(Clone, Debug)]
pub struct EndOfDispatch(watch::Sender<bool>);

impl EndOfDispatch {
    /// Has nothing new begun; what is in flight is still seen to its end.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}
