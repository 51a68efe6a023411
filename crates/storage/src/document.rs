//! What is kept as JSON: profiles and settings, which are read and written whole and never searched.
//!
//! A key that is missing reads as absent, and one that is unknown is passed over, so that servers of two
//! versions can share a database.

mod content;

use doorbell_domain::Timestamp;
use doorbell_domain::device::{MobileSettings, WebSettings};
use doorbell_domain::profile::{Availability, Consent, Gender, Profile, Username};
use doorbell_domain::store::{Found, StoreError};
use doorbell_domain::text::{Text, TextError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::parts::{OrInconsistent, inconsistent};

pub(crate) use content::{content, read_content};

/// What `users.profile` holds: all of a profile but the user name, which has columns of its own.
pub fn profile(profile: &Profile) -> Found<Value> {
    write(&ProfileDocument::from(profile))
}

/// Reads `users.profile` and `users.username`.
pub fn read_profile(document: Value, username: Option<String>) -> Found<Profile> {
    let username = username.map(Username::parse).transpose();
    let username = username.or_inconsistent("users", "username")?;
    let document: ProfileDocument = read(document, "users", "profile")?;
    let mut profile = Profile::try_from(document).or_inconsistent("users", "profile")?;
    profile.username = username;
    Ok(profile)
}

/// What `devices.mobile` holds.
pub fn mobile(settings: &MobileSettings) -> Found<Value> {
    write(&MobileDocument::from(settings))
}

/// Reads `devices.mobile`.
pub fn read_mobile(document: Value) -> Found<MobileSettings> {
    let document: MobileDocument = read(document, "devices", "mobile")?;
    document.try_into().or_inconsistent("devices", "mobile")
}

/// What `devices.web` holds.
pub fn web(settings: &WebSettings) -> Found<Value> {
    write(&WebDocument::from(settings))
}

/// Reads `devices.web`.
pub fn read_web(document: Value) -> Found<WebSettings> {
    let document: WebDocument = read(document, "devices", "web")?;
    document.try_into().or_inconsistent("devices", "web")
}

fn write(document: &impl Serialize) -> Found<Value> {
    serde_json::to_value(document).map_err(|_| StoreError::Failed("a document has no JSON".to_owned()))
}

fn read<T: DeserializeOwned>(document: Value, table: &'static str, column: &str) -> Found<T> {
    // Serde would read an array as the fields in their order.
    if !document.is_object() {
        return Err(inconsistent(table, column));
    }
    serde_json::from_value(document).or_inconsistent(table, column)
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct ProfileDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_photo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability: Option<String>,
    /// Microseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interests: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expertise: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instagram: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiktok: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapchat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facebook: Option<String>,
    privacy_policy: ConsentDocument,
    terms_of_use: ConsentDocument,
    consent_form: ConsentDocument,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct ConsentDocument {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct MobileDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    app_instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_model: Option<String>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct WebDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
}

/// A document says what its type cannot hold.
struct Malformed;

impl From<TextError> for Malformed {
    fn from(_: TextError) -> Self {
        Self
    }
}

fn out(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn text(text: Option<String>) -> Result<Option<Text>, TextError> {
    text.map(Text::parse).transpose()
}

impl From<&Profile> for ProfileDocument {
    fn from(profile: &Profile) -> Self {
        Self {
            name: out(profile.name.as_ref()),
            surname: out(profile.surname.as_ref()),
            profile_photo: out(profile.profile_photo.as_ref()),
            availability: Some(profile.availability.name().to_owned()),
            birth_date: profile.birth_date.map(Timestamp::micros),
            gender: profile.gender.map(|gender| gender.name().to_owned()),
            interests: profile.interests.iter().map(|i| i.as_str().to_owned()).collect(),
            expertise: out(profile.expertise.as_ref()),
            email: out(profile.email.as_ref()),
            bio: out(profile.bio.as_ref()),
            instagram: out(profile.instagram.as_ref()),
            x: out(profile.x.as_ref()),
            tiktok: out(profile.tiktok.as_ref()),
            snapchat: out(profile.snapchat.as_ref()),
            facebook: out(profile.facebook.as_ref()),
            privacy_policy: (&profile.privacy_policy).into(),
            terms_of_use: (&profile.terms_of_use).into(),
            consent_form: (&profile.consent_form).into(),
        }
    }
}

impl TryFrom<ProfileDocument> for Profile {
    type Error = Malformed;

    fn try_from(document: ProfileDocument) -> Result<Self, Malformed> {
        let availability = match document.availability {
            Some(name) => Availability::from_name(&name).ok_or(Malformed)?,
            None => Availability::Available,
        };
        let gender = match document.gender {
            Some(name) => Some(Gender::from_name(&name).ok_or(Malformed)?),
            None => None,
        };
        let interests: Result<_, TextError> = document.interests.into_iter().map(Text::parse).collect();
        Ok(Self {
            name: text(document.name)?,
            surname: text(document.surname)?,
            username: None,
            profile_photo: text(document.profile_photo)?,
            availability,
            birth_date: document.birth_date.map(Timestamp::from_micros),
            gender,
            interests: interests?,
            expertise: text(document.expertise)?,
            email: text(document.email)?,
            bio: text(document.bio)?,
            instagram: text(document.instagram)?,
            x: text(document.x)?,
            tiktok: text(document.tiktok)?,
            snapchat: text(document.snapchat)?,
            facebook: text(document.facebook)?,
            privacy_policy: document.privacy_policy.try_into()?,
            terms_of_use: document.terms_of_use.try_into()?,
            consent_form: document.consent_form.try_into()?,
        })
    }
}

impl From<&Consent> for ConsentDocument {
    fn from(consent: &Consent) -> Self {
        Self {
            accepted: consent.accepted,
            version: out(consent.version.as_ref()),
        }
    }
}

impl TryFrom<ConsentDocument> for Consent {
    type Error = TextError;

    fn try_from(document: ConsentDocument) -> Result<Self, TextError> {
        Ok(Self {
            accepted: document.accepted,
            version: text(document.version)?,
        })
    }
}

impl From<&MobileSettings> for MobileDocument {
    fn from(settings: &MobileSettings) -> Self {
        Self {
            app_instance_id: out(settings.app_instance_id.as_ref()),
            app_version: out(settings.app_version.as_ref()),
            os_version: out(settings.os_version.as_ref()),
            device_model: out(settings.device_model.as_ref()),
        }
    }
}

impl TryFrom<MobileDocument> for MobileSettings {
    type Error = TextError;

    fn try_from(document: MobileDocument) -> Result<Self, TextError> {
        Ok(Self {
            app_instance_id: text(document.app_instance_id)?,
            app_version: text(document.app_version)?,
            os_version: text(document.os_version)?,
            device_model: text(document.device_model)?,
        })
    }
}

impl From<&WebSettings> for WebDocument {
    fn from(settings: &WebSettings) -> Self {
        Self {
            user_agent: out(settings.user_agent.as_ref()),
            ip_address: out(settings.ip_address.as_ref()),
        }
    }
}

impl TryFrom<WebDocument> for WebSettings {
    type Error = TextError;

    fn try_from(document: WebDocument) -> Result<Self, TextError> {
        Ok(Self {
            user_agent: text(document.user_agent)?,
            ip_address: text(document.ip_address)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn t(text: &str) -> Option<Text> {
        Text::parse(text).ok()
    }

    #[test]
    fn a_full_profile_reads_back_whole() {
        let full = Profile {
            name: t("Zeynep 😀"),
            surname: t("Doe"),
            username: Username::parse("Z.Doe").ok(),
            profile_photo: t("photo"),
            availability: Availability::Busy,
            birth_date: Some(Timestamp::from_micros(-1)),
            gender: Some(Gender::Other),
            interests: vec![t("tea").expect("text"), t("rain").expect("text")],
            expertise: t("expertise"),
            email: t("email"),
            bio: t("bio"),
            instagram: t("instagram"),
            x: t("x"),
            tiktok: t("tiktok"),
            snapchat: t("snapchat"),
            facebook: t("facebook"),
            privacy_policy: Consent {
                accepted: true,
                version: t("1"),
            },
            terms_of_use: Consent {
                accepted: true,
                version: t("2"),
            },
            consent_form: Consent {
                accepted: false,
                version: t("3"),
            },
        };
        let document = profile(&full).expect("JSON");
        assert_eq!(read_profile(document, Some("Z.Doe".to_owned())), Ok(full));
    }

    #[test]
    fn what_is_missing_reads_as_absent_and_what_is_unknown_is_passed_over() {
        let document = json!({ "shoe_size": 42 });
        assert_eq!(read_profile(document, None), Ok(Profile::default()));
        assert_eq!(read_mobile(json!({})), Ok(MobileSettings::default()));
        assert_eq!(read_web(json!({})), Ok(WebSettings::default()));
    }

    #[test]
    fn settings_read_back_whole() {
        let settings = MobileSettings {
            app_instance_id: t("a"),
            app_version: t("b"),
            os_version: t("c"),
            device_model: t("d"),
        };
        assert_eq!(read_mobile(mobile(&settings).expect("JSON")), Ok(settings));
        let settings = WebSettings {
            user_agent: t("a"),
            ip_address: t("b"),
        };
        assert_eq!(read_web(web(&settings).expect("JSON")), Ok(settings));
    }

    #[test]
    fn a_bad_document_names_its_column() {
        for bad in [
            json!([]),
            json!({ "name": "" }),
            json!({ "gender": "?" }),
            json!({ "availability": "?" }),
            json!({ "interests": [""] }),
            json!({ "privacy_policy": { "version": "" } }),
        ] {
            assert_eq!(read_profile(bad, None), Err(inconsistent("users", "profile")));
        }
        assert_eq!(
            read_profile(json!({}), Some("a b".to_owned())),
            Err(inconsistent("users", "username"))
        );
        assert_eq!(
            read_mobile(json!({ "app_version": 1 })),
            Err(inconsistent("devices", "mobile"))
        );
        assert_eq!(
            read_web(json!({ "user_agent": 1 })),
            Err(inconsistent("devices", "web"))
        );
    }
}
