//! What became of messages, and why something did not arrive.

use std::sync::Arc;

use doorbell_domain::audit::{AuditAction, AuditEvent};
use doorbell_domain::job::{FinalState, Finished, Postponed, Reason, State};
use doorbell_domain::store::{MessageReport, Store, TrailEntry};
use doorbell_domain::{AuditId, Clock, JobId, MessageId, UserId};
use uuid::Uuid;

use crate::Scene;

async fn page(scene: &Scene, id: MessageId, after: Option<JobId>, limit: u32) -> Option<MessageReport> {
    scene
        .read(move |reads| reads.message_report(id, after, limit))
        .await
}

async fn trail(scene: &Scene, user: UserId, before: Option<Uuid>, limit: u32) -> Vec<TrailEntry> {
    scene
        .read(move |reads| reads.user_trail(user, before, limit))
        .await
}

async fn note(scene: &Scene, user: UserId) -> Uuid {
    let id = scene.id();
    let event = AuditEvent {
        id: AuditId::from_uuid(id),
        user,
        at: scene.clock.now(),
        action: AuditAction::SignedIn,
        session: None,
        device: None,
        reason: None,
    };
    scene.write(move |unit| unit.record(&[event])).await;
    id
}

/// Every state that its jobs are in, and each job as it stands.
pub async fn a_report_counts_a_messages_jobs_by_their_states(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for name in ["a", "b", "c", "d", "e"] {
        scene.telephone(caller, name).await;
    }
    let sent = scene.send(caller.user).await;
    let bystander = scene.send(caller.user).await;
    let id = sent.message.id;
    let report = scene.report(id).await;
    assert_eq!(
        (report.id, report.created_at, report.counts),
        (id, sent.message.created_at, vec![(State::Pending, 5)])
    );
    let now = scene.clock.now();
    let claimed: Vec<_> = scene
        .claim(now, 4)
        .await
        .into_iter()
        .filter(|claimed| claimed.job.message == id)
        .collect();
    let [delivered, dead, retrying, sending] = claimed.as_slice() else {
        panic!("what is due first is claimed first: {claimed:?}")
    };
    let over = scene.tick();
    let ends = vec![
        Finished::by_attempt(delivered, FinalState::Delivered, None),
        Finished::by_attempt(dead, FinalState::Dead, Some(Reason::Gone)),
    ];
    scene.finish(ends, over).await;
    let later = Postponed {
        id: retrying.job.id,
        fence: retrying.schedule.fence,
        due_at: over,
        reason: Reason::Unreachable,
    };
    scene.write(move |unit| unit.postpone_jobs(&[later], over)).await;
    let report = scene.report(id).await;
    let ordered = [
        State::Pending,
        State::Sending,
        State::Retrying,
        State::Over(FinalState::Delivered),
        State::Over(FinalState::Dead),
    ];
    assert_eq!(report.counts, ordered.map(|state| (state, 1)));
    for line in &report.jobs {
        let expected = match line.id {
            id if id == delivered.job.id => (State::Over(FinalState::Delivered), None, 1, over),
            id if id == dead.job.id => (State::Over(FinalState::Dead), Some(Reason::Gone), 1, over),
            id if id == retrying.job.id => (State::Retrying, Some(Reason::Unreachable), 1, over),
            id if id == sending.job.id => (State::Sending, None, 0, sent.message.created_at),
            _ => (State::Pending, None, 0, sent.message.created_at),
        };
        assert_eq!(
            (line.state, line.reason, line.attempts, line.updated_at),
            expected
        );
    }
    let report = scene.report(bystander.message.id).await;
    assert_eq!(report.counts, [(State::Pending, 5)]);
}

/// Each page begins where the one before ended, whatever its jobs have come to; the counts are of all.
pub async fn a_reports_jobs_come_in_pages_without_gap_or_repeat(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let caller = scene.person(1).await;
    for name in ["a", "b", "c", "d", "e"] {
        scene.telephone(caller, name).await;
    }
    let sent = scene.send(caller.user).await;
    let id = sent.message.id;
    let now = scene.clock.now();
    let ends = scene
        .claim(now, 3)
        .await
        .iter()
        .map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None))
        .collect();
    scene.finish(ends, now).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let report = page(&scene, id, after, 2).await.expect("known");
        assert_eq!(report.counts.iter().map(|(_, count)| count).sum::<u64>(), 5);
        let Some(last) = report.jobs.last() else { break };
        assert!(report.jobs.len() <= 2);
        after = Some(last.id);
        seen.extend(report.jobs.iter().map(|line| line.id));
    }
    let mut jobs: Vec<_> = sent.jobs.iter().map(|job| job.id).collect();
    jobs.sort_unstable();
    assert_eq!(seen, jobs);
}

/// Nor is it an error.
pub async fn an_unknown_message_has_no_report(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let unknown = MessageId::from_uuid(scene.id());
    assert_eq!(page(&scene, unknown, None, 10).await, None);
    assert_eq!(
        page(&scene, unknown, Some(JobId::from_uuid(scene.id())), 10).await,
        None
    );
}

/// What happened and what became of each job, in the order of their beginnings.
pub async fn a_trail_tells_of_a_user_and_their_jobs_newest_first(store: Arc<dyn Store>) {
    let scene = Scene::new(store);
    let (caller, other) = (scene.person(1).await, scene.person(2).await);
    scene.telephone(caller, "phone").await;
    scene.telephone(other, "theirs").await;
    let added = scene.trail(caller.user).await;
    let added = added.first().expect("a line").id.uuid();
    let first = scene.send(caller.user).await;
    scene.tick();
    let between = note(&scene, caller.user).await;
    scene.send(other.user).await;
    note(&scene, other.user).await;
    let second = scene.send(caller.user).await;
    scene.tick();
    let last = note(&scene, caller.user).await;
    let now = scene.clock.now();
    let mine: Vec<_> = scene
        .claim(now, 10)
        .await
        .into_iter()
        .filter(|claimed| claimed.job.message == first.message.id)
        .collect();
    let ended = mine
        .iter()
        .map(|claimed| Finished::unattempted(claimed, FinalState::Superseded, Reason::Moved))
        .collect();
    scene.finish(ended, now).await;

    let job_of = |sent: &crate::scene::Sent| sent.jobs.first().expect("one").id.uuid();
    let expected = [last, job_of(&second), between, job_of(&first), added];
    let told = trail(&scene, caller.user, None, 100).await;
    assert_eq!(told.iter().map(TrailEntry::id).collect::<Vec<_>>(), expected);
    let jobs: Vec<_> = told
        .iter()
        .filter_map(|entry| match entry {
            TrailEntry::Job(line) => Some((line.message, line.state, line.reason, line.updated_at)),
            TrailEntry::Happened(_) | TrailEntry::Unreached(_) => None,
        })
        .collect();
    let superseded = State::Over(FinalState::Superseded);
    assert_eq!(
        jobs,
        [
            (second.message.id, State::Sending, None, second.message.created_at),
            (first.message.id, superseded, Some(Reason::Moved), now)
        ]
    );
    let mut lines = told.iter().filter_map(|entry| match entry {
        TrailEntry::Happened(line) => Some(line.clone()),
        TrailEntry::Job(_) | TrailEntry::Unreached(_) => None,
    });
    assert_eq!(lines.next(), scene.trail(caller.user).await.into_iter().next());

    for limit in 1..=6 {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let entries = trail(&scene, caller.user, before, limit).await;
            let Some(oldest) = entries.last() else { break };
            before = Some(oldest.id());
            seen.extend(entries.iter().map(TrailEntry::id));
        }
        assert_eq!(seen, expected, "in pages of {limit}");
    }
    let nobody = UserId::from_uuid(scene.id());
    assert_eq!(trail(&scene, nobody, None, 10).await, []);
}
