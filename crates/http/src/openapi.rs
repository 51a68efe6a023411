//! The OpenAPI document: collected from the operations that are routed, so that neither can lack what the other has.

mod failures;
mod headers;
mod information;
mod schemas;
mod sharing;
pub(crate) mod vocabulary;

use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder, PathItem};

use crate::routing::{Operation, Schemas};

/// The document (OpenAPI 3.1) as indented JSON, a newline at its end. It depends on nothing but this program.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut text = document(crate::operations()).to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

/// The document of these operations.
fn document(operations: Vec<Operation>) -> OpenApi {
    let mut schemas = Schemas::new();
    let mut paths = PathsBuilder::new();
    for operation in operations {
        let described = sharing::complete(&operation, &mut schemas);
        paths = paths.path(operation.path, PathItem::new(operation.method, described));
    }
    let mut components = ComponentsBuilder::new().schemas_from_iter(schemas::settled(schemas));
    for (name, scheme) in information::security_schemes() {
        components = components.security_scheme(name, scheme);
    }
    let mut components = components.build();
    components.headers.extend(headers::shared());
    OpenApiBuilder::new()
        .info(information::info())
        .servers(Some(information::servers()))
        .tags(Some(information::tags()))
        .paths(paths)
        .components(Some(components))
        .build()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    fn shown() -> Value {
        let text = openapi().expect("a document");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Every operation, as method, path and description.
    fn operations(document: &Value) -> Vec<(String, String, Value)> {
        let paths = document["paths"].as_object().expect("paths");
        paths
            .iter()
            .flat_map(|(path, item)| {
                let item = item.as_object().expect("a path item");
                item.iter()
                    .map(move |(method, operation)| (method.clone(), path.clone(), operation.clone()))
            })
            .collect()
    }

    #[test]
    fn no_operation_hides_another() {
        let document = shown();
        // Two operations of one method and path would leave one description.
        assert_eq!(operations(&document).len(), crate::operations().len());
    }

    #[test]
    fn every_operation_says_what_a_client_developer_needs() {
        let document = shown();
        let mut ids = BTreeSet::new();
        for (method, path, operation) in operations(&document) {
            let id = operation["operationId"].as_str().expect("an operationId");
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{id}");
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.')),
                "{id}"
            );
            let description = operation["description"].as_str().expect("a description");
            assert_eq!(
                description.contains("**Production warning:**"),
                method != "get",
                "{id}"
            );
            let named: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            for name in named {
                let parameters = operation["parameters"].as_array().expect("parameters");
                assert!(
                    parameters.iter().any(|parameter| parameter["name"] == name),
                    "{id}: {name}"
                );
            }
            let service = operation["tags"][0] == "Service" && !["ringDemo", "getDemoRing"].contains(&id);
            let open = service || ["sendOtp", "verifyOtp", "refreshTokens"].contains(&id);
            let security = operation["security"].as_array().expect("security is said");
            assert_eq!(security.is_empty(), open, "{id}");
            let body = &operation["requestBody"];
            if !body.is_null() {
                let content = &body["content"]["application/json"];
                assert!(
                    !content["schema"].is_null() && !content["example"].is_null(),
                    "{id}"
                );
            }
        }
        assert!(ids.contains("subscribeToPush") && ids.contains("subscribeToPushUnderApi"));
    }

    #[test]
    fn every_field_is_described() {
        fn look(schema: &Value, within: &str, found: &mut Vec<String>) {
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                let place = format!("{within}.{name}");
                // A type without a word of the field's own is described where it is named.
                let described = field["description"].as_str().is_some_and(|text| !text.is_empty());
                if !described && field["$ref"].is_null() {
                    found.push(place.clone());
                }
                look(field, &place, found);
            }
            for of in ["oneOf", "allOf", "anyOf"] {
                for part in schema[of].as_array().into_iter().flatten() {
                    look(part, within, found);
                }
            }
        }
        let document = shown();
        let mut undescribed = Vec::new();
        for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
            assert!(!schema["description"].is_null(), "{name}");
            look(schema, name, &mut undescribed);
        }
        assert_eq!(undescribed, Vec::<String>::new());
    }

    #[test]
    fn one_name_is_one_schema() {
        let mut schemas = Schemas::new();
        for operation in crate::operations() {
            (operation.describe)(&mut schemas);
        }
        let mut known = BTreeMap::new();
        for (name, schema) in schemas {
            let schema = serde_json::to_string(&schema).expect("JSON");
            let first = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "{name}");
        }
    }

    #[test]
    fn every_answer_with_a_body_has_a_schema_and_an_example() {
        let document = shown();
        for (_, _, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap_or_default();
            for (status, response) in operation["responses"].as_object().expect("responses") {
                assert!(
                    response["description"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty())
                );
                assert!(!response["headers"]["X-Request-Id"].is_null(), "{id} {status}");
                if ["429", "503"].contains(&status.as_str()) {
                    assert!(!response["headers"]["Retry-After"].is_null(), "{id} {status}");
                }
                if ["204", "303", "304"].contains(&status.as_str()) {
                    assert!(response["content"].is_null(), "{id} {status}");
                    continue;
                }
                for (media_type, content) in response["content"].as_object().expect("content") {
                    assert!(!content["schema"].is_null(), "{id} {status} {media_type}");
                    assert!(!content["example"].is_null(), "{id} {status} {media_type}");
                }
            }
        }
    }

    #[test]
    fn errors_are_shown_as_their_dialects_documents_show_them() {
        let document = shown();
        let example = |path: &str, status: &str, media_type: &str| {
            document["paths"][path]["post"]["responses"][status]["content"][media_type]["example"].to_string()
        };
        let json = "application/json";
        assert_eq!(
            example("/api/v1/notifications/device-token", "409", json),
            concat!(
                r#"{"isSuccess":false,"statusCode":409,"data":null,"#,
                r#""errors":["Resource already exists or cannot be changed in its current state"],"#,
                r#""timestamp":"2026-01-15T10:30:00.000Z"}"#
            )
        );
        assert_eq!(
            example("/api/v1/push.token", "400", json),
            concat!(
                r#"{"success":false,"error":"The required \"type\" body param is missing or invalid. "#,
                r#"[error-type-param-not-valid]","errorType":"error-type-param-not-valid"}"#
            )
        );
        assert_eq!(
            example("/api/v1/push.token", "401", json),
            r#"{"status":"error","message":"You must be logged in to do this."}"#
        );
        assert_eq!(
            example("/notifications/devices/refresh-token", "400", json),
            r#"{"message":"Invalid param: []","error":"Bad Request","statusCode":400}"#
        );
        assert!(example("/push/subscribe", "400", "application/problem+json").contains("invalid_endpoint"));
    }
}
