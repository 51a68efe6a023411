//! The playground's page and the demo's, and their parts, as a browser is given them.

use doorbell_tests::{Server, on_both};

/// What a page at `path` loads.
fn parts<'a>(page: &'a str, path: &str) -> Vec<&'a str> {
    let within = format!("{path}/");
    page.split('"').filter(|text| text.starts_with(&within)).collect()
}

on_both!(
    a_page_loads_its_own_parts_and_nothing_else,
    async |server: Server| {
        for path in ["/docs", "/demo"] {
            let page = server.get(path).send().await.expect(200);
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
            let policy = page.header("content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
            let text = page.text();
            assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
            assert!(!text.contains("style="), "a strict policy takes no inline style");
            assert!(!text.contains("{version}"));
            let parts = parts(&text, path);
            assert!(parts.len() >= 3, "{parts:?}");
            for part in parts {
                let answer = server
                    .get(part)
                    .header("accept-encoding", "br")
                    .send()
                    .await
                    .expect(200);
                assert_eq!(answer.header("content-encoding"), Some("br"));
                let plain = server.get(part).send().await.expect(200);
                assert_eq!(plain.header("content-encoding"), None);
                assert!(plain.body().len() > answer.body().len());
                assert!(!plain.text().contains("eval("));
            }
        }
    }
);

on_both!(a_part_of_another_version_is_not_there, async |server: Server| {
    for path in [
        "/docs/0000000000000000/playground.js",
        "/docs/x/y",
        "/demo/assets/0000000000000000/demo.js",
    ] {
        server.get(path).send().await.assert_problem(404, "not_found");
    }
});

on_both!(
    in_development_the_root_leads_to_the_page,
    async |server: Server| {
        let answer = server.get("/").send().await.expect(303);
        assert_eq!(answer.header("location"), Some("/docs"));
    }
);
