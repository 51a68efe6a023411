//! Two servers that deliver from one database.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use doorbell_domain::job::{Claimed, CredentialId, FinalState, Finished, LEASE, Lane, Postponed, Reason};
use doorbell_domain::store::{Found, Unit};
use doorbell_domain::{Caller, Clock, JobId, MessageId, Timestamp, UserId};
use doorbell_testkit::Scene;
use tokio::task::JoinSet;

use crate::database::{Database, open};

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// One scene, seen by two servers.
fn two_servers(database: &Database) -> (Scene, Scene) {
    let first = Scene::new(Arc::new(database.store(4)));
    let second = Scene {
        store: Arc::new(database.store(4)),
        ..first.clone()
    };
    (first, second)
}

/// People with three telephones and a browser each.
async fn people(scene: &Scene, count: u32) -> Vec<Caller> {
    let mut people = Vec::new();
    for n in 1..=count {
        let person = scene.person(n).await;
        for telephone in ["a", "b", "c"] {
            scene.telephone(person, &format!("{telephone} of {n}")).await;
        }
        scene.browser(person, &format!("browser of {n}")).await;
        people.push(person);
    }
    people
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_job_is_claimed_by_two() {
    let database = Database::migrated();
    let (first, second) = two_servers(&database);
    let mut jobs = BTreeSet::new();
    for person in people(&first, 30).await {
        let sent = first.send(person.user).await;
        jobs.extend(sent.jobs.into_iter().map(|job| job.id));
    }
    let now = first.clock.now();
    let mut claimers = JoinSet::new();
    for scene in [&first, &second, &first, &second] {
        let scene = scene.clone();
        claimers.spawn(async move {
            let mut mine: Vec<JobId> = Vec::new();
            loop {
                let claimed = scene.claim(now, 3).await;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|claimed| claimed.job.id));
            }
        });
    }
    let claimed: Vec<JobId> = claimers.join_all().await.concat();
    assert_eq!(claimed.len(), jobs.len());
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), jobs);
}

/// Writes down what a server came to, as it does: some are over, some are put off, and none stays a suspect. Having had
/// its lanes rest, it waits for the other server.
fn settle(unit: &mut dyn Unit, claimed: &[Claimed], now: Timestamp, together: &Barrier) -> Found<()> {
    let over: Vec<_> = claimed
        .iter()
        .step_by(2)
        .map(|claimed| Finished::by_attempt(claimed, FinalState::Delivered, None))
        .collect();
    let again: Vec<_> = claimed
        .iter()
        .skip(1)
        .step_by(2)
        .map(|claimed| Postponed {
            id: claimed.job.id,
            fence: claimed.schedule.fence,
            due_at: now,
            reason: Reason::ProviderFailed,
        })
        .collect();
    let credentials: Vec<CredentialId> = claimed.iter().map(|claimed| claimed.job.credential).collect();
    let mut lanes: Vec<UserId> = claimed.iter().map(|claimed| claimed.job.user).collect();
    lanes.dedup();
    for lane in lanes {
        unit.rest_lane(&Lane::restore(&lane.to_string()), now)?;
    }
    together.wait();
    unit.finish_jobs(&over, now)?;
    unit.postpone_jobs(&again, now)?;
    unit.suspect(&credentials, now, now)?;
    unit.note_rung(&credentials, now)?;
    Ok(())
}

/// Waits until two servers wait for locks on the way to the end of their jobs.
fn until_two_wait(database: &Database) {
    let mut connection = open(database.url());
    let waiting = "SELECT count(*) AS count FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE messages SET open_jobs%'
            AND pid <> pg_backend_pid()";
    let wait = (0..5_000).any(|_| {
        let waiting: Counted = sql_query(waiting).get_result(&mut connection).expect("an answer");
        waiting.count >= 2
    });
    assert!(wait, "nobody waits");
}

/// Whoever waits for another in turn would be ended by the database, and told that it is unavailable.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_down_in_opposite_orders_never_blocks_each_other() {
    let database = Database::migrated();
    let (first, second) = two_servers(&database);
    let people = people(&first, 8).await;
    for round in 0..4 {
        let mut messages: Vec<MessageId> = Vec::new();
        let mut jobs = 0;
        for person in &people {
            let sent = first.send(person.user).await;
            messages.push(sent.message.id);
            jobs += sent.jobs.len();
        }
        let now = first.tick();
        let mut claimed = first.claim(now, 100).await;
        claimed.sort_unstable_by_key(|claimed| claimed.job.id);
        // Each server has every second job, of every message, and one begins where the other ends.
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for (n, claimed) in claimed.into_iter().enumerate() {
            if n % 2 == 0 { &mut ours } else { &mut theirs }.push(claimed);
        }
        theirs.reverse();
        // Somebody holds the message in the middle until both have locked what they lock before it, and wait.
        let mut holder = open(database.url());
        let middle = messages.get(messages.len() / 2).expect("several");
        holder
            .batch_execute(&format!(
                "BEGIN; SELECT FROM messages WHERE id = '{middle}' FOR UPDATE"
            ))
            .expect("held");
        let mut work = JoinSet::new();
        let together = Arc::new(Barrier::new(2));
        for (scene, claimed) in [(&first, ours), (&second, theirs)] {
            let (scene, together) = (scene.clone(), Arc::clone(&together));
            work.spawn(async move {
                scene
                    .try_write(move |unit| settle(unit, &claimed, now, &together))
                    .await
            });
        }
        for (scene, messages) in [
            (&first, messages.clone()),
            (&second, messages.iter().rev().copied().collect()),
        ] {
            let scene = scene.clone();
            work.spawn(async move {
                for message in messages {
                    scene
                        .try_write(move |unit| unit.cancel_message(message, now).map(drop))
                        .await?;
                }
                Ok(())
            });
        }
        // What comes back is claimed and judged while others write.
        for scene in [&first, &second] {
            let scene = scene.clone();
            work.spawn(async move {
                scene
                    .try_write(move |unit| {
                        let claimed = unit.claim_jobs(now, LEASE, 10, &[])?;
                        let over: Vec<_> = claimed
                            .iter()
                            .map(|claimed| {
                                Finished::unattempted(claimed, FinalState::Cancelled, Reason::TakenBack)
                            })
                            .collect();
                        unit.finish_jobs(&over, now).map(drop)
                    })
                    .await
            });
        }
        until_two_wait(&database);
        drop(holder);
        for outcome in work.join_all().await {
            assert_eq!(outcome, Ok(()), "round {round}");
        }
        // Whatever the others left is taken back now, and then nothing is open.
        let mut ends = 0;
        for message in messages {
            first
                .write(move |unit| unit.cancel_message(message, now).map(drop))
                .await;
            let report = first.report(message).await;
            let over = |(state, _): &(_, u64)| matches!(state, doorbell_domain::job::State::Over(_));
            assert!(report.counts.iter().all(over), "round {round}: {report:?}");
            ends += report.jobs.len();
        }
        assert_eq!(ends, jobs, "round {round}: each job is over once");
    }
}
