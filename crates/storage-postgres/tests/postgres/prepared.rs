//! Every statement of `register`, and of a delivery, is prepared once a connection.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use doorbell_domain::job::{CredentialId, FinalState, Finished, LEASE, Lane, Postponed, Reason, Target};
use doorbell_domain::{Caller, Platform};
use doorbell_testkit::Scene;
use doorbell_testkit::build::{alert, live_activity, push_to_start, web_push};

use crate::database::Database;

/// What the connections to one database were asked since this was last emptied.
#[derive(Default)]
struct Seen {
    prepared: BTreeSet<String>,
    asked: BTreeSet<String>,
}

static SEEN: Mutex<Seen> = Mutex::new(Seen {
    prepared: BTreeSet::new(),
    asked: BTreeSet::new(),
});

fn take() -> Seen {
    std::mem::take(&mut *SEEN.lock().expect("not poisoned"))
}

/// The name of the database whose connections are watched; the other tests' are not.
static WATCHED: OnceLock<String> = OnceLock::new();

/// Notes what its connection is asked.
#[derive(Default)]
struct Watch {
    concerned: bool,
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartEstablishConnection { url, .. } = event {
            self.concerned = WATCHED.get().is_some_and(|database| url.contains(database));
        }
        if !self.concerned {
            return;
        }
        let mut seen = SEEN.lock().expect("not poisoned");
        match event {
            InstrumentationEvent::CacheQuery { sql, .. } => {
                seen.prepared.insert(sql.to_owned());
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                // Diesel writes the parameters behind the text.
                let text = query.to_string();
                let sql = text.split(" -- binds: ").next().unwrap_or(&text);
                seen.asked.insert(sql.to_owned());
            }
            _ => {}
        }
    }
}

/// Everything that happens to a message on its way, in three transactions as it would.
async fn deliver(scene: &Scene, caller: Caller) {
    let sent = scene.send(caller.user).await;
    let late = sent.message.send_at + LEASE;
    let credentials: Vec<CredentialId> = sent.targets.iter().map(Target::credential).collect();
    scene
        .write(move |unit| {
            let now = sent.message.send_at;
            let claimed = unit.claim_jobs(now, LEASE, 10, &[Lane::restore("another")])?;
            let (first, rest) = claimed.split_first().expect("several");
            let over = Finished::by_attempt(first, FinalState::Delivered, None);
            let again: Vec<_> = rest
                .iter()
                .map(|claimed| Postponed {
                    id: claimed.job.id,
                    fence: claimed.schedule.fence,
                    due_at: now,
                    reason: Reason::TooSlow,
                })
                .collect();
            unit.finish_jobs(&[over], now)?;
            assert_eq!(unit.postpone_jobs(&again, now)?.len(), rest.len());
            unit.rest_lane(&Lane::restore("slow"), now)?;
            unit.note_rung(&credentials, now)?;
            unit.suspect(&credentials, now, now)?;
            unit.note_rung(&credentials, now)?;
            let claimed = unit.claim_jobs(now, LEASE, 10, &[])?;
            let unused: Vec<_> = claimed
                .iter()
                .map(|claimed| (claimed.job.id, claimed.schedule.fence))
                .collect();
            unit.return_jobs(&unused, now)?;
            unit.cancel_message(sent.message.id, late)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_twice_prepares_nothing_new() {
    let database = Database::migrated();
    WATCHED.get_or_init(|| database.name().to_owned());
    set_default_instrumentation(|| Some(Box::<Watch>::default())).expect("set");
    let scene = Scene::new(Arc::new(database.store(1)));
    let (anne, ben) = (scene.person(1).await, scene.person(2).await);
    let round = |n: u32| {
        let value = |name: &str| format!("{name}-{n}");
        vec![
            scene
                .draft(anne)
                .on(&value("phone"), Platform::Ios)
                .everything(Platform::Ios)
                .fingerprint("anne")
                .with(alert("passed on"))
                .with(push_to_start(&value("start")))
                .with(live_activity("match", "score", &value("match"))),
            scene
                .draft(ben)
                .on(&value("phone"), Platform::Ios)
                .with(alert("passed on")),
            scene
                .draft(anne)
                .on_holder(Platform::Web)
                .with(web_push("mailbox")),
            scene
                .draft(ben)
                .on_holder(Platform::Web)
                .with(web_push("mailbox")),
        ]
    };
    // A batch that makes and one that takes away, and then the same kinds of batch again.
    for n in 0..2 {
        for draft in round(n) {
            scene.register(draft).await;
        }
        assert!(scene.register_all(round(n)).await.iter().all(Result::is_ok));
        deliver(&scene, ben).await;
    }
    let first = take();
    assert!(first.prepared.len() > 15, "{:#?}", first.prepared);

    for n in 2..4 {
        for draft in round(n) {
            scene.register(draft).await;
        }
        assert!(scene.register_all(round(n)).await.iter().all(Result::is_ok));
        deliver(&scene, ben).await;
    }
    let second = take();
    assert_eq!(second.prepared, BTreeSet::new(), "prepared again");
    let plain: BTreeSet<_> = second
        .asked
        .difference(&first.prepared)
        .map(String::as_str)
        .collect();
    assert_eq!(
        plain,
        BTreeSet::from(["BEGIN", "COMMIT"]),
        "asked without being kept"
    );
}
