//! Whom a message is for.

use std::fmt::Display;

use doorbell_domain::message::Audience;
use doorbell_domain::phone::NumberingPlan;
use doorbell_domain::{DeviceUid, UserId};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type};

use crate::field::Field;
use crate::form::Form;
use crate::object::Object;
use crate::unknown::Unknown;

/// Whom a message is for: at least one user, device or phone, and at most 1,000 of them together.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = MessageAudience)]
pub(super) struct AudienceBody {
    #[schema(schema_with = users)]
    users: Field<Vec<String>>,
    #[schema(schema_with = devices)]
    devices: Field<Vec<String>>,
    #[schema(schema_with = phones)]
    phones: Field<Vec<String>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

fn users() -> ArrayBuilder {
    let id = ObjectBuilder::new().format(Some(SchemaFormat::Custom("uuid".to_owned())));
    list(id)
        .description(Some("Users by their ids, each at all of their devices."))
        .examples([json!(["019ae1f2-7c1b-7d5e-9b1a-3f2c4d5e6f70"])])
}

fn devices() -> ArrayBuilder {
    let id = ObjectBuilder::new().format(Some(SchemaFormat::Custom("uuid".to_owned())));
    list(id)
        .description(Some("Devices by the `id` that easyflow shows."))
        .examples([json!(["019ae1f2-7c1c-7e6f-8a2b-4c5d6e7f8091"])])
}

fn phones() -> ArrayBuilder {
    list(ObjectBuilder::new().pattern(Some(r"^\+[1-9][0-9]{1,14}$")))
        .description(Some(
            "Users by their phone numbers in E.164, with the plus. One that nobody has signed in with rings nobody.",
        ))
        .examples([json!(["+905551234567"])])
}

fn list(of: ObjectBuilder) -> ArrayBuilder {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(of.schema_type(Type::String))
        .max_items(Some(Audience::MAX))
}

/// Reads `to`, noting what is wrong of it and its parts.
pub(super) fn read(
    form: &mut Form,
    to: Field<Object<AudienceBody>>,
    plan: &dyn NumberingPlan,
) -> Option<Audience> {
    let Object(to) = form.required("to", to, Ok::<_, String>)?;
    let users = each(form, "to.users", to.users, "must be ids of users", UserId::parse);
    let devices = each(
        form,
        "to.devices",
        to.devices,
        "must be ids of devices",
        DeviceUid::parse,
    );
    let phones = each(
        form,
        "to.phones",
        to.phones,
        "must be phone numbers that can exist, as + and all digits",
        |text| plan.parse_e164(text).ok(),
    );
    form.unknown("to.", &to.unknown);
    match Audience::new(users?, devices?, phones?) {
        Ok(audience) => Some(audience),
        Err(error) => {
            form.refuse("to", error);
            None
        }
    }
}

/// Reads every item of a list that may be absent; `None` after noting which one is wrong, by its place alone.
fn each<T>(
    form: &mut Form,
    name: &'static str,
    list: Field<Vec<String>>,
    rule: impl Display,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    if matches!(list, Field::Absent | Field::Null) {
        return Some(Vec::new());
    }
    form.optional(name, list, |items| {
        // Counted before anything is read: a number takes a while.
        if items.len() > Audience::MAX {
            return Err(format!("must be at most {} items", Audience::MAX));
        }
        let read = items.iter().enumerate().map(|(at, item)| {
            let read = parse(item);
            read.ok_or_else(|| format!("{rule} (item {} is not)", at + 1))
        });
        read.collect()
    })
}

#[cfg(test)]
mod tests {
    use doorbell_domain::PhoneNumber;
    use doorbell_domain::phone::PhoneError;
    use serde_json::Value;

    use super::*;
    use crate::failure::Failure;

    /// Knows Türkiye, and every number of ten digits there.
    struct Plan;

    impl NumberingPlan for Plan {
        fn parse(&self, country_code: &str, number: &str) -> Result<PhoneNumber, PhoneError> {
            if country_code != "90" {
                return Err(PhoneError::CountryCode);
            }
            let phone = PhoneNumber::from_parts(90, number).filter(|phone| phone.national().len() == 10);
            phone.ok_or(PhoneError::Number)
        }
    }

    const ID: &str = "019ae1f2-7c1d-7f70-8b3c-5d6e7f8091a2";

    fn audience(to: Value) -> Result<Audience, Vec<String>> {
        let mut form = Form::default();
        let to: Field<Object<AudienceBody>> = serde_json::from_value(to).expect("fields never fail");
        read(&mut form, to, &Plan).ok_or_else(|| match form.failure() {
            Failure::Invalid(bad) => bad
                .iter()
                .map(|field| format!("{}: {}", field.name, field.rule))
                .collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn users_devices_and_phones_are_named_together() {
        let read = audience(json!({"users": [ID, ID], "devices": [ID], "phones": ["+905551234567"]}));
        let read = read.expect("an audience");
        assert_eq!((read.users().len(), read.devices().len()), (1, 1));
        assert_eq!(read.phones()[0].e164(), "+905551234567");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_never_repeated() {
        for (to, named) in [
            (json!(null), vec!["to: is required"]),
            (json!([]), vec!["to: has the wrong type"]),
            (json!({}), vec!["to: must name a user, a device or a phone"]),
            (
                json!({"users": [], "devices": null}),
                vec!["to: must name a user, a device or a phone"],
            ),
            (json!({"users": ID}), vec!["to.users: has the wrong type"]),
            (
                json!({"devices": [ID, 5]}),
                vec!["to.devices: has the wrong type"],
            ),
            (
                json!({"users": [ID, "s3ntinel"], "phones": ["+905551234567", "+90555", "905551234567"]}),
                vec![
                    "to.users: must be ids of users (item 2 is not)",
                    "to.phones: must be phone numbers that can exist, as + and all digits (item 2 is not)",
                ],
            ),
            (
                json!({"phones": vec!["+905551234567"; 1_001]}),
                vec!["to.phones: must be at most 1000 items"],
            ),
        ] {
            assert_eq!(audience(to).expect_err("refused"), named);
        }
    }
}
