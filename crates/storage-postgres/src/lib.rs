//! The registry's store in PostgreSQL 15 and later.
//!
//! Every writer locks users before addresses, and jobs before messages, each in order, under READ COMMITTED; what is
//! decided, the domain decides. Statements over arrays are written by hand, so that they are prepared once a connection.

mod addresses;
mod announcements;
mod conninfo;
mod lane;
mod migrate;
mod moment;
mod pool;
mod register;
mod repositories;
mod rows;
mod schema;
mod statement;
mod store;
mod trouble;
mod waiting;

pub use migrate::migrate;
pub use store::{Options, PostgresStore};
