//! Registering a push token, and removing it.

use actix_web::HttpResponse;
use doorbell_application::{RegisterPushToken, WhichDevice};
use doorbell_domain::text::{AppName, DeviceId};
use doorbell_domain::{Provider, PushToken, Token};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::coded_error::CodedError;
use super::lenient_body;
use crate::call::Call;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::instant::Instant;
use crate::openapi::vocabulary::always_true;
use crate::routing::Answer;

/// A token, and the application it belongs to.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = RocketChatPushTokenRequest)]
pub(crate) struct PushTokenBody {
    /// The caller's own name for the device. Left out, null and "" mean none.
    #[schema(value_type = Option<String>, max_length = 256, pattern = r"^[^\u0000]*$", example = "iphone-14-pro")]
    id: Field<Value>,
    /// The push provider.
    #[serde(rename = "type")]
    #[schema(value_type = TokenType, required)]
    kind: Field<String>,
    /// The token.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "TOKEN")]
    value: Field<String>,
    /// The application it belongs to.
    #[validate(length(max = 256, message = "must be at most 256 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "MyApp")]
    app_name: Field<String>,
}

/// A push provider: Apple's `apn`, or Google's under the name of its first service, `gcm`.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "names the two texts in the document")]
#[schema(as = RocketChatTokenType)]
pub(crate) enum TokenType {
    Apn,
    Gcm,
}

/// Which token to remove.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default)]
#[schema(as = RocketChatRemovalRequest)]
pub(crate) struct RemovalBody {
    /// The token's value.
    #[validate(length(max = 4096, message = "must be at most 4096 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 4096, pattern = r"^[^\u0000]*$", example = "TOKEN")]
    token: Field<String>,
}

/// The token was registered.
#[derive(Serialize, ToSchema)]
#[schema(as = RocketChatPushTokenResponse)]
pub(crate) struct PushTokenAnswer {
    /// Its row.
    result: PushTokenRow,
    /// Always true.
    #[schema(schema_with = always_true)]
    success: bool,
}

/// A registered token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RocketChatPushToken)]
pub(crate) struct PushTokenRow {
    /// The value, under the name of its type.
    token: TokenValue,
    /// The application it belongs to.
    app_name: String,
    /// Whose it is.
    user_id: String,
    /// Always true: a token that may not ring is not shown.
    #[schema(schema_with = always_true)]
    enabled: bool,
    /// When it was first registered.
    created_at: Instant,
    /// When it was last registered.
    updated_at: Instant,
    /// What it is known by; the same after it is registered again.
    #[serde(rename = "_id")]
    id: String,
}

/// The value, under the name of its type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RocketChatTokenValue)]
pub(crate) enum TokenValue {
    /// The APNs token.
    Apn(String),
    /// The FCM token.
    Gcm(String),
}

/// The operation succeeded.
#[derive(Serialize, ToSchema)]
#[schema(as = RocketChatSuccess)]
pub(crate) struct Success {
    /// Always true.
    #[schema(schema_with = always_true)]
    success: bool,
}

impl From<Token> for PushTokenRow {
    fn from(token: Token) -> Self {
        let value = token.value.expose().to_owned();
        Self {
            token: match token.provider {
                Provider::Apns => TokenValue::Apn(value),
                Provider::Fcm | Provider::WebPush => TokenValue::Gcm(value),
            },
            app_name: token.app.as_str().to_owned(),
            user_id: token.user.to_string(),
            enabled: true,
            created_at: Instant(token.created_at),
            updated_at: Instant(token.updated_at),
            id: token.id.to_string(),
        }
    }
}

/// Create push token.
///
/// Registers the token of an application, or renews it: the same value and application again keep `_id` and
/// `createdAt`. The token is bound to the session of `X-Auth-Token`, and leaves any other user that held it.
///
/// With `id` the token goes to the caller's device of that name (an Allmine or easyflow `deviceId`), which is
/// made where there is none. Without it, to the caller's device that holds this value already, else to a
/// device made for it.
#[utoipa::path(post, path = "/api/v1/push.token", tag = "Rocket.Chat", operation_id = "createPushToken",
    request_body(content = PushTokenBody, example = json!({"type": "gcm", "value": "TOKEN", "appName": "MyApp"})),
    security(("authToken" = [], "userId" = [])),
    responses(
        (status = 200, description = "Registered, or renewed with the same `_id`.", body = PushTokenAnswer,
            example = json!({"result": {"token": {"gcm": "TOKEN"}, "appName": "RocketAPP",
                "userId": "52d5Rw8LT3TeDa59Z", "enabled": true, "createdAt": "2018-09-11T18:22:55.006Z",
                "updatedAt": "2018-09-11T18:22:55.006Z", "_id": "DMMjKG2hFoLvM2hk7"}, "success": true})),
        (status = 400, description = "The first bad parameter, in the order id, type, value, appName (an `id` that names a \
            revoked device is a bad one); \
            `error-too-many-devices` and `error-too-many-tokens` where the user, or the device, may have no more."),
    ))]
pub(crate) async fn register(call: &mut Call) -> Answer {
    let caller = call.auth_token()?;
    let body: PushTokenBody = lenient_body::read(call).await?;
    let command = command(body)?;
    let registered = call.api.doorbell.register_push_token(caller, command).await?;
    let Some(token) = registered.token else {
        tracing::error!("a registered push token has no row");
        return Err(Failure::Internal);
    };
    Ok(HttpResponse::Ok().json(PushTokenAnswer {
        result: token.into(),
        success: true,
    }))
}

fn command(body: PushTokenBody) -> Result<RegisterPushToken, Failure> {
    let mut form = Form::of(&body);
    let device = form.optional("id", text_if_truthy(body.id), DeviceId::parse);
    let provider = form.required("type", body.kind, |kind| match kind.as_str() {
        "apn" => Ok(Provider::Apns),
        "gcm" => Ok(Provider::Fcm),
        _ => Err("must be apn or gcm"),
    });
    let value = form.required("value", body.value, PushToken::parse);
    let app = form.required("appName", body.app_name, AppName::parse);
    match (provider, value, app, form.is_good()) {
        (Some(provider), Some(value), Some(app), true) => Ok(RegisterPushToken {
            device: device.map_or(WhichDevice::Holder, WhichDevice::Named),
            provider,
            app,
            value,
        }),
        _ => Err(form.failure()),
    }
}

/// What JavaScript holds for false was not given.
fn text_if_truthy(field: Field<Value>) -> Field<String> {
    match field {
        Field::Value(Value::String(text)) if !text.is_empty() => Field::Value(text),
        Field::Value(value) if is_truthy(&value) => Field::WrongType,
        Field::Absent | Field::Null | Field::Value(_) => Field::Absent,
        Field::WrongType => Field::WrongType,
    }
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Delete push token.
///
/// Removes all of the caller's tokens of that value, of any type and application, by whatever dialect they
/// were registered.
#[utoipa::path(delete, path = "/api/v1/push.token", tag = "Rocket.Chat", operation_id = "deletePushToken",
    request_body(content = RemovalBody, example = json!({"token": "TOKEN"})),
    security(("authToken" = [], "userId" = [])),
    responses(
        (status = 200, description = "The caller has no token of that value now.", body = Success,
            example = json!({"success": true})),
        (status = 400, description = "The token is missing or invalid.", body = CodedError,
            example = json!({"success": false,
                "error": "The required \"token\" body param is missing or invalid. [error-token-param-not-valid]",
                "errorType": "error-token-param-not-valid"})),
        (status = 404, description = "The caller had none."),
    ))]
pub(crate) async fn remove(call: &mut Call) -> Answer {
    let caller = call.auth_token()?;
    let body: RemovalBody = lenient_body::read(call).await?;
    let mut form = Form::of(&body);
    let Some(token) = form.required("token", body.token, PushToken::parse) else {
        return Err(form.failure());
    };
    call.api.doorbell.remove_push_token(caller, token).await?;
    Ok(HttpResponse::Ok().json(Success { success: true }))
}

#[cfg(test)]
mod tests {
    use doorbell_domain::{DeviceUid, SessionId, Timestamp, TokenId, TokenKind, UserId};
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<RegisterPushToken, std::borrow::Cow<'static, str>> {
        let body: PushTokenBody = serde_json::from_value(body).expect("fields never fail");
        command(body).map_err(|failure| match failure {
            Failure::Invalid(fields) => fields.into_iter().next().expect("a field").name,
            other => panic!("{other:?}"),
        })
    }

    fn good() -> Value {
        json!({"type": "gcm", "value": "TOKEN", "appName": "MyApp"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut body = good();
        body[name] = value;
        body
    }

    #[test]
    fn the_first_bad_parameter_is_named() {
        assert_eq!(read(json!({"id": 5})).expect_err("refused"), "id");
        assert_eq!(read(json!({})).expect_err("refused"), "type");
        assert_eq!(read(json!({"type": "apn"})).expect_err("refused"), "value");
        assert_eq!(
            read(json!({"type": "apn", "value": "t"})).expect_err("refused"),
            "appName"
        );
        for kind in [json!("GCM"), json!("fcm"), json!(""), json!(1), json!(null)] {
            assert_eq!(read(with("type", kind)).expect_err("refused"), "type");
        }
    }

    #[test]
    fn nothing_is_coerced_and_lengths_are_bounded() {
        for bad in [
            json!(5),
            json!(true),
            json!(""),
            json!(null),
            json!(["t"]),
            json!("a\u{0}b"),
            json!("x".repeat(4097)),
        ] {
            assert_eq!(read(with("value", bad)).expect_err("refused"), "value");
        }
        for bad in [json!(5), json!(""), json!("a\u{0}b"), json!("x".repeat(257))] {
            assert_eq!(read(with("appName", bad)).expect_err("refused"), "appName");
        }
        assert!(read(with("value", json!("x".repeat(4096)))).is_ok());
        assert!(read(with("appName", json!("   "))).is_ok());
    }

    #[test]
    fn an_id_names_a_device_unless_javascript_holds_it_for_false() {
        for none in [json!(null), json!(""), json!(0), json!(-0.0), json!(false)] {
            let read = read(with("id", none.clone())).expect("accepted");
            assert_eq!(read.device, WhichDevice::Holder, "{none}");
        }
        for bad in [
            json!(1),
            json!(0.5),
            json!(true),
            json!([]),
            json!({}),
            json!("x".repeat(257)),
            json!("a\u{0}b"),
        ] {
            assert_eq!(read(with("id", bad.clone())).expect_err("refused"), "id", "{bad}");
        }
        let named = read(with("id", json!("phone"))).expect("accepted");
        assert_eq!(
            named.device,
            WhichDevice::Named(DeviceId::parse("phone").expect("text"))
        );
    }

    #[test]
    fn a_row_is_shown_as_the_document_shows_it() {
        let uuid = "0192f0c1-2b3d-7c4e-8f50-123456789abc";
        let token = |provider| Token {
            id: TokenId::parse(uuid).expect("an id"),
            user: UserId::parse(uuid).expect("an id"),
            device: DeviceUid::parse(uuid).expect("an id"),
            session: SessionId::parse(uuid).expect("an id"),
            session_ended: false,
            provider,
            app: AppName::parse("MyApp").expect("text"),
            kind: TokenKind::Alert,
            value: PushToken::parse("TOKEN").expect("text"),
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(1_000_000),
        };
        let shown = |provider| {
            serde_json::to_string(&PushTokenAnswer {
                result: token(provider).into(),
                success: true,
            })
            .expect("JSON")
        };
        assert_eq!(
            shown(Provider::Fcm),
            format!(
                r#"{{"result":{{"token":{{"gcm":"TOKEN"}},"appName":"MyApp","userId":"{uuid}","enabled":true,"#
            ) + r#""createdAt":"1970-01-01T00:00:00.000Z","updatedAt":"1970-01-01T00:00:01.000Z","#
                + &format!(r#""_id":"{uuid}"}},"success":true}}"#)
        );
        assert!(shown(Provider::Apns).contains(r#""token":{"apn":"TOKEN"}"#));
    }
}
