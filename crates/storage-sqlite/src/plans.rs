//! That no statement walks through a table, and that each is prepared once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::sql_types::Text;
use doorbell_domain::code::Purpose;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{DeviceKey, KeyUse, Page, StoredKey};
use doorbell_domain::{Caller, Clock, Platform};
use doorbell_testkit::build::{
    activity, alert, code_policy, device_id, endpoint, fingerprint, full_profile, live_activity, otp_session,
    phone, web_push,
};
use doorbell_testkit::{FakeSealer, Scene};

use crate::SqliteStore;

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

/// Everything that a store can be asked, on its writing connection.
async fn everything(scene: &Scene) {
    let one = scene.person(1).await;
    let other = scene.person(2).await;
    codes(scene).await;
    registrations(scene, one, other).await;
    let now = scene.tick();
    scene
        .write(move |unit| {
            let page = Page { offset: 0, limit: 10 };
            unit.session(one)?;
            unit.session_user(one)?;
            unit.sessions_of(one, now)?;
            let devices = unit.devices(one, page)?.expect("known").found.devices;
            let uid = devices.first().expect("a device").device.id;
            unit.device(one, &DeviceKey::Uid(uid))?;
            unit.device(one, &DeviceKey::DeviceId(device_id("phone")))?;
            unit.subscriptions(one)?;
            unit.trail(one.user, 10)?;
            unit.remove_live_activity(one.user, &activity("ride"))?;
            unit.remove_subscription(one.user, endpoint("box").address().hash)?;
            let mut user = unit.lock_user(one.user)?.expect("known");
            user.profile = full_profile("Zeynep");
            unit.save_user(&user)
        })
        .await;
    scene.remove_tokens(one.user, "token").await;
    let mut session = scene.session(one).await;
    let key = StoredKey {
        id: scene.id(),
        usage: KeyUse::Vapid,
        sealed: vec![1],
        created_at: now,
    };
    scene
        .write(move |unit| {
            session.counter += 1;
            unit.rotate_session(&session)?;
            unit.lock_session(one.session)?;
            unit.pin_fingerprint(other.session, &fingerprint("print"))?;
            unit.end_session(other.session, now, EndReason::Logout)?;
            unit.end_sessions_of(one.user, None, now, EndReason::Logout)?;
            unit.insert_first_key(&key)
        })
        .await;
}

async fn codes(scene: &Scene) {
    let now = scene.clock.now();
    let code = otp_session(scene.id(), phone(1), now);
    scene
        .write(move |unit| {
            unit.lock_phone(&phone(1))?;
            unit.issue_code(&code)?;
            unit.count_guess(&phone(1), Purpose::SignIn, now, &code_policy())?;
            unit.use_code(&code, now)
        })
        .await;
}

async fn registrations(scene: &Scene, one: Caller, other: Caller) {
    let registered = scene
        .register(
            scene
                .draft(one)
                .with(alert("token"))
                .with(live_activity("ride", "s", "ride"))
                .zone("Europe/Istanbul")
                .fingerprint("print"),
        )
        .await;
    let uid = registered.view.device.id;
    scene
        .register(scene.draft(one).on_uid(uid).with(alert("another")))
        .await;
    for caller in [one, other] {
        let browser = scene.draft(caller).on_holder(Platform::Web).with(web_push("box"));
        scene.register(browser).await;
        scene.register(scene.draft(caller).with(alert("token"))).await;
    }
    scene
        .register(scene.draft(one).on_holder(Platform::Web).with(web_push("box")))
        .await;
    scene
        .register(scene.draft(one).on("tablet", Platform::Ios).with(alert("token")))
        .await;
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[tokio::test]
async fn every_statement_is_found_by_indexes_and_prepared_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("doorbell.db");
    let store = Arc::new(SqliteStore::open(&path, Arc::new(FakeSealer)).expect("a store"));
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
                let walked = steps.into_iter().filter(|step| step.detail.starts_with("SCAN"));
                walks.extend(walked.map(|step| format!("{}: {statement}", step.detail)));
            }
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| again.note(&event));
            Ok(walks)
        })
        .await
        .expect("plans");
    assert!(walks.is_empty(), "{walks:#?}");

    everything(&scene).await;
    assert!(second.statements().is_subset(&statements));
    let again = second.prepared.lock().expect("whole").clone();
    assert!(again.is_empty(), "prepared a second time: {again:#?}");
}
