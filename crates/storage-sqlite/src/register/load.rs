//! Loading what a batch speaks of.
//!
//! One statement a key: they are prepared, and without a network between them and their data a loop of them costs no
//! more than a statement over a list, which would have to be prepared for every length of it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use doorbell_domain::registration::{State, UserSlice, Wants};
use doorbell_domain::store::Found;
use doorbell_domain::{Address, Provider, Session, TimeZoneName, UserId};
use doorbell_storage::{OrInconsistent, Vault};

use crate::addresses;
use crate::rows::{DeviceRow, SessionRow, SubscriptionRow, TokenRow};
use crate::schema::{devices, push_tokens, sessions, subscriptions, users};
use crate::trouble::Around;
use crate::values::{Id, Instant};

/// What was loaded.
pub(super) struct Loaded {
    /// What the batch is decided on.
    pub(super) state: State,
    /// Addresses that the state shows with a first owner, but that have no row. No other transaction could put
    /// one there meanwhile, so a row is only made for those that come to be used.
    pub(super) missing: BTreeMap<Address, UserId>,
}

/// Loads the part of the registry that `wants` names.
pub(super) fn load(connection: &mut SqliteConnection, vault: &Vault, wants: &Wants) -> Found<Loaded> {
    let mut load = Load {
        connection,
        vault,
        state: State::default(),
        missing: BTreeMap::new(),
        on: BTreeSet::new(),
    };
    load.users(wants)?;
    load.sessions(wants)?;
    load.addresses(wants)?;
    load.devices(wants)?;
    load.tokens()?;
    Ok(Loaded {
        state: load.state,
        missing: load.missing,
    })
}

struct Load<'a> {
    connection: &'a mut SqliteConnection,
    vault: &'a Vault,
    state: State,
    missing: BTreeMap<Address, UserId>,
    /// Devices on which one of the addresses or activities lies, not yet loaded.
    on: BTreeSet<[u8; 16]>,
}

impl Load<'_> {
    fn users(&mut self, wants: &Wants) -> Found<()> {
        for user in &wants.users {
            let id = Id::from(*user);
            let count = devices::table
                .filter(devices::user_id.eq(id))
                .count()
                .single_value();
            let row: Option<(Option<String>, Option<i64>)> = users::table
                .find(id)
                .select((users::timezone, count))
                .first(self.connection)
                .optional()
                .around("users")?;
            if let Some((timezone, count)) = row {
                let slice = UserSlice {
                    timezone: timezone.map(TimeZoneName::known),
                    devices: count
                        .and_then(|count| u32::try_from(count).ok())
                        .or_inconsistent("devices", "count")?,
                };
                self.state.users.insert(*user, slice);
            }
        }
        Ok(())
    }

    fn sessions(&mut self, wants: &Wants) -> Found<()> {
        for id in &wants.sessions {
            let row: Option<SessionRow> = sessions::table
                .find(Id::from(*id))
                .select(SessionRow::as_select())
                .first(self.connection)
                .optional()
                .around("sessions")?;
            if let Some(row) = row {
                self.state.sessions.insert(*id, Session::try_from(row)?);
            }
        }
        Ok(())
    }

    fn addresses(&mut self, wants: &Wants) -> Found<()> {
        for (address, first_owner) in &wants.addresses {
            match addresses::owner(self.connection, *address)? {
                None => {
                    self.missing.insert(*address, *first_owner);
                    self.state.owners.insert(*address, *first_owner);
                }
                Some(owner) => {
                    self.state.owners.insert(*address, owner);
                    self.holders(*address)?;
                }
            }
        }
        for (user, activity) in &wants.activities {
            let device: Option<Id> = push_tokens::table
                .filter(push_tokens::user_id.eq(Id::from(*user)))
                .filter(push_tokens::stream_id.is_not_null())
                .filter(push_tokens::activity_id.eq(activity.as_str()))
                .select(push_tokens::device_id)
                .first(self.connection)
                .optional()
                .around("push_tokens")?;
            self.on.extend(device.map(|id| id.0.into_bytes()));
        }
        Ok(())
    }

    /// What an address that has a row lies on; without one, nothing refers to it.
    fn holders(&mut self, address: Address) -> Found<()> {
        let hash = &address.hash.as_bytes()[..];
        if address.provider == Provider::WebPush {
            let row: Option<(SubscriptionRow, Option<Instant>)> = subscriptions::table
                .inner_join(sessions::table.on(sessions::id.eq(subscriptions::session_id)))
                .filter(subscriptions::endpoint_hash.eq(hash))
                .select((SubscriptionRow::as_select(), sessions::ended_at))
                .first(self.connection)
                .optional()
                .around("subscriptions")?;
            if let Some((row, ended_at)) = row {
                let subscription = row.open(ended_at, self.vault)?;
                self.on.insert(subscription.device.uuid().into_bytes());
                self.state.subscriptions.insert(subscription.id, subscription);
            }
        } else {
            let holders: Vec<Id> = push_tokens::table
                .filter(push_tokens::provider.eq(address.provider.name()))
                .filter(push_tokens::value_hash.eq(hash))
                .select(push_tokens::device_id)
                .load(self.connection)
                .around("push_tokens")?;
            self.on.extend(holders.into_iter().map(|id| id.0.into_bytes()));
        }
        Ok(())
    }

    fn devices(&mut self, wants: &Wants) -> Found<()> {
        for (user, name) in &wants.named {
            let row: Option<DeviceRow> = devices::table
                .filter(devices::user_id.eq(Id::from(*user)))
                .filter(devices::device_id.eq(name.as_str()))
                .select(DeviceRow::as_select())
                .first(self.connection)
                .optional()
                .around("devices")?;
            self.keep(row)?;
        }
        let mut rest = std::mem::take(&mut self.on);
        rest.extend(wants.uids.iter().map(|uid| uid.uuid().into_bytes()));
        for bytes in rest {
            let id = Id(uuid::Uuid::from_bytes(bytes));
            if self.state.devices.contains_key(&id.into()) {
                continue;
            }
            let row: Option<DeviceRow> = devices::table
                .find(id)
                .select(DeviceRow::as_select())
                .first(self.connection)
                .optional()
                .around("devices")?;
            self.keep(row)?;
        }
        Ok(())
    }

    fn keep(&mut self, row: Option<DeviceRow>) -> Found<()> {
        if let Some(row) = row {
            self.state.devices.insert(row.id.into(), row.try_into()?);
        }
        Ok(())
    }

    fn tokens(&mut self) -> Found<()> {
        for device in self.state.devices.keys() {
            let rows: Vec<(TokenRow, Option<Instant>)> = push_tokens::table
                .inner_join(sessions::table.on(sessions::id.eq(push_tokens::session_id)))
                .filter(push_tokens::device_id.eq(Id::from(*device)))
                .select((TokenRow::as_select(), sessions::ended_at))
                .load(self.connection)
                .around("push_tokens")?;
            for (row, ended_at) in rows {
                let token = row.open(ended_at, self.vault)?;
                self.state.tokens.insert(token.id, token);
            }
        }
        Ok(())
    }
}
