//! Who speaks, and from which installation.

use doorbell_domain::Caller;
use doorbell_domain::text::Fingerprint;

use crate::call::{Call, single};
use crate::failure::Failure;

/// The header that says which installation speaks.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header in the document")]
pub(crate) struct FingerprintHeader {
    /// Which installation speaks. The first one that a session shows is pinned to it, over refreshes too.
    #[param(
        rename = "x-fingerprint-id",
        min_length = 1,
        max_length = 256,
        example = "fp-4421"
    )]
    fingerprint: String,
}

const HEADER: &str = "x-fingerprint-id";

/// Authenticates the caller and reads the fingerprint, in this order. Both are kept on the call, so that a
/// session that is over, and a fingerprint that is not its own, outrank what is wrong with the body.
pub(crate) fn enter(call: &mut Call) -> Result<(Caller, Fingerprint), Failure> {
    let caller = call.bearer()?;
    let shown = single(call.request.headers(), HEADER)
        .ok_or_else(|| Failure::field(HEADER, "is required once, in UTF-8"))?;
    let fingerprint = Fingerprint::parse(shown).map_err(|rule| Failure::field(HEADER, rule))?;
    call.seen = Some((caller, Some(fingerprint.clone())));
    Ok((caller, fingerprint))
}
