//! What a person says about themselves.

use thiserror::Error;

use crate::Timestamp;
use crate::text::Text;

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in answers and rows.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    )*};
}

named! {
    /// Whether a person takes calls.
    Availability {
        /// They do.
        Available = "available",
        /// Not now.
        Busy = "busy",
        /// They are away.
        Offline = "offline",
    }
    /// A person's gender as they state it.
    Gender {
        /// Male.
        Male = "male",
        /// Female.
        Female = "female",
        /// Another.
        Other = "other",
        /// Not to be told.
        Undisclosed = "undisclosed",
    }
}

/// A user name: 3 to 30 of `A-Z a-z 0-9 _ .`, unique without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

/// The text is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be 3 to 30 letters, digits, underscores or dots")]
pub struct UsernameError;

impl Username {
    /// Accepts `^[A-Za-z0-9_.]{3,30}$`.
    pub fn parse(text: impl Into<String>) -> Result<Self, UsernameError> {
        let text = text.into();
        let well_formed = (3..=30).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        if well_formed {
            Ok(Self(text))
        } else {
            Err(UsernameError)
        }
    }

    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is unique: the name in lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A document that a person accepted, and which version of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Whether it is accepted.
    pub accepted: bool,
    /// The version that was shown.
    pub version: Option<Text>,
}

/// What a person owns of their account and may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Given name.
    pub name: Option<Text>,
    /// Family name.
    pub surname: Option<Text>,
    /// User name.
    pub username: Option<Username>,
    /// Where their picture lies.
    pub profile_photo: Option<Text>,
    /// Whether they take calls.
    pub availability: Availability,
    /// Their date of birth.
    pub birth_date: Option<Timestamp>,
    /// Their gender.
    pub gender: Option<Gender>,
    /// What they like.
    pub interests: Vec<Text>,
    /// What they are good at.
    pub expertise: Option<Text>,
    /// Their address for mail; unverified, so it signs nobody in.
    pub email: Option<Text>,
    /// About themselves.
    pub bio: Option<Text>,
    /// Their name at Instagram.
    pub instagram: Option<Text>,
    /// Their name at X.
    pub x: Option<Text>,
    /// Their name at TikTok.
    pub tiktok: Option<Text>,
    /// Their name at Snapchat.
    pub snapchat: Option<Text>,
    /// Their name at Facebook.
    pub facebook: Option<Text>,
    /// The privacy policy.
    pub privacy_policy: Consent,
    /// The terms of use.
    pub terms_of_use: Consent,
    /// The consent form.
    pub consent_form: Consent,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: None,
            surname: None,
            username: None,
            profile_photo: None,
            availability: Availability::Available,
            birth_date: None,
            gender: None,
            interests: Vec::new(),
            expertise: None,
            email: None,
            bio: None,
            instagram: None,
            x: None,
            tiktok: None,
            snapchat: None,
            facebook: None,
            privacy_policy: Consent::default(),
            terms_of_use: Consent::default(),
            consent_form: Consent::default(),
        }
    }
}

impl Profile {
    /// Whether everything that registration asks for is there: name, surname, user name, privacy policy and
    /// terms.
    pub fn is_complete(&self) -> bool {
        self.name.is_some()
            && self.surname.is_some()
            && self.username.is_some()
            && self.privacy_policy.accepted
            && self.terms_of_use.accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_keep_their_case_and_are_compared_without_it() {
        let name = Username::parse("John.Doe_1").expect("well-formed");
        assert_eq!((name.as_str(), name.key().as_str()), ("John.Doe_1", "john.doe_1"));
        for bad in ["", "ab", "a b c", "jöhn", &"x".repeat(31), "a-b-c"] {
            assert!(Username::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_registration_is_complete_once_all_five_facts_are_there() {
        let text = |text: &str| Text::parse(text).ok();
        let mut profile = Profile {
            name: text("John"),
            surname: text("Doe"),
            ..Profile::default()
        };
        profile.privacy_policy.accepted = true;
        profile.terms_of_use.accepted = true;
        assert!(!profile.is_complete());
        profile.username = Username::parse("johndoe123").ok();
        assert!(profile.is_complete());
    }
}
