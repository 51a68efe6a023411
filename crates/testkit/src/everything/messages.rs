//! Everything that a store can be asked of messages.

use doorbell_domain::idempotency::{IdempotencyKey, RequestHash};
use doorbell_domain::job::{CredentialId, FinalState, Finished, LEASE, Lane, Postponed, Reason, Target};
use doorbell_domain::message::Audience;
use doorbell_domain::{ApiKeyId, Caller, Clock, JobId, MessageId};
use uuid::Uuid;

use crate::Scene;
use crate::build::{api_key, phone};

/// What is asked from a message's acceptance to its end, of a caller with a telephone and a browser.
pub(super) async fn messages(scene: &Scene, caller: Caller) {
    keys(scene).await;
    let sent = scene.send(caller.user).await;
    let (id, now) = (sent.message.id, scene.clock.now());
    acceptance(scene, &sent.targets, id).await;
    let credentials: Vec<CredentialId> = sent.targets.iter().map(Target::credential).collect();
    scene
        .write(move |unit| {
            let lane = Lane::restore("elsewhere");
            unit.rest_lane(&lane, now)?;
            let claimed = unit.claim_jobs(now, LEASE, 100, &[lane])?;
            let postponed = claimed.iter().map(|claimed| Postponed {
                id: claimed.job.id,
                fence: claimed.schedule.fence,
                due_at: now,
                reason: Reason::TooSlow,
            });
            unit.postpone_jobs(&postponed.collect::<Vec<_>>(), now)?;
            let claimed = unit.claim_jobs(now, LEASE, 100, &[])?;
            let back: Vec<_> = claimed
                .iter()
                .map(|claimed| (claimed.job.id, claimed.schedule.fence))
                .collect();
            unit.return_jobs(&back, now)?;
            let claimed = unit.claim_jobs(now, LEASE, 1, &[])?;
            let aside = claimed
                .iter()
                .map(|claimed| Finished::unattempted(claimed, FinalState::Failed, Reason::SetAside));
            unit.finish_jobs(&aside.collect::<Vec<_>>(), now)?;
            unit.message_report(id, None, 10)?;
            unit.message_report(id, Some(JobId::from_uuid(Uuid::nil())), 10)?;
            let entries = unit.user_trail(caller.user, None, 10)?;
            unit.user_trail(
                caller.user,
                entries.last().map(doorbell_domain::store::TrailEntry::id),
                10,
            )?;
            unit.redrive_jobs(now, 10)?;
            unit.cancel_message(id, now)?;
            unit.note_rung(&credentials, now)?;
            unit.stop_pruning(Some(now))?;
            unit.pruning_stopped()?;
            unit.stop_pruning(None)?;
            unit.suspect(&credentials, now, now)?;
            for credential in &credentials {
                unit.remove_dead(caller.user, *credential, now - LEASE)?;
            }
            unit.note_rung(&credentials, now)
        })
        .await;
}

async fn keys(scene: &Scene) {
    let key = api_key(scene.id(), "name", scene.clock.now());
    scene
        .write(move |unit| {
            unit.insert_api_key(&key)?;
            unit.api_key(&key.hash)?;
            unit.api_keys()?;
            unit.revoke_api_key(&key.name, key.created_at)
        })
        .await;
}

async fn acceptance(scene: &Scene, targets: &[Target], id: MessageId) {
    let devices = targets.iter().map(Target::device).collect();
    let users = targets.iter().map(Target::user).collect();
    let audience = Audience::new(users, devices, vec![phone(1)]).expect("somebody");
    let key = IdempotencyKey::parse(id.to_string()).expect("a key");
    let (api_key, request) = (ApiKeyId::from_uuid(scene.id()), RequestHash::of("a key", b"body"));
    let now = scene.clock.now();
    scene
        .write(move |unit| {
            unit.reachable(&audience, now)?;
            unit.note_unreached(id, &audience, &[])?;
            unit.recall(api_key, &key, &request, id, now)?;
            unit.recall(api_key, &key, &request, id, now)
        })
        .await;
}

/// What is rarely asked, of callers with a telephone and a browser each: one whose browser dies, and one who is about to be erased.
pub(super) async fn rarities(scene: &Scene, dead: Caller, leaving: Caller) {
    scene.send(leaving.user).await;
    let sent = scene.send(leaving.user).await;
    let over = sent.message.expires_at();
    scene
        .write(move |unit| {
            let claimed = unit.claim_jobs(over, LEASE, 1, &[])?;
            let ends = claimed
                .iter()
                .map(|claimed| Finished::unattempted(claimed, FinalState::Expired, Reason::TimeOver));
            unit.finish_jobs(&ends.collect::<Vec<_>>(), over)
        })
        .await;
    for last in [false, true] {
        scene.browser(dead, "dying").await;
        let credentials: Vec<_> = scene
            .subscriptions(dead)
            .await
            .iter()
            .map(|subscription| CredentialId::WebPush(subscription.id))
            .collect();
        let now = scene.tick();
        scene
            .write(move |unit| {
                unit.suspect(&credentials, now, now)?;
                if last {
                    unit.sweep_suspects(now, 100)?;
                }
                for credential in &credentials {
                    unit.remove_dead(dead.user, *credential, now)?;
                }
                Ok(())
            })
            .await;
    }
}
