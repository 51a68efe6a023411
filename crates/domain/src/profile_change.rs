//! Partial changes of a profile.

use crate::Timestamp;
use crate::profile::{Availability, Gender, Profile, Username};
use crate::text::Text;

/// What a change says of one fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Forget it.
    Clear,
    /// Replace it.
    Set(T),
}

impl<T> Patch<T> {
    fn apply(self, place: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *place = None,
            Self::Set(value) => *place = Some(value),
        }
    }

    /// For a fact that is never unknown: forgetting it gives its default.
    fn apply_or_default(self, place: &mut T, default: T) {
        match self {
            Self::Keep => {}
            Self::Clear => *place = default,
            Self::Set(value) => *place = value,
        }
    }
}

/// A change of a profile; what it does not name stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// Given name.
    pub name: Patch<Text>,
    /// Family name.
    pub surname: Patch<Text>,
    /// User name.
    pub username: Patch<Username>,
    /// Where the picture lies.
    pub profile_photo: Patch<Text>,
    /// Whether they take calls.
    pub availability: Patch<Availability>,
    /// Date of birth.
    pub birth_date: Patch<Timestamp>,
    /// Gender.
    pub gender: Patch<Gender>,
    /// What they like.
    pub interests: Patch<Vec<Text>>,
    /// What they are good at.
    pub expertise: Patch<Text>,
    /// Address for mail.
    pub email: Patch<Text>,
    /// About themselves.
    pub bio: Patch<Text>,
    /// Name at Instagram.
    pub instagram: Patch<Text>,
    /// Name at X.
    pub x: Patch<Text>,
    /// Name at TikTok.
    pub tiktok: Patch<Text>,
    /// Name at Snapchat.
    pub snapchat: Patch<Text>,
    /// Name at Facebook.
    pub facebook: Patch<Text>,
    /// Whether the privacy policy is accepted.
    pub privacy_policy_accepted: Patch<bool>,
    /// Which version of it.
    pub privacy_policy_version: Patch<Text>,
    /// Whether the terms of use are accepted.
    pub terms_of_use_accepted: Patch<bool>,
    /// Which version of them.
    pub terms_of_use_version: Patch<Text>,
    /// Whether the consent form is accepted.
    pub consent_form_accepted: Patch<bool>,
    /// Which version of it.
    pub consent_form_version: Patch<Text>,
}

impl ProfileChange {
    /// The profile after the change.
    pub fn apply(self, mut profile: Profile) -> Profile {
        self.name.apply(&mut profile.name);
        self.surname.apply(&mut profile.surname);
        self.username.apply(&mut profile.username);
        self.profile_photo.apply(&mut profile.profile_photo);
        self.availability
            .apply_or_default(&mut profile.availability, Availability::Available);
        self.birth_date.apply(&mut profile.birth_date);
        self.gender.apply(&mut profile.gender);
        self.interests
            .apply_or_default(&mut profile.interests, Vec::new());
        self.expertise.apply(&mut profile.expertise);
        self.email.apply(&mut profile.email);
        self.bio.apply(&mut profile.bio);
        self.instagram.apply(&mut profile.instagram);
        self.x.apply(&mut profile.x);
        self.tiktok.apply(&mut profile.tiktok);
        self.snapchat.apply(&mut profile.snapchat);
        self.facebook.apply(&mut profile.facebook);
        self.privacy_policy_accepted
            .apply_or_default(&mut profile.privacy_policy.accepted, false);
        self.privacy_policy_version
            .apply(&mut profile.privacy_policy.version);
        self.terms_of_use_accepted
            .apply_or_default(&mut profile.terms_of_use.accepted, false);
        self.terms_of_use_version.apply(&mut profile.terms_of_use.version);
        self.consent_form_accepted
            .apply_or_default(&mut profile.consent_form.accepted, false);
        self.consent_form_version.apply(&mut profile.consent_form.version);
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_what_it_does_not_name_and_forgets_what_it_clears() {
        let text = |text: &str| Text::parse(text).expect("text");
        let before = Profile {
            name: Some(text("John")),
            bio: Some(text("Travels")),
            ..Profile::default()
        };
        let change = ProfileChange {
            surname: Patch::Set(text("Doe")),
            bio: Patch::Clear,
            interests: Patch::Set(vec![text("music")]),
            privacy_policy_accepted: Patch::Set(true),
            ..ProfileChange::default()
        };
        let after = change.apply(before);
        assert_eq!(
            (after.name, after.surname, after.bio),
            (Some(text("John")), Some(text("Doe")), None)
        );
        assert_eq!(after.interests, [text("music")]);
        assert!(after.privacy_policy.accepted);
    }
}
