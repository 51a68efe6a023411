//! Deciding a batch: what to answer, and what to write.

use std::collections::{BTreeMap, BTreeSet};

use super::{Refusal, Registered, Registration, State};
use crate::address::Address;
use crate::audit::AuditEvent;
use crate::device::Device;
use crate::push_token::Token;
use crate::text::{DeviceId, Fingerprint};
use crate::web_push::Subscription;
use crate::{DeviceUid, SessionId, SubscriptionId, TimeZoneName, Timestamp, TokenId, UserId};

/// What a batch came to.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The answers, in the order of the batch.
    pub answers: Vec<Result<Registered, Refusal>>,
    /// What to write, all of it in the batch's transaction.
    pub writes: Writes,
}

/// An address that changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressClaim {
    /// Which.
    pub address: Address,
    /// Its new owner.
    pub owner: UserId,
    /// When it moved.
    pub at: Timestamp,
}

/// What a registration leaves on its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTouch {
    /// Which session.
    pub session: SessionId,
    /// The device that last registered under it.
    pub device_id: Option<DeviceId>,
    /// Its pinned fingerprint.
    pub fingerprint: Option<Fingerprint>,
}

/// The difference that a batch makes, set-wise, to be applied in the order of the fields.
///
/// Removals name what was seen, so that a row which another transaction has changed since stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Token rows to remove, each only if it still has that address. A row that leaves its device for another, or whose
    /// address leaves its user, is removed here and written again below, so that no two rows ever contend for one place, nor
    /// two users for one address.
    pub removed_tokens: Vec<(TokenId, Address)>,
    /// Subscriptions to remove.
    pub removed_subscriptions: Vec<SubscriptionId>,
    /// Devices to remove, with whatever lies on them.
    pub removed_devices: Vec<DeviceUid>,
    /// Addresses whose owner's row must change.
    pub claims: Vec<AddressClaim>,
    /// Devices to write whole, by id; those new are unique by (user, `deviceId`).
    pub devices: Vec<Device>,
    /// Tokens to write whole, by id.
    pub tokens: Vec<Token>,
    /// Subscriptions to write whole, by id.
    pub subscriptions: Vec<Subscription>,
    /// Addresses that no row of this state has any more: remove each that no row in the database has,
    /// passing over those that another transaction holds.
    pub unused: Vec<Address>,
    /// Users' zones.
    pub zones: Vec<(UserId, TimeZoneName)>,
    /// Sessions' facts.
    pub sessions: Vec<SessionTouch>,
    /// Lines for the audit trail.
    pub audit: Vec<AuditEvent>,
}

/// Decides a batch in its order, and gives the difference that it makes.
///
/// The plan of a batch equals the fold of the plans of its parts.
pub fn plan(before: &State, batch: &[Registration]) -> Plan {
    let mut after = before.clone();
    let answers = batch
        .iter()
        .map(|registration| after.register(registration))
        .collect();
    Plan {
        answers,
        writes: Writes::between(before, after, batch),
    }
}

impl Writes {
    fn between(before: &State, after: State, batch: &[Registration]) -> Self {
        let at = batch.iter().map(|registration| registration.at).max();
        let in_use: BTreeSet<Address> = after
            .tokens
            .values()
            .map(Token::address)
            .chain(after.subscriptions.values().map(|s| s.endpoint.address()))
            .collect();
        let mut known: BTreeSet<Address> = after.owners.keys().copied().collect();
        known.extend(before.tokens.values().map(Token::address));
        Self {
            removed_tokens: before
                .tokens
                .values()
                .filter(|token| {
                    let stays = |kept: &Token| kept.device == token.device;
                    let owner = after.owners.get(&token.address());
                    !after.tokens.get(&token.id).is_some_and(stays)
                        || owner.is_some_and(|owner| *owner != token.user)
                })
                .map(|token| (token.id, token.address()))
                .collect(),
            removed_subscriptions: missing(&before.subscriptions, &after.subscriptions),
            removed_devices: missing(&before.devices, &after.devices),
            claims: after
                .owners
                .iter()
                .filter(|(address, owner)| before.owners.get(*address) != Some(*owner))
                .filter_map(|(address, owner)| {
                    Some(AddressClaim {
                        address: *address,
                        owner: *owner,
                        at: at?,
                    })
                })
                .collect(),
            unused: known.difference(&in_use).copied().collect(),
            zones: after
                .users
                .into_iter()
                .filter(|(id, user)| before.users.get(id).is_none_or(|b| b.timezone != user.timezone))
                .filter_map(|(id, user)| Some((id, user.timezone?)))
                .collect(),
            sessions: changed(&before.sessions, after.sessions)
                .into_iter()
                .map(|s| SessionTouch {
                    session: s.id,
                    device_id: s.device_id,
                    fingerprint: s.fingerprint,
                })
                .collect(),
            devices: changed(&before.devices, after.devices),
            tokens: changed(&before.tokens, after.tokens),
            subscriptions: changed(&before.subscriptions, after.subscriptions),
            audit: after.audit.into_iter().skip(before.audit.len()).collect(),
        }
    }
}

fn missing<K: Ord + Copy, V>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> Vec<K> {
    before
        .keys()
        .filter(|key| !after.contains_key(key))
        .copied()
        .collect()
}

fn changed<K: Ord, V: PartialEq>(before: &BTreeMap<K, V>, after: BTreeMap<K, V>) -> Vec<V> {
    after
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(_, value)| value)
        .collect()
}
