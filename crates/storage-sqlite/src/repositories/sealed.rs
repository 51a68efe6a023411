//! Sealed values as such, for moving them from one secret to another.

use diesel::prelude::*;
use diesel::sql_types::Binary;
use doorbell_domain::sealed::SealedColumn;
use doorbell_domain::store::{Found, Resealed, SealedValue, SealedValues};
use uuid::Uuid;

use super::Repositories;
use crate::schema::{code_outbox, keys, messages, push_tokens, subscriptions};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::Id;

statement! {
    /// Writes `keys.sealed` anew where it is still what it was.
    struct ReplaceKey<'a> { row: Id, old: Vec<u8>, new: Vec<u8> }
    "UPDATE keys SET sealed = ? WHERE id = ? AND sealed = ?"
    [Binary = new, Binary = row, Binary = old]
}

statement! {
    /// Writes `push_tokens.sealed` anew where it is still what it was.
    struct ReplaceToken<'a> { row: Id, old: Vec<u8>, new: Vec<u8> }
    "UPDATE push_tokens SET sealed = ? WHERE id = ? AND sealed = ?"
    [Binary = new, Binary = row, Binary = old]
}

statement! {
    /// Writes `subscriptions.sealed_endpoint` anew where it is still what it was.
    struct ReplaceEndpoint<'a> { row: Id, old: Vec<u8>, new: Vec<u8> }
    "UPDATE subscriptions SET sealed_endpoint = ? WHERE id = ? AND sealed_endpoint = ?"
    [Binary = new, Binary = row, Binary = old]
}

statement! {
    /// Writes `subscriptions.sealed_keys` anew where it is still what it was.
    struct ReplaceSubscriptionKeys<'a> { row: Id, old: Vec<u8>, new: Vec<u8> }
    "UPDATE subscriptions SET sealed_keys = ? WHERE id = ? AND sealed_keys = ?"
    [Binary = new, Binary = row, Binary = old]
}

statement! {
    /// Writes `code_outbox.sealed` anew where it is still what it was.
    struct ReplaceCode<'a> { row: Id, old: Vec<u8>, new: Vec<u8> }
    "UPDATE code_outbox SET sealed = ? WHERE id = ? AND sealed = ?"
    [Binary = new, Binary = row, Binary = old]
}

statement! {
    /// Writes `messages.sealed` anew where it is still what it was.
    struct ReplaceMessage<'a> { row: Id, old: Vec<u8>, new: Vec<u8> }
    "UPDATE messages SET sealed = ? WHERE id = ? AND sealed = ?"
    [Binary = new, Binary = row, Binary = old]
}

/// Reads a column's values behind a row, in order.
macro_rules! behind {
    ($connection:expr, $table:ident :: $column:ident, $after:expr, $limit:expr) => {
        $table::table
            .filter($table::id.gt($after))
            .order($table::id)
            .limit($limit)
            .select(($table::id, $table::$column))
            .load::<(Id, Vec<u8>)>($connection)
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
        let (after, limit) = (Id(after.unwrap_or_default()), i64::from(limit));
        let connection = &mut *self.connection;
        let rows = match column {
            SealedColumn::Keys => behind!(connection, keys::sealed, after, limit),
            SealedColumn::PushTokens => behind!(connection, push_tokens::sealed, after, limit),
            SealedColumn::SubscriptionEndpoints => {
                behind!(connection, subscriptions::sealed_endpoint, after, limit)
            }
            SealedColumn::SubscriptionKeys => behind!(connection, subscriptions::sealed_keys, after, limit),
            SealedColumn::CodeOutbox => behind!(connection, code_outbox::sealed, after, limit),
            SealedColumn::Messages => behind!(connection, messages::sealed, after, limit),
        };
        let read = |(row, sealed): (Id, Vec<u8>)| SealedValue { row: row.0, sealed };
        Ok(rows.around(column.name())?.into_iter().map(read).collect())
    }

    fn replace_sealed(&mut self, column: SealedColumn, values: &[Resealed]) -> Found<u32> {
        let mut replaced = 0;
        for Resealed { row, old, new } in values {
            let row = &Id(*row);
            let connection = &mut *self.connection;
            let written = match column {
                SealedColumn::Keys => ReplaceKey { row, old, new }.execute(connection),
                SealedColumn::PushTokens => ReplaceToken { row, old, new }.execute(connection),
                SealedColumn::SubscriptionEndpoints => ReplaceEndpoint { row, old, new }.execute(connection),
                SealedColumn::SubscriptionKeys => {
                    ReplaceSubscriptionKeys { row, old, new }.execute(connection)
                }
                SealedColumn::CodeOutbox => ReplaceCode { row, old, new }.execute(connection),
                SealedColumn::Messages => ReplaceMessage { row, old, new }.execute(connection),
            };
            if written.around(column.name())? > 0 {
                replaced += 1;
            }
        }
        Ok(replaced)
    }
}
