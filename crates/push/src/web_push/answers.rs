//! What a push service's answer means.

use doorbell_domain::job::{Answer, Reason};
use doorbell_outward::{Answered, Unanswered};

/// The outcome of an attempt (RFC 8030 §5, §7.3, §8.4; RFC 8292 §4.2; what services document beside them).
pub(crate) fn judge(answered: Result<Answered, Unanswered>) -> Answer {
    let (status, retry_after) = match answered {
        Ok(Answered { status, retry_after }) => (status, retry_after),
        Err(Unanswered::TooSlow) => return failed(Reason::TooSlow),
        Err(Unanswered::Unreachable) => return failed(Reason::Unreachable),
        Err(Unanswered::Forbidden) => return Answer::Refused(Reason::ForbiddenAddress),
        Err(Unanswered::Impossible) => return Answer::Refused(Reason::Refused),
    };
    let again = |reason| Answer::Failed { reason, retry_after };
    match status {
        200..=299 => Answer::Accepted,
        404 | 410 => Answer::Gone,
        413 => Answer::Refused(Reason::TooLarge),
        // The request or its signature: ours to mend, and no fault of the subscription.
        400 | 401 | 403 => Answer::Misconfigured,
        // The Windows service says 406 where others say 429.
        406 | 429 => again(Reason::Throttled),
        408 => again(Reason::TooSlow),
        425 | 500..=599 => again(Reason::ProviderFailed),
        // Redirects too: nobody who was not looked at is sent to.
        _ => Answer::Refused(Reason::Refused),
    }
}

fn failed(reason: Reason) -> Answer {
    Answer::Failed {
        reason,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::Duration;

    use super::*;

    const WAIT: Option<Duration> = Some(Duration::seconds(120));

    fn judged(status: u16) -> Answer {
        judge(Ok(Answered {
            status,
            retry_after: WAIT,
        }))
    }

    #[test]
    fn a_status_decides() {
        let again = |reason| Answer::Failed {
            reason,
            retry_after: WAIT,
        };
        for (statuses, answer) in [
            (&[200, 201, 202, 204][..], Answer::Accepted),
            (&[404, 410], Answer::Gone),
            (&[413], Answer::Refused(Reason::TooLarge)),
            (&[400, 401, 403], Answer::Misconfigured),
            (&[406, 429], again(Reason::Throttled)),
            (&[408], again(Reason::TooSlow)),
            (&[425, 500, 502, 503, 504, 599], again(Reason::ProviderFailed)),
            (
                &[300, 301, 302, 303, 307, 308, 405, 411, 415, 422, 451],
                Answer::Refused(Reason::Refused),
            ),
        ] {
            for status in statuses {
                assert_eq!(judged(*status), answer, "{status}");
            }
        }
    }

    #[test]
    fn no_answer_is_a_failure_unless_it_can_never_come() {
        for (unanswered, answer) in [
            (Unanswered::TooSlow, failed(Reason::TooSlow)),
            (Unanswered::Unreachable, failed(Reason::Unreachable)),
            (Unanswered::Forbidden, Answer::Refused(Reason::ForbiddenAddress)),
            (Unanswered::Impossible, Answer::Refused(Reason::Refused)),
        ] {
            assert_eq!(judge(Err(unanswered)), answer);
        }
    }

    proptest! {
        /// Whatever a push service says, a subscription goes for 404 and 410 alone.
        #[test]
        fn nothing_else_says_that_a_subscription_is_gone(status in any::<u16>()) {
            prop_assert_eq!(judged(status) == Answer::Gone, status == 404 || status == 410);
        }
    }
}
