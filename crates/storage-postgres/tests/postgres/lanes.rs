//! Requests and workers, each on connections of their own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use doorbell_domain::store::{Found, Store, transact};
use doorbell_testkit::build::phone;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::database::Database;

/// Far longer than a unit of work takes, and shorter than one waits for its turn.
const SOON: Duration = Duration::from_secs(3);

/// Work that holds its connection until it is let go, or let down.
fn held(
    store: &Arc<dyn Store>,
    began: Sender<()>,
    go: Receiver<()>,
) -> impl Future<Output = Found<()>> + use<> {
    let store = Arc::clone(store);
    async move {
        transact(store.as_ref(), move |unit| {
            unit.find_phone(&phone(1))?;
            began.send(()).expect("the test waits");
            // Whoever is dropped lets go too.
            let _ = go.recv();
            Ok(())
        })
        .await
    }
}

/// Keeps so many connections of `busy` at work, and asks whether `other` is served meanwhile.
async fn other_goes_on(busy: &Arc<dyn Store>, connections: u32, other: &Arc<dyn Store>) {
    let (began, beginnings) = channel();
    let (mut working, mut gates) = (JoinSet::new(), Vec::new());
    for _ in 0..connections {
        let (gate, go) = channel();
        working.spawn(held(busy, began.clone(), go));
        gates.push(gate);
    }
    let all = tokio::task::spawn_blocking(move || {
        for _ in 0..connections {
            beginnings.recv_timeout(SOON).expect("each has a connection");
        }
    });
    all.await.expect("all of them work");
    // One more of them waits, and others do not.
    let waiting = timeout(Duration::from_millis(100), busy.ready());
    assert!(waiting.await.is_err(), "all connections are at work");
    let served = timeout(SOON, other.ready());
    assert_eq!(served.await.expect("nobody is in the way"), Ok(()));
    drop(gates);
    while let Some(ended) = working.join_next().await {
        assert_eq!(ended.expect("no panic"), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_and_workers_never_wait_for_each_other() {
    let database = Database::migrated();
    let store = database.store(3);
    let workers: Arc<dyn Store> = Arc::new(store.for_workers());
    let requests: Arc<dyn Store> = Arc::new(store);
    other_goes_on(&requests, 3, &workers).await;
    other_goes_on(&workers, 2, &requests).await;
}
