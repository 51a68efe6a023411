//! Messages in a scene: accepted, claimed and settled.

use doorbell_domain::job::{Claimed, Finished, Job, LEASE, Lane, State, Target};
use doorbell_domain::message::{Audience, Message};
use doorbell_domain::registration::WhenRevoked;
use doorbell_domain::store::{Ended, MessageReport};
use doorbell_domain::{
    Caller, Clock, DeviceStatus, DeviceUid, FreshIds, MessageId, Platform, Timestamp, UserId,
};

use super::Scene;
use crate::build::{alert, job, message, web_push};

/// A message that was accepted, what it is to ring, and its jobs, one for each of these in their order.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// What could be rung when it was accepted.
    pub targets: Vec<Target>,
    /// Its jobs.
    pub jobs: Vec<Job>,
}

impl Scene {
    /// A telephone of the caller with that token.
    pub async fn telephone(&self, caller: Caller, name: &str) -> DeviceUid {
        let draft = self.draft(caller).on(name, Platform::Ios).with(alert(name));
        self.register(draft).await.view.device.id
    }

    /// A browser of the caller with that mailbox.
    pub async fn browser(&self, caller: Caller, name: &str) -> DeviceUid {
        let draft = self.draft(caller).on_holder(Platform::Web).with(web_push(name));
        self.register(draft).await.view.device.id
    }

    /// Revokes the caller's device.
    pub async fn revoke(&self, caller: Caller, device: DeviceUid) {
        let draft = self.draft(caller).on_uid(device);
        let draft = draft.when_revoked(WhenRevoked::KeepRevoked);
        self.register(draft.status(DeviceStatus::Revoked)).await;
    }

    /// What of that audience can be rung.
    pub async fn reachable(&self, audience: Audience) -> Vec<Target> {
        let now = self.clock.now();
        self.write(move |unit| unit.reachable(&audience, now)).await
    }

    /// A message in the making, accepted a second after whatever came before.
    pub fn message(&self) -> Message {
        let id = self.id();
        message(id, self.clock.now())
    }

    /// Accepts `message` for `targets`.
    pub async fn accept(&self, message: Message, targets: Vec<Target>) -> Sent {
        let mut ids = FreshIds::draw(self.clock.now(), &*self.entropy);
        let jobs: Vec<Job> = targets
            .iter()
            .map(|target| job(ids.take(), &message, target))
            .collect();
        let sent = Sent {
            message,
            targets,
            jobs,
        };
        let kept = sent.clone();
        self.write(move |unit| unit.insert_message(&kept.message, &kept.jobs))
            .await;
        sent
    }

    /// Sends a message to whatever of that user can be rung.
    pub async fn send(&self, user: UserId) -> Sent {
        let message = self.message();
        let targets = self.reachable(Audience::of(user)).await;
        self.accept(message, targets).await
    }

    /// Claims what is due at `now`, whoever else is busy.
    pub async fn claim(&self, now: Timestamp, most: u32) -> Vec<Claimed> {
        self.claim_beside(now, most, Vec::new()).await
    }

    /// Claims what is due at `now` and not of those lanes.
    pub async fn claim_beside(&self, now: Timestamp, most: u32, busy: Vec<Lane>) -> Vec<Claimed> {
        self.write(move |unit| unit.claim_jobs(now, LEASE, most, &busy))
            .await
    }

    /// The only job that is due at `now`, claimed.
    pub async fn claim_one(&self, now: Timestamp) -> Claimed {
        let mut claimed = self.claim(now, 10).await;
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        claimed.remove(0)
    }

    /// Ends jobs.
    pub async fn finish(&self, jobs: Vec<Finished>, now: Timestamp) -> Ended {
        self.write(move |unit| unit.finish_jobs(&jobs, now)).await
    }

    /// What became of a message, with all its jobs.
    pub async fn report(&self, id: MessageId) -> MessageReport {
        let report = self
            .read(move |reads| reads.message_report(id, None, 1_000))
            .await;
        report.expect("a known message")
    }

    /// What the jobs of a message are doing, in order of their ids.
    pub async fn states(&self, id: MessageId) -> Vec<State> {
        let report = self.report(id).await;
        report.jobs.into_iter().map(|job| job.state).collect()
    }
}
