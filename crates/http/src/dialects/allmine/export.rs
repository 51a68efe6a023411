//! Everything that is held about the caller.

mod answer;
mod example;

use answer::ExportAnswer;

use super::envelope::{Envelope, wrapped};
use crate::call::Call;
use crate::instant::Instant;
use crate::routing::Answer;

/// Get everything that is held about the caller.
///
/// The account, sessions, devices, push tokens, subscriptions, one-time codes and events, all as they were at `exportedAt`: to
/// be kept by the person, or to be looked through. It holds no secret: no value of a token, no endpoint beyond its push
/// service, no key and no code. Of sessions, push tokens, codes and events the newest 10,000 each; `hasMore` says where there
/// are older ones.
#[utoipa::path(get, path = "/api/v1/users/me/export", tag = "Allmine", operation_id = "exportAccount",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Everything that is held.", body = Envelope<ExportAnswer>, example = json!(example::export())),
    ))]
pub(crate) async fn export(call: &mut Call) -> Answer {
    let caller = call.bearer()?;
    let export = call.api.doorbell.export(caller).await?;
    let answer = ExportAnswer::of(export, caller.session, Instant(call.api.doorbell.now()));
    Ok(wrapped(call, answer))
}
