//! Messages on their way in.

use std::sync::Arc;

use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::job::{Claimed, FinalState, Finished, Held, LEASE, Reason, Schedule, State, Target};
use doorbell_domain::message::{Audience, Content, Data, Message, Notification, Ttl, Urgency};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Conflict, Ended, Recalled, Store, StoreError};
use doorbell_domain::{ApiKeyId, Clock, DeviceUid, MessageId, Platform, Provider, Timestamp, UserId};
use time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Scene;
use crate::build::{alert, alert_of, live_activity, message, phone, push_to_start, web_push};

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey::parse(name).expect("a key")
}

fn back_end(n: u128) -> ApiKeyId {
    ApiKeyId::from_uuid(Uuid::from_u128(n))
}

async fn recall(scene: &Scene, of: ApiKeyId, name: &str, body: &[u8], id: MessageId) -> Recalled {
    let (key, request, now) = (key(name), RequestHash::of("a key", body), scene.clock.now());
    scene
        .write(move |unit| unit.recall(of, &key, &request, id, now))
        .await
}

async fn cancel(scene: &Scene, id: MessageId, now: Timestamp) -> Option<Ended> {
    scene.write(move |unit| unit.cancel_message(id, now)).await
}

fn rows(targets: &[Target]) -> Vec<(DeviceUid, Uuid)> {
    targets
        .iter()
        .map(|target| (target.device(), target.credential().row()))
        .collect()
}

/// Every field comes back with the first claim, and what it rings with it.
pub async fn an_accepted_message_is_kept_whole(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.browser(caller, "box").await;
    let full = scene.message();
    let plain = Message {
        api_key: None,
        content: Content::new(Notification::default(), Some(Data::restore("{}"))).expect("data"),
        urgency: Urgency::VeryLow,
        collapse_key: None,
        ttl: Ttl::new(0).expect("allowed"),
        ..scene.message()
    };
    for message in [full, plain] {
        let targets = scene.reachable(Audience::of(caller.user)).await;
        let sent = scene.accept(message, targets).await;
        let now = scene.clock.now();
        let claimed = scene.claim_one(now).await;
        let expected = Claimed {
            job: sent.jobs.first().expect("one").clone(),
            schedule: Schedule {
                due_at: now + LEASE,
                claimed: true,
                fence: Fence(1),
                failures: 0,
                receives: 1,
            },
            taken_back: false,
            replaced: false,
            held: Some(Held {
                target: sent.targets.first().expect("one").clone(),
                device_revoked: false,
            }),
            message: Some(Arc::new(sent.message)),
        };
        assert_eq!(claimed, expected);
        let over = Finished::by_attempt(&claimed, FinalState::Delivered, None);
        scene.finish(vec![over], now).await;
    }
}

/// Nothing is sent of what was given up.
pub async fn a_message_that_was_not_committed_is_not_sent(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let message = scene.message();
    let targets = scene.reachable(Audience::of(caller.user)).await;
    let jobs: Vec<_> = targets
        .iter()
        .map(|target| crate::build::job(scene.id(), &message, target))
        .collect();
    let (id, now) = (message.id, scene.clock.now());
    let request = RequestHash::of("a key", b"body");
    let given_up = scene
        .try_write(move |unit| {
            unit.recall(back_end(1), &key("k"), &request, id, now)?;
            unit.insert_message(&message, &jobs)?;
            Err::<(), _>(StoreError::Conflict(Conflict::LimitReached))
        })
        .await;
    assert_eq!(given_up, Err(StoreError::Conflict(Conflict::LimitReached)));
    assert_eq!(scene.claim(now, 10).await, []);
    assert_eq!(
        scene.read(move |reads| reads.message_report(id, None, 10)).await,
        None
    );
    assert_eq!(
        recall(&scene, back_end(1), "k", b"body", id).await,
        Recalled::Fresh
    );
}

/// Nobody may be there to be rung, and the request is remembered all the same.
pub async fn a_message_for_nobody_is_accepted(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let message = scene.message();
    let id = message.id;
    assert_eq!(
        recall(&scene, back_end(1), "k", b"body", id).await,
        Recalled::Fresh
    );
    scene.accept(message, Vec::new()).await;
    let report = scene.report(id).await;
    assert_eq!((report.counts, report.jobs), (vec![], vec![]));
    let other = MessageId::from_uuid(scene.id());
    assert_eq!(
        recall(&scene, back_end(1), "k", b"body", other).await,
        Recalled::Same(id, 0)
    );
    assert_eq!(
        cancel(&scene, id, scene.clock.now()).await,
        Some(Ended::default())
    );
}

/// The same request is the same message, and another is another's.
pub async fn an_idempotency_key_is_one_requests_of_one_api_key(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.browser(caller, "box").await;
    let message = scene.message();
    let id = message.id;
    assert_eq!(
        recall(&scene, back_end(1), "k", b"body", id).await,
        Recalled::Fresh
    );
    let targets = scene.reachable(Audience::of(caller.user)).await;
    scene.accept(message, targets).await;
    let next = MessageId::from_uuid(scene.id());
    let again = |of, name: &'static str, body: &'static [u8]| recall(&scene, of, name, body, next);
    assert_eq!(again(back_end(1), "k", b"body").await, Recalled::Same(id, 2));
    assert_eq!(again(back_end(1), "k", b"other").await, Recalled::Other);
    // Who asked in vain has changed nothing.
    assert_eq!(again(back_end(1), "k", b"body").await, Recalled::Same(id, 2));
    assert_eq!(again(back_end(2), "k", b"other").await, Recalled::Fresh);
    assert_eq!(again(back_end(1), "K", b"body").await, Recalled::Fresh);
}

/// A client that repeats itself 50 times at once.
pub async fn of_parallel_requests_with_one_key_one_becomes_a_message(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let targets = scene.reachable(Audience::of(caller.user)).await;
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let (scene, targets) = (scene.clone(), targets.clone());
        requests.spawn(async move {
            let message = scene.message();
            let job = crate::build::job(scene.id(), &message, targets.first().expect("one"));
            let (id, now) = (message.id, scene.clock.now());
            let recalled = scene
                .write(move |unit| {
                    let recalled = unit.recall(
                        back_end(1),
                        &key("k"),
                        &RequestHash::of("a key", b"body"),
                        id,
                        now,
                    )?;
                    if recalled == Recalled::Fresh {
                        unit.insert_message(&message, &[job])?;
                    }
                    Ok(recalled)
                })
                .await;
            match recalled {
                Recalled::Fresh => (id, true),
                Recalled::Same(first, jobs) => {
                    assert_eq!(jobs, 1);
                    (first, false)
                }
                Recalled::Other => panic!("it was the same request"),
            }
        });
    }
    let mut answers = requests.join_all().await;
    assert_eq!(answers.iter().filter(|(_, fresh)| *fresh).count(), 1);
    answers.dedup_by_key(|(id, _)| *id);
    assert_eq!(answers.len(), 1, "all were told of the same");
    assert_eq!(scene.claim(scene.clock.now(), 100).await.len(), 1);
}

/// Named as a user, by a phone and by a device, each thing that rings is rung once.
pub async fn what_can_be_rung_is_found_once_whoever_names_it(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, two, three) = (
        scene.person(1).await,
        scene.person(2).await,
        scene.person(3).await,
    );
    let telephone = scene.draft(one).with(alert("a")).with(push_to_start("start"));
    let telephone = telephone.with(live_activity("ride", "s", "ride"));
    let first = scene.register(telephone).await.view.device.id;
    let apps = scene.draft(one).on("tablet", Platform::Android);
    let apps = apps.with(alert_of(Provider::Fcm, "default", "b"));
    let tablet = scene
        .register(apps.with(alert_of(Provider::Fcm, "other", "c")))
        .await
        .view
        .device
        .id;
    let browser = scene.browser(one, "box").await;
    let theirs = scene.telephone(two, "theirs").await;
    scene.browser(two, "their box").await;
    let others = scene.telephone(three, "others").await;

    let all_of_one = scene.reachable(Audience::of(one.user)).await;
    let devices: Vec<_> = all_of_one.iter().map(Target::device).collect();
    assert_eq!(devices, [first, tablet, tablet, browser], "alert tokens alone");
    let mut in_order = rows(&all_of_one);
    in_order.sort_unstable();
    assert_eq!(rows(&all_of_one), in_order);
    let providers: Vec<_> = all_of_one
        .iter()
        .map(|target| target.credential().provider())
        .collect();
    assert_eq!(
        providers,
        [Provider::Apns, Provider::Fcm, Provider::Fcm, Provider::WebPush]
    );

    let thrice = Audience::new(vec![one.user], vec![tablet, theirs], vec![phone(1)]).expect("somebody");
    let found = scene.reachable(thrice).await;
    let devices: Vec<_> = found.iter().map(Target::device).collect();
    assert_eq!(devices, [first, tablet, tablet, browser, theirs]);
    let by_phone = Audience::new(vec![], vec![], vec![phone(3), phone(9)]).expect("somebody");
    let found = scene.reachable(by_phone).await;
    assert_eq!(found.iter().map(Target::device).collect::<Vec<_>>(), [others]);
    let nobody = UserId::from_uuid(scene.id());
    assert_eq!(scene.reachable(Audience::of(nobody)).await, []);
}

/// Logged out or revoked is silent; an expired session is not ended.
pub async fn what_may_not_be_rung_is_not_found(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let kept = scene.telephone(caller, "kept").await;
    let other = scene.sign_in(caller.user).await;
    scene.telephone(other, "logged out").await;
    scene.browser(other, "logged out").await;
    let revoked = scene.telephone(caller, "revoked").await;
    let browser = scene.browser(caller, "revoked").await;
    for uid in [revoked, browser] {
        scene.revoke(caller, uid).await;
    }
    assert_eq!(scene.reachable(Audience::of(caller.user)).await.len(), 3);
    scene.log_out(other).await;
    let audience = Audience::new(vec![caller.user], vec![revoked, browser], vec![]).expect("somebody");
    let devices = |found: Vec<Target>| found.iter().map(Target::device).collect::<Vec<_>>();
    assert_eq!(devices(scene.reachable(audience.clone()).await), [kept]);
    let expired = scene.session(caller).await.absolute_expires_at + Duration::days(1);
    scene.clock.set(expired);
    assert_eq!(devices(scene.reachable(audience).await), [kept]);
}

/// The most that a message may name.
pub async fn a_thousand_may_be_named_at_once(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (one, two) = (scene.person(1).await, scene.person(2).await);
    let named = scene.telephone(one, "one").await;
    scene.browser(two, "two").await;
    let nobody = |n: u128| UserId::from_uuid(Uuid::from_u128(n));
    let users = (1..=498).map(nobody).chain([two.user]).collect();
    let devices = (1..=300).map(|n| DeviceUid::from_uuid(Uuid::from_u128(n)));
    let phones = (1_000..1_200).map(phone).collect();
    let audience = Audience::new(users, devices.chain([named]).collect(), phones).expect("1,000");
    assert_eq!(scene.reachable(audience).await.len(), 2);
}

/// What is being sent is seen to by whoever sends it.
pub async fn taking_a_message_back_ends_what_nobody_has_claimed(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for name in ["a", "b", "c"] {
        scene.telephone(caller, name).await;
    }
    let bystander = scene.send(caller.user).await;
    let aside: Vec<_> = scene
        .claim(scene.clock.now(), 10)
        .await
        .iter()
        .map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None))
        .collect();
    scene.finish(aside, scene.clock.now()).await;

    let sent = scene.send(caller.user).await;
    let id = sent.message.id;
    let now = scene.clock.now();
    let mut claimed = scene.claim(now, 2).await;
    claimed.sort_by_key(|claimed| claimed.job.id);
    let (sending, retrying) = (claimed.first().expect("two"), claimed.get(1).expect("two"));
    let due_at = now + Duration::seconds(5);
    let postponed = doorbell_domain::job::Postponed {
        id: retrying.job.id,
        fence: retrying.schedule.fence,
        due_at,
        reason: Reason::TooSlow,
    };
    scene
        .write(move |unit| unit.postpone_jobs(&[postponed], now))
        .await;

    let back = scene.tick();
    let mut expected: Vec<_> = sent
        .jobs
        .iter()
        .map(|job| job.id)
        .filter(|id| *id != sending.job.id)
        .collect();
    expected.sort_unstable();
    let ended = cancel(&scene, id, back).await.expect("a known message");
    assert_eq!((ended.jobs, ended.messages), (expected, vec![]));
    let report = scene.report(id).await;
    for line in &report.jobs {
        let cancelled = State::Over(FinalState::Cancelled);
        let told = (line.state, line.reason, line.attempts, line.updated_at);
        if line.id == sending.job.id {
            assert_eq!(told, (State::Sending, None, 0, sent.message.created_at));
        } else {
            let attempts = u32::from(line.id == retrying.job.id);
            assert_eq!(told, (cancelled, Some(Reason::TakenBack), attempts, back));
        }
    }
    // A second time there is nothing to do; whoever claims it when its worker has died is told.
    assert_eq!(cancel(&scene, id, scene.tick()).await, Some(Ended::default()));
    let again = scene.claim_one(now + LEASE).await;
    assert!(again.taken_back && again.message.is_some());
    let over = Finished::unattempted(&again, FinalState::Cancelled, Reason::TakenBack);
    let ended = scene.finish(vec![over], now + LEASE).await;
    assert_eq!((ended.jobs, ended.messages), (vec![sending.job.id], vec![id]));
    assert_eq!(scene.report(bystander.message.id).await.counts.len(), 1);
}

/// The last job ends with it, and so does the message.
pub async fn a_message_that_is_taken_back_whole_is_over(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.browser(caller, "box").await;
    let sent = scene.send(caller.user).await;
    let ended = cancel(&scene, sent.message.id, scene.tick())
        .await
        .expect("known");
    assert_eq!((ended.jobs.len(), ended.messages), (2, vec![sent.message.id]));
    assert_eq!(scene.claim(scene.clock.now() + LEASE, 10).await, []);
    assert_eq!(
        cancel(&scene, MessageId::from_uuid(scene.id()), scene.clock.now()).await,
        None
    );
}

/// Accepted, claimed, postponed, claimed again and ended, each in one go.
pub async fn three_hundred_jobs_pass_in_batches(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let drafts: Vec<_> = (0..300)
        .map(|n| {
            let name = format!("device {n}");
            let draft = scene.draft(caller);
            if n % 3 == 0 {
                draft.on_holder(Platform::Web).with(web_push(&format!("box-{n}")))
            } else {
                draft.on(&name, Platform::Ios).with(alert(&name))
            }
        })
        .collect();
    assert!(scene.register_all(drafts).await.iter().all(Result::is_ok));
    let sent = scene.send(caller.user).await;
    assert_eq!(sent.jobs.len(), 300);
    let mut now = scene.clock.now();
    let claimed = scene.claim(now, 1_000).await;
    assert_eq!(claimed.len(), 300);
    let shared = claimed
        .first()
        .and_then(|job| job.message.clone())
        .expect("readable");
    assert!(
        claimed
            .iter()
            .filter_map(|job| job.message.as_ref())
            .all(|message| Arc::ptr_eq(message, &shared)),
        "jobs of one message share it"
    );
    for job in &claimed {
        let held = job.held.as_ref().expect("held");
        assert_eq!(held.target.credential(), job.job.credential);
    }
    let later = now + Duration::seconds(3);
    let postponed: Vec<_> = claimed
        .iter()
        .map(|claimed| doorbell_domain::job::Postponed {
            id: claimed.job.id,
            fence: claimed.schedule.fence,
            due_at: later,
            reason: Reason::Throttled,
        })
        .collect();
    let ids: Vec<_> = sent.jobs.iter().map(|job| job.id).collect();
    assert_eq!(
        scene.write(move |unit| unit.postpone_jobs(&postponed, now)).await,
        ids
    );
    assert_eq!(
        scene.report(sent.message.id).await.counts,
        [(State::Retrying, 300)]
    );
    now = later;
    let ends: Vec<_> = scene
        .claim(now, 1_000)
        .await
        .iter()
        .map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None))
        .collect();
    let (rest, most) = ends.split_at(1);
    let ended = scene.finish(most.to_vec(), now).await;
    assert_eq!((ended.jobs.len(), ended.messages), (299, vec![]));
    let ended = scene.finish(rest.to_vec(), now).await;
    assert_eq!((ended.jobs.len(), ended.messages), (1, vec![sent.message.id]));
    let report = scene.report(sent.message.id).await;
    assert_eq!(report.counts, [(State::Over(FinalState::Delivered), 300)]);
    assert!(report.jobs.iter().all(|line| line.attempts == 2));
}

/// What is to be sent later waits for its time.
pub async fn a_message_waits_for_the_time_that_it_is_to_be_sent_at(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let targets = scene.reachable(Audience::of(caller.user)).await;
    let now = scene.tick();
    let send_at = now + Duration::hours(5);
    let later = Message {
        send_at,
        ..message(scene.id(), now)
    };
    let sent = scene.accept(later, targets).await;
    assert_eq!(
        sent.jobs.first().map(|job| job.expires_at),
        Some(send_at + Duration::hours(1))
    );
    assert_eq!(scene.claim(send_at - Duration::microseconds(1), 10).await, []);
    let claimed = scene.claim_one(send_at).await;
    assert_eq!(claimed.message.as_deref(), Some(&sent.message));
}
