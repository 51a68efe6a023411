//! What the platforms tell of themselves.

use doorbell_tests::{Phone, json, on_both};

use super::{browser, device, phone, with};

on_both!(
    settings_are_the_platforms_own_and_learnt_bit_by_bit,
    async |server| {
        let person = server.sign_in(&Phone::nth(1)).await;
        for (platform, own, other) in [
            ("ios", "mobileSettings", "webSettings"),
            ("android", "mobileSettings", "webSettings"),
            ("web", "webSettings", "mobileSettings"),
        ] {
            let bare = json!({"deviceId": platform, "platform": platform, "environment": "production", "pushToken": platform});
            for missing in [
                bare.clone(),
                with(bare.clone(), own, json!(null)),
                with(bare.clone(), other, json!({})),
            ] {
                server
                    .add_device(&person, &missing)
                    .await
                    .assert_easyflow_params(&[own]);
            }
            let both = with(
                with(bare, own, json!({})),
                other,
                json!({"appVersion": "1", "userAgent": "u"}),
            );
            let added = device(&server.add_device(&person, &both).await);
            assert_eq!(added[own], json!({}), "at least an empty one");
            assert_eq!(added.get(other), None, "the other is left out");
        }
        // What is not said stays; null says nothing.
        let id = server.device(&person, "ios").await["id"].take();
        for (told, known) in [
            (
                json!({"appVersion": "1", "osVersion": "17"}),
                json!({"appVersion": "1", "osVersion": "17"}),
            ),
            (
                json!({"appVersion": "2", "deviceModel": "iPhone 15"}),
                json!({"appVersion": "2", "osVersion": "17", "deviceModel": "iPhone 15"}),
            ),
            (
                json!({"appVersion": null, "unlisted": 5}),
                json!({"appVersion": "2", "osVersion": "17", "deviceModel": "iPhone 15"}),
            ),
            (
                json!(null),
                json!({"appVersion": "2", "osVersion": "17", "deviceModel": "iPhone 15"}),
            ),
        ] {
            let updated = device(
                &server
                    .update_device(&person, &json!({"id": id, "mobileSettings": told}))
                    .await,
            );
            assert_eq!(updated["mobileSettings"], known);
        }
        for bad in [
            json!({"appVersion": 5}),
            json!({"osVersion": ""}),
            json!({"deviceModel": "x".repeat(1025)}),
            json!({"appInstanceId": "a\u{0}"}),
            json!([]),
            json!(["a"]),
            json!("x"),
            json!(1),
        ] {
            let update = json!({"id": id, "mobileSettings": bad});
            server
                .update_device(&person, &update)
                .await
                .assert_easyflow_params(&["mobileSettings"]);
            let add = with(phone(), "mobileSettings", bad);
            server
                .add_device(&person, &add)
                .await
                .assert_easyflow_params(&["mobileSettings"]);
        }
        for bad in [
            json!({"userAgent": 5}),
            json!({"ipAddress": ""}),
            json!({"userAgent": "x".repeat(1025)}),
            json!([]),
        ] {
            let add = with(browser(), "webSettings", bad);
            server
                .add_device(&person, &add)
                .await
                .assert_easyflow_params(&["webSettings"]);
        }
    }
);
