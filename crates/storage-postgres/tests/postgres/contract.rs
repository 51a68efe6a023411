//! The contract that every store must pass, each story on a database of its own.

use std::sync::Arc;

use doorbell_testkit::{Fresh, store_contract};

use crate::database::Database;

async fn fresh() -> Fresh {
    let database = Database::migrated();
    Fresh::new(Arc::new(database.combining_store()), database)
}

store_contract!(fresh);
