//! Examples that several operations show: those of the API's own documents, to the letter.

use serde_json::{Value, json};

/// A sign-in. The documents' own disagrees with itself on whether the registration is complete; a server's answer does not.
pub(super) fn signed_in() -> Value {
    json!({
        "accessToken": "sample",
        "refreshToken": "sample",
        "expiresIn": 3600,
        "refreshExpiresIn": 2_592_000,
        "user": user(false),
        "isRegistrationComplete": true,
    })
}

/// An account in the envelope.
pub(super) fn account() -> Value {
    json!({
        "isSuccess": true,
        "statusCode": 200,
        "data": user(true),
        "errors": [],
        "timestamp": "2026-01-15T10:30:00.000Z",
    })
}

pub(super) fn user(is_registration_complete: bool) -> Value {
    json!({
        "name": "John",
        "surname": "Doe",
        "username": "johndoe123",
        "countryCode": "90",
        "phoneNumber": "5372505890",
        "signupSource": "instagram_ads",
        "signupCampaign": "spring_launch_2026",
        "profilePhoto": "sample.jpg",
        "availabilityStatus": "available",
        "birthDate": "2026-01-15T10:30:00.000Z",
        "gender": "male",
        "interests": ["music"],
        "expertise": "designer",
        "email": "john@example.com",
        "bio": "Passionate about technology and travel",
        "instagram": "myinstagram",
        "x": "mytwitterx",
        "tiktok": "mytiktok",
        "snapchat": "mysnapchat",
        "facebook": "myfacebook",
        "privacyPolicyAccepted": true,
        "privacyPolicyVersion": "1.2.0",
        "termsOfUseAccepted": true,
        "termsOfUseVersion": "1.1.0",
        "consentFormAccepted": true,
        "consentFormVersion": "1.0.0",
        "isRegistrationComplete": is_registration_complete,
        "roles": ["user"],
        "followersCount": 128,
        "followingCount": 256,
        "minutePriceInLiveStream": 1,
        "creditBalance": 500,
        "lastLogin": "2026-01-15T10:30:00.000Z",
        "timezone": "Europe/Istanbul",
        "lastUsernameChangeDate": "2026-01-15T10:30:00.000Z",
        "accountDeletionStatus": "pending",
        "accountDeletionRequestedAt": "2026-01-15T10:30:00.000Z",
        "accountDeletionScheduledFor": "2026-01-15T10:30:00.000Z",
        "accountDeletionCancelledAt": "2026-01-15T10:30:00.000Z",
        "accountDeletionFinalizedAt": "2026-01-15T10:30:00.000Z",
    })
}
