//! What SQLite's errors mean to the domain.

use diesel::result::{DatabaseErrorKind, Error};
use doorbell_domain::store::{Conflict, Found, StoreError};

/// Names the table that a statement was about, should it fail.
pub(crate) trait Around<T> {
    /// The value, or what the error means.
    fn around(self, table: &'static str) -> Found<T>;
}

impl<T> Around<T> for Result<T, Error> {
    fn around(self, table: &'static str) -> Found<T> {
        self.map_err(|error| trouble(table, error))
    }
}

/// What an error of a statement about `table` means.
pub(crate) fn trouble(table: &'static str, error: Error) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.message() == "UNIQUE constraint failed: users.username_key" =>
        {
            StoreError::Conflict(Conflict::Username)
        }
        Error::DatabaseError(_, info) => of_message(table, info.message()),
        // It names the column and what is wrong with it, never what it holds.
        Error::DeserializationError(error) => StoreError::Inconsistent {
            table,
            detail: error.to_string(),
        },
        other => StoreError::Failed(format!("{table}: {other}")),
    }
}

/// What SQLite's message means. Diesel gives no error code for these.
pub(crate) fn of_message(what: &str, message: &str) -> StoreError {
    // What can pass: SQLITE_BUSY, _LOCKED, _READONLY, _FULL, _IOERR, _CANTOPEN, in the words of `sqlite3_errstr`.
    const PASSING: [&str; 6] = [
        "database is locked",
        "database table is locked",
        "readonly database",
        "disk is full",
        "disk I/O error",
        "unable to open database",
    ];
    if PASSING.iter().any(|passing| message.contains(passing)) {
        StoreError::Unavailable(message.to_owned())
    } else {
        StoreError::Failed(format!("{what}: {message}"))
    }
}

/// Whether a message says that another connection is in the way.
pub(crate) fn is_lock(message: &str) -> bool {
    message.contains("is locked")
}

/// Why a transaction of Diesel's own was abandoned.
pub(crate) enum Abandoned {
    /// The work asked for it.
    Work(StoreError),
    /// The database did.
    Database(Error),
}

impl From<Error> for Abandoned {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<Abandoned> for StoreError {
    fn from(abandoned: Abandoned) -> Self {
        match abandoned {
            Abandoned::Work(error) => error,
            Abandoned::Database(error) => trouble("transaction", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_pass_is_unavailable_and_the_rest_is_not() {
        for message in [
            "database is locked",
            "attempt to write a readonly database",
            "database or disk is full",
            "disk I/O error",
            "unable to open database file",
        ] {
            let unavailable = StoreError::Unavailable(message.to_owned());
            assert_eq!(of_message("users", message), unavailable);
        }
        assert_eq!(
            of_message("users", "no such table: users"),
            StoreError::Failed("users: no such table: users".to_owned())
        );
    }

    #[test]
    fn only_the_user_name_is_a_clients_conflict() {
        let violation = |message: &str| {
            let message: Box<String> = Box::new(message.to_owned());
            trouble(
                "users",
                Error::DatabaseError(DatabaseErrorKind::UniqueViolation, message),
            )
        };
        assert_eq!(
            violation("UNIQUE constraint failed: users.username_key"),
            StoreError::Conflict(Conflict::Username)
        );
        assert!(matches!(
            violation("UNIQUE constraint failed: users.phone"),
            StoreError::Failed(_)
        ));
    }
}
