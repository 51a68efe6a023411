//! Seeing one's devices.

use doorbell_domain::store::{DeviceKey, DevicePage, Page};
use doorbell_domain::text::DeviceId;
use doorbell_domain::{Caller, DeviceUid, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::device::{DeviceAnswer, DeviceData, Success, show, success};
use super::fingerprint::{FingerprintHeader, enter};
use crate::call::Call;
use crate::failure::{BadField, Failure};
use crate::field::Field;
use crate::form::{Form, count};
use crate::routing::Answer;

/// The last page that can be asked for: what a signed number of 32 bits holds, which is what a client's may be.
const MAX_PAGE: u32 = 2_147_483_647;

/// The most devices on a page.
const MAX_LIMIT: u32 = 100;

/// How many devices a page has where the request does not say.
const DEFAULT_LIMIT: u32 = 20;

/// A page of devices.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EasyflowDevicePage)]
pub(crate) struct DevicesData {
    /// The devices of this page, newest first, revoked ones too.
    docs: Vec<DeviceAnswer>,
    /// The page that was asked for, the first being 1.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    current_page: u32,
    /// How many devices a page has at most.
    #[schema(minimum = 1, maximum = 100)]
    limit: u32,
    /// How many there are in all.
    total_docs: u64,
    /// How many pages they fill.
    total_pages: u64,
    /// Whether another page follows.
    has_next: bool,
    /// The page that follows; null at the end.
    #[schema(required)]
    next_page: Option<u64>,
}

/// Which of the caller's devices to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the document")]
struct PageParameters {
    /// Which page.
    #[param(nullable = false, minimum = 1, maximum = 2_147_483_647, default = 1)]
    page: Option<u32>,
    /// How many devices a page has.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// The caller's own id; any other is refused.
    #[param(
        rename = "userId",
        nullable = false,
        format = "uuid",
        example = "019ae1f2-7c1a-7b3c-8d4e-5f6a7b8c9d0e"
    )]
    user_id: Option<String>,
}

/// Get a device.
///
/// By its `id`, or by the client's own `deviceId`; one of them must be there, and `id` counts where both are.
#[utoipa::path(get, path = "/notifications/devices/get", tag = "easyflow", operation_id = "getDevice",
    security(("bearer" = [])),
    params(
        FingerprintHeader,
        ("id" = Option<String>, Query, description = "The device's `id`.", nullable = false, format = "uuid",
            example = "019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091"),
        ("deviceId" = Option<String>, Query, description = "The client's own name for the device.",
            nullable = false, min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$", example = "device-a81f92"),
    ),
    responses(
        (status = 200, description = "The device.", body = Success<DeviceData>,
            example = json!(super::examples::telephone())),
        (status = 400, description = "Parameters are missing, wrong, or name no device of the caller."),
        (status = 403, description = "The fingerprint is not the one that the session showed first."),
    ))]
pub(crate) async fn get(call: &mut Call) -> Answer {
    let (caller, fingerprint) = enter(call)?;
    let (name, key) = key(call.query("id"), call.query("deviceId"))?;
    let found = call.api.doorbell.device(caller, Some(&fingerprint), key).await?;
    found
        .map(show)
        .ok_or_else(|| Failure::field(name, "is not a device of the caller"))
}

/// What the device is asked for by, after the name of its parameter.
fn key(id: Option<String>, device_id: Option<String>) -> Result<(&'static str, DeviceKey), Failure> {
    match (id, device_id) {
        (Some(id), _) => DeviceUid::parse(&id)
            .map(|id| ("id", DeviceKey::Uid(id)))
            .ok_or_else(|| Failure::field("id", "must be a device's id")),
        (None, Some(name)) => DeviceId::parse(name)
            .map(|name| ("deviceId", DeviceKey::DeviceId(name)))
            .map_err(|rule| Failure::field("deviceId", rule)),
        (None, None) => {
            let missing = |name: &'static str| BadField {
                name: name.into(),
                rule: "is required without the other".to_owned(),
            };
            Err(Failure::Invalid(vec![missing("id"), missing("deviceId")]))
        }
    }
}

/// List devices.
///
/// The caller's devices, of every dialect, newest first, revoked ones too. Follow `nextPage` until it is
/// null.
#[utoipa::path(get, path = "/notifications/devices", tag = "easyflow", operation_id = "listDevices",
    security(("bearer" = [])),
    params(
        FingerprintHeader,
        PageParameters,
    ),
    responses(
        (status = 200, description = "A page of the caller's devices.", body = Success<DevicesData>,
            example = json!(super::examples::page())),
        (status = 400, description = "Parameters are wrong."),
        (status = 403, description = "These are another user's devices, or the fingerprint is not the one that the session showed first."),
    ))]
pub(crate) async fn list(call: &mut Call) -> Answer {
    let (caller, fingerprint) = enter(call)?;
    let (page, limit) = page(call.query("page"), call.query("limit"))?;
    if call.query("userId").is_some_and(|user| !is_own(&user, caller)) {
        call.api.doorbell.admit(caller, Some(&fingerprint)).await?;
        return Err(Failure::Forbidden);
    }
    let asked = Page {
        offset: u64::from(page - 1) * u64::from(limit),
        limit,
    };
    let found = call
        .api
        .doorbell
        .devices(caller, Some(&fingerprint), asked)
        .await?;
    Ok(success(shown(page, limit, found)))
}

fn is_own(user: &str, caller: Caller) -> bool {
    UserId::parse(user) == Some(caller.user)
}

fn page(page: Option<String>, limit: Option<String>) -> Result<(u32, u32), Failure> {
    let mut form = Form::default();
    let field = |value: Option<String>| value.map_or(Field::Absent, Field::Value);
    let page = form.optional("page", field(page), |text| count(&text, MAX_PAGE));
    let limit = form.optional("limit", field(limit), |text| count(&text, MAX_LIMIT));
    form.finish()?;
    Ok((page.unwrap_or(1), limit.unwrap_or(DEFAULT_LIMIT)))
}

fn shown(page: u32, limit: u32, found: DevicePage) -> DevicesData {
    let total_pages = found.total.div_ceil(u64::from(limit));
    let has_next = u64::from(page) < total_pages;
    DevicesData {
        docs: found.devices.into_iter().map(Into::into).collect(),
        current_page: page,
        limit,
        total_docs: found.total,
        total_pages,
        has_next,
        next_page: has_next.then(|| u64::from(page) + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad<T>(read: Result<T, Failure>) -> Vec<std::borrow::Cow<'static, str>> {
        match read {
            Ok(_) => vec![],
            Err(Failure::Invalid(fields)) => fields.into_iter().map(|field| field.name).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn page_of(page: Option<&str>, limit: Option<&str>) -> Result<(u32, u32), Failure> {
        super::page(page.map(str::to_owned), limit.map(str::to_owned))
    }

    fn key_of(id: Option<&str>, name: Option<&str>) -> Result<(&'static str, DeviceKey), Failure> {
        super::key(id.map(str::to_owned), name.map(str::to_owned))
    }

    #[test]
    fn a_page_is_counted_from_one_and_bounded() {
        assert_eq!(page_of(None, None), Ok((1, 20)));
        assert_eq!(page_of(Some("2147483647"), Some("100")), Ok((MAX_PAGE, 100)));
        for wrong in ["", "0", "-1", "+1", " 1", "1.5", "x", "2147483648", "１"] {
            assert_eq!(bad(page_of(Some(wrong), None)), ["page"], "{wrong}");
            assert_eq!(bad(page_of(None, Some(wrong))), ["limit"], "{wrong}");
        }
        assert_eq!(bad(page_of(Some("0"), Some("101"))), ["page", "limit"]);
    }

    #[test]
    fn a_device_is_asked_for_by_its_id_before_its_name() {
        let id = "0192f0c1-2b3d-7c4e-8f50-123456789abc";
        let uid = DeviceUid::parse(id).expect("an id");
        assert_eq!(key_of(Some(id), Some("phone")), Ok(("id", DeviceKey::Uid(uid))));
        let name = DeviceId::parse("phone").expect("text");
        assert_eq!(
            key_of(None, Some("phone")),
            Ok(("deviceId", DeviceKey::DeviceId(name)))
        );
        assert_eq!(bad(key_of(Some("phone"), Some("phone"))), ["id"]);
        assert_eq!(bad(key_of(None, Some(""))), ["deviceId"]);
        assert_eq!(bad(key_of(None, None)), ["id", "deviceId"]);
    }

    #[test]
    fn the_last_page_has_no_next() {
        let of = |page, total| {
            let data = shown(
                page,
                20,
                DevicePage {
                    devices: vec![],
                    total,
                },
            );
            (data.total_pages, data.has_next, data.next_page)
        };
        assert_eq!(of(1, 0), (0, false, None));
        assert_eq!(of(1, 20), (1, false, None));
        assert_eq!(of(1, 21), (2, true, Some(2)));
        assert_eq!(of(2, 21), (2, false, None));
        assert_eq!(of(u32::MAX, 21), (2, false, None));
        let last = shown(
            1,
            20,
            DevicePage {
                devices: vec![],
                total: 0,
            },
        );
        let text = serde_json::to_string(&last).expect("JSON");
        assert_eq!(
            text,
            r#"{"docs":[],"currentPage":1,"limit":20,"totalDocs":0,"totalPages":0,"hasNext":false,"nextPage":null}"#
        );
    }
}
