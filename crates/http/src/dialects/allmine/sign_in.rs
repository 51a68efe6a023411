//! Signing in by a code, and staying signed in.

use actix_web::HttpResponse;
use doorbell_application::{Refresh, RequestCode, VerifyCode};
use doorbell_domain::Code;
use doorbell_domain::secret::Secret;
use doorbell_domain::text::Text;
use doorbell_domain::watch::Tally;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::phone::required_phone;
use super::user::UserAnswer;
use crate::call::Call;
use crate::client;
use crate::field::Field;
use crate::form::Form;
use crate::outcome;
use crate::routing::Answer;

/// Whose phone the code goes to.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = AllmineSendOtpRequest)]
pub(crate) struct SendOtpBody {
    /// The country calling code, with or without `+`.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, pattern = "^[+]?[0-9]{1,4}$", example = "90")]
    country_code: Field<String>,
    /// The number as it is dialled within the country.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 128, pattern = r"^[^\u0000]*$", example = "5551234567")]
    phone_number: Field<String>,
}

/// The number that the code goes to, in its normal form.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineSendOtpResponse)]
pub(crate) struct SendOtpAnswer {
    /// The country calling code, with `+`.
    #[schema(pattern = "^[+][0-9]{1,3}$", example = "+90")]
    country_code: String,
    /// The national significant number.
    #[schema(pattern = "^[0-9]+$", example = "5551234567")]
    phone_number: String,
    /// The code itself; in development only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9]{4,8}$", example = "493817")]
    code: Option<String>,
}

/// The code that a phone received.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = AllmineVerifyOtpRequest)]
pub(crate) struct VerifyOtpBody {
    /// The country calling code, with or without `+`.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, pattern = "^[+]?[0-9]{1,4}$", example = "90")]
    country_code: Field<String>,
    /// The number as it is dialled within the country.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 128, pattern = r"^[^\u0000]*$", example = "5551234567")]
    phone_number: Field<String>,
    /// 4 to 8 digits.
    #[schema(value_type = String, required, pattern = "^[0-9]{4,8}$", example = "1234")]
    code: Field<String>,
    /// Where a first sign-in came from; kept from then on.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "instagram_ads")]
    signup_source: Field<String>,
    /// Which campaign brought it; kept from then on.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "spring_launch_2026")]
    signup_campaign: Field<String>,
}

/// A new session's tokens, and whose it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AllmineVerifyOtpResponse)]
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
#[schema(as = AllmineTokens)]
pub(crate) struct TokensAnswer {
    /// For the `Authorization` header of the other operations.
    #[schema(example = "sample")]
    access_token: String,
    /// For the next tokens.
    #[schema(example = "sample")]
    refresh_token: String,
    /// How many seconds the access token lives.
    #[schema(minimum = 0, example = 3600)]
    expires_in: i64,
    /// How many seconds the refresh token lives unused.
    #[schema(minimum = 0, example = 2_592_000)]
    refresh_expires_in: i64,
}

/// A refresh token.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = AllmineRefreshTokenRequest)]
pub(crate) struct RefreshBody {
    /// A refresh token of a session; to refresh, the newest.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "sample")]
    refresh_token: Field<String>,
}

/// Send a one-time code to a phone.
///
/// Begins a sign-in: sends a code to the number, if it is one that can exist in that country. The answer
/// names the number in its normal form, which verify-otp takes as well as what was typed. In development the
/// code is answered too.
///
/// The answer does not wait for the code's delivery, which is tried until the code expires. It is written in English or in
/// Turkish: in the one that `Accept-Language` likes better, else in that of the number's country.
///
/// A code replaces the one before it. The next one may be asked for when the cool-down is over; until then
/// the answer is 429, and `Retry-After` says how many seconds are left. So it is where a limit is reached: of the phone
/// (5 codes in 10 minutes, 10 a day), of the client's network, of a range of numbers, of a country, or of the service. After
/// 20 wrong codes in a row the phone is locked, for 30 seconds at first. A number is answered alike whether or not
/// anybody signs in by it.
#[utoipa::path(post, path = "/api/v1/auth/send-otp", tag = "Allmine", operation_id = "sendOtp",
    request_body(content = SendOtpBody, example = json!({"countryCode": "90", "phoneNumber": "5551234567"})),
    responses(
        (status = 200, description = "A code is on its way.", body = SendOtpAnswer,
            example = json!({"countryCode": "+90", "phoneNumber": "5551234567", "code": "493817"})),
        (status = 400, description = "The country code or the number cannot be one, or no codes are sent to such a \
            number: another country's, or one that costs whoever sends; `errors[1..]` name the fields."),
        (status = 429, description = "The phone was sent a code a short while ago, or a limit is reached."),
    ))]
pub(crate) async fn send_otp(call: &mut Call) -> Answer {
    let body: SendOtpBody = call.json().await?;
    let mut form = Form::of(&body);
    let plan = call.api.numbering.as_ref();
    let Some(phone) = required_phone(&mut form, plan, body.country_code, body.phone_number) else {
        return Err(form.failure());
    };
    let command = RequestCode {
        phone,
        language: client::language_of(&call.request),
        ip: client::ip_of(&call.request, &call.api.trusted_proxies),
    };
    let requested = call.api.doorbell.request_code(command).await;
    call.api.metrics.code(outcome::of_code(&requested));
    let requested = requested?;
    Ok(HttpResponse::Ok().json(SendOtpAnswer {
        country_code: format!("+{}", requested.phone.country_code()),
        phone_number: requested.phone.national().to_owned(),
        code: requested.revealed.map(|code| code.expose().to_owned()),
    }))
}

/// Sign in with a one-time code.
///
/// Compares the code that the phone received, and begins a session: an access token for the other operations,
/// a refresh token for the next ones, and the account, which is made at the first sign-in of a number. A new
/// account has its registration to complete (`isRegistrationComplete`): see `PATCH /api/v1/users/me`.
///
/// A code takes five guesses (by default); a wrong one is 400, and can be corrected. After 409 or 404 ask for a new code.
/// After 20 wrong codes in a row, whichever they were, the phone is locked: the answer is 429 for 30 seconds, and twice as long
/// with each further one, up to an hour. Signing in ends that.
#[utoipa::path(post, path = "/api/v1/auth/verify-otp", tag = "Allmine", operation_id = "verifyOtp",
    request_body(content = VerifyOtpBody, example = json!({"countryCode": "90", "phoneNumber": "5551234567",
        "code": "1234", "signupSource": "instagram_ads", "signupCampaign": "spring_launch_2026"})),
    responses(
        (status = 200, description = "Signed in.", body = SignedInAnswer, example = json!(super::examples::signed_in())),
        (status = 400, description = "A field is wrong, or the code is: one that a newer code replaced is wrong too."),
        (status = 404, description = "No code lives for this number: none was sent, or it has expired."),
        (status = 409, description = "The code was used, or its attempts are spent."),
        (status = 429, description = "The phone is locked, or its network guesses too often: nothing was compared."),
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
    let verified = call.api.doorbell.verify_code(command).await;
    if let Some(outcome) = outcome::of_guess(&verified) {
        call.api.metrics.guess(outcome);
    }
    let signed_in = verified?;
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
///
/// Every refresh token is good once: keep the newest of a session, and refresh before the access token's
/// `expiresIn` is over. The answer may be lost on its way: the token before the newest is answered for 30
/// seconds more, with the same next one. Anything older was stolen or copied, and ends the session. Access
/// tokens live on until they expire.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "Allmine", operation_id = "refreshTokens",
    request_body(content = RefreshBody, example = json!({"refreshToken": "sample"})),
    responses(
        (status = 200, description = "The session's next tokens.", body = TokensAnswer,
            example = json!({"accessToken": "sample", "refreshToken": "sample", "expiresIn": 3600,
                "refreshExpiresIn": 2_592_000})),
        (status = 400, description = "`refreshToken` is missing or has the wrong form."),
        (status = 401, description = "The token is unknown, expired, reused, or of a session that has ended: \
            sign in again."),
        (status = 429, description = "The client's network refreshes too often. The token is as good as it was."),
    ))]
pub(crate) async fn refresh(call: &mut Call) -> Answer {
    let body: RefreshBody = call.json().await?;
    let mut form = Form::of(&body);
    let Some(token) = required_refresh_token(&mut form, body) else {
        return Err(form.failure());
    };
    let command = Refresh {
        token,
        ip: client::ip_of(&call.request, &call.api.trusted_proxies),
    };
    let refreshed = call.api.doorbell.refresh_session(command).await?;
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
