//! Statements of fixed text, prepared once a connection.
//!
//! Diesel prepares every `UPDATE` and `DO UPDATE` of its own language anew, since it cannot know that their text is
//! always the same. These say so.

/// Makes a statement type: its text, and the values that fill its question marks in their order. `-> { ... }` tells the types
/// of what it gives back.
macro_rules! statement {
    (
        $(#[$doc:meta])*
        struct $name:ident<'a> { $($field:ident: $type:ty),* $(,)? } $(-> { $gives:ty })?
        $text:literal
        [$($bind:ty = $($path:ident).+),* $(,)?]
    ) => {
        $(#[$doc])*
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: &'a $type,)*
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                let mut text = $text.split('?');
                out.push_sql(text.next().unwrap_or_default());
                $(
                    out.push_bind_param::<$bind, _>(&self.$($path).+)?;
                    out.push_sql(text.next().unwrap_or_default());
                )*
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<diesel::SqliteConnection> for $name<'_> {}

        $(impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $gives;
        })?
    };
}

pub(crate) use statement;
