//! Devices, one by one and a page at a time.

use doorbell_tests::{Phone, Value, json, on_both};

use super::{GET, LIST, phone, shown, with};

on_both!(devices_are_found_a_page_at_a_time, async |server| {
    let ada = server.sign_in(&Phone::nth(1)).await;
    let bob = server.sign_in(&Phone::nth(2)).await;
    let list = async |query: &str| shown(server.get(&format!("{LIST}{query}")), &ada).send().await;
    let empty = list("").await.expect(200).json();
    let none = json!({"docs": [], "currentPage": 1, "limit": 20, "totalDocs": 0, "totalPages": 0,
        "hasNext": false, "nextPage": null});
    assert_eq!(empty["data"], none);
    for n in 0..23 {
        let body = with(
            with(phone(), "deviceId", json!(format!("device {n}"))),
            "pushToken",
            json!(n.to_string()),
        );
        server.add_device(&ada, &body).await.assert_status(200);
    }
    let fifth = server.device(&ada, "device 5").await["id"].take();
    let revoke = json!({"id": fifth, "status": "revoked"});
    server.update_device(&ada, &revoke).await.assert_status(200);
    server
        .add_device(&bob, &with(phone(), "pushToken", json!("bob's")))
        .await
        .assert_status(200);

    let own = format!("?userId={}", ada.user_id);
    for (query, page, limit, docs, pages, next) in [
        ("", 1, 20, 20, 2, json!(2)),
        ("?page=2", 2, 20, 3, 2, json!(null)),
        ("?page=3", 3, 20, 0, 2, json!(null)),
        ("?limit=23", 1, 23, 23, 1, json!(null)),
        ("?limit=22", 1, 22, 22, 2, json!(2)),
        ("?limit=100", 1, 100, 23, 1, json!(null)),
        ("?limit=1&page=23", 23, 1, 1, 23, json!(null)),
        ("?limit=7&page=2&unlisted=x", 2, 7, 7, 4, json!(3)),
        (
            "?page=2147483647&limit=100",
            2_147_483_647_u32,
            100,
            0,
            1,
            json!(null),
        ),
        (own.as_str(), 1, 20, 20, 2, json!(2)),
    ] {
        let mut data = list(query).await.expect(200).json()["data"].take();
        let found = data["docs"].take();
        assert_eq!(found.as_array().map(Vec::len), Some(docs), "{query}");
        let expected = json!({"docs": null, "currentPage": page, "limit": limit, "totalDocs": 23,
            "totalPages": pages, "hasNext": !next.is_null(), "nextPage": next});
        assert_eq!(data, expected, "{query}");
    }
    // Newest first, the revoked one at its place, and no page repeats or skips one.
    let mut names = Vec::new();
    for page in 1..=4 {
        let data = list(&format!("?limit=7&page={page}")).await.json()["data"].take();
        names.extend(
            data["docs"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|device| device["deviceId"].clone()),
        );
    }
    let newest: Vec<Value> = (0..23).rev().map(|n| json!(format!("device {n}"))).collect();
    assert_eq!(names, newest);
    // Used again, a device stays in its place.
    server
        .refresh_device(&ada, "device 0", "renewed")
        .await
        .assert_status(200);
    let first = list("?limit=1").await.json()["data"]["docs"][0]["deviceId"].take();
    assert_eq!(first, "device 22");

    for bad in [
        "0",
        "-1",
        "1.5",
        "x",
        "",
        "1e3",
        "%2B1",
        " 1",
        "99999999999999999999",
    ] {
        list(&format!("?page={bad}"))
            .await
            .assert_easyflow_params(&["page"]);
        list(&format!("?limit={bad}"))
            .await
            .assert_easyflow_params(&["limit"]);
    }
    list("?limit=101").await.assert_easyflow_params(&["limit"]);
    list("?limit=x&page=x")
        .await
        .assert_easyflow_params(&["page", "limit"]);
    for foreign in [bob.user_id.as_str(), "nobody", ""] {
        list(&format!("?userId={foreign}")).await.assert_easyflow(403);
    }

    let get = async |query: &str| shown(server.get(&format!("{GET}{query}")), &ada).send().await;
    get("?deviceId=unknown")
        .await
        .assert_easyflow_params(&["deviceId"]);
    get("?deviceId=").await.assert_easyflow_params(&["deviceId"]);
    get(&format!("?deviceId={}", "x".repeat(257)))
        .await
        .assert_easyflow_params(&["deviceId"]);
    get("?deviceId=device-a81f92")
        .await
        .assert_easyflow_params(&["deviceId"]);
    get("?id=unknown").await.assert_easyflow_params(&["id"]);
    let foreign = server.device(&bob, "device-a81f92").await["id"].take();
    get(&format!("?id={}", foreign.as_str().expect("an id")))
        .await
        .assert_easyflow_params(&["id"]);
    get("").await.assert_easyflow_params(&["id", "deviceId"]);
    server
        .update_device(&ada, &json!({"id": foreign, "status": "revoked"}))
        .await
        .assert_easyflow_params(&["id"]);
    server
        .refresh_device(&ada, "device-a81f92", "t")
        .await
        .assert_easyflow_params(&["deviceId"]);
    assert_eq!(server.device(&bob, "device-a81f92").await["status"], "active");
});
