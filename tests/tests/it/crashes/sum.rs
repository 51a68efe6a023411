//! What came of it all, counted.

use std::collections::BTreeMap;
use std::fmt;

use doorbell_tests::{Browser, Received, Value};

use super::field::{Accepted, BROWSERS};

/// What came of a round, or of all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) accepted: usize,
    /// Requests that broke off and were sent again.
    broken: usize,
    /// Jobs that are said to be delivered.
    delivered: u64,
    /// Jobs that the killed server held.
    left: i64,
    /// Pushes of a job beyond its first.
    doubles: usize,
    /// Jobs of accepted messages that are not said to be delivered, or whose browser was not rung.
    lost: usize,
    /// Pushes of messages that nobody was told to be accepted.
    strange: usize,
}

impl Sum {
    /// Compares what was accepted with what is said of it and with what browsers were rung with.
    pub(super) fn of(
        accepted: &[Accepted],
        said: &[Value],
        left: i64,
        browsers: &[Vec<Browser>],
        pushes: &[Received],
    ) -> Self {
        let by_path: BTreeMap<&str, &Browser> = browsers
            .iter()
            .flatten()
            .map(|browser| (browser.path(), browser))
            .collect();
        let mut rung: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for push in pushes {
            let browser = by_path[push.path.as_str()];
            let read = browser.read(push);
            let id = read["messageId"].as_str().expect("an id").to_owned();
            *rung.entry((id, browser.path())).or_default() += 1;
        }
        let mut sum = Self {
            accepted: accepted.len(),
            left,
            ..Self::default()
        };
        for (message, said) in accepted.iter().zip(said) {
            sum.broken += message.broken;
            let mut arrived = 0;
            for browser in &browsers[message.person] {
                if let Some(times) = rung.remove(&(message.id.clone(), browser.path())) {
                    arrived += 1;
                    sum.doubles += times - 1;
                }
            }
            let delivered = said["delivered"].as_u64().unwrap_or(0);
            sum.delivered += delivered;
            let whole = arrived.min(usize::try_from(delivered).expect("few"));
            sum.lost += BROWSERS - whole;
        }
        sum.strange = rung.values().sum();
        sum
    }

    pub(super) fn add(&mut self, round: Self) {
        self.accepted += round.accepted;
        self.broken += round.broken;
        self.delivered += round.delivered;
        self.left += round.left;
        self.doubles += round.doubles;
        self.lost += round.lost;
        self.strange += round.strange;
    }

    #[track_caller]
    pub(super) fn assert_kept(&self) {
        assert_eq!((self.lost, self.strange), (0, 0), "{self:?}");
        let held = usize::try_from(self.left).expect("a count");
        assert!(
            self.doubles <= held,
            "only what a killed server held is sent twice: {self:?}"
        );
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages accepted ({} requests broke off and were repeated), {} jobs delivered, {} lost, {} doubles of {} that the \
             killed server held",
            self.accepted, self.broken, self.delivered, self.lost, self.doubles, self.left
        )
    }
}
