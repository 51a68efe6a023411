//! What can go wrong with a statement, and what to do about it.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use doorbell_domain::store::{Conflict, StoreError};

/// Whether the same work may succeed when it is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It cannot.
    Never,
    /// It may, if this was a deadlock told in a language that this program does not read.
    Once,
    /// The database asks for it, or a row changed under us.
    Often,
}

/// A failure of one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What the store's caller is told.
    pub(crate) error: StoreError,
    /// Whether to do the transaction again first.
    pub(crate) again: Again,
    /// Whether the connection is of no more use.
    pub(crate) lost: bool,
}

impl Trouble {
    fn unavailable(why: &str, again: Again) -> Self {
        Self {
            error: StoreError::Unavailable(why.to_owned()),
            again,
            lost: false,
        }
    }

    fn lost(why: &str) -> Self {
        Self {
            lost: true,
            ..Self::unavailable(why, Again::Often)
        }
    }

    /// What was to be there has gone since it was looked for.
    pub(crate) fn raced(why: &str) -> Self {
        Self::unavailable(why, Again::Often)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            again: Again::Never,
            lost: false,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(kind, information) => of_database(kind, information.as_ref()),
            Error::BrokenTransactionManager => Self::lost("the connection failed in a transaction"),
            // These speak of the program's own types, never of values.
            Error::DeserializationError(why) | Error::SerializationError(why) => {
                StoreError::Failed(format!("a value does not fit its column: {why}")).into()
            }
            other => StoreError::Failed(other.to_string()).into(),
        }
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
}

fn of_database(kind: DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> Trouble {
    match kind {
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            Trouble::lost("the connection was lost")
        }
        DatabaseErrorKind::SerializationFailure => {
            Trouble::unavailable("the transaction could not be put in order", Again::Often)
        }
        DatabaseErrorKind::ReadOnlyTransaction => {
            Trouble::unavailable("the database is read-only", Again::Never)
        }
        DatabaseErrorKind::UniqueViolation if information.constraint_name() == Some("users_username") => {
            StoreError::Conflict(Conflict::Username).into()
        }
        // A row that was looked for has come or gone since.
        DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ForeignKeyViolation => Trouble {
            again: Again::Often,
            ..StoreError::Failed(violated(information)).into()
        },
        DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => StoreError::Failed(violated(information)).into(),
        _ => of_message(information.message()),
    }
}

fn violated(information: &dyn DatabaseErrorInformation) -> String {
    let table = information.table_name().unwrap_or("a table");
    let what = information
        .constraint_name()
        .or_else(|| information.column_name());
    format!("{table} refuses the row: {}", what.unwrap_or("a constraint"))
}

/// Diesel gives no SQLSTATE beyond the kinds above, so the rest is known by its words: those of `lc_messages`
/// = C, which every connection asks for.
fn of_message(message: &str) -> Trouble {
    let says = |words: &str| message.contains(words);
    if says("deadlock detected") {
        return Trouble::unavailable("deadlock", Again::Often);
    }
    if says("cached plan must not change result type") {
        // Another server has migrated; a new connection prepares anew.
        return Trouble::lost("the schema changed under a prepared statement");
    }
    let unavailable = [
        ("lock timeout", "a lock was not given in time"),
        ("statement timeout", "a statement took too long"),
        ("canceling statement", "a statement was cancelled"),
        ("the database system is", "the database is starting or stopping"),
        ("No space left on device", "the disk is full"),
        ("could not extend file", "the disk is full"),
        ("could not write", "the database cannot write"),
        ("out of memory", "the database is out of memory"),
        ("out of shared memory", "the database is out of memory"),
    ];
    match unavailable.into_iter().find(|(words, _)| says(words)) {
        Some((_, why)) => Trouble::unavailable(why, Again::Never),
        // Parameters travel apart from the text, and the server quotes them only in a message's detail,
        // which is left out.
        None => Trouble {
            again: Again::Once,
            ..StoreError::Failed(message.to_owned()).into()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> Trouble {
        Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into()
    }

    #[test]
    fn what_the_database_asks_to_do_again_is_done_again() {
        assert_eq!(told("deadlock detected").again, Again::Often);
        let refused = DatabaseErrorKind::SerializationFailure;
        let trouble: Trouble = Error::DatabaseError(refused, Box::new(String::new())).into();
        assert_eq!(trouble.again, Again::Often);
        assert!(matches!(trouble.error, StoreError::Unavailable(_)));
    }

    #[test]
    fn a_database_that_cannot_serve_now_is_unavailable() {
        for message in [
            "canceling statement due to lock timeout",
            "canceling statement due to statement timeout",
            "could not extend file \"base/1/2\": No space left on device",
            "the database system is shutting down",
        ] {
            assert!(
                matches!(told(message).error, StoreError::Unavailable(_)),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_tried_once_more_and_then_a_failure() {
        let trouble = told("Verklemmung entdeckt");
        assert_eq!(trouble.again, Again::Once);
        assert!(matches!(trouble.error, StoreError::Failed(_)));
    }
}
