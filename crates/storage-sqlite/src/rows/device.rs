//! `devices`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use doorbell_domain::device::Device;
use doorbell_domain::store::{Found, StoreError};
use doorbell_domain::text::{DeviceId, Environment};
use doorbell_domain::{DeviceStatus, Platform, TimeZoneName};
use doorbell_storage::{OrInconsistent, document};

use crate::schema::devices;
use crate::statement::statement;
use crate::values::{Id, Instant, Json};

#[derive(Queryable, Selectable)]
#[diesel(table_name = devices)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct DeviceRow {
    pub(crate) id: Id,
    user_id: Id,
    device_id: String,
    platform: String,
    environment: String,
    status: String,
    timezone: Option<String>,
    mobile: Json,
    web: Json,
    created_at: Instant,
    updated_at: Instant,
    last_seen_at: Instant,
    last_used_at: Instant,
}

statement! {
    /// Writes a device whole, by its id.
    struct UpsertDevice<'a> { row: DeviceRow }
    "INSERT INTO devices (id, user_id, device_id, platform, environment, status, timezone, mobile, web, \
        created_at, updated_at, last_seen_at, last_used_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (id) DO UPDATE SET platform = excluded.platform, environment = excluded.environment, \
        status = excluded.status, timezone = excluded.timezone, mobile = excluded.mobile, web = excluded.web, \
        updated_at = excluded.updated_at, last_seen_at = excluded.last_seen_at, \
        last_used_at = excluded.last_used_at"
    [
        Binary = row.id, Binary = row.user_id, Text = row.device_id, Text = row.platform,
        Text = row.environment, Text = row.status, Nullable<Text> = row.timezone, Text = row.mobile,
        Text = row.web, BigInt = row.created_at, BigInt = row.updated_at, BigInt = row.last_seen_at,
        BigInt = row.last_used_at,
    ]
}

impl DeviceRow {
    pub(crate) fn of(device: &Device) -> Found<Self> {
        Ok(Self {
            id: device.id.into(),
            user_id: device.user.into(),
            device_id: device.device_id.as_str().to_owned(),
            platform: device.platform.name().to_owned(),
            environment: device.environment.as_str().to_owned(),
            status: device.status.name().to_owned(),
            timezone: device.timezone.as_ref().map(|zone| zone.as_str().to_owned()),
            mobile: Json(document::mobile(&device.mobile)?),
            web: Json(document::web(&device.web)?),
            created_at: device.created_at.into(),
            updated_at: device.updated_at.into(),
            last_seen_at: device.last_seen_at.into(),
            last_used_at: device.last_used_at.into(),
        })
    }
}

impl TryFrom<DeviceRow> for Device {
    type Error = StoreError;

    fn try_from(row: DeviceRow) -> Found<Self> {
        const TABLE: &str = "devices";
        Ok(Self {
            id: row.id.into(),
            user: row.user_id.into(),
            device_id: DeviceId::parse(row.device_id).or_inconsistent(TABLE, "device_id")?,
            platform: Platform::from_name(&row.platform).or_inconsistent(TABLE, "platform")?,
            environment: Environment::parse(row.environment).or_inconsistent(TABLE, "environment")?,
            status: DeviceStatus::from_name(&row.status).or_inconsistent(TABLE, "status")?,
            timezone: row.timezone.map(TimeZoneName::known),
            mobile: document::read_mobile(row.mobile.0)?,
            web: document::read_web(row.web.0)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_seen_at: row.last_seen_at.into(),
            last_used_at: row.last_used_at.into(),
        })
    }
}
