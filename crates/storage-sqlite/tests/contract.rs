//! The contract that every store keeps, on SQLite: each story in a file of its own.

#![expect(clippy::expect_used, reason = "a test that cannot have its file fails")]

use std::sync::Arc;

use doorbell_storage_sqlite::SqliteStore;
use doorbell_testkit::{FakeSealer, Fresh};

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let store = SqliteStore::open(&path, Arc::new(FakeSealer)).expect("a store");
    Fresh::new(Arc::new(store), folder)
}

doorbell_testkit::store_contract!(fresh);
