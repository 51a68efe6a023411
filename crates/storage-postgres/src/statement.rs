//! Statements written by hand.
//!
//! Diesel's DSL has no `unnest` and no lateral join, and what goes through `sql_query` is parsed by the server
//! every time. A type of its own with a static query id is prepared once a connection instead.

/// Declares a statement: its name, the row it gives if it gives one, and its text, cut where a parameter
/// (`[name: type => SQL type]`) or a list of columns (`{columns}`) stands. Parameters are numbered in the order
/// in which they stand there, so the text can name one again as `$n`.
macro_rules! statement {
    (
        $(#[$doc:meta])*
        $name:ident $(-> $row:ty)?:
        $($text:literal $([$bind:ident: $rust:ty => $sql:ty])? $({$columns:expr})?)+
    ) => {
        $(#[$doc])*
        #[derive(diesel::query_builder::QueryId)]
        pub(crate) struct $name {
            $($(pub(crate) $bind: $rust,)?)+
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                $(
                    out.push_sql($text);
                    $(out.push_bind_param::<$sql, _>(&self.$bind)?;)?
                    $(diesel::query_builder::QueryFragment::<diesel::pg::Pg>::walk_ast(
                        &$columns,
                        out.reborrow(),
                    )?;)?
                )+
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<diesel::PgConnection> for $name {}
        impl diesel::RunQueryDsl<diesel::PgConnection> for &$name {}

        $(impl diesel::query_builder::Query for $name {
            type SqlType = $row;
        })?
    };
}

pub(crate) use statement;
