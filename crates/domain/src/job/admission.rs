//! Whether what was claimed may still be rung.

use time::Duration;

use super::{Claimed, CredentialId, FinalState, Lane, MOST_RECEIVES, Reason};
use crate::push_token::Token;
use crate::web_push::Subscription;
use crate::{DeviceUid, Timestamp, UserId, suspicion};

/// For how long after its claim a job is sent as it was judged then.
const FRESH: Duration = Duration::seconds(3);

/// Whether a job that was admitted at `claimed_at` may be sent at `now` without another look. One that waited longer behind a slow
/// provider is given back, and judged anew: its session may have ended meanwhile, or its message have been taken back.
pub fn is_fresh(claimed_at: Timestamp, now: Timestamp) -> bool {
    now <= claimed_at + FRESH
}

/// What a job rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A phone.
    Token(Token),
    /// A browser.
    Subscription(Subscription),
}

impl Target {
    /// Its row.
    pub const fn credential(&self) -> CredentialId {
        match self {
            Self::Token(token) => CredentialId::restore(token.provider, token.id.uuid()),
            Self::Subscription(subscription) => CredentialId::WebPush(subscription.id),
        }
    }

    /// Which device it rings.
    pub const fn device(&self) -> DeviceUid {
        match self {
            Self::Token(token) => token.device,
            Self::Subscription(subscription) => subscription.device,
        }
    }

    /// Where its jobs queue.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Token(token) => Lane::of_token(token),
            Self::Subscription(subscription) => Lane::of_endpoint(&subscription.endpoint),
        }
    }

    /// Whose it is.
    pub const fn user(&self) -> UserId {
        match self {
            Self::Token(token) => token.user,
            Self::Subscription(subscription) => subscription.user,
        }
    }

    /// Whether the session that it was registered under has ended.
    pub const fn session_ended(&self) -> bool {
        match self {
            Self::Token(token) => token.session_ended,
            Self::Subscription(subscription) => subscription.session_ended,
        }
    }

    /// Since when it is suspected to be dead.
    pub const fn suspect_at(&self) -> Option<Timestamp> {
        match self {
            Self::Token(_) => None,
            Self::Subscription(subscription) => subscription.suspect_at,
        }
    }
}

/// A credential as it was found when its job was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The credential.
    pub target: Target,
    /// Whether its device was revoked.
    pub device_revoked: bool,
}

/// Judges a claimed job at `now`: `Err` with its end, if it must not or need not be sent.
///
/// A session's expiry is not an end: the phone of somebody who was away still rings.
pub fn admit(claimed: &Claimed, now: Timestamp) -> Result<(), (FinalState, Reason)> {
    use FinalState::{Cancelled, Expired, Failed, Superseded};
    if claimed.taken_back {
        return Err((Cancelled, Reason::TakenBack));
    }
    if claimed.schedule.receives > MOST_RECEIVES {
        return Err((Failed, Reason::SetAside));
    }
    if now >= claimed.job.expires_at {
        return Err((Expired, Reason::TimeOver));
    }
    if claimed.replaced {
        return Err((Superseded, Reason::Replaced));
    }
    if claimed.message.is_none() {
        return Err((Failed, Reason::Unreadable));
    }
    let Some(held) = &claimed.held else {
        return Err((Superseded, Reason::Removed));
    };
    if held.target.user() != claimed.job.user {
        return Err((Superseded, Reason::Moved));
    }
    if held.device_revoked {
        return Err((Superseded, Reason::DeviceRevoked));
    }
    if held.target.session_ended() {
        return Err((Superseded, Reason::SessionEnded));
    }
    if held
        .target
        .suspect_at()
        .is_some_and(|since| !suspicion::may_probe(since, now))
    {
        return Err((Superseded, Reason::Suspect));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::job::{Job, Schedule};
    use crate::message::{Content, Data, Message, Notification, Ttl, Urgency};
    use crate::outbox::Fence;
    use crate::web_push::{SubscriptionKeys, WebPushEndpoint};
    use crate::{JobId, MessageId, SessionId, SubscriptionId};

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn subscription() -> Subscription {
        Subscription {
            id: SubscriptionId::from_uuid(Uuid::from_u128(1)),
            user: UserId::from_uuid(Uuid::from_u128(2)),
            device: DeviceUid::from_uuid(Uuid::from_u128(3)),
            session: SessionId::from_uuid(Uuid::from_u128(4)),
            session_ended: false,
            endpoint: WebPushEndpoint::restore("https://push.example.com:8443/box".to_owned()),
            keys: SubscriptionKeys::restore([4; 65], [5; 16]),
            vapid_key: String::new(),
            device_name: None,
            user_agent: None,
            created_at: at(0),
            last_used_at: at(0),
            suspect_at: None,
        }
    }

    /// A job of a message that is worth an hour, just claimed for the first time.
    fn claimed(subscription: Subscription) -> Claimed {
        let content = Content::new(Notification::default(), Some(Data::restore("{}"))).expect("data");
        let message = Message {
            id: MessageId::from_uuid(Uuid::from_u128(5)),
            api_key: None,
            content,
            urgency: Urgency::Normal,
            collapse_key: None,
            ttl: Ttl::new(3_600).expect("short"),
            created_at: at(0),
            send_at: at(0),
        };
        let target = Target::Subscription(subscription);
        Claimed {
            job: Job {
                id: JobId::from_uuid(Uuid::from_u128(6)),
                message: message.id,
                user: target.user(),
                device: target.device(),
                credential: target.credential(),
                lane: target.lane(),
                expires_at: message.expires_at(),
            },
            schedule: Schedule::of_new(&message)
                .claimed(at(0), Duration::MINUTE)
                .expect("due"),
            taken_back: false,
            replaced: false,
            held: Some(Held {
                target,
                device_revoked: false,
            }),
            message: Some(Arc::new(message)),
        }
    }

    fn refused(change: impl FnOnce(&mut Claimed)) -> (FinalState, Reason) {
        let mut claimed = claimed(subscription());
        change(&mut claimed);
        admit(&claimed, at(1)).expect_err("not to be sent")
    }

    fn of(change: impl FnOnce(&mut Subscription)) -> Claimed {
        let mut subscription = subscription();
        change(&mut subscription);
        claimed(subscription)
    }

    #[test]
    fn what_nothing_speaks_against_is_sent_until_its_time_is_over() {
        let claimed = claimed(subscription());
        assert_eq!(claimed.job.lane.name(), "push.example.com:8443");
        assert_eq!(admit(&claimed, at(3_599)), Ok(()));
        assert_eq!(
            admit(&claimed, at(3_600)),
            Err((FinalState::Expired, Reason::TimeOver))
        );
    }

    #[test]
    fn who_may_not_be_rung_any_more_is_not() {
        use FinalState::Superseded;
        assert_eq!(refused(|job| job.held = None), (Superseded, Reason::Removed));
        let revoked = refused(|job| job.held.as_mut().expect("there").device_revoked = true);
        assert_eq!(revoked, (Superseded, Reason::DeviceRevoked));
        let stranger = UserId::from_uuid(Uuid::from_u128(9));
        assert_eq!(
            refused(|job| job.job.user = stranger),
            (Superseded, Reason::Moved)
        );
        let ended = of(|subscription| subscription.session_ended = true);
        assert_eq!(admit(&ended, at(1)), Err((Superseded, Reason::SessionEnded)));
    }

    #[test]
    fn a_suspect_is_rung_again_a_day_later_to_find_out() {
        let mut suspect = of(|subscription| subscription.suspect_at = Some(at(0)));
        suspect.job.expires_at = at(2 * DAY);
        let silent = Err((FinalState::Superseded, Reason::Suspect));
        assert_eq!(admit(&suspect, at(DAY - 1)), silent);
        assert_eq!(admit(&suspect, at(DAY)), Ok(()));
    }

    #[test]
    fn who_waits_longer_than_three_seconds_to_be_sent_is_judged_again() {
        assert!(is_fresh(at(10), at(10)) && is_fresh(at(10), at(13)));
        assert!(!is_fresh(at(10), at(13) + Duration::microseconds(1)));
    }

    #[test]
    fn what_was_taken_back_or_replaced_cannot_be_read_or_breaks_workers_ends() {
        assert_eq!(
            refused(|job| job.taken_back = true),
            (FinalState::Cancelled, Reason::TakenBack)
        );
        assert_eq!(
            refused(|job| job.replaced = true),
            (FinalState::Superseded, Reason::Replaced)
        );
        assert_eq!(
            refused(|job| job.message = None),
            (FinalState::Failed, Reason::Unreadable)
        );
        let mut often = claimed(subscription());
        often.schedule.receives = MOST_RECEIVES;
        assert_eq!(admit(&often, at(1)), Ok(()));
        often.schedule.receives += 1;
        often.schedule.fence = Fence(6);
        assert_eq!(admit(&often, at(1)), Err((FinalState::Failed, Reason::SetAside)));
    }
}
