//! That no statement walks through a table, and that each is prepared once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::sql_types::Text;
use doorbell_testkit::everything::{everything, rarities};
use doorbell_testkit::{FakeSealer, Scene};

use crate::{Options, SqliteStore};

/// What a connection was asked to run, and what it kept prepared.
#[derive(Clone, Default)]
struct Record {
    run: Arc<Mutex<BTreeSet<String>>>,
    prepared: Arc<Mutex<BTreeSet<String>>>,
}

impl Record {
    fn note(&self, event: &InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                let text = text.split(" -- binds").next().unwrap_or_default();
                let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE"];
                if verbs.iter().any(|verb| text.starts_with(verb)) {
                    self.run.lock().expect("whole").insert(text.to_owned());
                }
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                self.prepared.lock().expect("whole").insert((*sql).to_owned());
            }
            _ => {}
        }
    }

    fn statements(&self) -> BTreeSet<String> {
        self.run.lock().expect("whole").clone()
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

impl Step {
    /// Whether it walks through a table, rather than through a list that the statement was given.
    fn is_a_walk(&self) -> bool {
        let of_a_list = self.detail.contains(" VIRTUAL TABLE ") || self.detail == "SCAN named";
        self.detail.starts_with("SCAN") && !of_a_list
    }
}

#[tokio::test]
async fn every_statement_is_found_by_indexes_and_prepared_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let options = Options {
        announce: true,
        ..Options::default()
    };
    let store = SqliteStore::open_with(&path, Arc::new(FakeSealer), options).expect("a store");
    let store = Arc::new(store);
    let record = Record::default();
    let (first, second) = (record.clone(), Record::default());
    let watched = store
        .writer
        .run(move |connection| {
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| first.note(&event));
            Ok(())
        })
        .await;
    assert_eq!(watched, Ok(()));
    let scene = Scene::new(Arc::<SqliteStore>::clone(&store));
    everything(&scene).await;
    rarities(&scene).await;
    let statements = record.statements();
    assert!(statements.len() > 40, "{}", statements.len());

    let kept = record.prepared.lock().expect("whole").clone();
    let anew: Vec<_> = statements.difference(&kept).collect();
    assert!(anew.is_empty(), "prepared at every run: {anew:#?}");

    let again = second.clone();
    let explained = statements.clone();
    let walks = store
        .writer
        .run(move |connection| {
            let mut walks = Vec::new();
            for statement in explained {
                let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
                    .load(connection)
                    .expect("a plan");
                let walked = steps.into_iter().filter(Step::is_a_walk);
                walks.extend(walked.map(|step| format!("{}: {statement}", step.detail)));
            }
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| again.note(&event));
            Ok(walks)
        })
        .await
        .expect("plans");
    assert!(walks.is_empty(), "{walks:#?}");

    everything(&scene).await;
    rarities(&scene).await;
    assert!(second.statements().is_subset(&statements));
    let again = second.prepared.lock().expect("whole").clone();
    assert!(again.is_empty(), "prepared a second time: {again:#?}");
}
