//! The days by which finished jobs are kept: a partition for each, made before it comes and dropped when it is over.
//!
//! Nothing hangs on a partition being there: what has none is kept in the one for the rest. So what cannot be done now is left for the
//! next time, and nobody is kept waiting for it.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use doorbell_domain::Timestamp;
use doorbell_domain::store::Found;
use time::{Date, Month};

use super::Repositories;
use crate::moment::Moment;
use crate::statement::statement;

/// How many days are made ready, today's included.
const READY: usize = 3;

/// How long a table's lock is waited for: whoever comes after would wait too.
const PATIENCE: &str = "200ms";

statement! {
    /// Whether nobody else makes or drops days, and keeps others from it until the transaction ends.
    LockDays -> Bool: "SELECT pg_try_advisory_xact_lock(" [lock: i64 => BigInt] ")"
}

/// What [`LockDays`] locks: a number of no other meaning.
const DAYS: i64 = 7_236_835_523_419_140;

statement! {
    /// The tables that finished jobs are kept in.
    Partitions -> Text:
    "SELECT part.relname::text FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid
    WHERE inhparent = " [parent: &'static str => Text] "::regclass"
}

statement! {
    /// Whether the rest holds a job that ended between two instants.
    RestHolds -> Bool:
    "SELECT EXISTS (SELECT FROM finished_jobs_rest WHERE finished_at >= " [from: Moment => Timestamptz]
    " AND finished_at < " [to: Moment => Timestamptz] ")"
}

statement! {
    /// How long locks are waited for.
    LockTimeout -> Text: "SELECT current_setting('lock_timeout')"
}

statement! {
    /// Sets how long locks are waited for until the transaction ends.
    SetLockTimeout: "SELECT set_config('lock_timeout', " [to: String => Text] ", true)"
}

/// A day in UTC, from its first microsecond to the next day's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Day(Date);

impl Day {
    /// The day of that instant; `None` for one that a partition's name has no room for.
    fn of(at: Timestamp) -> Option<Self> {
        let date = at.to_datetime().date();
        (1..=9_998).contains(&date.year()).then_some(Self(date))
    }

    fn next(self) -> Option<Self> {
        self.0.next_day().map(Self)
    }

    fn starts(self) -> Timestamp {
        Timestamp::from_datetime(self.0.midnight().assume_utc())
    }

    /// The day of the partition of that name; `None` for the one that holds the rest.
    fn of_partition(name: &str) -> Option<Self> {
        let digits = name.strip_prefix(PREFIX)?;
        let number = |from, to| digits.get(from..to)?.parse::<u16>().ok();
        let month = Month::try_from(u8::try_from(number(4, 6)?).ok()?).ok()?;
        let day = u8::try_from(number(6, 8)?).ok()?;
        let date = Date::from_calendar_date(number(0, 4)?.into(), month, day).ok()?;
        let day = Self(date);
        (day.to_string() == name).then_some(day)
    }
}

const PREFIX: &str = "finished_jobs_";

/// The name of its partition.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{PREFIX}{year:04}{:02}{day:02}", u8::from(month))
    }
}

impl Repositories<'_> {
    /// Drops the days that were over by `until`, and makes today and the days after it ready, unless another server is at it. Gives how
    /// many jobs went: about, where there were more than `limit` of a day.
    pub(super) fn turn_days(&mut self, until: Timestamp, today: Timestamp, limit: u32) -> Found<usize> {
        let lock = LockDays { lock: DAYS };
        let alone: bool = self.ask(|connection| (&lock).get_result(connection))?;
        if !alone {
            return Ok(0);
        }
        let partitions = Partitions {
            parent: "finished_jobs",
        };
        let names: Vec<String> = self.ask(|connection| (&partitions).load(connection))?;
        let there: Vec<Day> = names.iter().filter_map(|name| Day::of_partition(name)).collect();
        let ready = std::iter::successors(Day::of(today), |day| day.next()).take(READY);
        for day in ready.filter(|day| !there.contains(day)) {
            self.in_haste(|connection| make(connection, day))?;
        }
        let mut removed = 0;
        for day in there {
            // Its last microsecond is before the next one's start.
            if day.next().is_some_and(|next| next.starts() <= until) {
                let went = self.in_haste(|connection| drop_day(connection, day, limit))?;
                removed += went.unwrap_or(0);
            }
        }
        Ok(removed)
    }

    /// Does what can be left undone, and waits for locks no longer than [`PATIENCE`] in it.
    fn in_haste<T>(&mut self, work: impl Fn(&mut PgConnection) -> QueryResult<T>) -> Found<Option<T>> {
        self.ask_or_leave(|connection| {
            let usual: String = LockTimeout {}.get_result(connection)?;
            let short = SetLockTimeout {
                to: PATIENCE.to_owned(),
            };
            short.execute(connection)?;
            let done = work(connection)?;
            SetLockTimeout { to: usual }.execute(connection)?;
            Ok(done)
        })
    }
}

/// Makes a day's partition, unless the rest has rows of that day already, which no partition of their own may then take.
fn make(connection: &mut PgConnection, day: Day) -> QueryResult<()> {
    let Some(next) = day.next() else {
        return Ok(());
    };
    let begun = RestHolds {
        from: Moment(day.starts()),
        to: Moment(next.starts()),
    };
    if (&begun).get_result(connection)? {
        return Ok(());
    }
    // Whoever ends a job of that day at this moment has found a place for it that would then be the wrong one.
    connection.batch_execute("LOCK TABLE finished_jobs IN SHARE ROW EXCLUSIVE MODE")?;
    if (&begun).get_result(connection)? {
        return Ok(());
    }
    connection.batch_execute(&format!(
        "CREATE TABLE {day} (LIKE finished_jobs INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
        ALTER TABLE finished_jobs ATTACH PARTITION {day} FOR VALUES FROM ('{} 00:00:00+00') TO ('{} 00:00:00+00')",
        day.0, next.0
    ))
}

/// Drops a day's partition.
fn drop_day(connection: &mut PgConnection, day: Day, limit: u32) -> QueryResult<usize> {
    let counted: i64 = diesel::select(sql::<BigInt>(&format!(
        "(SELECT count(*) FROM (SELECT FROM {day} LIMIT {limit}) counted)"
    )))
    .get_result(connection)?;
    let reckoned: i64 = diesel::select(sql::<BigInt>(&format!(
        "pg_stat_get_live_tuples('{day}'::regclass)"
    )))
    .get_result(connection)?;
    connection.batch_execute(&format!("DROP TABLE {day}"))?;
    let rows = if counted < i64::from(limit) {
        counted
    } else {
        counted.max(reckoned)
    };
    Ok(usize::try_from(rows).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(micros: i64) -> Day {
        Day::of(Timestamp::from_micros(micros)).expect("a day of this age")
    }

    #[test]
    fn a_day_is_known_again_by_the_name_of_its_partition() {
        let last = day(1_798_761_599_999_999);
        assert_eq!(last.to_string(), "finished_jobs_20261231");
        assert_eq!(Day::of_partition("finished_jobs_20261231"), Some(last));
        let first = last.next().expect("a next one");
        assert_eq!(first.to_string(), "finished_jobs_20270101");
        assert_eq!(first.starts(), Timestamp::from_micros(1_798_761_600_000_000));
        assert!(last < first && day(1_798_761_600_000_000) == first);
    }

    #[test]
    fn no_other_table_is_a_day() {
        for name in [
            "finished_jobs",
            "finished_jobs_rest",
            "finished_jobs_20260230",
            "finished_jobs_2026123",
            "finished_jobs_202612310",
            "finished_jobs_+0261231",
            "finished_jobs_2026é231",
        ] {
            assert!(Day::of_partition(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_time_without_a_year_of_four_digits_has_no_day() {
        assert!(Day::of(Timestamp::from_micros(-63_000_000_000_000_000)).is_none());
        assert_eq!(day(0).to_string(), "finished_jobs_19700101");
    }
}
