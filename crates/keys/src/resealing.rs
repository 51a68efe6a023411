//! Sealed values moved to the newest secret.

use std::sync::Arc;

use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::sealed::{SealedColumn, SealedPlace};
use doorbell_domain::store::{Found, Resealed, SealedValues, Store, transact};
use uuid::Uuid;
use zeroize::Zeroizing;

/// What became of some values of a column that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// How many lie under the newest secret since just now.
    pub moved: u64,
    /// How many did already.
    pub there: u64,
    /// How many somebody else was writing, so that they were left as they are.
    pub busy: u64,
    /// Which do not open.
    pub stuck: Vec<Stuck>,
    /// The last row, behind which the next stretch begins; `None` where there was none left.
    pub last: Option<Uuid>,
}

/// A value that stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its row.
    pub row: Uuid,
    /// Why.
    pub reason: KeyFailure,
}

/// How many values one transaction moves at most.
const STRETCH: u32 = 500;

/// Moves the values of `column` that follow the row `after` to the newest secret, at most 500 in one transaction.
///
/// May run beside servers, and again: a value is written only where it is still what was read, and one that lies under the
/// newest secret is not touched.
pub async fn reseal_stretch(
    store: &dyn Store,
    sealer: &Arc<dyn Sealer>,
    column: SealedColumn,
    after: Option<Uuid>,
) -> Found<Stretch> {
    let sealer = Arc::clone(sealer);
    transact(store, move |unit| {
        reseal(unit, sealer.as_ref(), column, after, STRETCH)
    })
    .await
}

fn reseal<V: SealedValues + ?Sized>(
    values: &mut V,
    sealer: &dyn Sealer,
    column: SealedColumn,
    after: Option<Uuid>,
    limit: u32,
) -> Found<Stretch> {
    let mut stretch = Stretch::default();
    let mut moving = Vec::new();
    for value in values.sealed_values(column, after, limit)? {
        let row = value.row;
        stretch.last = Some(row);
        if sealer.is_current(&value.sealed) {
            stretch.there += 1;
            continue;
        }
        let place = SealedPlace { column, row };
        let plain = sealer.open(place, &value.sealed).map(Zeroizing::new);
        match plain.and_then(|plain| sealer.seal(place, &plain)) {
            Ok(new) => moving.push(Resealed {
                row,
                old: value.sealed,
                new,
            }),
            Err(reason) => stretch.stuck.push(Stuck { row, reason }),
        }
    }
    if !moving.is_empty() {
        stretch.moved = u64::from(values.replace_sealed(column, &moving)?);
        let asked = u64::try_from(moving.len()).unwrap_or(u64::MAX);
        stretch.busy = asked.saturating_sub(stretch.moved);
    }
    Ok(stretch)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;
    use std::ops::Bound;

    use doorbell_domain::store::SealedValue;

    use super::*;
    use crate::{Sealing, Secrets, SystemEntropy};

    const OLD: &str = "old:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const NEW: &str = "new:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const COLUMN: SealedColumn = SealedColumn::PushTokens;

    /// The rows of one column, some of which are held by others.
    #[derive(Default)]
    struct Rows {
        rows: BTreeMap<Uuid, Vec<u8>>,
        held: BTreeSet<Uuid>,
    }

    impl SealedValues for Rows {
        fn sealed_values(
            &mut self,
            column: SealedColumn,
            after: Option<Uuid>,
            limit: u32,
        ) -> Found<Vec<SealedValue>> {
            assert_eq!(column, COLUMN);
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rows = self.rows.range((from, Bound::Unbounded));
            Ok(rows
                .take(usize::try_from(limit).expect("few"))
                .map(|(row, sealed)| SealedValue {
                    row: *row,
                    sealed: sealed.clone(),
                })
                .collect())
        }

        fn replace_sealed(&mut self, column: SealedColumn, values: &[Resealed]) -> Found<u32> {
            assert_eq!(column, COLUMN);
            let mut replaced = 0;
            for value in values.iter().filter(|value| !self.held.contains(&value.row)) {
                let row = self.rows.get_mut(&value.row).expect("a known row");
                assert_eq!(*row, value.old);
                row.clone_from(&value.new);
                replaced += 1;
            }
            Ok(replaced)
        }
    }

    fn sealing(list: &str) -> Sealing {
        let secrets = Secrets::parse(list).expect("well-formed");
        Sealing::new(&secrets, Arc::new(SystemEntropy)).expect("keys derive")
    }

    fn place(n: u128) -> SealedPlace {
        SealedPlace {
            column: COLUMN,
            row: Uuid::from_u128(n),
        }
    }

    fn rows(sealer: &Sealing, count: u128) -> Rows {
        let seal = |n| {
            sealer
                .seal(place(n), format!("token {n}").as_bytes())
                .expect("seals")
        };
        let rows = (1..=count).map(|n| (Uuid::from_u128(n), seal(n)));
        Rows {
            rows: rows.collect(),
            ..Rows::default()
        }
    }

    #[test]
    fn stretch_by_stretch_all_is_moved_and_opens_by_the_new_secret_alone() {
        let mut rows = rows(&sealing(OLD), 5);
        let both = sealing(&format!("{NEW},{OLD}"));
        let (mut after, mut moved) = (None, Vec::new());
        loop {
            let stretch = reseal(&mut rows, &both, COLUMN, after, 2).expect("no failure");
            let Some(last) = stretch.last else { break };
            moved.push(stretch.moved);
            after = Some(last);
        }
        assert_eq!(moved, [2, 2, 1]);
        let new = sealing(NEW);
        for n in 1..=5 {
            let opened = new.open(place(n), &rows.rows[&Uuid::from_u128(n)]);
            assert_eq!(opened, Ok(format!("token {n}").into_bytes()));
        }
        // Again, there is nothing to do.
        let before = rows.rows.clone();
        let again = reseal(&mut rows, &both, COLUMN, None, 9).expect("no failure");
        assert_eq!((again.moved, again.there), (0, 5));
        assert_eq!(rows.rows, before);
    }

    #[test]
    fn what_somebody_writes_is_left_and_taken_the_next_time() {
        let mut rows = rows(&sealing(OLD), 3);
        rows.held.insert(Uuid::from_u128(2));
        let both = sealing(&format!("{NEW},{OLD}"));
        let first = reseal(&mut rows, &both, COLUMN, None, 9).expect("no failure");
        assert_eq!((first.moved, first.there, first.busy), (2, 0, 1));
        rows.held.clear();
        let second = reseal(&mut rows, &both, COLUMN, None, 9).expect("no failure");
        assert_eq!((second.moved, second.there, second.busy), (1, 2, 0));
    }

    #[test]
    fn what_opens_under_none_of_the_secrets_is_named_and_holds_up_nothing() {
        let mut rows = rows(&sealing(OLD), 3);
        let stranger = sealing("else:cccccccccccccccccccccccccccccccc");
        let foreign = stranger.seal(place(2), b"x").expect("seals");
        rows.rows.insert(Uuid::from_u128(2), foreign.clone());
        let both = sealing(&format!("{NEW},{OLD}"));
        let stretch = reseal(&mut rows, &both, COLUMN, None, 9).expect("no failure");
        let stuck = Stuck {
            row: Uuid::from_u128(2),
            reason: KeyFailure("sealed under a secret that is not given"),
        };
        assert_eq!((stretch.moved, stretch.stuck), (2, vec![stuck]));
        assert_eq!(rows.rows[&Uuid::from_u128(2)], foreign);
    }
}
