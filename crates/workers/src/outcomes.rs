//! How attempts to deliver what waits in an outbox are counted, and told in the log: by kind and id alone. Whoever caused it has been
//! answered long since.

use std::fmt::Display;

use doorbell_application::Delivered;
use doorbell_domain::store::StoreError;
use doorbell_domain::watch::DeliveryOutcome;

/// As which outcome it is counted.
pub(crate) const fn outcome_of(delivered: &Result<Delivered, StoreError>) -> DeliveryOutcome {
    match delivered {
        Ok(Delivered::Accepted) => DeliveryOutcome::Accepted,
        Ok(Delivered::Postponed(_)) => DeliveryOutcome::Again,
        Ok(Delivered::Refused(_)) => DeliveryOutcome::Refused,
        Ok(Delivered::TooLate(_)) => DeliveryOutcome::TooLate,
        Ok(Delivered::Unreadable(_)) => DeliveryOutcome::Unreadable,
        Ok(Delivered::Overtaken) => DeliveryOutcome::Overtaken,
        Err(_) => DeliveryOutcome::Unrecorded,
    }
}

/// Tells what became of a `code` or an `event`.
pub(crate) fn tell(what: &'static str, id: &impl Display, delivered: Result<Delivered, StoreError>) {
    match delivered {
        Ok(Delivered::Accepted) => tracing::debug!(what, %id, "it was taken"),
        Ok(Delivered::Postponed(failure)) => {
            tracing::warn!(what, %id, %failure, "nobody took it; it is tried again");
        }
        Ok(Delivered::Refused(failure)) => {
            tracing::error!(what, %id, %failure, "it was refused for good, and is given up");
        }
        Ok(Delivered::TooLate(failure)) => {
            tracing::error!(what, %id, %failure, "nobody took it for as long as it is worth anything, and it is given up");
        }
        Ok(Delivered::Unreadable(error)) => tracing::error!(what, %id, %error, "it cannot be read"),
        Ok(Delivered::Overtaken) => tracing::debug!(what, %id, "it was superseded, or claimed anew"),
        Err(error) => tracing::warn!(what, %id, %error, "what became of it could not be written down"),
    }
}
