//! Devices.

use diesel::prelude::*;
use doorbell_domain::store::Found;
use doorbell_domain::text::{DeviceId, Environment};
use doorbell_domain::{Device, DeviceStatus, DeviceUid, Platform, TimeZoneName, UserId};
use doorbell_storage::{OrInconsistent, document};
use serde_json::Value;
use uuid::Uuid;

use crate::moment::Moment;

#[derive(Queryable)]
pub(crate) struct DeviceRow {
    pub(crate) id: Uuid,
    user_id: Uuid,
    device_id: String,
    platform: String,
    environment: String,
    status: String,
    timezone: Option<String>,
    mobile: Value,
    web: Value,
    created_at: Moment,
    updated_at: Moment,
    last_seen_at: Moment,
    last_used_at: Moment,
}

impl DeviceRow {
    pub(crate) fn read(self) -> Found<Device> {
        const TABLE: &str = "devices";
        Ok(Device {
            id: DeviceUid::from_uuid(self.id),
            user: UserId::from_uuid(self.user_id),
            device_id: DeviceId::parse(self.device_id).or_inconsistent(TABLE, "device_id")?,
            platform: Platform::from_name(&self.platform).or_inconsistent(TABLE, "platform")?,
            environment: Environment::parse(self.environment).or_inconsistent(TABLE, "environment")?,
            status: DeviceStatus::from_name(&self.status).or_inconsistent(TABLE, "status")?,
            timezone: self.timezone.map(TimeZoneName::known),
            mobile: document::read_mobile(self.mobile)?,
            web: document::read_web(self.web)?,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            last_seen_at: self.last_seen_at.0,
            last_used_at: self.last_used_at.0,
        })
    }
}
