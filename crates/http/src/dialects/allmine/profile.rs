//! What a person says about themselves.

use std::fmt::Display;

use doorbell_domain::profile::{Availability, Gender, Username};
use doorbell_domain::profile_change::{Patch, ProfileChange};
use doorbell_domain::text::Text;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::envelope::{Envelope, wrapped};
use super::user::UserAnswer;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::instant;
use crate::openapi::vocabulary;
use crate::routing::Answer;

/// The most interests that a person may name.
const MOST_INTERESTS: usize = 100;

/// A change of the profile: absent leaves a fact as it is, null forgets it.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = AllmineProfileRequest)]
pub(crate) struct ProfileBody {
    /// The given name.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    name: Field<String>,
    /// The family name.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    surname: Field<String>,
    /// Unique without regard to case; may be changed again 30 days later.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_.]{3,30}$")]
    username: Field<String>,
    /// Where the photograph lies, in whatever form the application uses.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    profile_photo: Field<String>,
    /// available, busy or offline.
    #[schema(value_type = Option<vocabulary::Availability>)]
    availability_status: Field<String>,
    /// A date or an ISO 8601 instant.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$", example = "2026-01-15")]
    birth_date: Field<String>,
    /// male, female, other or undisclosed.
    #[schema(value_type = Option<vocabulary::Gender>)]
    gender: Field<String>,
    /// What the person is interested in, all of it.
    #[schema(schema_with = vocabulary::interests)]
    interests: Field<Vec<String>>,
    /// What the person is expert in.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    expertise: Field<String>,
    /// Unverified: it signs nobody in.
    #[validate(email(message = "must be an e-mail address"))]
    #[schema(value_type = Option<String>, format = "email", max_length = 320, pattern = r"^[^\u0000]*$", example = "john@example.com")]
    email: Field<String>,
    /// What the person says about themselves.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    bio: Field<String>,
    /// The name on Instagram.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    instagram: Field<String>,
    /// The name on X.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    x: Field<String>,
    /// The name on TikTok.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    tiktok: Field<String>,
    /// The name on Snapchat.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    snapchat: Field<String>,
    /// The name on Facebook.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    facebook: Field<String>,
    /// Whether the privacy policy is accepted; null means no.
    #[schema(value_type = Option<bool>)]
    privacy_policy_accepted: Field<bool>,
    /// The version of it that was accepted.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    privacy_policy_version: Field<String>,
    /// Whether the terms of use are accepted; null means no.
    #[schema(value_type = Option<bool>)]
    terms_of_use_accepted: Field<bool>,
    /// The version of them that was accepted.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    terms_of_use_version: Field<String>,
    /// Whether the consent form is accepted; null means no.
    #[schema(value_type = Option<bool>)]
    consent_form_accepted: Field<bool>,
    /// The version of it that was accepted.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    consent_form_version: Field<String>,
}

impl ProfileBody {
    /// The change that the body asks for, or every bad field.
    fn read(self) -> Result<ProfileChange, Failure> {
        let mut form = Form::of(&self);
        let change = self.judge(&mut form);
        form.finish()?;
        Ok(change)
    }

    fn judge(self, form: &mut Form) -> ProfileChange {
        ProfileChange {
            name: patch(form, "name", self.name, Text::parse),
            surname: patch(form, "surname", self.surname, Text::parse),
            username: patch(form, "username", self.username, Username::parse),
            profile_photo: patch(form, "profilePhoto", self.profile_photo, Text::parse),
            availability: patch(form, "availabilityStatus", self.availability_status, |name| {
                Availability::from_name(&name).ok_or("must be available, busy or offline")
            }),
            birth_date: patch(form, "birthDate", self.birth_date, |text| {
                instant::parse_date_or_instant(&text)
            }),
            gender: patch(form, "gender", self.gender, |name| {
                Gender::from_name(&name).ok_or("must be male, female, other or undisclosed")
            }),
            interests: patch(form, "interests", self.interests, interests),
            expertise: patch(form, "expertise", self.expertise, Text::parse),
            email: patch(form, "email", self.email, Text::parse),
            bio: patch(form, "bio", self.bio, Text::parse),
            instagram: patch(form, "instagram", self.instagram, Text::parse),
            x: patch(form, "x", self.x, Text::parse),
            tiktok: patch(form, "tiktok", self.tiktok, Text::parse),
            snapchat: patch(form, "snapchat", self.snapchat, Text::parse),
            facebook: patch(form, "facebook", self.facebook, Text::parse),
            privacy_policy_accepted: flag(form, "privacyPolicyAccepted", self.privacy_policy_accepted),
            privacy_policy_version: patch(
                form,
                "privacyPolicyVersion",
                self.privacy_policy_version,
                Text::parse,
            ),
            terms_of_use_accepted: flag(form, "termsOfUseAccepted", self.terms_of_use_accepted),
            terms_of_use_version: patch(form, "termsOfUseVersion", self.terms_of_use_version, Text::parse),
            consent_form_accepted: flag(form, "consentFormAccepted", self.consent_form_accepted),
            consent_form_version: patch(form, "consentFormVersion", self.consent_form_version, Text::parse),
        }
    }
}

fn patch<T, U, E: Display>(
    form: &mut Form,
    name: &'static str,
    field: Field<T>,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Patch<U> {
    if matches!(field, Field::Null) {
        return Patch::Clear;
    }
    form.optional(name, field, parse).map_or(Patch::Keep, Patch::Set)
}

fn flag(form: &mut Form, name: &'static str, field: Field<bool>) -> Patch<bool> {
    patch(form, name, field, Ok::<_, &str>)
}

fn interests(named: Vec<String>) -> Result<Vec<Text>, String> {
    if named.len() > MOST_INTERESTS {
        return Err(format!("must be at most {MOST_INTERESTS}"));
    }
    named
        .into_iter()
        .map(|interest| Text::parse(interest).map_err(|rule| format!("each {rule}")))
        .collect()
}

/// Change the caller's profile.
///
/// Send only what changes: an absent field stays as it is, `null` forgets the fact. What is not a person's
/// own to set (roles, counts, phone, sign-up facts) is ignored. The registration is complete once name,
/// surname, user name, privacy policy and terms are there.
#[utoipa::path(patch, path = "/api/v1/users/me", tag = "Allmine", operation_id = "changeProfile",
    request_body(content = ProfileBody, example = json!({"name": "John", "surname": "Doe", "username": "johndoe123",
        "birthDate": "2026-01-15", "gender": "male", "interests": ["music"], "privacyPolicyAccepted": true,
        "privacyPolicyVersion": "1.2.0", "termsOfUseAccepted": true, "termsOfUseVersion": "1.1.0"})),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The account after the change.", body = Envelope<UserAnswer>,
            example = json!(super::examples::account())),
        (status = 400, description = "Fields are wrong; `errors[1..]` name each."),
        (status = 409, description = "The user name is taken, or was changed in the last 30 days."),
    ))]
pub(crate) async fn change(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let body: ProfileBody = call.json().await?;
    let change = body.read()?;
    let user = call.api.doorbell.change_profile(caller, change).await?;
    Ok(wrapped(call, UserAnswer::from(user)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Result<ProfileChange, Failure> {
        let body: ProfileBody = serde_json::from_value(body).expect("an object");
        body.read()
    }

    fn named(body: Value) -> Vec<std::borrow::Cow<'static, str>> {
        match read(body) {
            Err(Failure::Invalid(bad)) => bad.into_iter().map(|field| field.name).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn set(value: &str) -> Patch<Text> {
        Patch::Set(Text::parse(value).expect("a text"))
    }

    #[test]
    fn what_is_absent_stays_what_is_null_goes_and_what_nobody_owns_is_ignored() {
        assert_eq!(read(json!({})), Ok(ProfileChange::default()));
        let foreign =
            json!({"roles": ["admin"], "creditBalance": 9, "phoneNumber": "5", "isRegistrationComplete": 1});
        assert_eq!(read(foreign), Ok(ProfileChange::default()));
        let change =
            read(json!({"name": "John", "bio": null, "privacyPolicyAccepted": true})).expect("a change");
        let expected = ProfileChange {
            name: set("John"),
            bio: Patch::Clear,
            privacy_policy_accepted: Patch::Set(true),
            ..ProfileChange::default()
        };
        assert_eq!(change, expected);
    }

    #[test]
    fn every_text_is_kept_under_its_own_name() {
        let keys = [
            "name",
            "surname",
            "profilePhoto",
            "expertise",
            "bio",
            "instagram",
            "x",
            "tiktok",
            "snapchat",
            "facebook",
            "privacyPolicyVersion",
            "termsOfUseVersion",
            "consentFormVersion",
        ];
        let body: Value = keys.iter().map(|key| ((*key).to_owned(), json!(key))).collect();
        let expected = ProfileChange {
            name: set("name"),
            surname: set("surname"),
            profile_photo: set("profilePhoto"),
            expertise: set("expertise"),
            bio: set("bio"),
            instagram: set("instagram"),
            x: set("x"),
            tiktok: set("tiktok"),
            snapchat: set("snapchat"),
            facebook: set("facebook"),
            privacy_policy_version: set("privacyPolicyVersion"),
            terms_of_use_version: set("termsOfUseVersion"),
            consent_form_version: set("consentFormVersion"),
            ..ProfileChange::default()
        };
        assert_eq!(read(body), Ok(expected));
        for key in keys {
            for bad in [
                json!(""),
                json!("a".repeat(1025)),
                json!("a\0"),
                json!(5),
                json!([]),
            ] {
                assert_eq!(named(json!({ key: bad })), [key]);
            }
        }
    }

    #[test]
    fn every_bad_field_is_named_in_the_documents_order() {
        let body = json!({
            "consentFormAccepted": "yes", "email": "john", "gender": "x", "username": "j d",
            "availabilityStatus": "Busy", "birthDate": "yesterday", "interests": [1], "name": "",
        });
        let expected = [
            "name",
            "username",
            "availabilityStatus",
            "birthDate",
            "gender",
            "interests",
            "email",
            "consentFormAccepted",
        ];
        assert_eq!(named(body), expected);
    }

    #[test]
    fn interests_are_at_most_a_hundred_texts() {
        assert!(read(json!({"interests": vec!["a"; 100]})).is_ok());
        assert_eq!(
            read(json!({"interests": []})).expect("a change").interests,
            Patch::Set(Vec::new())
        );
        for bad in [
            json!(vec!["a"; 101]),
            json!([""]),
            json!("music"),
            json!(["a".repeat(1025)]),
            json!([null]),
        ] {
            assert_eq!(named(json!({ "interests": bad })), ["interests"]);
        }
    }

    #[test]
    fn an_address_for_mail_is_checked_for_its_form() {
        assert!(read(json!({"email": "john@example.com"})).is_ok());
        for bad in ["", "john", "@example.com", "john@", "a b@example.com"] {
            assert_eq!(named(json!({ "email": bad })), ["email"], "{bad}");
        }
    }
}
