//! The contract that every store must pass, each story on a database of its own.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod database;

use std::sync::Arc;

use database::Database;
use doorbell_testkit::{Fresh, store_contract};

async fn fresh() -> Fresh {
    let database = Database::migrated();
    Fresh::new(Arc::new(database.store(6)), database)
}

store_contract!(fresh);
