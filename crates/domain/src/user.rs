//! Accounts.

use thiserror::Error;
use time::Duration;

use crate::profile::Profile;
use crate::text::Text;
use crate::{PhoneNumber, TimeZoneName, Timestamp, UserId};

/// How long a user name is kept before it may be changed again.
pub const USERNAME_REST: Duration = Duration::days(30);

/// Where an account's deletion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionStatus {
    /// Asked for, and not yet due.
    Pending,
    /// Asked for, and taken back.
    Cancelled,
    /// Carried out.
    Finalized,
}

impl DeletionStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Cancelled, Self::Finalized];

    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Cancelled => "cancelled",
            Self::Finalized => "finalized",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// The last deletion that an account's user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Where it stands.
    pub status: DeletionStatus,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it is due.
    pub scheduled_for: Timestamp,
    /// When it was taken back.
    pub cancelled_at: Option<Timestamp>,
    /// When it was carried out.
    pub finalized_at: Option<Timestamp>,
}

/// The account is not in a state that allows the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UserConflict {
    /// A deletion is pending already.
    #[error("a deletion is pending already")]
    DeletionPending,
    /// No deletion is pending.
    #[error("no deletion is pending")]
    NoDeletionPending,
    /// A deletion is pending, and can still be taken back.
    #[error("the deletion is not due yet")]
    DeletionNotDue,
    /// The user name was changed less than 30 days ago.
    #[error("the user name was changed less than 30 days ago")]
    UsernameRests,
    /// Another account has the user name.
    #[error("another account has this user name")]
    UsernameTaken,
}

/// An account's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row's identity.
    pub id: UserId,
    /// The number that signs in; `None` once the account's deletion is carried out.
    pub phone: Option<PhoneNumber>,
    /// What the person owns.
    pub profile: Profile,
    /// When the user name last changed.
    pub username_changed_at: Option<Timestamp>,
    /// Where the first sign-in came from, in the client's words.
    pub signup_source: Option<Text>,
    /// Which campaign brought it.
    pub signup_campaign: Option<Text>,
    /// The zone of the device that last sent one.
    pub timezone: Option<TimeZoneName>,
    /// The last deletion asked for.
    pub deletion: Option<Deletion>,
    /// The last sign-in.
    pub last_login_at: Timestamp,
    /// The first sign-in.
    pub created_at: Timestamp,
    /// The last change.
    pub updated_at: Timestamp,
}

impl User {
    /// A user at their first sign-in.
    pub fn sign_up(
        id: UserId,
        phone: PhoneNumber,
        signup_source: Option<Text>,
        signup_campaign: Option<Text>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            phone: Some(phone),
            profile: Profile::default(),
            username_changed_at: None,
            signup_source,
            signup_campaign,
            timezone: None,
            deletion: None,
            last_login_at: now,
            created_at: now,
            updated_at: now,
        }
    }

    /// Replaces the profile. A first user name may be taken at any time and changed again 30 days later;
    /// writing it in other case is a change too.
    pub fn change_profile(&mut self, profile: Profile, now: Timestamp) -> Result<(), UserConflict> {
        if profile.username != self.profile.username {
            let rests = self
                .username_changed_at
                .is_some_and(|at| now < at + USERNAME_REST);
            if rests {
                return Err(UserConflict::UsernameRests);
            }
            self.username_changed_at = Some(now);
        }
        self.profile = profile;
        self.updated_at = now;
        Ok(())
    }

    /// Asks for the account's deletion after `grace`.
    pub fn request_deletion(&mut self, now: Timestamp, grace: Duration) -> Result<Deletion, UserConflict> {
        if self.pending_deletion().is_some() {
            return Err(UserConflict::DeletionPending);
        }
        let deletion = Deletion {
            status: DeletionStatus::Pending,
            requested_at: now,
            scheduled_for: now + grace,
            cancelled_at: None,
            finalized_at: None,
        };
        self.deletion = Some(deletion);
        self.updated_at = now;
        Ok(deletion)
    }

    /// Takes a pending deletion back.
    pub fn cancel_deletion(&mut self, now: Timestamp) -> Result<Deletion, UserConflict> {
        let pending = self.pending_deletion().ok_or(UserConflict::NoDeletionPending)?;
        let deletion = Deletion {
            status: DeletionStatus::Cancelled,
            cancelled_at: Some(now),
            ..pending
        };
        self.deletion = Some(deletion);
        self.updated_at = now;
        Ok(deletion)
    }

    /// Carries a due deletion out: what the person said of themselves is forgotten, and their number and user name are free.
    /// Gives the number.
    ///
    /// A deletion is due from the instant that it was scheduled for; until it is carried out it can be taken back.
    pub fn finalize_deletion(&mut self, now: Timestamp) -> Result<Option<PhoneNumber>, UserConflict> {
        let pending = self.pending_deletion().ok_or(UserConflict::NoDeletionPending)?;
        if now < pending.scheduled_for {
            return Err(UserConflict::DeletionNotDue);
        }
        self.deletion = Some(Deletion {
            status: DeletionStatus::Finalized,
            finalized_at: Some(now),
            ..pending
        });
        self.profile = Profile::default();
        self.username_changed_at = None;
        self.signup_source = None;
        self.signup_campaign = None;
        self.timezone = None;
        self.updated_at = now;
        Ok(self.phone.take())
    }

    fn pending_deletion(&self) -> Option<Deletion> {
        self.deletion
            .filter(|deletion| deletion.status == DeletionStatus::Pending)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::profile::Username;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_micros(0) + Duration::days(days)
    }

    fn user() -> User {
        let phone = PhoneNumber::from_parts(90, "5551234567").expect("well-formed");
        User::sign_up(UserId::from_uuid(Uuid::nil()), phone, None, None, at(0))
    }

    fn named(name: &str) -> Profile {
        Profile {
            username: Username::parse(name).ok(),
            ..Profile::default()
        }
    }

    #[test]
    fn a_user_name_changes_at_most_once_in_30_days() {
        let mut user = user();
        assert_eq!(user.change_profile(named("first"), at(0)), Ok(()));
        assert_eq!(
            user.change_profile(named("first"), at(1)),
            Ok(()),
            "the same name is no change"
        );
        assert_eq!(
            user.change_profile(named("second"), at(29)),
            Err(UserConflict::UsernameRests)
        );
        assert_eq!(user.change_profile(named("second"), at(30)), Ok(()));
        assert_eq!(user.username_changed_at, Some(at(30)));
    }

    #[test]
    fn a_deletion_is_pending_once_and_can_be_taken_back() {
        let mut user = user();
        assert_eq!(user.cancel_deletion(at(0)), Err(UserConflict::NoDeletionPending));
        let asked = user
            .request_deletion(at(1), Duration::days(30))
            .expect("none pending");
        assert_eq!(asked.scheduled_for, at(31));
        assert_eq!(
            user.request_deletion(at(2), Duration::days(30)),
            Err(UserConflict::DeletionPending)
        );
        let cancelled = user.cancel_deletion(at(3)).expect("pending");
        assert_eq!(
            (cancelled.status, cancelled.cancelled_at),
            (DeletionStatus::Cancelled, Some(at(3)))
        );
        assert!(user.request_deletion(at(4), Duration::days(30)).is_ok());
    }

    #[test]
    fn a_due_deletion_leaves_nothing_of_the_person_and_happens_once() {
        let mut user = user();
        assert_eq!(
            user.finalize_deletion(at(0)),
            Err(UserConflict::NoDeletionPending)
        );
        assert_eq!(user.change_profile(named("somebody"), at(0)), Ok(()));
        user.timezone = Some(TimeZoneName::known("Europe/Istanbul"));
        user.signup_source = Text::parse("poster").ok();
        user.signup_campaign = Text::parse("spring").ok();
        let number = user.phone.clone();
        let due = user
            .request_deletion(at(1), Duration::days(30))
            .expect("none pending")
            .scheduled_for;
        let early = due - Duration::microseconds(1);
        assert_eq!(user.finalize_deletion(early), Err(UserConflict::DeletionNotDue));
        assert_eq!(user.phone, number, "a refusal changes nothing");

        assert_eq!(user.finalize_deletion(due), Ok(number));
        let Deletion {
            status, finalized_at, ..
        } = user.deletion.expect("it says that it was deleted");
        assert_eq!((status, finalized_at), (DeletionStatus::Finalized, Some(due)));
        let empty = User {
            phone: None,
            deletion: user.deletion,
            updated_at: due,
            ..self::user()
        };
        assert_eq!(user, empty);
        assert_eq!(user.finalize_deletion(due), Err(UserConflict::NoDeletionPending));
        assert_eq!(user.cancel_deletion(due), Err(UserConflict::NoDeletionPending));
    }
}
