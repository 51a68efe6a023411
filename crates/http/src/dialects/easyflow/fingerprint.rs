//! Who speaks, and from which installation.

use doorbell_domain::Caller;
use doorbell_domain::text::Fingerprint;

use crate::call::{Call, single};
use crate::failure::Failure;

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
