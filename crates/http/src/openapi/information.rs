//! What the document says of the service as a whole, and of each dialect.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::server::{ServerBuilder, ServerVariableBuilder};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Contact, Info, InfoBuilder, LicenseBuilder, Server, Tag};

const DESCRIPTION: &str = "Phone sign-in and push delivery: who is at which device, which token rings it, and ringing it. \
One registry behind four public API dialects; a device that one dialect registers is there in the others, under the \
same id.

**Sign in** with `sendOtp` and `verifyOtp`. One access token serves every dialect: as `Authorization: Bearer` for \
Allmine, easyflow and oCore, as `X-Auth-Token` with the user's id as `X-User-Id` for Rocket.Chat. Back ends **ring** with `sendMessage`, by an API key.

**Requests** are JSON in UTF-8, at most 64 KiB; fields that are not listed are ignored, and lengths are bytes of UTF-8. \
**Instants** are ISO 8601 in UTC with three decimals. **Ids** are UUIDs (version 7), the same in every dialect.

What takes GET takes HEAD.

**Errors** leave in the dialect of their path. An unknown path is 404, another method of a known path 405 with `Allow`; \
then comes who asks, then the body's size and form, then what it means. Every answer carries `X-Request-Id` (a request's own, \
where it is 1 to 128 letters, digits, dots, hyphens and underscores), `X-Content-Type-Options: nosniff` and `Cache-Control`: `no-store` but for keys, this document and the playground. Pages of other origins \
may call where the server lists their origin.

**A token or endpoint has one owner.** When another user registers it, it leaves the first one in the same moment. When a \
session ends, what was registered under it falls silent, until its user signs in and registers again.";

pub(super) fn info() -> Info {
    InfoBuilder::new()
        .title("Doorbell")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .contact(Some({
            let mut contact = Contact::new();
            contact.name = Some("The Doorbell authors".to_owned());
            contact.url = Some("https://doorbell.example.com".to_owned());
            contact.email = Some("doorbell@example.com".to_owned());
            contact
        }))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ))
        .build()
}

pub(super) fn servers() -> Vec<Server> {
    let host = ServerVariableBuilder::new()
        .default_value("doorbell.example.com")
        .description(Some("Where your own servers are reached."));
    vec![
        ServerBuilder::new()
            .url("http://127.0.0.1:8080")
            .description(Some("Development"))
            .build(),
        ServerBuilder::new()
            .url("https://{host}")
            .description(Some("Production"))
            .parameter("host", host)
            .build(),
    ]
}

pub(super) fn tags() -> Vec<Tag> {
    let tag = |name: &str, description: &str| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    };
    vec![
        tag(
            "Allmine",
            "Sign-in, sessions, the account and its devices' tokens, under `/api/v1`. \
            `Authorization: Bearer` with the access token. Errors come in an envelope, `{isSuccess, statusCode, data, \
            errors, timestamp}`, and so do the successes that show it; with 400 `errors[0]` is `Validation failed`, and each \
            error after it names a field and its rule, never the value.",
        ),
        tag(
            "Rocket.Chat",
            "Push tokens as Rocket.Chat's mobile applications register them, under `/api/v1/push.*`. \
            `X-Auth-Token` with the access token and `X-User-Id` with its user's id, both; `Authorization` is not read. \
            A bad parameter is named by a code, at the end of `error` and again in `errorType`; one at a time. A body that is \
            no JSON is taken for an empty one, whatever its content type.",
        ),
        tag(
            "easyflow",
            "Devices and their tokens, under `/notifications/devices`. `Authorization: Bearer` with the access \
            token, and the header `x-fingerprint-id`: the first one that a session shows is pinned to it, and another is \
            403. Successes are `{statusCode, data}`; errors are `{message, error, statusCode}`, and with 400 the message \
            names the bad parameters. A device that is not the caller's is 400, too.",
        ),
        tag(
            "oCore",
            "Web Push subscriptions, under `/push` and the same under `/api/push`. `Authorization: Bearer` with the \
            access token. Bodies are bare; errors are problem details (RFC 9457) with a `code` to branch on.",
        ),
        tag(
            "Messages",
            "Ringing devices, and seeing what became of it, under `/v1`: for back ends. `Authorization: Bearer` with an API key, which \
            `doorbell apikey create NAME` prints once; an access token opens nothing here, nor an API key anything else. Whoever holds a \
            key may ring everybody and read everybody's trail. Bodies are bare; errors are problem details (RFC 9457) with a `code` to \
            branch on. Lists are paged by the last id of the page before.",
        ),
        tag(
            "Service",
            "Doorbell's own operations: its health, its public keys, its document. Nobody need be signed in, but to ring \
            by the demo. Errors are problem details (RFC 9457).",
        ),
    ]
}

pub(super) fn security_schemes() -> Vec<(&'static str, SecurityScheme)> {
    let header = |name: &str, description: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)))
    };
    vec![
        (
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("JWT")
                    .description(Some(
                        "The `accessToken` of verify-otp or refresh, without the Bearer prefix.",
                    ))
                    .build(),
            ),
        ),
        (
            "apiKey",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("dbk_…")
                    .description(Some(
                        "An API key, as `doorbell apikey create NAME` prints it once (`dbk_` and 43 characters), without the Bearer \
                        prefix. It never expires; `doorbell apikey revoke NAME` ends it at once.",
                    ))
                    .build(),
            ),
        ),
        (
            "authToken",
            header("X-Auth-Token", "The `accessToken` of verify-otp or refresh."),
        ),
        (
            "userId",
            header(
                "X-User-Id",
                "The id of the token's user: `userId` of validate-token, `sub` of the token.",
            ),
        ),
    ]
}
