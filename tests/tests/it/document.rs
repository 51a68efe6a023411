//! The OpenAPI document says what is routed, all of it and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use doorbell_tests::{Method, Value, on_both, printed};

const COMMITTED: &str = include_str!("../../../openapi/openapi.json");

/// The methods that a document may know.
const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

/// What stands for each parameter of a path: nothing that is there, so that trying changes nothing.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|segment| if segment.starts_with('{') { "none" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let document: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .map(|(path, item)| {
            let methods = item.as_object().expect("a path item").keys();
            (
                path.clone(),
                methods.map(|method| method.to_uppercase()).collect(),
            )
        })
        .collect()
}

#[test]
fn the_committed_document_is_what_the_binary_prints_with_no_environment() {
    let said = printed(&["openapi"]);
    assert!(
        said == COMMITTED,
        "openapi/openapi.json is not this program's document: run `make openapi`, and look at what changed"
    );
}

on_both!(the_server_answers_the_committed_document, async |server| {
    let answer = server.get("/openapi.json").send().await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.text(), COMMITTED);

    let small = server
        .get("/openapi.json")
        .header("accept-encoding", "br")
        .send()
        .await
        .expect(200);
    assert_eq!(small.header("content-encoding"), Some("br"));
    assert!(
        small.body().len() * 5 < COMMITTED.len(),
        "{} bytes",
        small.body().len()
    );

    let tag = answer.header("etag").expect("an ETag").to_owned();
    let known = server
        .get("/openapi.json")
        .header("if-none-match", &tag)
        .send()
        .await
        .expect(304);
    assert!(known.body().is_empty());
});

on_both!(
    what_is_documented_is_routed_and_what_is_not_is_405,
    async |server| {
        for (path, methods) in documented() {
            let allowed = methods.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            for method in METHODS {
                let known = Method::from_bytes(method.as_bytes()).expect("a method");
                let answer = server.request(known, &filled(&path)).send().await;
                if methods.contains(method) {
                    assert_ne!(answer.status(), 405, "{answer}");
                    // A path that leads nowhere says so in words that no operation uses.
                    assert!(!answer.text().contains("no operation has this path"), "{answer}");
                    assert!(!answer.text().contains("Cannot "), "{answer}");
                } else {
                    assert_eq!(answer.status(), 405, "{answer}");
                    assert_eq!(answer.header("allow"), Some(allowed.as_str()), "{answer}");
                }
            }
        }
    }
);

on_both!(what_is_not_documented_is_not_routed, async |server| {
    let known = documented();
    for path in [
        "/api/v1/push.test",
        "/api/v1/auth",
        "/api/v1/users",
        "/api/v1/notifications",
        "/notifications/devices/delete",
        "/push",
        "/api/push",
        "/docs/",
        "/openapi",
        "/openapi.yaml",
        "/health",
        "/metrics",
        "/v1/messages",
    ] {
        assert!(!known.contains_key(path), "{path}");
        server.get(path).send().await.assert_status(404);
    }
});
