//! What is derived of Rust's types, made into what a client is to be told of JSON's.

use utoipa::openapi::schema::{AdditionalProperties, ArrayItems};
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::routing::Schemas;

/// The bodies that have no fields but their own ([`Unknown`](crate::unknown::Unknown)).
const CLOSED: [&str; 3] = ["MessageAudience", "MessageNotification", "SendMessageRequest"];

/// Every schema once, in the order of their names, so that an operation that moves leaves the rest where it is.
pub(super) fn settled(mut schemas: Schemas) -> Schemas {
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    schemas.dedup_by(|(one, _), (other, _)| one == other);
    for (_, schema) in &mut schemas {
        without_defaults(schema);
        describe_choices(schema);
    }
    for (name, schema) in &mut schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && CLOSED.contains(&name.as_str())
        {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
    let named = schemas.clone();
    for (name, schema) in &mut schemas {
        for_each_part(schema, &mut |part| refer(part, &named, name));
    }
    schemas
}

/// What serde takes for an absent field is nothing that a client might send.
fn without_defaults(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::Ref(reference) => reference.default = None,
        RefOr::T(Schema::Object(object)) => object.default = None,
        RefOr::T(Schema::Array(array)) => array.default = None,
        RefOr::T(Schema::OneOf(one_of)) => one_of.default = None,
        RefOr::T(_) => {}
    }
    for_each_part(schema, &mut without_defaults);
}

/// A field that may be null is derived with its description beside the type; it is of the choice as a whole.
fn describe_choices(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::OneOf(choice)) = schema
        && choice.description.is_none()
    {
        let described = choice.items.iter_mut().find_map(|item| match item {
            RefOr::Ref(reference) if !reference.description.is_empty() => Some(&mut reference.description),
            _ => None,
        });
        choice.description = described.map(std::mem::take);
    }
    for_each_part(schema, &mut describe_choices);
}

/// A type parameter is derived in full where it stands. Under its name it is the same type to a client.
fn refer(part: &mut RefOr<Schema>, named: &Schemas, within: &str) {
    for_each_part(part, &mut |inner| refer(inner, named, within));
    match part {
        RefOr::T(Schema::Object(object)) if !object.properties.is_empty() => {}
        RefOr::T(Schema::Array(_)) => {}
        _ => return,
    }
    let known = named
        .iter()
        .find(|(name, schema)| name != within && schema == part);
    if let Some((name, _)) = known {
        *part = RefOr::Ref(Ref::from_schema_name(name));
    }
}

fn for_each_part(schema: &mut RefOr<Schema>, act: &mut dyn FnMut(&mut RefOr<Schema>)) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(act),
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                act(items);
            }
        }
        Schema::OneOf(one_of) => one_of.items.iter_mut().for_each(act),
        Schema::AllOf(all_of) => all_of.items.iter_mut().for_each(act),
        Schema::AnyOf(any_of) => any_of.items.iter_mut().for_each(act),
        _ => {}
    }
}
