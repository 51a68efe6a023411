//! The caller's account.

use doorbell_domain::User;
use doorbell_domain::profile::{Gender, Profile};
use doorbell_domain::text::Text;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, wrapped};
use crate::call::Call;
use crate::instant::Instant;
use crate::openapi::vocabulary;
use crate::routing::Answer;

/// An account: every key always, in the order of the API's documents; what is not known is null.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape is given by the API's documents"
)]
#[schema(as = AllmineUser)]
pub(crate) struct UserAnswer {
    /// The given name.
    #[schema(required)]
    name: Option<String>,
    /// The family name.
    #[schema(required)]
    surname: Option<String>,
    /// The name that is unique to the person, without regard to case.
    #[schema(required, pattern = "^[A-Za-z0-9_.]{3,30}$", example = "johndoe123")]
    username: Option<String>,
    /// Without `+`.
    #[schema(required, value_type = Option<String>, pattern = "^[0-9]{1,3}$", example = "90")]
    country_code: Option<String>,
    /// The national significant number.
    #[schema(required, value_type = Option<String>, pattern = "^[0-9]+$", example = "5372505890")]
    phone_number: Option<String>,
    /// Where the first sign-in came from.
    #[schema(required)]
    signup_source: Option<String>,
    /// Which campaign brought it.
    #[schema(required)]
    signup_campaign: Option<String>,
    /// Where the photograph lies, as the application put it.
    #[schema(required)]
    profile_photo: Option<String>,
    /// available, busy or offline.
    #[schema(value_type = vocabulary::Availability)]
    availability_status: &'static str,
    /// The date of birth, at midnight UTC where no time was given.
    #[schema(required)]
    birth_date: Option<Instant>,
    /// male, female, other or undisclosed.
    #[schema(required, value_type = Option<vocabulary::Gender>)]
    gender: Option<&'static str>,
    /// What the person is interested in.
    interests: Vec<String>,
    /// What the person is expert in.
    #[schema(required)]
    expertise: Option<String>,
    /// Unverified: it signs nobody in.
    #[schema(required, format = "email")]
    email: Option<String>,
    /// What the person says about themselves.
    #[schema(required)]
    bio: Option<String>,
    /// The name on Instagram.
    #[schema(required)]
    instagram: Option<String>,
    /// The name on X.
    #[schema(required)]
    x: Option<String>,
    /// The name on TikTok.
    #[schema(required)]
    tiktok: Option<String>,
    /// The name on Snapchat.
    #[schema(required)]
    snapchat: Option<String>,
    /// The name on Facebook.
    #[schema(required)]
    facebook: Option<String>,
    /// Whether the privacy policy was accepted.
    privacy_policy_accepted: bool,
    /// The version of it that was accepted.
    #[schema(required)]
    privacy_policy_version: Option<String>,
    /// Whether the terms of use were accepted.
    terms_of_use_accepted: bool,
    /// The version of them that was accepted.
    #[schema(required)]
    terms_of_use_version: Option<String>,
    /// Whether the consent form was accepted.
    consent_form_accepted: bool,
    /// The version of it that was accepted.
    #[schema(required)]
    consent_form_version: Option<String>,
    /// Whether name, surname, user name, privacy policy and terms are there.
    is_registration_complete: bool,
    /// What the person may do.
    #[schema(schema_with = vocabulary::roles)]
    roles: [&'static str; 1],
    /// Doorbell knows no followers, prices or credits: always 0, as for a new account.
    followers_count: u64,
    /// Always 0.
    following_count: u64,
    /// Always 0.
    minute_price_in_live_stream: u64,
    /// Always 0.
    credit_balance: u64,
    /// The last sign-in.
    last_login: Instant,
    /// That of the device that last sent one.
    #[schema(required, example = "Europe/Istanbul")]
    timezone: Option<String>,
    /// When the user name was last changed.
    #[schema(required)]
    last_username_change_date: Option<Instant>,
    /// Where a deletion of the account stands; null where none was asked for.
    #[schema(required, value_type = Option<vocabulary::AccountDeletionStatus>)]
    account_deletion_status: Option<&'static str>,
    /// When the deletion was asked for.
    #[schema(required)]
    account_deletion_requested_at: Option<Instant>,
    /// When it is due.
    #[schema(required)]
    account_deletion_scheduled_for: Option<Instant>,
    /// When it was taken back.
    #[schema(required)]
    account_deletion_cancelled_at: Option<Instant>,
    /// When the account was deleted.
    #[schema(required)]
    account_deletion_finalized_at: Option<Instant>,
}

impl From<User> for UserAnswer {
    fn from(user: User) -> Self {
        let is_registration_complete = user.profile.is_complete();
        let User {
            phone,
            profile,
            deletion,
            ..
        } = user;
        let Profile {
            privacy_policy,
            terms_of_use,
            consent_form,
            ..
        } = profile;
        Self {
            name: text(profile.name),
            surname: text(profile.surname),
            username: profile.username.map(|name| name.as_str().to_owned()),
            country_code: phone.as_ref().map(|phone| phone.country_code().to_string()),
            phone_number: phone.map(|phone| phone.national().to_owned()),
            signup_source: text(user.signup_source),
            signup_campaign: text(user.signup_campaign),
            profile_photo: text(profile.profile_photo),
            availability_status: profile.availability.name(),
            birth_date: profile.birth_date.map(Instant),
            gender: profile.gender.map(Gender::name),
            interests: profile
                .interests
                .iter()
                .map(|interest| interest.as_str().to_owned())
                .collect(),
            expertise: text(profile.expertise),
            email: text(profile.email),
            bio: text(profile.bio),
            instagram: text(profile.instagram),
            x: text(profile.x),
            tiktok: text(profile.tiktok),
            snapchat: text(profile.snapchat),
            facebook: text(profile.facebook),
            privacy_policy_accepted: privacy_policy.accepted,
            privacy_policy_version: text(privacy_policy.version),
            terms_of_use_accepted: terms_of_use.accepted,
            terms_of_use_version: text(terms_of_use.version),
            consent_form_accepted: consent_form.accepted,
            consent_form_version: text(consent_form.version),
            is_registration_complete,
            roles: ["user"],
            followers_count: 0,
            following_count: 0,
            minute_price_in_live_stream: 0,
            credit_balance: 0,
            last_login: Instant(user.last_login_at),
            timezone: user.timezone.map(|zone| zone.as_str().to_owned()),
            last_username_change_date: user.username_changed_at.map(Instant),
            account_deletion_status: deletion.map(|deletion| deletion.status.name()),
            account_deletion_requested_at: deletion.map(|deletion| Instant(deletion.requested_at)),
            account_deletion_scheduled_for: deletion.map(|deletion| Instant(deletion.scheduled_for)),
            account_deletion_cancelled_at: deletion.and_then(|deletion| deletion.cancelled_at.map(Instant)),
            account_deletion_finalized_at: deletion.and_then(|deletion| deletion.finalized_at.map(Instant)),
        }
    }
}

fn text(text: Option<Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

/// Get the caller's account.
///
/// Every key is there always; a fact that is not known yet is `null`.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "Allmine", operation_id = "getMe", security(("bearer" = [])),
    responses((status = 200, description = "The account.", body = Envelope<UserAnswer>, example = json!(super::examples::account()))))]
pub(crate) async fn me(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let user = call.api.doorbell.me(caller).await?;
    Ok(wrapped(call, UserAnswer::from(user)))
}

#[cfg(test)]
mod tests {
    use doorbell_domain::profile::{Availability, Consent, Username};
    use doorbell_domain::user::{Deletion, DeletionStatus};
    use doorbell_domain::{PhoneNumber, TimeZoneName, Timestamp, UserId};

    use super::*;
    use crate::instant::parse_date_or_instant;

    fn at(text: &str) -> Timestamp {
        parse_date_or_instant(text).expect("an instant")
    }

    fn known(value: &str) -> Text {
        Text::parse(value).expect("a text")
    }

    fn agreed(version: &str) -> Consent {
        Consent {
            accepted: true,
            version: Some(known(version)),
        }
    }

    fn newcomer() -> User {
        let id = UserId::parse("019ae000-0000-7000-8000-000000000001").expect("an id");
        let phone = PhoneNumber::from_parts(90, "5372505890").expect("a number");
        User::sign_up(id, phone, None, None, at("2026-01-15T10:30:00.000Z"))
    }

    #[test]
    fn a_newcomer_has_every_key_in_order_and_null_where_nothing_is_known() {
        let shown = serde_json::to_string(&UserAnswer::from(newcomer())).expect("JSON");
        let expected = concat!(
            r#"{"name":null,"surname":null,"username":null,"countryCode":"90","phoneNumber":"5372505890","#,
            r#""signupSource":null,"signupCampaign":null,"profilePhoto":null,"availabilityStatus":"available","#,
            r#""birthDate":null,"gender":null,"interests":[],"expertise":null,"email":null,"bio":null,"#,
            r#""instagram":null,"x":null,"tiktok":null,"snapchat":null,"facebook":null,"#,
            r#""privacyPolicyAccepted":false,"privacyPolicyVersion":null,"termsOfUseAccepted":false,"#,
            r#""termsOfUseVersion":null,"consentFormAccepted":false,"consentFormVersion":null,"#,
            r#""isRegistrationComplete":false,"roles":["user"],"followersCount":0,"followingCount":0,"#,
            r#""minutePriceInLiveStream":0,"creditBalance":0,"lastLogin":"2026-01-15T10:30:00.000Z","#,
            r#""timezone":null,"lastUsernameChangeDate":null,"accountDeletionStatus":null,"#,
            r#""accountDeletionRequestedAt":null,"accountDeletionScheduledFor":null,"#,
            r#""accountDeletionCancelledAt":null,"accountDeletionFinalizedAt":null}"#,
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn every_fact_is_shown_under_its_own_key() {
        let user = User {
            profile: Profile {
                name: Some(known("John")),
                surname: Some(known("Doe")),
                username: Some(Username::parse("johndoe123").expect("a user name")),
                profile_photo: Some(known("sample.jpg")),
                availability: Availability::Busy,
                birth_date: Some(at("1990-05-01")),
                gender: Some(Gender::Male),
                interests: vec![known("music")],
                expertise: Some(known("designer")),
                email: Some(known("john@example.com")),
                bio: Some(known("Travels")),
                instagram: Some(known("my.instagram")),
                x: Some(known("my.x")),
                tiktok: Some(known("my.tiktok")),
                snapchat: Some(known("my.snapchat")),
                facebook: Some(known("my.facebook")),
                privacy_policy: agreed("1.2.0"),
                terms_of_use: agreed("1.1.0"),
                consent_form: agreed("1.0.0"),
            },
            username_changed_at: Some(at("2026-01-02")),
            signup_source: Some(known("instagram_ads")),
            signup_campaign: Some(known("spring_launch_2026")),
            timezone: Some(TimeZoneName::known("Europe/Istanbul")),
            deletion: Some(Deletion {
                status: DeletionStatus::Cancelled,
                requested_at: at("2026-01-03"),
                scheduled_for: at("2026-02-02"),
                cancelled_at: Some(at("2026-01-04")),
                finalized_at: Some(at("2026-02-05")),
            }),
            ..newcomer()
        };
        let shown = serde_json::to_value(UserAnswer::from(user)).expect("JSON");
        let expected = serde_json::json!({
            "name": "John", "surname": "Doe", "username": "johndoe123",
            "countryCode": "90", "phoneNumber": "5372505890",
            "signupSource": "instagram_ads", "signupCampaign": "spring_launch_2026",
            "profilePhoto": "sample.jpg", "availabilityStatus": "busy",
            "birthDate": "1990-05-01T00:00:00.000Z", "gender": "male", "interests": ["music"],
            "expertise": "designer", "email": "john@example.com", "bio": "Travels",
            "instagram": "my.instagram", "x": "my.x", "tiktok": "my.tiktok", "snapchat": "my.snapchat",
            "facebook": "my.facebook",
            "privacyPolicyAccepted": true, "privacyPolicyVersion": "1.2.0",
            "termsOfUseAccepted": true, "termsOfUseVersion": "1.1.0",
            "consentFormAccepted": true, "consentFormVersion": "1.0.0",
            "isRegistrationComplete": true, "roles": ["user"],
            "followersCount": 0, "followingCount": 0, "minutePriceInLiveStream": 0, "creditBalance": 0,
            "lastLogin": "2026-01-15T10:30:00.000Z", "timezone": "Europe/Istanbul",
            "lastUsernameChangeDate": "2026-01-02T00:00:00.000Z",
            "accountDeletionStatus": "cancelled",
            "accountDeletionRequestedAt": "2026-01-03T00:00:00.000Z",
            "accountDeletionScheduledFor": "2026-02-02T00:00:00.000Z",
            "accountDeletionCancelledAt": "2026-01-04T00:00:00.000Z",
            "accountDeletionFinalizedAt": "2026-02-05T00:00:00.000Z",
        });
        assert_eq!(shown, expected);
    }
}
