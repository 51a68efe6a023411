//! Removal of credentials: the user first, then the addresses in their order, then the rows, then what
//! addresses no row has any more.

use diesel::prelude::*;
use doorbell_domain::store::{Credentials, Found};
use doorbell_domain::text::ActivityId;
use doorbell_domain::{Address, DeviceUid, Provider, UserId, ValueHash};
use doorbell_storage::{OrInconsistent, parts};
use uuid::Uuid;

use super::Repositories;
use crate::addresses::{DropUnused, LockAddresses};
use crate::schema::{devices, push_tokens, subscriptions, users};

impl Credentials for Repositories<'_> {
    fn remove_tokens(&mut self, user: UserId, value: ValueHash) -> Found<Vec<DeviceUid>> {
        self.hold_user(user)?;
        let addresses = Provider::ALL.map(|provider| Address {
            provider,
            hash: value,
        });
        self.hold_addresses(&addresses)?;
        let removed: Vec<Uuid> = self.ask(|connection| {
            diesel::delete(push_tokens::table)
                .filter(push_tokens::provider.eq_any(Provider::ALL.map(Provider::name)))
                .filter(push_tokens::value_hash.eq(value.as_bytes().as_slice()))
                .filter(push_tokens::user_id.eq(user.uuid()))
                .returning(push_tokens::device_id)
                .get_results(connection)
        })?;
        self.drop_unused(&addresses)?;
        Ok(removed.into_iter().map(DeviceUid::from_uuid).collect())
    }

    fn remove_live_activity(&mut self, user: UserId, activity: &ActivityId) -> Found<Option<DeviceUid>> {
        self.hold_user(user)?;
        // While the user is held this row can only be lost to another, whose claim removes it.
        let row: Option<(Uuid, String, Vec<u8>)> = self.ask(|connection| {
            push_tokens::table
                .filter(push_tokens::stream_id.is_not_null())
                .filter(push_tokens::user_id.eq(user.uuid()))
                .filter(push_tokens::activity_id.eq(activity.as_str()))
                .select((push_tokens::id, push_tokens::provider, push_tokens::value_hash))
                .first(connection)
                .optional()
        })?;
        let Some((id, provider, hash)) = row else {
            return Ok(None);
        };
        let addresses = [address(&provider, &hash)?];
        self.hold_addresses(&addresses)?;
        let device: Option<Uuid> = self.ask(|connection| {
            diesel::delete(push_tokens::table.find(id))
                .returning(push_tokens::device_id)
                .get_result(connection)
                .optional()
        })?;
        self.drop_unused(&addresses)?;
        Ok(device.map(DeviceUid::from_uuid))
    }

    fn remove_subscription(&mut self, user: UserId, endpoint: ValueHash) -> Found<Option<DeviceUid>> {
        self.hold_user(user)?;
        let device: Option<Uuid> = self.ask(|connection| {
            subscriptions::table
                .filter(subscriptions::endpoint_hash.eq(endpoint.as_bytes().as_slice()))
                .filter(subscriptions::user_id.eq(user.uuid()))
                .select(subscriptions::device_id)
                .first(connection)
                .optional()
        })?;
        let Some(device) = device else {
            return Ok(None);
        };
        // Whatever else was put on that device leaves with it.
        let tokens: Vec<(String, Vec<u8>)> = self.ask(|connection| {
            push_tokens::table
                .filter(push_tokens::device_id.eq(device))
                .select((push_tokens::provider, push_tokens::value_hash))
                .load(connection)
        })?;
        let mut addresses = vec![Address {
            provider: Provider::WebPush,
            hash: endpoint,
        }];
        for (provider, hash) in &tokens {
            addresses.push(address(provider, hash)?);
        }
        self.hold_addresses(&addresses)?;
        let removed =
            self.ask(|connection| diesel::delete(devices::table.find(device)).execute(connection))?;
        self.drop_unused(&addresses)?;
        Ok((removed == 1).then(|| DeviceUid::from_uuid(device)))
    }
}

impl Repositories<'_> {
    pub(super) fn hold_user(&mut self, user: UserId) -> Found<()> {
        self.ask(|connection| {
            users::table
                .filter(users::id.eq(user.uuid()))
                .select(users::id)
                .for_no_key_update()
                .first::<Uuid>(connection)
                .optional()
        })?;
        Ok(())
    }

    pub(super) fn hold_addresses(&mut self, addresses: &[Address]) -> Found<()> {
        let statement = LockAddresses::of(addresses);
        self.ask(|connection| (&statement).load::<(String, Vec<u8>, Uuid)>(connection))?;
        Ok(())
    }

    pub(super) fn drop_unused(&mut self, addresses: &[Address]) -> Found<()> {
        let statement = DropUnused::of(addresses);
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }
}

pub(super) fn address(provider: &str, hash: &[u8]) -> Found<Address> {
    Ok(Address {
        provider: Provider::from_name(provider).or_inconsistent("push_tokens", "provider")?,
        hash: parts::value_hash(hash, "push_tokens", "value_hash")?,
    })
}
