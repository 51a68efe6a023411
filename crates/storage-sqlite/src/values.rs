//! How ids, instants and documents lie in columns.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::sqlite::Sqlite;
use doorbell_domain::{
    ApiKeyId, AuditId, DeviceUid, JobId, MessageId, OtpSessionId, SessionId, SubscriptionId, Timestamp,
    TokenId, UserId,
};
use serde_json::Value;
use uuid::Uuid;

type Raw<'a> = <Sqlite as Backend>::RawValue<'a>;

/// An id as its 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Binary)]
pub(crate) struct Id(pub(crate) Uuid);

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl From<$name> for Id {
            fn from(id: $name) -> Self {
                Self(id.uuid())
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self::from_uuid(id.0)
            }
        }
    )*};
}

ids! { ApiKeyId AuditId DeviceUid JobId MessageId OtpSessionId SessionId SubscriptionId TokenId UserId }

impl FromSql<Binary, Sqlite> for Id {
    fn from_sql(raw: Raw<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(raw)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}

impl ToSql<Binary, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

/// An instant as microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = BigInt)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl From<Instant> for Timestamp {
    fn from(at: Instant) -> Self {
        at.0
    }
}

impl FromSql<BigInt, Sqlite> for Instant {
    fn from_sql(raw: Raw<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(raw)?;
        Ok(Self(Timestamp::from_micros(micros)))
    }
}

impl ToSql<BigInt, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.micros());
        Ok(IsNull::No)
    }
}

/// A document as its JSON text.
#[derive(Clone, Debug, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Text)]
pub(crate) struct Json(pub(crate) Value);

impl FromSql<Text, Sqlite> for Json {
    fn from_sql(raw: Raw<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(raw)?;
        // The parser's own error quotes what it read.
        Ok(Self(serde_json::from_str(&text).map_err(|_| "no JSON")?))
    }
}

impl ToSql<Text, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}
