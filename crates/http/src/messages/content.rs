//! What a message says.

use std::fmt::Display;

use doorbell_domain::message::{Content, Data, Notification, Ttl, TtlError};
use doorbell_domain::text::Text;
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type};

use crate::field::Field;
use crate::form::Form;
use crate::object::Object;
use crate::unknown::Unknown;

/// What a person sees. Each text has 1 to 1,024 bytes; together with `data` at most what a push carries, 3,993 bytes of JSON.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = MessageNotification)]
pub(super) struct NotificationBody {
    /// The first line.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "Your order is on its way")]
    title: Field<String>,
    /// What follows it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "It arrives between 14:00 and 15:00.")]
    body: Field<String>,
    /// The address of a picture.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "https://cdn.example.com/order.png")]
    image: Field<String>,
    /// Where a tap leads.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "https://app.example.com/orders/4421")]
    url: Field<String>,
    /// The number on the application's icon.
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 4_294_967_295_u64, example = 1)]
    badge: Field<Number>,
    /// The name of a sound that the application has.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$", example = "default")]
    sound: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// The schema of `data`.
pub(super) fn any_object() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some(
            "What the application is told: any JSON object. Its members keep their \
            order; a number that is no integer of 64 bits is passed on as a double (RFC 8259 §6).",
        ))
        .examples([json!({"orderId": "4421"})])
}

/// Reads `notification` and `data`, of which one at least must say something.
pub(super) fn read(
    form: &mut Form,
    notification: Field<Object<NotificationBody>>,
    data: Field<Map<String, Value>>,
) -> Option<Content> {
    let noted = form.noted();
    let said = form.optional("notification", notification, Ok::<_, String>);
    let Object(said) = said.unwrap_or_default();
    let notification = Notification {
        title: form.optional("notification.title", said.title, Text::parse),
        body: form.optional("notification.body", said.body, Text::parse),
        image: form.optional("notification.image", said.image, Text::parse),
        url: form.optional("notification.url", said.url, Text::parse),
        badge: form.optional("notification.badge", said.badge, |number| {
            whole(&number).ok_or("must be a whole number from 0 to 4294967295")
        }),
        sound: form.optional("notification.sound", said.sound, Text::parse),
    };
    form.unknown("notification.", &said.unknown);
    let data = form.optional("data", data, |members| {
        Ok::<_, String>(Data::restore(Value::Object(members).to_string()))
    });
    let content = Content::new(notification, data);
    // A part that is wrong is not there, and its absence need not be told too.
    if content.is_none() && form.noted() == noted {
        form.refuse("notification", "must say something where there is no data");
    }
    content
}

/// A message's `ttl`.
pub(super) fn ttl(number: &Number) -> Result<Ttl, impl Display + use<>> {
    whole(number).ok_or(TtlError).and_then(Ttl::new)
}

fn whole(number: &Number) -> Option<u32> {
    number.as_u64()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    fn content(notification: Value, data: Value) -> Result<Content, Vec<(String, String)>> {
        let mut form = Form::default();
        form.refuse("to", "is required");
        let notification = serde_json::from_value(notification).expect("fields never fail");
        let data = serde_json::from_value(data).expect("fields never fail");
        let read = read(&mut form, notification, data);
        let Failure::Invalid(bad) = form.failure() else {
            panic!("not a validation failure")
        };
        let own: Vec<_> = bad
            .into_iter()
            .skip(1)
            .map(|field| (field.name.into_owned(), field.rule))
            .collect();
        if own.is_empty() {
            Ok(read.expect("content"))
        } else {
            Err(own)
        }
    }

    #[test]
    fn data_is_passed_on_as_it_came() {
        let data = json!({"z": 1, "a": {"deep": [null, 1.5, "\u{1f514}"]}});
        let read = content(json!(null), data.clone()).expect("content");
        let kept = read.data().expect("data").expose();
        assert_eq!(kept, data.to_string());
        assert!(kept.starts_with("{\"z\""), "{kept}");
    }

    #[test]
    fn a_part_may_be_left_out_and_not_all_of_them() {
        assert!(content(json!({"badge": 0}), json!(null)).is_ok());
        for nothing in [json!(null), json!({}), json!({"title": null})] {
            let named = content(nothing, json!(null)).expect_err("refused");
            assert_eq!(
                named,
                [(
                    "notification".to_owned(),
                    "must say something where there is no data".to_owned()
                )]
            );
        }
    }

    #[test]
    fn a_part_that_is_wrong_is_named() {
        let wrong = |notification, data| -> Vec<String> {
            let named = content(notification, data).expect_err("refused");
            named.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            wrong(json!({"title": "", "badge": -1, "sound": 5}), json!([])),
            [
                "notification.title",
                "notification.badge",
                "notification.sound",
                "data"
            ]
        );
        assert_eq!(wrong(json!("Ring"), json!({})), ["notification"]);
        assert_eq!(
            wrong(json!({"badge": 4_294_967_296_u64}), json!(null)),
            ["notification.badge"]
        );
        assert_eq!(wrong(json!({"badge": 1.5}), json!(null)), ["notification.badge"]);
        let misspelt = json!({"title": "Ring", "titel": null});
        assert_eq!(wrong(misspelt, json!(null)), ["notification.titel"]);
    }

    #[test]
    fn a_ttl_is_whole_seconds_of_a_month_at_most() {
        let read = |value: Value| {
            let Value::Number(number) = value else {
                panic!("no number")
            };
            ttl(&number).ok().map(Ttl::seconds)
        };
        assert_eq!(read(json!(0)), Some(0));
        assert_eq!(read(json!(2_419_200)), Some(2_419_200));
        for bad in [json!(2_419_201), json!(-1), json!(1.5), json!(u64::MAX)] {
            assert_eq!(read(bad), None);
        }
    }
}
