//! What operations have in common, and so none of them says: the warning before a change, headers, and the errors that
//! any request may meet.

use utoipa::openapi::path::Operation as Described;
use utoipa::openapi::{HttpMethod, RefOr, Response};

use super::{failures, headers};
use crate::dialect::Dialect;
use crate::routing::{Operation, Schemas};

const WARNING: &str = "**Production warning:** this operation changes data or may trigger operations. With the Production \
    server picked in the playground, real production data is affected; use the Development server for tests.";

/// The operation with all that it does not say itself.
pub(super) fn complete(operation: &Operation, schemas: &mut Schemas) -> Described {
    let dialect = Dialect::of(&operation.path);
    let mut described = (operation.describe)(schemas);
    if let (Some(id), Some(summary), true) = (
        &mut described.operation_id,
        &mut described.summary,
        !operation.place.is_empty(),
    ) {
        *summary = format!("{} (under `/api`).", summary.trim_end_matches('.'));
        id.push_str(operation.place);
    }
    if operation.method != HttpMethod::Get {
        let description = described.description.get_or_insert_default();
        *description = format!("{WARNING}\n\n{description}");
    }
    // Said aloud where nobody need be signed in, so that no reader takes it for forgotten.
    described.security.get_or_insert_default();
    for (status, description) in common_errors(&described, dialect) {
        described
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| Response::new(description).into());
    }
    for (status, response) in &mut described.responses.responses {
        let RefOr::T(response) = response else { continue };
        let status = status.parse().unwrap_or(500);
        if status >= 400 && response.content.is_empty() {
            failures::fill(response, status, dialect, schemas);
        }
        headers::name(response, status, dialect);
    }
    described
}

/// The errors that an operation need not name: every one that signs in, reads a body, or asks the database has them.
fn common_errors(described: &Described, dialect: Dialect) -> Vec<(&'static str, &'static str)> {
    let failed = (
        "500",
        "The server failed; the fault is in its log under `X-Request-Id`.",
    );
    let signed_in = described
        .security
        .as_ref()
        .is_some_and(|needed| !needed.is_empty());
    if described.tags.as_deref() == Some(&["Service".to_owned()]) && !signed_in {
        return vec![failed];
    }
    let mut errors = vec![
        failed,
        (
            "503",
            "The database cannot be reached, and normally nothing was done. Try again after `Retry-After` seconds.",
        ),
    ];
    if signed_in {
        errors.push((
            "401",
            "Not signed in: the access token is missing, wrong, expired, or of a session that has ended.",
        ));
    }
    if described.request_body.is_some() {
        errors.push(("408", "The body did not arrive within 10 seconds."));
        errors.push(("413", "The body is larger than 64 KiB."));
        if dialect == Dialect::Problem {
            errors.push(("415", "The content type is not `application/json`."));
        }
    }
    errors
}
