//! The OpenAPI document as a resource.

use std::sync::OnceLock;

use super::asset::Asset;
use crate::call::Call;
use crate::failure::Failure;
use crate::routing::Answer;

static DOCUMENT: OnceLock<Option<Asset>> = OnceLock::new();

/// Get this document.
///
/// OpenAPI 3.1, for generators of clients and for the playground. The same bytes as `doorbell openapi` prints.
#[utoipa::path(get, path = "/openapi.json", tag = "Service", operation_id = "getOpenApi",
    responses(
        (status = 200, description = "This document.", body = Object, content_type = "application/json",
            example = json!({"openapi": "3.1.0", "info": {"title": "Doorbell"}, "paths": {}})),
        (status = 304, description = "It is the one that `If-None-Match` names."),
    ))]
pub(super) async fn openapi(call: &mut Call) -> Answer {
    let document = DOCUMENT.get_or_init(|| match crate::openapi() {
        Ok(text) => Some(Asset::new("application/json", text)),
        Err(error) => {
            tracing::error!(%error, "the document cannot be written");
            None
        }
    });
    let document = document.as_ref().ok_or(Failure::Internal)?;
    Ok(document.revalidated(&call.request))
}
