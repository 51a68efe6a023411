//! Registrations as the combiner sees them.

use std::slice;

use doorbell_domain::UserId;
use doorbell_domain::address::Address;
use doorbell_domain::registration::{Registered, Registration, Wants};
use doorbell_domain::store::RegisterError;

use super::{Combiner, Write};

/// What a registration may change: its user with all that is theirs, and what it may take from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Touched {
    /// The user.
    User(UserId),
    /// An address, whoever holds it now.
    Address(Address),
}

impl Write for Registration {
    type Key = Touched;
    type Answer = Result<Registered, RegisterError>;

    fn keys(&self) -> Vec<Touched> {
        let wants = Wants::of(slice::from_ref(self));
        let users = wants.users.into_iter().map(Touched::User);
        users
            .chain(wants.addresses.into_keys().map(Touched::Address))
            .collect()
    }
}

impl Combiner<Registration> {
    /// Registers what came alone, in the form of a batch's answer.
    pub async fn register(&self, alone: Registration) -> Vec<Result<Registered, RegisterError>> {
        let written = self.write(alone).await;
        vec![written.unwrap_or_else(|error| Err(RegisterError::Store(error)))]
    }
}
