//! Instants as `timestamptz` keeps them: whole microseconds on both sides, so nothing is ever rounded.

use diesel::data_types::PgTimestamp;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Timestamptz;
use doorbell_domain::Timestamp;

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since the Unix epoch.
const EPOCH: i64 = 946_684_800_000_000;

/// An instant in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl ToSql<Timestamptz, Pg> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let stored = self
            .0
            .micros()
            .checked_sub(EPOCH)
            .ok_or("an instant that no row can hold")?;
        ToSql::<Timestamptz, Pg>::to_sql(&PgTimestamp(stored), &mut out.reborrow())
    }
}

impl FromSql<Timestamptz, Pg> for Moment {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(stored) = FromSql::<Timestamptz, Pg>::from_sql(value)?;
        let micros = stored
            .checked_add(EPOCH)
            .ok_or("an instant outside this program's range")?;
        Ok(Self(Timestamp::from_micros(micros)))
    }
}
