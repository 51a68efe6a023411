//! Sealed values as such, for moving them from one secret to another.

use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Uuid as SqlUuid};
use doorbell_domain::sealed::SealedColumn;
use doorbell_domain::store::{Found, Resealed, SealedValue, SealedValues, StoreError};
use uuid::Uuid;

use super::Repositories;
use crate::schema::{code_outbox, keys, messages, push_tokens, subscriptions};
use crate::statement::statement;

/// Declares the statement that writes one column anew, and how it is made.
///
/// A row that a registration holds is passed over: waiting for it could end in a deadlock, since registrations lock rows in
/// another order. The lock is weak enough for foreign keys, and its condition is judged by the row's newest version.
macro_rules! replace {
    ($(#[$doc:meta])* $name:ident, $table:literal, $column:literal) => {
        statement! {
            $(#[$doc])*
            $name:
            "UPDATE " $table " SET " $column " = held.becomes FROM (SELECT found.id, given.becomes FROM unnest("
            [rows: Vec<Uuid> => Array<SqlUuid>] ", " [old: Vec<Vec<u8>> => Array<Binary>] ", "
            [new: Vec<Vec<u8>> => Array<Binary>]
            ") AS given (id, was, becomes) JOIN " $table " AS found ON found.id = given.id WHERE found." $column
            " = given.was ORDER BY found.id FOR NO KEY UPDATE OF found SKIP LOCKED) AS held WHERE " $table
            ".id = held.id"
        }

        impl $name {
            fn of(values: &[Resealed]) -> Self {
                Self {
                    rows: values.iter().map(|value| value.row).collect(),
                    old: values.iter().map(|value| value.old.clone()).collect(),
                    new: values.iter().map(|value| value.new.clone()).collect(),
                }
            }
        }
    };
}

replace! {
    /// Writes `keys.sealed` anew.
    ReplaceKeys, "keys", "sealed"
}
replace! {
    /// Writes `push_tokens.sealed` anew.
    ReplaceTokens, "push_tokens", "sealed"
}
replace! {
    /// Writes `subscriptions.sealed_endpoint` anew.
    ReplaceEndpoints, "subscriptions", "sealed_endpoint"
}
replace! {
    /// Writes `subscriptions.sealed_keys` anew.
    ReplaceSubscriptionKeys, "subscriptions", "sealed_keys"
}
replace! {
    /// Writes `code_outbox.sealed` anew.
    ReplaceCodes, "code_outbox", "sealed"
}
replace! {
    /// Writes `messages.sealed` anew.
    ReplaceMessages, "messages", "sealed"
}

/// Reads a column's values behind a row, in order.
macro_rules! behind {
    ($connection:expr, $table:ident :: $column:ident, $after:expr, $limit:expr) => {
        $table::table
            .filter($table::id.gt($after))
            .order($table::id)
            .limit($limit)
            .select(($table::id, $table::$column))
            .load::<(Uuid, Vec<u8>)>($connection)
    };
}

impl SealedValues for Repositories<'_> {
    fn sealed_values(
        &mut self,
        column: SealedColumn,
        after: Option<Uuid>,
        limit: u32,
    ) -> Found<Vec<SealedValue>> {
        // No id is smaller.
        let (after, limit) = (after.unwrap_or_default(), i64::from(limit));
        let rows = self.ask(|connection| match column {
            SealedColumn::Keys => behind!(connection, keys::sealed, after, limit),
            SealedColumn::PushTokens => behind!(connection, push_tokens::sealed, after, limit),
            SealedColumn::SubscriptionEndpoints => {
                behind!(connection, subscriptions::sealed_endpoint, after, limit)
            }
            SealedColumn::SubscriptionKeys => behind!(connection, subscriptions::sealed_keys, after, limit),
            SealedColumn::CodeOutbox => behind!(connection, code_outbox::sealed, after, limit),
            SealedColumn::Messages => behind!(connection, messages::sealed, after, limit),
        })?;
        Ok(rows
            .into_iter()
            .map(|(row, sealed)| SealedValue { row, sealed })
            .collect())
    }

    fn replace_sealed(&mut self, column: SealedColumn, values: &[Resealed]) -> Found<u32> {
        let written = self.ask(|connection| match column {
            SealedColumn::Keys => ReplaceKeys::of(values).execute(connection),
            SealedColumn::PushTokens => ReplaceTokens::of(values).execute(connection),
            SealedColumn::SubscriptionEndpoints => ReplaceEndpoints::of(values).execute(connection),
            SealedColumn::SubscriptionKeys => ReplaceSubscriptionKeys::of(values).execute(connection),
            SealedColumn::CodeOutbox => ReplaceCodes::of(values).execute(connection),
            SealedColumn::Messages => ReplaceMessages::of(values).execute(connection),
        })?;
        u32::try_from(written)
            .map_err(|_| StoreError::Failed("more rows than values were written".to_owned()))
    }
}
