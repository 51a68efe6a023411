//! Subscribing a browser, unsubscribing it, and seeing what is subscribed.

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorbell_application::Subscribe;
use doorbell_domain::Subscription;
use doorbell_domain::text::Text;
use doorbell_domain::web_push::{KeysError, SubscriptionKeys, WebPushEndpoint};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::problem::Problem;
use crate::call::Call;
use crate::client;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;
use crate::instant::Instant;
use crate::object::Object;
use crate::routing::Answer;

/// A browser's `PushSubscription`, and what the person calls the browser.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SubscribeBody {
    /// The push service's URL for this browser.
    #[validate(length(max = 2048, message = "must be at most 2048 bytes long"))]
    #[schema(value_type = String, required, max_length = 2048)]
    endpoint: Field<String>,
    /// The browser's keys.
    #[schema(value_type = KeysBody, required)]
    keys: Field<Object<KeysBody>>,
    /// The person's name for the browser.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 1024)]
    device_name: Field<String>,
    /// The browser's `User-Agent`; the request's own where absent.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 1024)]
    user_agent: Field<String>,
}

/// What messages to the browser are encrypted for (RFC 8291 §2).
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct KeysBody {
    /// base64url of the 65-byte uncompressed point on P-256.
    #[schema(value_type = String, required)]
    p256dh: Field<String>,
    /// base64url of 16 bytes.
    #[schema(value_type = String, required)]
    auth: Field<String>,
}

/// Which browser to unsubscribe.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default)]
pub(crate) struct UnsubscribeBody {
    /// The push service's URL for it.
    #[validate(length(max = 2048, message = "must be at most 2048 bytes long"))]
    #[schema(value_type = String, required, max_length = 2048)]
    endpoint: Field<String>,
}

/// A subscription, without its keys. What was not given is "".
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionAnswer {
    created_at: Instant,
    device_name: String,
    endpoint: String,
    id: String,
    last_used_at: Instant,
    user_agent: String,
}

impl From<Subscription> for SubscriptionAnswer {
    fn from(subscription: Subscription) -> Self {
        let text = |text: Option<Text>| text.map(|text| text.as_str().to_owned()).unwrap_or_default();
        Self {
            created_at: Instant(subscription.created_at),
            device_name: text(subscription.device_name),
            endpoint: subscription.endpoint.expose().to_owned(),
            id: subscription.id.to_string(),
            last_used_at: Instant(subscription.last_used_at),
            user_agent: text(subscription.user_agent),
        }
    }
}

/// The VAPID public key (RFC 8292 §3.2).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VapidKeyAnswer {
    /// base64url, without padding, of the 65-byte uncompressed point on P-256.
    public_key: String,
}

/// Subscribe to push notifications.
#[utoipa::path(post, path = "/push/subscribe", tag = "oCore", request_body = SubscribeBody,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "Created, or renewed with the same id.", body = SubscriptionAnswer),
        (status = 400, description = "Validation failed.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Revoked, or too many devices.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn subscribe(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let body: SubscribeBody = call.json().await?;
    let mut form = Form::of(&body);
    let policy = call.api.endpoints;
    let endpoint = form.required("endpoint", body.endpoint, |text| {
        WebPushEndpoint::parse(text, policy)
    });
    let keys = form.required("keys", body.keys, |Object(keys)| Ok::<_, String>(keys));
    let keys = keys.and_then(|keys| read_keys(&mut form, keys, call));
    let device_name = form.optional("deviceName", optional_text(body.device_name), Text::parse);
    let user_agent = form.optional("userAgent", optional_text(body.user_agent), Text::parse);
    let (Some(endpoint), Some(keys), true) = (endpoint, keys, form.is_good()) else {
        return Err(form.failure());
    };
    let user_agent = user_agent.or_else(|| client::user_agent_of(&call.request));
    let command = Subscribe {
        endpoint,
        keys,
        device_name,
        user_agent,
    };
    let subscription = call.api.doorbell.subscribe(caller, command).await?;
    Ok(HttpResponse::Created().json(SubscriptionAnswer::from(subscription)))
}

/// "" is how this dialect says that a text was not given: what it answered may be sent back.
fn optional_text(field: Field<String>) -> Field<String> {
    match field {
        Field::Value(text) if text.is_empty() => Field::Absent,
        other => other,
    }
}

fn read_keys(form: &mut Form, keys: KeysBody, call: &Call) -> Option<SubscriptionKeys> {
    let p256dh = form.required("keys.p256dh", keys.p256dh, Ok::<_, String>);
    let auth = form.required("keys.auth", keys.auth, Ok::<_, String>);
    match SubscriptionKeys::parse(&p256dh?, &auth?, call.api.curve.as_ref()) {
        Ok(keys) => Some(keys),
        Err(error) => {
            let name = match error {
                KeysError::P256dh => "keys.p256dh",
                KeysError::Auth => "keys.auth",
            };
            form.refuse(name, error);
            None
        }
    }
}

/// Unsubscribe from push notifications.
#[utoipa::path(delete, path = "/push/subscribe", tag = "oCore", request_body = UnsubscribeBody,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The caller has no such subscription now."),
        (status = 400, description = "Validation failed.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn unsubscribe(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let body: UnsubscribeBody = call.json().await?;
    let mut form = Form::of(&body);
    // Any text may name a subscription to be rid of: what could never be subscribed is not there.
    let endpoint = form.required("endpoint", body.endpoint, |text| {
        doorbell_domain::text::check(&text, WebPushEndpoint::MAX).map(|()| WebPushEndpoint::restore(text))
    });
    let Some(endpoint) = endpoint else {
        return Err(form.failure());
    };
    call.api.doorbell.unsubscribe(caller, endpoint).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List push subscriptions.
#[utoipa::path(get, path = "/push/subscriptions", tag = "oCore", security(("bearer" = [])),
    responses(
        (status = 200, description = "The caller's subscriptions, newest first.", body = [SubscriptionAnswer]),
        (status = 401, description = "Not signed in.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let subscriptions = call.api.doorbell.subscriptions(caller).await?;
    let answers: Vec<SubscriptionAnswer> = subscriptions.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(answers))
}

/// Get the VAPID public key.
#[utoipa::path(get, path = "/push/vapid-key", tag = "oCore", security(("bearer" = [])),
    responses(
        (status = 200, description = "The key to subscribe with.", body = VapidKeyAnswer),
        (status = 401, description = "Not signed in.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn vapid_key(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    call.api
        .doorbell
        .admit(caller, None)
        .await
        .map_err(Failure::from)?;
    let public_key = URL_SAFE_NO_PAD.encode(call.api.doorbell.vapid_public_key());
    Ok(HttpResponse::Ok().json(VapidKeyAnswer { public_key }))
}
