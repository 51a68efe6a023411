//! The loop that delivers messages: many at once, some of each lane, claimed and settled in batches.
//!
//! What is slow here is somebody else: a push service that hangs holds as many attempts as its lane may have, and no more is claimed
//! for it until some of them end; and once it is known to hang, as few as it takes to find out that it does so no more. Nothing waits for a timer: while one batch is being settled the next gathers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use doorbell_domain::job::Lane;
use doorbell_domain::store::StoreError;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{Bell, Ending, asked};

/// How many jobs a server holds at once: those that are attempted, and those that wait for that or to be settled. Enough that it
/// takes ten lanes that hang to keep others from being claimed.
const AT_ONCE: usize = 2_048;

/// How many jobs of one lane are attempted at once, and from how many on no more are claimed.
const A_LANE: usize = 64;

/// How many jobs of a lane are attempted at once whose last attempts hung. Each that fails costs an encryption and a write, and all of
/// them come at once: of few of them nobody else takes notice.
const A_HUNG_LANE: usize = 8;

/// For how long a lane is remembered that hung, and for which nothing has come since.
const REMEMBERED: Duration = Duration::from_mins(1);

/// How many jobs are claimed at once. A lane gets so many at most beyond its share; whose turn comes late is judged anew.
const A_CLAIM: usize = 128;

/// How many ends of attempts are settled at once.
const A_BATCH: usize = 256;

/// How often it is looked for jobs when nobody rings: for what is due again, and what other servers left behind.
const LOOK: Duration = Duration::from_millis(500);

/// Messages that wait in a database to be delivered.
pub trait Courier: Send + Sync + 'static {
    /// A job that is to be attempted.
    type Dispatch: Send + 'static;
    /// A job that was attempted.
    type Attempted: Clone + Send + 'static;

    /// Claims at most `most` jobs that are due, of no lane in `busy`; gives how many were claimed, and those that are to be attempted.
    fn claim(
        &self,
        most: u32,
        busy: Vec<Lane>,
    ) -> impl Future<Output = Result<(usize, Vec<Self::Dispatch>), StoreError>> + Send;

    /// Where a job queues.
    fn lane(dispatch: &Self::Dispatch) -> &Lane;

    /// Attempts a job. Bounds its own time.
    fn attempt(&self, dispatch: Self::Dispatch) -> impl Future<Output = Self::Attempted> + Send;

    /// Whether an attempt ended because nobody answered in time; `None` where nobody was asked.
    fn hung(attempted: &Self::Attempted) -> Option<bool>;

    /// Writes down what attempts came to. Can be repeated.
    fn settle(&self, attempts: Vec<Self::Attempted>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives back claims that were not used.
    fn give_back(&self, unused: Vec<Self::Dispatch>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Delivers until it is asked to end, then gives back what it has not begun, and waits for what it has.
pub(crate) async fn run<C: Courier>(courier: Arc<C>, bell: Bell, mut ending: Ending) {
    let mut round = Round::new(courier);
    let mut times = interval(LOOK);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.claim_more();
        round.settle_more();
        tokio::select! {
            () = asked(&mut ending) => break,
            Some(ended) = round.attempts.join_next_with_id() => round.attempted(ended),
            Some(claimed) = round.claiming.join_next() => round.claimed(claimed),
            Some(settled) = round.settling.join_next() => round.settled(settled),
            Some(_) = round.giving_back.join_next() => {}
            () = bell.rung() => round.more = true,
            _ = times.tick() => {
                round.more = true;
                round.probe = true;
                round.store_is_away = false;
                round.forget();
            }
        }
    }
    round.end().await;
}

/// What a lane is doing.
struct Queue<D> {
    attempted: usize,
    waiting: VecDeque<D>,
    /// When the last attempt of it ended, if that hung.
    hung: Option<Instant>,
}

impl<D> Queue<D> {
    /// How many of it may be attempted at once.
    const fn share(&self) -> usize {
        if self.hung.is_some() { A_HUNG_LANE } else { A_LANE }
    }

    fn held(&self) -> usize {
        self.attempted + self.waiting.len()
    }

    fn is_empty(&self) -> bool {
        self.held() == 0
    }

    /// Whether no more is claimed for it.
    fn is_full(&self) -> bool {
        self.held() >= self.share()
    }

    /// Whether it hangs, and it may be tried if it still does.
    fn may_be_probed(&self) -> bool {
        self.hung.is_some() && !self.is_full()
    }
}

impl<D> Default for Queue<D> {
    fn default() -> Self {
        Self {
            attempted: 0,
            waiting: VecDeque::new(),
            hung: None,
        }
    }
}

/// What came back from claiming: whether there may be more, and what is to be attempted.
type Claimed<D> = Result<(bool, Vec<D>), StoreError>;

/// What came back from settling: the attempts, if they are still to be settled.
type Settled<A> = (Vec<A>, Result<(), StoreError>);

struct Round<C: Courier> {
    courier: Arc<C>,
    lanes: HashMap<Lane, Queue<C::Dispatch>>,
    /// Whose lane each attempt is of: one that panics cannot say.
    lane_of: HashMap<task::Id, Lane>,
    attempts: JoinSet<C::Attempted>,
    claiming: JoinSet<Claimed<C::Dispatch>>,
    settling: JoinSet<Settled<C::Attempted>>,
    giving_back: JoinSet<()>,
    unsettled: Vec<C::Attempted>,
    /// What could not be written down together with others, and is tried in halves.
    apart: Vec<Vec<C::Attempted>>,
    /// How many jobs wait in lanes.
    waiting: usize,
    /// How many are being settled.
    in_settling: usize,
    /// Whether there may be more due than what was claimed.
    more: bool,
    /// Whether it is time to look into lanes that hang.
    probe: bool,
    /// Whether the store was out of reach a moment ago.
    store_is_away: bool,
}

impl<C: Courier> Round<C> {
    fn new(courier: Arc<C>) -> Self {
        Self {
            courier,
            lanes: HashMap::new(),
            lane_of: HashMap::new(),
            attempts: JoinSet::new(),
            claiming: JoinSet::new(),
            settling: JoinSet::new(),
            giving_back: JoinSet::new(),
            unsettled: Vec::new(),
            apart: Vec::new(),
            waiting: 0,
            in_settling: 0,
            more: true,
            probe: false,
            store_is_away: false,
        }
    }

    fn held(&self) -> usize {
        let apart: usize = self.apart.iter().map(Vec::len).sum();
        self.attempts.len() + self.waiting + self.unsettled.len() + apart + self.in_settling
    }

    /// Claims, if there may be something, nobody is claiming yet, and there is room for a good part of a claim. Lanes that hang are
    /// passed over, and asked for by a small claim at each look: what waits in them would fill a large one, and be given back.
    fn claim_more(&mut self) {
        let room = AT_ONCE.saturating_sub(self.held()).min(A_CLAIM);
        if self.store_is_away || !self.claiming.is_empty() || room < A_CLAIM / 2 {
            return;
        }
        // First, so that a backlog of others does not keep it from being found out that they answer again.
        if std::mem::take(&mut self.probe) && self.lanes.values().any(Queue::may_be_probed) {
            let full = self.lanes_that(Queue::is_full);
            self.claim(A_HUNG_LANE, full, false);
        } else if std::mem::take(&mut self.more) {
            let passed_over = self.lanes_that(|queue| queue.is_full() || queue.may_be_probed());
            self.claim(room, passed_over, true);
        }
    }

    /// Claims at most `most`. That a claim got as many says that there may be more, if it `tells`.
    fn claim(&mut self, most: usize, passed_over: Vec<Lane>, tells: bool) {
        let courier = Arc::clone(&self.courier);
        let limit = u32::try_from(most).unwrap_or(u32::MAX);
        self.claiming.spawn(async move {
            let (count, dispatches) = courier.claim(limit, passed_over).await?;
            Ok((tells && count >= most, dispatches))
        });
    }

    fn lanes_that(&self, is_so: impl Fn(&Queue<C::Dispatch>) -> bool) -> Vec<Lane> {
        let lanes = self.lanes.iter().filter(|(_, queue)| is_so(queue));
        lanes.map(|(lane, _)| lane.clone()).collect()
    }

    fn claimed(&mut self, claimed: Result<Claimed<C::Dispatch>, JoinError>) {
        match claimed {
            Ok(Ok((more, dispatches))) => {
                self.more |= more;
                let mut unused = Vec::new();
                for dispatch in dispatches {
                    let lane = C::lane(&dispatch).clone();
                    let queue = self.lanes.entry(lane.clone()).or_default();
                    // Nobody knows when its turn would come.
                    if queue.hung.is_some() && queue.waiting.len() >= A_HUNG_LANE {
                        unused.push(dispatch);
                        continue;
                    }
                    queue.waiting.push_back(dispatch);
                    self.waiting += 1;
                    self.attempt_next(&lane);
                }
                self.give_back(unused);
            }
            Ok(Err(error)) => {
                self.store_is_away = true;
                tracing::warn!(%error, "jobs could not be claimed");
            }
            Err(error) => note(&error, "claiming jobs"),
        }
    }

    /// Gives back claims that are not used.
    fn give_back(&mut self, unused: Vec<C::Dispatch>) {
        if unused.is_empty() {
            return;
        }
        let courier = Arc::clone(&self.courier);
        self.giving_back.spawn(async move {
            if let Err(error) = courier.give_back(unused).await {
                tracing::warn!(%error, "jobs could not be given back; their leases run out");
            }
        });
    }

    /// Attempts the next jobs of a lane, as many as wait and may begin.
    fn attempt_next(&mut self, lane: &Lane) {
        let Some(queue) = self.lanes.get_mut(lane) else {
            return;
        };
        while queue.attempted < queue.share()
            && let Some(dispatch) = queue.waiting.pop_front()
        {
            self.waiting -= 1;
            queue.attempted += 1;
            let courier = Arc::clone(&self.courier);
            let attempt = self
                .attempts
                .spawn(async move { courier.attempt(dispatch).await });
            self.lane_of.insert(attempt.id(), lane.clone());
        }
        if queue.is_empty() && queue.hung.is_none() {
            self.lanes.remove(lane);
        }
    }

    /// Forgets lanes that hung long ago.
    fn forget(&mut self) {
        self.lanes.retain(|_, queue| {
            let lately = queue.hung.is_some_and(|at| at.elapsed() < REMEMBERED);
            !queue.is_empty() || lately
        });
    }

    fn attempted(&mut self, ended: Result<(task::Id, C::Attempted), JoinError>) {
        let (id, hung) = match ended {
            Ok((id, attempted)) => {
                let hung = C::hung(&attempted);
                self.unsettled.push(attempted);
                (id, hung)
            }
            // One that panicked is one whose end nobody knows: its lease runs out.
            Err(error) => {
                note(&error, "a delivery");
                (error.id(), None)
            }
        };
        if let Some(lane) = self.lane_of.remove(&id) {
            if let Some(queue) = self.lanes.get_mut(&lane) {
                queue.attempted -= 1;
                let share = queue.share();
                if let Some(hung) = hung {
                    queue.hung = hung.then(Instant::now);
                }
                // It may have been full when others of its jobs were passed over.
                self.more |= queue.held() == queue.share() / 2 || queue.share() > share;
            }
            self.attempt_next(&lane);
        }
    }

    /// Settles what attempts came to, if nobody is settling yet.
    fn settle_more(&mut self) {
        if !self.settling.is_empty() || self.store_is_away {
            return;
        }
        let batch = self.apart.pop().unwrap_or_else(|| {
            let rest = self.unsettled.split_off(self.unsettled.len().min(A_BATCH));
            std::mem::replace(&mut self.unsettled, rest)
        });
        if batch.is_empty() {
            return;
        }
        self.in_settling = batch.len();
        let courier = Arc::clone(&self.courier);
        self.settling.spawn(async move {
            let settled = courier.settle(batch.clone()).await;
            (batch, settled)
        });
    }

    fn settled(&mut self, settled: Result<Settled<C::Attempted>, JoinError>) {
        self.in_settling = 0;
        match settled {
            Ok((_, Ok(()))) => {}
            Ok((batch, Err(error @ StoreError::Unavailable(_)))) => {
                // What was sent is known to have been sent: nobody should send it again for want of a line.
                self.unsettled.splice(..0, batch);
                self.store_is_away = true;
                tracing::warn!(%error, "what became of jobs could not be written down; it is tried again");
            }
            // One that cannot be written down must not take the others with it.
            Ok((mut batch, Err(error))) if batch.len() > 1 => {
                tracing::warn!(%error, jobs = batch.len(), "what became of jobs is written down in halves");
                let half = batch.split_off(batch.len() / 2);
                self.apart.extend([half, batch]);
            }
            Ok((_, Err(error))) => {
                tracing::error!(%error, "what became of a job cannot be written down");
            }
            Err(error) => note(&error, "settling jobs"),
        }
    }

    /// Gives back what was not begun, waits for what was, and settles each as it comes: should the time not be enough, as little as can
    /// be is left to leases.
    async fn end(mut self) {
        let unused: Vec<_> = self.lanes.drain().flat_map(|(_, queue)| queue.waiting).collect();
        self.give_back(unused);
        loop {
            self.settle_more();
            tokio::select! {
                Some(claimed) = self.claiming.join_next() => {
                    if let Ok(Ok((_, dispatches))) = claimed {
                        self.give_back(dispatches);
                    }
                }
                Some(ended) = self.attempts.join_next_with_id() => self.attempted(ended),
                Some(settled) = self.settling.join_next() => self.settled(settled),
                Some(_) = self.giving_back.join_next() => {}
                () = tokio::time::sleep(LOOK), if self.store_is_away => self.store_is_away = false,
                else => break,
            }
        }
    }
}

fn note(error: &JoinError, work: &'static str) {
    if error.is_panic() {
        tracing::error!(work, "it panicked");
    }
}

#[cfg(test)]
mod tests;
