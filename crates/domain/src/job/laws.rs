//! What holds of every job, whatever happens to it.

use proptest::prelude::*;

use super::*;
use crate::job::settlement::{Answer, settle};

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn new() -> Schedule {
    Schedule {
        due_at: at(0),
        claimed: false,
        fence: Fence(0),
        failures: 0,
        receives: 0,
    }
}

#[test]
fn a_claim_holds_until_its_lease_ends_and_a_late_worker_changes_nothing() {
    let first = new().claimed(at(0), LEASE).expect("due");
    assert_eq!(
        (first.fence, first.receives, first.state()),
        (Fence(1), 1, State::Sending)
    );
    assert_eq!(first.claimed(at(59_999_999), LEASE), None);
    let second = first.claimed(at(60_000_000), LEASE).expect("its lease ran out");
    assert_eq!((second.fence, second.receives), (Fence(2), 2));
    assert_eq!(second.postponed(Fence(1), at(0)), None);
    let later = second.postponed(Fence(2), at(90_000_000)).expect("the latest");
    assert_eq!(
        (later.receives, later.failures, later.state()),
        (0, 1, State::Retrying)
    );
}

#[test]
fn waits_double_from_two_seconds_to_a_quarter_of_an_hour() {
    let longest: Vec<i64> = (0..11).map(|n| BACKOFF.wait(n, 0).whole_seconds()).collect();
    assert_eq!(longest, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    assert!(pause(0) >= Duration::minutes(1) && pause(u32::MAX) == BACKOFF.longest);
}

#[test]
fn a_job_whose_provider_does_not_believe_us_waits_and_nobody_is_held_for_dead() {
    let settled = settle(Answer::Misconfigured, &new(), at(i64::MAX), None, at(0), 0);
    let fate = Fate::Again {
        due_at: at(0) + pause(0),
        reason: Reason::Misconfigured,
    };
    assert_eq!((settled.fate, settled.credential), (fate, CredentialFate::Keep));
}

#[test]
fn every_name_is_its_own() {
    let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Reason::ALL.len());
    assert!(
        Reason::ALL
            .iter()
            .all(|reason| Reason::from_name(reason.name()) == Some(*reason))
    );
    assert!(
        FinalState::ALL
            .iter()
            .all(|end| FinalState::from_name(end.name()) == Some(*end))
    );
}

proptest! {
    /// A worker that never comes back is not waited for for ever, and one that comes back late changes nothing.
    #[test]
    fn a_job_that_nobody_comes_back_from_is_set_aside(pauses in prop::collection::vec(0_i64..200_000_000, 1..60)) {
        let (mut job, mut now, mut claims) = (new(), at(0), 0);
        for pause in pauses {
            now = now + Duration::microseconds(pause);
            if let Some(claimed) = job.claimed(now, LEASE) {
                claims += 1;
                prop_assert!(claimed.fence > job.fence && claimed.due_at == now + LEASE);
                job = claimed;
                prop_assert_eq!(job.receives > MOST_RECEIVES, claims > MOST_RECEIVES);
            }
        }
    }

    #[test]
    fn no_attempt_comes_before_it_was_asked_for_or_after_the_messages_time(
        failures in 0_u32..40,
        asked in prop::option::of(0_i64..10_000),
        life in 0_i64..100_000,
        roll in any::<u16>(),
    ) {
        let (now, expires_at) = (at(7), at(7) + Duration::seconds(life));
        let schedule = Schedule { failures, ..new() };
        let answer = Answer::Failed { reason: Reason::ProviderFailed, retry_after: asked.map(Duration::seconds) };
        match settle(answer, &schedule, expires_at, None, now, roll).fate {
            Fate::Again { due_at, .. } => {
                let asked = Duration::seconds(asked.unwrap_or(0)).min(LONGEST_ASKED);
                prop_assert!(due_at > now && due_at < expires_at && due_at >= now + asked);
            }
            Fate::Over(end, _) => prop_assert_eq!(end, FinalState::Expired),
        }
    }
}
