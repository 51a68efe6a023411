//! Keys by which back ends speak: made, listed and revoked by an operator.

use doorbell_tests::{Database, Method, Phone, Server, Setup, on_both, ring};

fn said(server: &Server, arguments: &[&str]) -> (bool, String) {
    let output = server.run(arguments);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (
        output.status.success(),
        text + &String::from_utf8_lossy(&output.stderr),
    )
}

on_both!(
    a_key_is_shown_once_works_at_once_and_is_kept_as_a_hash,
    async |server: Server| {
        let (_, line) = said(&server, &["apikey", "create", "shop"]);
        assert_eq!(line.lines().count(), 1, "{line}");
        let shop = line.split_whitespace().last().expect("a key").to_owned();
        assert!(shop.starts_with("dbk_") && shop.len() == 47, "{line}");
        let person = server.sign_in(&Phone::nth(1)).await;
        let send = || {
            server
                .post("/v1/messages")
                .bearer(&shop)
                .json(&ring(&person))
                .send()
        };
        send().await.assert_status(202);
        let (_, listed) = said(&server, &["apikey", "list"]);
        assert!(listed.contains("shop") && !listed.contains(&shop), "{listed}");
        assert!(!server.log().contains(&shop), "{}", server.log());
        if server.sqlite_file().is_some() {
            let kept = server.values();
            let hidden = |(place, value): &(String, Vec<u8>)| {
                let found = value.windows(shop.len()).any(|part| part == shop.as_bytes());
                assert!(!found, "{place} has the key");
            };
            kept.iter().for_each(hidden);
        }
    }
);

on_both!(a_key_is_revoked_for_good, async |server: Server| {
    let person = server.sign_in(&Phone::nth(1)).await;
    let [first, second] = ["first", "second"].map(|name| server.back_end(name));
    let (taken, why) = said(&server, &["apikey", "create", "first"]);
    assert!(!taken && why.contains("of that name"), "{why}");
    let (revoked, _) = said(&server, &["apikey", "revoke", "first"]);
    assert!(revoked);
    let refused = server.send_message(&first, &ring(&person)).await;
    refused.assert_problem(401, "unauthorized");
    server
        .send_message(&second, &ring(&person))
        .await
        .assert_status(202);
    let (again, why) = said(&server, &["apikey", "revoke", "first"]);
    assert!(!again && why.contains("no key of that name"), "{why}");
    // Its name is free again, and the next one of that name is another key.
    let next = server.back_end("first");
    assert_ne!(next.key, first.key);
    server
        .send_message(&next, &ring(&person))
        .await
        .assert_status(202);
    server
        .send_message(&first, &ring(&person))
        .await
        .assert_status(401);
    let (_, listed) = said(&server, &["apikey", "list"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
});

on_both!(
    an_access_token_is_no_api_key_and_the_other_way_round,
    async |server: Server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        let back_end = server.back_end("shop");
        let message = "/v1/messages/019ae1f4-2b3c-7d4e-8f50-6a7b8c9d0e1f";
        let trail = format!("/v1/users/{}/trail", person.user_id);
        for (method, path) in [
            (Method::POST, "/v1/messages"),
            (Method::GET, message),
            (Method::DELETE, message),
            (Method::GET, &trail),
        ] {
            let nobody = server.request(method.clone(), path);
            let somebody = server.request(method, path).by(&person);
            for refused in [nobody.send().await, somebody.send().await] {
                refused.assert_problem(401, "unauthorized");
                assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            }
        }
        for key in ["dbk_", "", &back_end.key[1..], &format!("{}A", back_end.key)] {
            let refused = server.get("/v1/messages/x").bearer(key).send().await;
            refused.assert_problem(401, "unauthorized");
        }
        server
            .get("/api/v1/auth/me")
            .bearer(&back_end.key)
            .send()
            .await
            .assert_status(401);
    }
);

#[test]
fn a_name_must_be_one() {
    let server = Setup::on(Database::Sqlite).start();
    for name in ["", &"x".repeat(65)] {
        let (made, why) = said(&server, &["apikey", "create", name]);
        assert!(!made && why.contains("the name"), "{why}");
    }
}
