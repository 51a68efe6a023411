//! Signing in by a code, and staying signed in.

use actix_web::HttpResponse;
use doorbell_application::VerifyCode;
use doorbell_domain::Code;
use doorbell_domain::secret::Secret;
use doorbell_domain::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::envelope::ErrorEnvelope;
use super::phone::required_phone;
use super::user::UserAnswer;
use crate::call::Call;
use crate::client;
use crate::field::Field;
use crate::form::Form;
use crate::routing::Answer;

/// Whose phone the code goes to.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SendOtpBody {
    /// The country calling code, with or without `+`.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, example = "90")]
    country_code: Field<String>,
    /// The number as it is dialled within the country.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, example = "5551234567")]
    phone_number: Field<String>,
}

/// The number that the code goes to, in its normal form.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SendOtpAnswer {
    /// The country calling code, with `+`.
    #[schema(example = "+90")]
    country_code: String,
    /// The national significant number.
    #[schema(example = "5551234567")]
    phone_number: String,
    /// The code itself; in development only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
}

/// The code that a phone received.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VerifyOtpBody {
    /// The country calling code, with or without `+`.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, example = "90")]
    country_code: Field<String>,
    /// The number as it is dialled within the country.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, example = "5551234567")]
    phone_number: Field<String>,
    /// 4 to 8 digits.
    #[schema(value_type = String, required, example = "1234")]
    code: Field<String>,
    /// Where a first sign-in came from; kept from then on.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 1024, example = "instagram_ads")]
    signup_source: Field<String>,
    /// Which campaign brought it; kept from then on.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 1024, example = "spring_launch_2026")]
    signup_campaign: Field<String>,
}

/// A new session's tokens, and whose it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedInAnswer {
    #[serde(flatten)]
    tokens: TokensAnswer,
    /// Who signed in.
    user: UserAnswer,
    /// Whether the user has nothing left to fill in.
    is_registration_complete: bool,
}

/// A session's tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokensAnswer {
    /// For the `Authorization` header of the other operations.
    access_token: String,
    /// For the next tokens.
    refresh_token: String,
    /// How many seconds the access token lives.
    #[schema(example = 3600)]
    expires_in: i64,
    /// How many seconds the refresh token lives unused.
    #[schema(example = 2_592_000)]
    refresh_expires_in: i64,
}

/// A refresh token to be exchanged.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RefreshBody {
    /// The newest refresh token of a session.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, max_length = 1024)]
    refresh_token: Field<String>,
}

/// Send a one-time code to a phone.
#[utoipa::path(post, path = "/api/v1/auth/send-otp", tag = "Allmine", request_body = SendOtpBody,
    responses(
        (status = 200, description = "A code is on its way.", body = SendOtpAnswer),
        (status = 400, description = "Validation failed.", body = ErrorEnvelope),
        (status = 429, description = "The phone was sent a code a short while ago.", body = ErrorEnvelope),
    ))]
pub(crate) async fn send_otp(call: &mut Call) -> Answer {
    let body: SendOtpBody = call.json().await?;
    let mut form = Form::of(&body);
    let plan = call.api.numbering.as_ref();
    let Some(phone) = required_phone(&mut form, plan, body.country_code, body.phone_number) else {
        return Err(form.failure());
    };
    let requested = call.api.doorbell.request_code(phone).await?;
    Ok(HttpResponse::Ok().json(SendOtpAnswer {
        country_code: format!("+{}", requested.phone.country_code()),
        phone_number: requested.phone.national().to_owned(),
        code: requested.revealed.map(|code| code.expose().to_owned()),
    }))
}

/// Sign in with a one-time code.
#[utoipa::path(post, path = "/api/v1/auth/verify-otp", tag = "Allmine", request_body = VerifyOtpBody,
    responses(
        (status = 200, description = "Signed in.", body = SignedInAnswer),
        (status = 400, description = "Validation failed, or the code is wrong.", body = ErrorEnvelope),
        (status = 404, description = "No code lives for this number.", body = ErrorEnvelope),
        (status = 409, description = "The code was used, or its attempts are spent.", body = ErrorEnvelope),
    ))]
pub(crate) async fn verify_otp(call: &mut Call) -> Answer {
    let body: VerifyOtpBody = call.json().await?;
    let mut form = Form::of(&body);
    let plan = call.api.numbering.as_ref();
    let phone = required_phone(&mut form, plan, body.country_code, body.phone_number);
    let code = form.required("code", body.code, |text| {
        Code::parse(&text).ok_or("must be 4 to 8 digits")
    });
    let signup_source = form.optional("signupSource", body.signup_source, Text::parse);
    let signup_campaign = form.optional("signupCampaign", body.signup_campaign, Text::parse);
    let (Some(phone), Some(code), true) = (phone, code, form.is_good()) else {
        return Err(form.failure());
    };
    let command = VerifyCode {
        phone,
        code,
        signup_source,
        signup_campaign,
        user_agent: client::user_agent_of(&call.request),
        ip: client::ip_of(&call.request, &call.api.trusted_proxies),
    };
    let signed_in = call.api.doorbell.verify_code(command).await?;
    Ok(HttpResponse::Ok().json(SignedInAnswer {
        is_registration_complete: signed_in.user.profile.is_complete(),
        tokens: TokensAnswer {
            access_token: signed_in.access_token.expose().to_owned(),
            refresh_token: signed_in.refresh_token.expose().to_owned(),
            expires_in: signed_in.expires_in.whole_seconds(),
            refresh_expires_in: signed_in.refresh_expires_in.whole_seconds(),
        },
        user: signed_in.user.into(),
    }))
}

/// Exchange a refresh token for new tokens.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "Allmine", request_body = RefreshBody,
    responses(
        (status = 200, description = "The session's next tokens.", body = TokensAnswer),
        (status = 400, description = "Validation failed.", body = ErrorEnvelope),
        (status = 401, description = "Unknown, expired, ended or reused.", body = ErrorEnvelope),
    ))]
pub(crate) async fn refresh(call: &mut Call) -> Answer {
    let body: RefreshBody = call.json().await?;
    let mut form = Form::of(&body);
    let Some(token) = required_refresh_token(&mut form, body) else {
        return Err(form.failure());
    };
    let refreshed = call.api.doorbell.refresh_session(token).await?;
    Ok(HttpResponse::Ok().json(TokensAnswer {
        access_token: refreshed.access_token.expose().to_owned(),
        refresh_token: refreshed.refresh_token.expose().to_owned(),
        expires_in: refreshed.expires_in.whole_seconds(),
        refresh_expires_in: refreshed.refresh_expires_in.whole_seconds(),
    }))
}

/// Reads `refreshToken`.
pub(super) fn required_refresh_token(form: &mut Form, body: RefreshBody) -> Option<Secret> {
    form.required("refreshToken", body.refresh_token, |text| {
        doorbell_domain::text::check(&text, Text::MAX).map(|()| Secret::new(text))
    })
}
