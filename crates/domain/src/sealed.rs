//! Which columns hold sealed values, and where one such value lies.

use uuid::Uuid;

/// A column whose values are sealed. Whoever moves all of them to another secret goes by this list, so every such column is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedColumn {
    /// The private halves of the key pairs that servers share.
    Keys,
    /// Push tokens' values.
    PushTokens,
    /// Subscriptions' endpoints.
    SubscriptionEndpoints,
    /// Subscriptions' `p256dh` and `auth`.
    SubscriptionKeys,
    /// One-time codes that no sender has taken yet.
    CodeOutbox,
    /// What messages say.
    Messages,
}

impl SealedColumn {
    /// All of them. The keys come first: without them no server starts.
    pub const ALL: [Self; 6] = [
        Self::Keys,
        Self::PushTokens,
        Self::SubscriptionEndpoints,
        Self::SubscriptionKeys,
        Self::CodeOutbox,
        Self::Messages,
    ];

    /// The table and the column. What was sealed is bound to this name, so changing one orphans all that lies there.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys.sealed",
            Self::PushTokens => "push_tokens.sealed",
            Self::SubscriptionEndpoints => "subscriptions.sealed_endpoint",
            Self::SubscriptionKeys => "subscriptions.sealed_keys",
            Self::CodeOutbox => "code_outbox.sealed",
            Self::Messages => "messages.sealed",
        }
    }
}

/// Where a sealed value lies. It opens there and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedPlace {
    /// Its column.
    pub column: SealedColumn,
    /// Its row.
    pub row: Uuid,
}

impl SealedPlace {
    /// What a value at this place is bound to: the column's name, a zero octet, and the row's 16 octets. No two places
    /// have the same.
    pub fn binding(&self) -> Vec<u8> {
        [self.column.name().as_bytes(), &[0], self.row.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_places_are_bound_alike() {
        let mut bindings: Vec<_> = SealedColumn::ALL
            .into_iter()
            .flat_map(|column| [0, 1, u128::MAX].map(|row| (column, Uuid::from_u128(row))))
            .map(|(column, row)| SealedPlace { column, row }.binding())
            .collect();
        let count = bindings.len();
        bindings.sort_unstable();
        bindings.dedup();
        assert_eq!(bindings.len(), count);
    }
}
