//! What a sign-in's answer is counted as.

use doorbell_application::{CodeRequested, RequestCodeError, SignedIn, VerifyCodeError};
use doorbell_domain::code::CodeRefusal;
use doorbell_domain::watch::{CodeOutcome, GuessOutcome};

/// What became of a code that was asked for.
pub(crate) fn of_code(requested: &Result<CodeRequested, RequestCodeError>) -> CodeOutcome {
    match requested {
        Ok(_) => CodeOutcome::Accepted,
        Err(RequestCodeError::TooMany(_)) => CodeOutcome::Limited,
        Err(RequestCodeError::NotServed) => CodeOutcome::Refused,
        Err(RequestCodeError::Store(_)) => CodeOutcome::Failed,
    }
}

/// What became of a guess; `None` where the server failed before it could tell, which is counted among the requests.
pub(crate) fn of_guess(verified: &Result<SignedIn, VerifyCodeError>) -> Option<GuessOutcome> {
    match verified {
        Ok(_) => Some(GuessOutcome::Right),
        Err(VerifyCodeError::Refused(CodeRefusal::Wrong)) => Some(GuessOutcome::Wrong),
        Err(VerifyCodeError::Refused(CodeRefusal::Absent)) => Some(GuessOutcome::Absent),
        Err(VerifyCodeError::Refused(CodeRefusal::Used)) => Some(GuessOutcome::Used),
        Err(VerifyCodeError::Refused(CodeRefusal::Spent)) => Some(GuessOutcome::Spent),
        Err(VerifyCodeError::TooMany(_)) => Some(GuessOutcome::Limited),
        Err(VerifyCodeError::Key(_) | VerifyCodeError::Store(_)) => None,
    }
}
