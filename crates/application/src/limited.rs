//! Work that counts against limits.

use std::sync::Arc;

use doorbell_domain::Timestamp;
use doorbell_domain::limits::counters::{self, Claim, Place};
use doorbell_domain::store::{self, Conflict, Found, StoreError, Unit};
use thiserror::Error;
use time::Duration;

use crate::Doorbell;

/// How often a place is looked for again that somebody else has just filled.
const ATTEMPTS: usize = 4;

/// Why work was not done that counts against limits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum LimitedError {
    /// A limit is reached; again after this long.
    #[error("again after {0}")]
    Reached(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts a request against its limits, within the transaction that it is accepted in.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    places: Vec<Place>,
    now: Timestamp,
}

impl Tally {
    /// Counts. Its error must end the work, so that nothing is written and nothing counted.
    pub(crate) fn count(&self, unit: &mut dyn Unit) -> Found<()> {
        if self.places.is_empty() || unit.count(&self.places, self.now)? {
            Ok(())
        } else {
            Err(StoreError::Conflict(Conflict::LimitReached))
        }
    }
}

impl Doorbell {
    /// Runs `work` in a writing transaction. It decides itself whether and when it counts, so that what it refuses for
    /// another reason costs nothing.
    ///
    /// It may run more than once: where a counter is full, another one of the same key may have room.
    pub(crate) async fn within_limits<T, F>(
        &self,
        claims: Vec<Claim>,
        now: Timestamp,
        work: F,
    ) -> Result<T, LimitedError>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Unit, &Tally) -> Found<T> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let mut places = if claims.is_empty() {
            Vec::new()
        } else {
            counters::places(&claims, self.pick(), now)
        };
        for _ in 0..ATTEMPTS {
            let (work, tally) = (Arc::clone(&work), Tally { places, now });
            let done = store::transact(self.ports.store.as_ref(), move |unit| work(unit, &tally)).await;
            match done {
                Err(StoreError::Conflict(Conflict::LimitReached)) => {}
                done => return Ok(done?),
            }
            let asked = claims.clone();
            let known = store::read(self.ports.store.as_ref(), move |unit| unit.counters(&asked)).await?;
            places = counters::find_room(&claims, &known, self.pick(), now).map_err(LimitedError::Reached)?;
        }
        // There is room, and whoever is as quick finds it first.
        Err(LimitedError::Reached(Duration::seconds(1)))
    }

    fn pick(&self) -> u32 {
        let [pick] = self.ports.entropy.bytes();
        u32::from(pick)
    }
}
