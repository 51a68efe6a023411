//! What every answer carries, whoever made it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use doorbell_domain::FreshIds;
use tracing::Instrument;

use crate::api::Api;
use crate::call::single;
use crate::protection::protect;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps every request: gives it an id and a span, and sets the headers that every answer carries.
pub async fn dress<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    let api = request.app_data::<web::Data<Api>>().cloned();
    let origin = api.as_ref().and_then(|api| api.cors.listed(request.headers()));
    let span = tracing::info_span!("request", id = %id, method = %request.method());
    // Handlers answer for their own failures and panics; the extractors they use cannot fail.
    let mut response = next
        .call(request)
        .instrument(span.clone())
        .await?
        .map_into_boxed_body();
    let status = response.status().as_u16();
    let _entered = span.enter();
    tracing::debug!(status, "answered");
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(X_REQUEST_ID, value);
    }
    protect(headers, api.as_ref().is_some_and(|api| api.strict_transport));
    if let Some(api) = api {
        api.cors.tell(origin, headers);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// The client's own id where it is safe to repeat, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let theirs = single(request.headers(), X_REQUEST_ID.as_str()).filter(|id| is_safe(id));
    theirs.map_or_else(
        || match request.app_data::<web::Data<Api>>() {
            Some(api) => FreshIds::draw(api.doorbell.now(), api.entropy.as_ref())
                .take()
                .to_string(),
            None => String::from("none"),
        },
        ToOwned::to_owned,
    )
}

fn is_safe(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&id.len()) && id.bytes().all(allowed)
}
