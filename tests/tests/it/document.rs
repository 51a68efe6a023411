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

/// By path and method, whether an operation asks who one is.
fn documented() -> BTreeMap<String, BTreeMap<String, bool>> {
    let document: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .map(|(path, item)| {
            let operations = item.as_object().expect("a path item").iter();
            let secured = operations.map(|(method, operation)| {
                let schemes = operation["security"].as_array().expect("security");
                (method.to_uppercase(), !schemes.is_empty())
            });
            (path.clone(), secured.collect())
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
        for (path, operations) in documented() {
            let mut methods: BTreeSet<&str> = operations.keys().map(String::as_str).collect();
            // Who may get a thing may ask for its head; OpenAPI need not say so.
            if methods.contains("GET") {
                methods.insert("HEAD");
            }
            let allowed = methods.iter().copied().collect::<Vec<_>>().join(", ");
            for method in METHODS {
                let known = Method::from_bytes(method.as_bytes()).expect("a method");
                let answer = server.request(known, &filled(&path)).send().await;
                match operations.get(method) {
                    // A path that leads nowhere is 404 to whoever asks.
                    Some(true) => assert_eq!(answer.status(), 401, "{answer}"),
                    Some(false) => {
                        assert_ne!(answer.status(), 405, "{answer}");
                        // Such a path's 404 is in words that no operation uses.
                        assert!(!answer.text().contains("no operation has this path"), "{answer}");
                    }
                    None => {
                        assert_eq!(answer.status(), 405, "{answer}");
                        assert_eq!(answer.header("allow"), Some(allowed.as_str()), "{answer}");
                    }
                }
            }
        }
    }
);

on_both!(what_is_not_documented_is_not_routed, async |server| {
    let known = documented();
    for path in [
        "/api/v1/push.get",
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
        "/v1/users",
    ] {
        assert!(!known.contains_key(path), "{path}");
        server.get(path).send().await.assert_status(404);
    }
});
