//! The OpenAPI document: collected from the operations that are routed, so that neither can lack what the other has.

mod failures;
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
    OpenApiBuilder::new()
        .info(information::info())
        .servers(Some(information::servers()))
        .tags(Some(information::tags()))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn every_operation_that_is_routed_is_described_once() {
        let document = shown();
        let routed: Vec<(String, String)> = crate::operations()
            .iter()
            .map(|operation| {
                let method = serde_json::to_value(operation.method.clone()).expect("a name");
                (
                    method.as_str().unwrap_or_default().to_owned(),
                    operation.path.clone(),
                )
            })
            .collect();
        let described: Vec<(String, String)> = operations(&document)
            .into_iter()
            .map(|(method, path, _)| (method, path))
            .collect();
        assert_eq!(routed.len(), described.len());
        assert_eq!(
            routed.into_iter().collect::<BTreeSet<_>>(),
            described.into_iter().collect::<BTreeSet<_>>()
        );
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
            let open =
                operation["tags"][0] == "Service" || ["sendOtp", "verifyOtp", "refreshTokens"].contains(&id);
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
                if ["204", "303"].contains(&status.as_str()) {
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
