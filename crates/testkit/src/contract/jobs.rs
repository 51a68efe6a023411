//! Jobs on their way out.

use std::collections::BTreeSet;
use std::sync::Arc;

use doorbell_domain::job::{
    Claimed, FinalState, Finished, LEASE, Lane, MOST_RECEIVES, Postponed, Reason, State, admit,
};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{Ended, Store};
use doorbell_domain::{Clock, JobId, Timestamp};
use time::Duration;
use tokio::task::JoinSet;

use crate::Scene;
use crate::scene::Sent;

const MICRO: Duration = Duration::microseconds(1);

async fn postpone(scene: &Scene, claimed: &Claimed, due_at: Timestamp, now: Timestamp) -> Vec<JobId> {
    let postponed = Postponed {
        id: claimed.job.id,
        fence: claimed.schedule.fence,
        due_at,
        reason: Reason::ProviderFailed,
    };
    scene
        .write(move |unit| unit.postpone_jobs(&[postponed], now))
        .await
}

async fn give_back(scene: &Scene, claimed: &Claimed, now: Timestamp) {
    let job = (claimed.job.id, claimed.schedule.fence);
    scene.write(move |unit| unit.return_jobs(&[job], now)).await;
}

async fn deliver(scene: &Scene, claimed: &Claimed, now: Timestamp) -> Ended {
    let over = Finished::by_attempt(claimed, FinalState::Delivered, None);
    scene.finish(vec![over], now).await
}

async fn redrive(scene: &Scene, now: Timestamp, limit: u32) -> u64 {
    scene.write(move |unit| unit.redrive_jobs(now, limit)).await
}

fn ids(claimed: &[Claimed]) -> BTreeSet<JobId> {
    claimed.iter().map(|claimed| claimed.job.id).collect()
}

/// A message to one telephone.
async fn one_job(scene: &Scene) -> Sent {
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    scene.send(caller.user).await
}

/// Has the job claimed over and over by workers that never come back, until it is to be set aside.
async fn claim_in_vain(scene: &Scene) -> Claimed {
    let mut claimed = scene.claim_one(scene.clock.now()).await;
    for receives in 1..=MOST_RECEIVES {
        assert_eq!(claimed.schedule.receives, receives);
        assert_eq!(admit(&claimed, scene.clock.now()), Ok(()));
        claimed = scene.claim_one(scene.clock.advance(LEASE)).await;
    }
    claimed
}

/// No claim is larger than it was to be, and what has waited longest goes first.
pub async fn a_claim_takes_what_is_due_first_and_no_more_than_it_may(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "phone").await;
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.extend(scene.send(caller.user).await.jobs.into_iter().map(|job| job.id));
    }
    let now = scene.tick();
    assert_eq!(scene.claim(now, 0).await, []);
    let first = scene.claim(now, 2).await;
    assert_eq!(ids(&first), sent.iter().take(2).copied().collect());
    let rest = scene.claim(now, 10).await;
    assert_eq!(ids(&rest), sent.iter().skip(2).copied().collect());
    assert_eq!(scene.claim(now, 10).await, []);
}

/// What workers claim at once, only one of them has.
pub async fn of_parallel_claims_each_job_is_in_one(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for name in ["a", "b", "c", "d"] {
        scene.telephone(caller, name).await;
    }
    let mut sent = BTreeSet::new();
    for _ in 0..10 {
        sent.extend(scene.send(caller.user).await.jobs.into_iter().map(|job| job.id));
    }
    let now = scene.tick();
    let mut workers = JoinSet::new();
    for _ in 0..8 {
        let scene = scene.clone();
        workers.spawn(async move { scene.claim(now, 5).await });
    }
    let mut claimed = workers.join_all().await.concat();
    assert!(claimed.len() <= 40);
    // Whoever met another may have passed over what that one looked at.
    claimed.extend(scene.claim(now, 40).await);
    assert_eq!(claimed.len(), 40, "one claim a job");
    assert_eq!(ids(&claimed), sent);
    assert!(claimed.iter().all(|claimed| claimed.schedule.fence == Fence(1)));
}

/// The worker that held it wakes up late, and changes nothing.
pub async fn a_lease_that_ran_out_is_claimed_again_under_a_higher_fence(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = one_job(&scene).await;
    let now = scene.clock.now();
    let first = scene.claim_one(now).await;
    assert_eq!(scene.claim(now + LEASE - MICRO, 10).await, []);
    let late = now + LEASE;
    let second = scene.claim_one(late).await;
    assert_eq!(Some(second.schedule), first.schedule.claimed(late, LEASE));
    assert_eq!(second.schedule.fence, Fence(2));

    assert_eq!(deliver(&scene, &first, late).await, Ended::default());
    assert_eq!(postpone(&scene, &first, late, late).await, []);
    give_back(&scene, &first, late).await;
    assert_eq!(scene.states(sent.message.id).await, [State::Sending]);
    assert_eq!(scene.claim(late + LEASE - MICRO, 10).await, []);

    let ended = deliver(&scene, &second, late).await;
    assert_eq!(
        (ended.jobs, ended.messages),
        (vec![second.job.id], vec![sent.message.id])
    );
    assert_eq!(deliver(&scene, &second, late).await, Ended::default());
    assert_eq!(postpone(&scene, &second, late, late).await, []);
    assert_eq!(scene.claim(late + LEASE, 10).await, []);
}

/// The statement and the rules agree, from the first claim to the third failure.
pub async fn a_postponed_job_is_due_at_its_time_and_says_why(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = one_job(&scene).await;
    let mut now = scene.clock.now();
    for failures in 0..3 {
        let claimed = scene.claim_one(now).await;
        assert_eq!(
            (claimed.schedule.failures, claimed.schedule.receives),
            (failures, 1)
        );
        assert_eq!(scene.states(sent.message.id).await, [State::Sending]);
        let (noted, due_at) = (now + MICRO, now + Duration::seconds(2));
        assert_eq!(postpone(&scene, &claimed, due_at, noted).await, [claimed.job.id]);
        let report = scene.report(sent.message.id).await;
        let line = report.jobs.first().expect("one");
        assert_eq!(
            (line.state, line.reason, line.attempts, line.updated_at),
            (State::Retrying, Some(Reason::ProviderFailed), failures + 1, noted)
        );
        assert_eq!(scene.claim(due_at - MICRO, 10).await, []);
        now = due_at;
    }
    let claimed = scene.claim_one(now).await;
    deliver(&scene, &claimed, now).await;
    let report = scene.report(sent.message.id).await;
    let line = report.jobs.first().expect("one");
    assert_eq!((line.attempts, line.reason), (4, None));
}

/// A server that stops takes nothing with it, and its claims count for nothing.
pub async fn a_claim_that_was_given_back_counts_for_nothing(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = one_job(&scene).await;
    let mut now = scene.clock.now();
    for turn in 1..=2 * MOST_RECEIVES {
        let claimed = scene.claim_one(now).await;
        assert_eq!(claimed.schedule.receives, 1);
        assert_eq!(claimed.schedule.fence, Fence(turn), "no fence is given twice");
        now = now + MICRO;
        give_back(&scene, &claimed, now).await;
        // A second time it is nobody's any more.
        give_back(&scene, &claimed, now + LEASE).await;
        assert_eq!(scene.claim(now - MICRO, 10).await, []);
        let report = scene.report(sent.message.id).await;
        let line = report.jobs.first().expect("one");
        assert_eq!(
            (line.state, line.attempts, line.updated_at),
            (State::Pending, 0, sent.message.created_at)
        );
    }
}

/// How it ended is written down as it was told, for each job by itself.
pub async fn every_end_is_kept_with_its_reason(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        scene.telephone(caller, name).await;
    }
    let sent = scene.send(caller.user).await;
    let now = scene.tick();
    let mut claimed = scene.claim(now, 10).await;
    claimed.sort_by_key(|claimed| claimed.job.id);
    let ends = [
        (FinalState::Delivered, None),
        (FinalState::Dead, Some(Reason::Gone)),
        (FinalState::Failed, Some(Reason::TooLarge)),
        (FinalState::Expired, Some(Reason::TimeOver)),
        (FinalState::Cancelled, Some(Reason::TakenBack)),
        (FinalState::Superseded, Some(Reason::Removed)),
    ];
    let jobs: Vec<_> = claimed
        .iter()
        .zip(ends)
        .map(|(claimed, (end, reason))| match reason {
            Some(reason) if end != FinalState::Dead => Finished::unattempted(claimed, end, reason),
            _ => Finished::by_attempt(claimed, end, reason),
        })
        .collect();
    let told: Vec<_> = jobs.clone();
    let over = scene.tick();
    let ended = scene.finish(jobs.into_iter().rev().collect(), over).await;
    let in_order: Vec<_> = sent.jobs.iter().map(|job| job.id).collect();
    assert_eq!((ended.jobs, ended.messages), (in_order, vec![sent.message.id]));
    let report = scene.report(sent.message.id).await;
    for ((line, told), job) in report.jobs.iter().zip(told).zip(&sent.jobs) {
        assert_eq!(
            (line.id, line.state, line.reason),
            (told.id, State::Over(told.end), told.reason)
        );
        assert_eq!((line.attempts, line.updated_at), (told.attempts, over));
        assert_eq!(
            (line.message, line.user, line.device, line.provider),
            (job.message, job.user, job.device, job.credential.provider())
        );
    }
    let attempts: Vec<_> = report.jobs.iter().map(|line| line.attempts).collect();
    assert_eq!(attempts, [1, 1, 0, 0, 0, 0]);
}

/// A batch may speak of several messages, of jobs that are over, and of none.
pub async fn a_batch_ends_what_it_may_and_passes_over_the_rest(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    scene.telephone(caller, "a").await;
    scene.telephone(caller, "b").await;
    let (one, two) = (scene.send(caller.user).await, scene.send(caller.user).await);
    let now = scene.clock.now();
    let claimed = scene.claim(now, 10).await;
    let end = |claimed: &Claimed| Finished::by_attempt(claimed, FinalState::Delivered, None);
    let first: Vec<_> = claimed
        .iter()
        .filter(|claimed| claimed.job.message == one.message.id)
        .map(end)
        .collect();
    let all: Vec<_> = claimed.iter().map(end).collect();
    let ended = scene.finish(first, now).await;
    assert_eq!((ended.jobs.len(), ended.messages), (2, vec![one.message.id]));
    let unknown = Finished {
        id: JobId::from_uuid(scene.id()),
        ..*all.first().expect("four")
    };
    let mixed = [vec![unknown], all].concat();
    let ended = scene.finish(mixed, now).await;
    assert_eq!((ended.jobs.len(), ended.messages), (2, vec![two.message.id]));
    assert_eq!(scene.finish(Vec::new(), now).await, Ended::default());
    let nothing = scene.write(move |unit| unit.postpone_jobs(&[], now)).await;
    assert_eq!(nothing, []);
    scene.write(move |unit| unit.return_jobs(&[], now)).await;
}

/// It comes back to be told so, and is not lost.
pub async fn a_job_whose_time_is_over_is_claimed_all_the_same(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = one_job(&scene).await;
    let long_after = sent.message.expires_at() + Duration::days(1);
    let claimed = scene.claim_one(long_after).await;
    assert_eq!(
        admit(&claimed, long_after),
        Err((FinalState::Expired, Reason::TimeOver))
    );
}

/// Five workers died of it. An operator may have mended what they died of.
pub async fn a_job_that_was_set_aside_can_be_put_back(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let sent = one_job(&scene).await;
    let first = scene.claim_one(scene.clock.now()).await;
    let now = scene.tick();
    postpone(&scene, &first, now, now).await;
    let last = claim_in_vain(&scene).await;
    let now = scene.tick();
    let Err((end, reason)) = admit(&last, now) else {
        panic!("it was received {} times", last.schedule.receives)
    };
    assert_eq!((end, reason), (FinalState::Failed, Reason::SetAside));
    let over = Finished::unattempted(&last, end, reason);
    let ended = scene.finish(vec![over], now).await;
    assert_eq!(ended.messages, [sent.message.id]);
    let report = scene.report(sent.message.id).await;
    assert_eq!(report.jobs.first().map(|line| line.attempts), Some(1));

    let again = scene.tick();
    assert_eq!(redrive(&scene, again, 10).await, 1);
    assert_eq!(redrive(&scene, again, 10).await, 0);
    let report = scene.report(sent.message.id).await;
    let line = report.jobs.first().expect("one");
    assert_eq!(
        (line.state, line.reason, line.attempts, line.updated_at),
        (State::Retrying, None, 1, again)
    );
    assert_eq!(scene.claim(again - MICRO, 10).await, []);
    let claimed = scene.claim_one(again).await;
    assert_eq!((claimed.schedule.receives, claimed.schedule.failures), (1, 1));
    assert!(claimed.schedule.fence > last.schedule.fence);
    assert_eq!((&claimed.job, &claimed.message), (&last.job, &last.message));
    // None of those from before has a say in it.
    for zombie in [&first, &last] {
        assert_eq!(deliver(&scene, zombie, again).await, Ended::default());
    }
    let ended = deliver(&scene, &claimed, again).await;
    assert_eq!(ended.messages, [sent.message.id]);
    let counts = scene.report(sent.message.id).await.counts;
    assert_eq!(counts, [(State::Over(FinalState::Delivered), 1)]);
}

/// What ended otherwise has ended, and what is worth nothing any more too.
pub async fn only_what_was_set_aside_and_has_time_left_is_put_back(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for name in ["a", "b", "c", "d"] {
        scene.telephone(caller, name).await;
    }
    let sent = scene.send(caller.user).await;
    let now = scene.clock.now();
    let reasons = [
        Reason::SetAside,
        Reason::SetAside,
        Reason::SetAside,
        Reason::Unreadable,
    ];
    let ends = scene
        .claim(now, 10)
        .await
        .iter()
        .zip(reasons)
        .map(|(claimed, reason)| Finished::unattempted(claimed, FinalState::Failed, reason))
        .collect();
    scene.finish(ends, now).await;
    let expires_at = sent.message.expires_at();
    assert_eq!(redrive(&scene, expires_at, 10).await, 0);
    let just_in_time = expires_at - MICRO;
    assert_eq!(redrive(&scene, just_in_time, 2).await, 2);
    assert_eq!(redrive(&scene, just_in_time, 2).await, 1);
    assert_eq!(redrive(&scene, just_in_time, 2).await, 0);
    let counts = scene.report(sent.message.id).await.counts;
    assert_eq!(
        counts,
        [(State::Pending, 3), (State::Over(FinalState::Failed), 1)]
    );
    let claimed = scene.claim(just_in_time, 10).await;
    let ends = claimed
        .iter()
        .map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None))
        .collect();
    assert_eq!(scene.finish(ends, just_in_time).await.messages, [sent.message.id]);
}

/// One hung host keeps nobody else waiting.
pub async fn busy_and_resting_lanes_are_passed_over_while_others_flow(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for name in ["a", "b", "c"] {
        scene.browser(caller, name).await;
    }
    scene.telephone(caller, "phone").await;
    let sent = scene.send(caller.user).await;
    let lane = |name: &str| Lane::restore(name);
    let (browsers, phones) = (lane("push.example.com"), lane("apns"));
    let now = scene.clock.now();
    let lanes = |claimed: &[Claimed]| -> Vec<Lane> {
        claimed.iter().map(|claimed| claimed.job.lane.clone()).collect()
    };
    let busy = vec![browsers.clone(), lane("elsewhere")];
    let flowing = scene.claim_beside(now, 1, busy.clone()).await;
    assert_eq!(lanes(&flowing), std::slice::from_ref(&phones));
    assert_eq!(scene.claim_beside(now, 10, busy).await, []);
    for claimed in &flowing {
        give_back(&scene, claimed, now).await;
    }

    let until = now + Duration::minutes(2);
    let rest = |lane: &Lane, until: Timestamp| {
        let (scene, lane) = (scene.clone(), lane.clone());
        async move { scene.write(move |unit| unit.rest_lane(&lane, until)).await }
    };
    rest(&browsers, until).await;
    // A shorter rest takes nothing off a longer one.
    rest(&browsers, now + Duration::minutes(1)).await;
    let flowing = scene.claim(until - MICRO, 10).await;
    assert_eq!(lanes(&flowing), std::slice::from_ref(&phones));
    let rested = scene.claim(until, 10).await;
    assert_eq!(lanes(&rested), vec![browsers.clone(); 3]);
    rest(&phones, until).await;
    rest(&phones, until + LEASE + LEASE).await;
    assert_eq!(lanes(&scene.claim(until + LEASE, 10).await), vec![browsers; 3]);
    assert_eq!(scene.states(sent.message.id).await, [State::Sending; 4]);
}
