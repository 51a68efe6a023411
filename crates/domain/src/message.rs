//! Messages: what is rung, for whom, and until when.

use std::fmt;

use thiserror::Error;
use time::Duration;

use crate::secret::Secret;
pub use crate::text::CollapseKey;
use crate::text::Text;
use crate::{ApiKeyId, DeviceUid, MessageId, PhoneNumber, Timestamp, UserId};

/// What a person sees of a message. Every part may be left out: an application may be told by data alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// The first line.
    pub title: Option<Text>,
    /// What follows it.
    pub body: Option<Text>,
    /// The address of a picture.
    pub image: Option<Text>,
    /// Where a tap leads.
    pub url: Option<Text>,
    /// The number on the application's icon.
    pub badge: Option<u32>,
    /// The name of a sound.
    pub sound: Option<Text>,
}

impl Notification {
    /// Whether a person would see nothing of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notification([redacted])")
    }
}

/// What an application is told beside the notification: a JSON object, passed through as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data(Secret);

impl Data {
    /// Wraps the text of a JSON object that its reader has parsed, or that a row holds.
    pub fn restore(json: impl Into<String>) -> Self {
        Self(Secret::new(json))
    }

    /// The JSON object's text.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What a message says. At least one of both parts is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    notification: Notification,
    data: Option<Data>,
}

impl Content {
    /// Content of these parts; `None` if there is nothing in them.
    pub fn new(notification: Notification, data: Option<Data>) -> Option<Self> {
        (!notification.is_empty() || data.is_some()).then_some(Self { notification, data })
    }

    /// What a person sees.
    pub const fn notification(&self) -> &Notification {
        &self.notification
    }

    /// What the application is told.
    pub const fn data(&self) -> Option<&Data> {
        self.data.as_ref()
    }
}

/// How soon a message must reach a device that saves its battery (RFC 8030 §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// On power and Wi-Fi.
    VeryLow,
    /// On either.
    Low,
    /// On neither.
    #[default]
    Normal,
    /// Even at a low battery: an incoming call, an alert.
    High,
}

impl Urgency {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::VeryLow, Self::Low, Self::Normal, Self::High];

    /// The name in headers, answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// The urgency of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|urgency| urgency.name() == name)
    }
}

/// How long a message is worth delivering (RFC 8030 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl(u32);

/// The time is longer than any provider keeps a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be 0 to 2419200 seconds")]
pub struct TtlError;

impl Ttl {
    /// 28 days, the most that FCM takes.
    pub const MAX: u32 = 2_419_200;
    /// One day, where a message does not say.
    pub const STANDARD: Self = Self(86_400);
    /// How long this service tries even where a message is to be kept by nobody: one that must be there at once or never would
    /// otherwise die of a moment's queue.
    const EFFORT: Duration = Duration::seconds(10);

    /// A time of so many seconds, at most [`Self::MAX`].
    pub fn new(seconds: u32) -> Result<Self, TtlError> {
        (seconds <= Self::MAX).then_some(Self(seconds)).ok_or(TtlError)
    }

    /// Seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// When a message sent at `at` is worth no further attempt.
    pub fn ends(self, at: Timestamp) -> Timestamp {
        at + Duration::seconds(self.0.into()).max(Self::EFFORT)
    }

    /// What is left at `now` of a message sent at `at`, in whole seconds: what a push service may keep it for.
    pub fn left(self, at: Timestamp, now: Timestamp) -> u32 {
        let gone = u32::try_from(now.since(at).whole_seconds()).unwrap_or(u32::MAX);
        self.0.saturating_sub(gone)
    }
}

/// How far ahead a message may be scheduled.
pub const FARTHEST: Duration = Duration::days(30);

/// Whom a message is for: one to [`Audience::MAX`] users, devices and phones together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    users: Vec<UserId>,
    devices: Vec<DeviceUid>,
    phones: Vec<PhoneNumber>,
}

/// Why that is nobody to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AudienceError {
    /// Nobody is named.
    #[error("must name a user, a device or a phone")]
    Empty,
    /// Too many are.
    #[error("must name at most 1000 users, devices and phones together")]
    TooMany,
}

impl Audience {
    /// The most that a message may name.
    pub const MAX: usize = 1_000;

    /// An audience of all of these, each once.
    pub fn new(
        mut users: Vec<UserId>,
        mut devices: Vec<DeviceUid>,
        mut phones: Vec<PhoneNumber>,
    ) -> Result<Self, AudienceError> {
        users.sort_unstable();
        users.dedup();
        devices.sort_unstable();
        devices.dedup();
        phones.sort_unstable();
        phones.dedup();
        match users.len() + devices.len() + phones.len() {
            0 => Err(AudienceError::Empty),
            1..=Self::MAX => Ok(Self {
                users,
                devices,
                phones,
            }),
            _ => Err(AudienceError::TooMany),
        }
    }

    /// One user, at all their devices.
    pub fn of(user: UserId) -> Self {
        Self {
            users: vec![user],
            devices: Vec::new(),
            phones: Vec::new(),
        }
    }

    /// How many are named. They may be the same accounts.
    pub const fn names(&self) -> usize {
        self.users.len() + self.devices.len() + self.phones.len()
    }

    /// The users, in order.
    pub fn users(&self) -> &[UserId] {
        &self.users
    }

    /// The devices, in order.
    pub fn devices(&self) -> &[DeviceUid] {
        &self.devices
    }

    /// The phones, in order.
    pub fn phones(&self) -> &[PhoneNumber] {
        &self.phones
    }
}

/// A message as it was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its identity, told to its sender and to every device.
    pub id: MessageId,
    /// Who sent it; `None` for one that a user sent to themselves.
    pub api_key: Option<ApiKeyId>,
    /// What it says.
    pub content: Content,
    /// How soon it must be there.
    pub urgency: Urgency,
    /// Which others it takes the place of.
    pub collapse_key: Option<CollapseKey>,
    /// How long it is worth delivering, from `send_at` on.
    pub ttl: Ttl,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// From when on it is sent.
    pub send_at: Timestamp,
}

impl Message {
    /// When it is worth no further attempt.
    pub fn expires_at(&self) -> Timestamp {
        self.ttl.ends(self.send_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_message_says_something() {
        assert_eq!(Content::new(Notification::default(), None), None);
        assert!(Content::new(Notification::default(), Some(Data::restore("{}"))).is_some());
        let badge = Notification {
            badge: Some(0),
            ..Notification::default()
        };
        assert!(Content::new(badge, None).is_some());
    }

    #[test]
    fn a_message_is_worth_its_time_and_ten_seconds_of_effort_at_least() {
        let ttl = Ttl::new(3_600).expect("within a month");
        assert_eq!(ttl.ends(at(5)), at(3_605));
        assert_eq!((ttl.left(at(5), at(6)), ttl.left(at(5), at(9_999))), (3_599, 0));
        // A clock that is behind adds nothing.
        assert_eq!(ttl.left(at(5), at(0)), 3_600);
        let now_or_never = Ttl::new(0).expect("allowed");
        assert_eq!(
            (now_or_never.ends(at(0)), now_or_never.left(at(0), at(1))),
            (at(10), 0)
        );
        assert!(Ttl::new(Ttl::MAX).is_ok() && Ttl::new(Ttl::MAX + 1).is_err());
    }

    #[test]
    fn an_audience_names_somebody_and_each_once() {
        let user = |n: u128| UserId::from_uuid(uuid::Uuid::from_u128(n));
        assert_eq!(Audience::new(vec![], vec![], vec![]), Err(AudienceError::Empty));
        let audience = Audience::new(vec![user(2), user(1), user(2)], vec![], vec![]).expect("two");
        assert_eq!(audience.users(), [user(1), user(2)]);
        let many = (0..1_001).map(user).collect();
        assert_eq!(Audience::new(many, vec![], vec![]), Err(AudienceError::TooMany));
    }

    #[test]
    fn what_a_message_says_is_never_printed() {
        let notification = Notification {
            body: Some(Text::parse("a secret").expect("short")),
            ..Notification::default()
        };
        let content = Content::new(notification, Some(Data::restore("{\"a\":\"secret\"}")));
        assert!(!format!("{content:?}").contains("a secret") && !format!("{content:?}").contains("\"a"));
    }
}
