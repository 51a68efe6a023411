//! Removal of credentials.

use diesel::prelude::*;
use doorbell_domain::store::{Credentials, Found};
use doorbell_domain::text::ActivityId;
use doorbell_domain::{Address, DeviceUid, Provider, UserId, ValueHash};

use super::Repositories;
use crate::addresses;
use crate::schema::{devices, push_tokens, subscriptions};
use crate::trouble::Around;
use crate::values::Id;

const TOKENS: &str = "push_tokens";
const SUBSCRIPTIONS: &str = "subscriptions";

impl Credentials for Repositories<'_> {
    fn remove_tokens(&mut self, user: UserId, value: ValueHash) -> Found<Vec<DeviceUid>> {
        let mut removed = Vec::new();
        for provider in Provider::ALL {
            let devices: Vec<Id> = diesel::delete(
                push_tokens::table
                    .filter(push_tokens::provider.eq(provider.name()))
                    .filter(push_tokens::value_hash.eq(&value.as_bytes()[..]))
                    .filter(push_tokens::user_id.eq(Id::from(user))),
            )
            .returning(push_tokens::device_id)
            .get_results(self.connection)
            .around(TOKENS)?;
            if !devices.is_empty() {
                let address = Address {
                    provider,
                    hash: value,
                };
                addresses::release(self.connection, [address])?;
                removed.extend(devices.into_iter().map(DeviceUid::from));
            }
        }
        Ok(removed)
    }

    fn remove_live_activity(&mut self, user: UserId, activity: &ActivityId) -> Found<Option<DeviceUid>> {
        let removed: Option<(Id, String, Vec<u8>)> = diesel::delete(
            push_tokens::table
                .filter(push_tokens::user_id.eq(Id::from(user)))
                .filter(push_tokens::stream_id.is_not_null())
                .filter(push_tokens::activity_id.eq(activity.as_str())),
        )
        .returning((
            push_tokens::device_id,
            push_tokens::provider,
            push_tokens::value_hash,
        ))
        .get_result(self.connection)
        .optional()
        .around(TOKENS)?;
        let Some((device, provider, hash)) = removed else {
            return Ok(None);
        };
        let address = addresses::read(&provider, &hash, TOKENS)?;
        addresses::release(self.connection, [address])?;
        Ok(Some(device.into()))
    }

    fn remove_subscription(&mut self, user: UserId, endpoint: ValueHash) -> Found<Option<DeviceUid>> {
        let device: Option<Id> = subscriptions::table
            .filter(subscriptions::endpoint_hash.eq(&endpoint.as_bytes()[..]))
            .filter(subscriptions::user_id.eq(Id::from(user)))
            .select(subscriptions::device_id)
            .first(self.connection)
            .optional()
            .around(SUBSCRIPTIONS)?;
        let Some(device) = device else {
            return Ok(None);
        };
        let freed = self.addresses_on(device)?;
        // Whatever lies on the device goes with it.
        diesel::delete(devices::table.find(device))
            .execute(self.connection)
            .around("devices")?;
        addresses::release(self.connection, freed)?;
        Ok(Some(device.into()))
    }
}

impl Repositories<'_> {
    fn addresses_on(&mut self, device: Id) -> Found<Vec<Address>> {
        let tokens: Vec<(String, Vec<u8>)> = push_tokens::table
            .filter(push_tokens::device_id.eq(device))
            .select((push_tokens::provider, push_tokens::value_hash))
            .load(self.connection)
            .around(TOKENS)?;
        let endpoints: Vec<Vec<u8>> = subscriptions::table
            .filter(subscriptions::device_id.eq(device))
            .select(subscriptions::endpoint_hash)
            .load(self.connection)
            .around(SUBSCRIPTIONS)?;
        let of_tokens = tokens
            .iter()
            .map(|(provider, hash)| addresses::read(provider, hash, TOKENS));
        let of_endpoints = endpoints
            .iter()
            .map(|hash| addresses::read(Provider::WebPush.name(), hash, SUBSCRIPTIONS));
        of_tokens.chain(of_endpoints).collect()
    }
}
