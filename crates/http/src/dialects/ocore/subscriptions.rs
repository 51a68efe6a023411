//! Subscribing a browser, unsubscribing it, and seeing what is subscribed.

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorbell_application::Subscribe;
use doorbell_domain::Subscription;
use doorbell_domain::text::Text;
use doorbell_domain::vapid;
use doorbell_domain::web_push::{KeysError, SubscriptionKeys, WebPushEndpoint};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

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
#[schema(as = OCoreSubscribeRequest)]
pub(crate) struct SubscribeBody {
    /// The push service's URL for this browser, as the browser spells it: `https`, port 443, a public host, no credentials
    /// and no fragment. In development `http://localhost:PORT` and `http://127.0.0.1:PORT` do, too.
    #[validate(length(max = 2048, message = "must be at most 2048 bytes long"))]
    #[schema(value_type = String, required, format = "uri", pattern = "^https?://", max_length = 2048, example = "https://updates.push.services.mozilla.com/wpush/v2/example")]
    endpoint: Field<String>,
    /// The browser's keys.
    #[schema(value_type = KeysBody, required)]
    keys: Field<Object<KeysBody>>,
    /// What `vapid-key` gave when the browser subscribed: its `applicationServerKey`. Where absent, the endpoint's earlier one or,
    /// for a new endpoint, what `vapid-key` gives now. Send it, since that may have changed in between.
    #[schema(value_type = Option<String>, pattern = "^B[A-Za-z0-9_-]{86}=?$")]
    application_server_key: Field<String>,
    /// The person's name for the browser.
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 1024, pattern = r"^[^\u0000]*$")]
    device_name: Field<String>,
    /// The browser's `User-Agent`; the request's own where absent or "".
    #[validate(length(max = 1024, message = "must be at most 1024 bytes long"))]
    #[schema(value_type = Option<String>, max_length = 1024, pattern = r"^[^\u0000]*$")]
    user_agent: Field<String>,
}

/// What messages to the browser are encrypted for (RFC 8291 §2).
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = OCoreSubscriptionKeys)]
pub(crate) struct KeysBody {
    /// base64url of the 65-byte uncompressed point on P-256.
    #[schema(value_type = String, required, pattern = "^B[A-P][A-Za-z0-9_-]{84}[AEIMQUYcgkosw048]=?$", example = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")]
    p256dh: Field<String>,
    /// base64url of 16 bytes.
    #[schema(value_type = String, required, pattern = "^[A-Za-z0-9_-]{21}[AQgw](==)?$", example = "BTBZMqHH6r4Tts7J_aSIgg")]
    auth: Field<String>,
}

/// Which browser to unsubscribe.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(default)]
#[schema(as = OCoreUnsubscribeRequest)]
pub(crate) struct UnsubscribeBody {
    /// The push service's URL for it.
    #[validate(length(max = 2048, message = "must be at most 2048 bytes long"))]
    #[schema(value_type = String, required, min_length = 1, max_length = 2048, pattern = r"^[^\u0000]*$", example = "https://updates.push.services.mozilla.com/wpush/v2/example")]
    endpoint: Field<String>,
}

/// A subscription, without its keys. What was not given is "".
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OCoreSubscription)]
pub(crate) struct SubscriptionAnswer {
    /// When the browser was first subscribed.
    created_at: Instant,
    /// The person's name for the browser, or "".
    device_name: String,
    /// The push service's URL for it.
    #[schema(format = "uri")]
    endpoint: String,
    /// What it is known by; the same after it is subscribed again.
    #[schema(format = "uuid")]
    id: String,
    /// When it was last subscribed.
    last_used_at: Instant,
    /// The browser's `User-Agent`, or "".
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
#[schema(as = OCoreVapidKey)]
pub(crate) struct VapidKeyAnswer {
    /// base64url, without padding, of the 65-byte uncompressed point on P-256.
    #[schema(pattern = "^[A-Za-z0-9_-]{87}$")]
    public_key: String,
}

/// Subscribe to push notifications.
///
/// Send what the browser's `PushSubscription.toJSON()` gives, with a name if there is one. Again with the
/// same endpoint it renews the subscription, which keeps its `id` and `createdAt`. It is bound to the
/// caller's session, and leaves any other user that held the endpoint. The keys never come back.
#[utoipa::path(post, path = "/push/subscribe", tag = "oCore", operation_id = "subscribeToPush",
    request_body(content = SubscribeBody, example = json!({"deviceName": "Laptop",
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/example",
        "keys": {"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"})),
    security(("bearer" = [])),
    responses(
        (status = 201, description = "Created, or renewed with the same id.", body = SubscriptionAnswer,
            example = json!({"createdAt": "2026-01-15T10:30:00.000Z", "deviceName": "Laptop",
                "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/example",
                "id": "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2", "lastUsedAt": "2026-01-15T10:30:00.000Z",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"})),
        (status = 400, description = "The endpoint, the keys or a text are wrong: `code` says which."),
        (status = 409, description = "This browser's device is revoked, or the user has as many devices as a user \
            may have."),
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
    let made_under = form.optional(
        "applicationServerKey",
        optional_text(body.application_server_key),
        |text| vapid::read_public(&text),
    );
    let device_name = form.optional("deviceName", optional_text(body.device_name), Text::parse);
    let user_agent = form.optional("userAgent", optional_text(body.user_agent), Text::parse);
    let (Some(endpoint), Some(keys), true) = (endpoint, keys, form.is_good()) else {
        return Err(form.failure());
    };
    let user_agent = user_agent.or_else(|| client::user_agent_of(&call.request));
    let command = Subscribe {
        endpoint,
        keys,
        made_under,
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
        Err(errors) => {
            for error in errors {
                let name = match error {
                    KeysError::P256dh => "keys.p256dh",
                    KeysError::Auth => "keys.auth",
                };
                form.refuse(name, error);
            }
            None
        }
    }
}

/// Unsubscribe from push notifications.
///
/// Removes the caller's subscription of this endpoint. Also 204 where there was none, so that it can be
/// repeated.
#[utoipa::path(delete, path = "/push/subscribe", tag = "oCore", operation_id = "unsubscribeFromPush",
    request_body(content = UnsubscribeBody,
        example = json!({"endpoint": "https://updates.push.services.mozilla.com/wpush/v2/example"})),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The caller has no such subscription now."),
        (status = 400, description = "The body or the endpoint's form is wrong."),
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
///
/// The caller's browsers that can be rung, newest first.
#[utoipa::path(get, path = "/push/subscriptions", tag = "oCore", operation_id = "listSubscriptions",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller's subscriptions, newest first.",
        body = [SubscriptionAnswer], example = json!([{"createdAt": "2026-01-15T10:30:00.000Z", "deviceName": "Laptop",
                "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/example",
                "id": "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2", "lastUsedAt": "2026-01-15T10:30:00.000Z",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}]))))]
pub(crate) async fn list(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let subscriptions = call.api.doorbell.subscriptions(caller).await?;
    let answers: Vec<SubscriptionAnswer> = subscriptions.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(answers))
}

/// Get the VAPID public key.
///
/// For `applicationServerKey` of the browser's `PushManager.subscribe()` (RFC 8292 §3.2).
#[utoipa::path(get, path = "/push/vapid-key", tag = "oCore", operation_id = "getVapidKey",
    security(("bearer" = [])),
    responses((status = 200, description = "The key to subscribe with.", body = VapidKeyAnswer, example = json!(
        {"publicKey": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"}))))]
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
