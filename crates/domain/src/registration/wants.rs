//! What a batch must see before it can be decided.

use std::collections::{BTreeMap, BTreeSet};

use super::{Credential, Registration, Target};
use crate::address::Address;
use crate::text::{ActivityId, DeviceId};
use crate::{DeviceUid, SessionId, UserId};

/// The keys of everything a batch speaks of, each once and in order.
///
/// A store loads into [`State`](super::State): these users and how many devices each has; these sessions; these
/// addresses; the devices named here, those on which one of these addresses or activities lies; all push tokens on those devices; and the
/// subscriptions at these addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Users to lock, in this order.
    pub users: BTreeSet<UserId>,
    /// Sessions to load.
    pub sessions: BTreeSet<SessionId>,
    /// Addresses to lock, in this order, after the users. A missing one is first put there with this owner.
    pub addresses: BTreeMap<Address, UserId>,
    /// Devices by their clients' names.
    pub named: BTreeSet<(UserId, DeviceId)>,
    /// Devices by id.
    pub uids: BTreeSet<DeviceUid>,
    /// Live Activities, whose tokens may lie on other devices than the named ones.
    pub activities: BTreeSet<(UserId, ActivityId)>,
}

impl Wants {
    /// What `batch` speaks of.
    pub fn of(batch: &[Registration]) -> Self {
        let mut wants = Self::default();
        for registration in batch {
            let user = registration.caller.user;
            wants.users.insert(user);
            wants.sessions.insert(registration.caller.session);
            match &registration.target {
                Target::Named { device_id, .. } => {
                    wants.named.insert((user, device_id.clone()));
                }
                Target::Uid(uid) => {
                    wants.uids.insert(*uid);
                }
                Target::Holder { .. } => {}
            }
            for credential in &registration.credentials {
                for address in credential.addresses() {
                    wants.addresses.entry(address).or_insert(user);
                }
                if let Credential::LiveActivity { activity, .. } = credential {
                    wants.activities.insert((user, activity.clone()));
                }
            }
        }
        wants
    }
}
