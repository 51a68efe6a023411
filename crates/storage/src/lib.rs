//! What both databases share, and no SQL: how documents are kept, how secrets are sealed into rows, how parts of a
//! row become the domain's types, what is left to be announced, and how synchronous work is run from asynchronous code.

pub mod announcer;
pub mod blocking;
pub mod combiner;
pub mod document;
pub mod parts;
pub mod vault;

pub use announcer::Announcer;
pub use parts::{OrInconsistent, inconsistent};
pub use vault::Vault;
