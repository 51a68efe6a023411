//! What an application or a browser tells about itself.

use doorbell_domain::device::{MobileSettings, WebSettings};
use doorbell_domain::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::field::Field;

/// Why settings are refused, whichever member is wrong: they are named as a whole.
pub(crate) const RULE: &str = "must hold texts of 1 to 1024 bytes";

/// What an installed application tells. A member that is left out or null stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = EasyflowMobileSettingsRequest)]
pub(crate) struct MobileSettingsBody {
    /// The installation's own identity.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    app_instance_id: Field<String>,
    /// The application's version.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    app_version: Field<String>,
    /// The operating system's version.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    os_version: Field<String>,
    /// The model of the device.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    device_model: Field<String>,
}

impl MobileSettingsBody {
    pub(crate) fn parse(self) -> Result<MobileSettings, &'static str> {
        Ok(MobileSettings {
            app_instance_id: text(self.app_instance_id)?,
            app_version: text(self.app_version)?,
            os_version: text(self.os_version)?,
            device_model: text(self.device_model)?,
        })
    }
}

/// What a browser tells. A member that is left out or null stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
#[schema(as = EasyflowWebSettingsRequest)]
pub(crate) struct WebSettingsBody {
    /// Its `User-Agent`.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    user_agent: Field<String>,
    /// The address that it says it has.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    ip_address: Field<String>,
}

impl WebSettingsBody {
    pub(crate) fn parse(self) -> Result<WebSettings, &'static str> {
        Ok(WebSettings {
            user_agent: text(self.user_agent)?,
            ip_address: text(self.ip_address)?,
        })
    }
}

fn text(field: Field<String>) -> Result<Option<Text>, &'static str> {
    match field {
        Field::Absent | Field::Null => Ok(None),
        Field::WrongType => Err(RULE),
        Field::Value(text) => Text::parse(text).map(Some).map_err(|_| RULE),
    }
}

/// What an installed application told. What is not known is left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EasyflowMobileSettings)]
pub(crate) struct MobileSettingsAnswer {
    /// The installation's own identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "app-instance-4421")]
    app_instance_id: Option<String>,
    /// The application's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "3.2.1")]
    app_version: Option<String>,
    /// The operating system's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "14.8")]
    os_version: Option<String>,
    /// The model of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Pixel 8")]
    device_model: Option<String>,
}

impl From<MobileSettings> for MobileSettingsAnswer {
    fn from(settings: MobileSettings) -> Self {
        Self {
            app_instance_id: settings.app_instance_id.map(owned),
            app_version: settings.app_version.map(owned),
            os_version: settings.os_version.map(owned),
            device_model: settings.device_model.map(owned),
        }
    }
}

/// What a browser told. What is not known is left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EasyflowWebSettings)]
pub(crate) struct WebSettingsAnswer {
    /// Its `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)")]
    user_agent: Option<String>,
    /// The address that it says it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "10.0.0.45")]
    ip_address: Option<String>,
}

impl From<WebSettings> for WebSettingsAnswer {
    fn from(settings: WebSettings) -> Self {
        Self {
            user_agent: settings.user_agent.map(owned),
            ip_address: settings.ip_address.map(owned),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps an owned Option")]
fn owned(text: Text) -> String {
    text.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn mobile(body: Value) -> Result<MobileSettings, &'static str> {
        let body: MobileSettingsBody = serde_json::from_value(body).expect("fields never fail");
        body.parse()
    }

    #[test]
    fn members_are_bounded_texts_and_may_all_be_left_out() {
        assert_eq!(mobile(json!({})), Ok(MobileSettings::default()));
        let some = mobile(json!({"appVersion": "3.2.1", "osVersion": null, "more": 5})).expect("accepted");
        assert_eq!(some.app_version, Text::parse("3.2.1").ok());
        assert_eq!(some.os_version, None);
        for bad in [
            json!(5),
            json!(""),
            json!({}),
            json!("a\u{0}b"),
            json!("x".repeat(1025)),
        ] {
            assert!(mobile(json!({"deviceModel": bad})).is_err());
        }
    }
}
