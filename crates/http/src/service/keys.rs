//! The public keys.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::ToSchema;

use crate::call::Call;
use crate::openapi::vocabulary::{ed25519, eddsa, octet_key_pair, signatures};
use crate::routing::Answer;

/// A JSON Web Key Set (RFC 7517 §5).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the port `PublishedKeys` gives as text")]
struct JsonWebKeySet {
    /// Every key that may have signed a token which is still good, and the one that will sign next.
    keys: Vec<JsonWebKey>,
}

/// The public half of a key that signs access tokens (RFC 8037 §2).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the port `PublishedKeys` gives as text")]
struct JsonWebKey {
    /// Always `OKP`.
    #[schema(schema_with = octet_key_pair)]
    kty: String,
    /// Always `Ed25519`.
    #[schema(schema_with = ed25519)]
    crv: String,
    /// Always `EdDSA`.
    #[schema(schema_with = eddsa)]
    alg: String,
    /// Always `sig`.
    #[schema(rename = "use", schema_with = signatures)]
    usage: String,
    /// What an access token's header names it by.
    kid: String,
    /// base64url of the 32-byte public key.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    x: String,
}

/// Get the public keys that sign access tokens.
///
/// A JWK set (RFC 7517 §5) by which other services verify access tokens on their own. May be cached for five
/// minutes.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Service", operation_id = "getJwks",
    responses((status = 200, description = "The keys.", body = JsonWebKeySet, example = json!({"keys": [{"kty": "OKP",
        "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "example",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}))))]
pub(super) async fn jwks(call: &mut Call) -> Answer {
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(call.api.keys.jwks(call.api.doorbell.now())))
}
