//! The contract that every store keeps, on SQLite: each story in a file of its own.

#![expect(clippy::expect_used, reason = "a test that cannot have its file fails")]

use std::sync::Arc;

use doorbell_storage_sqlite::{Options, SqliteStore};
use doorbell_testkit::{FakeSealer, Fresh};

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let options = Options {
        announce: true,
        ..Options::default()
    };
    let store = SqliteStore::open_with(&path, Arc::new(FakeSealer), options).expect("a store");
    Fresh::new(Arc::new(store), folder)
}

doorbell_testkit::store_contract!(fresh);
