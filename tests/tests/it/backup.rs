//! A copy of the database, taken while it is served, and a server on the copy.

use std::fs;
use std::path::Path;

use doorbell_tests::{Database, Phone, Server, Setup, json, play};

#[cfg(unix)]
fn assert_owners_alone(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path).expect("the copy").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(unix))]
fn assert_owners_alone(_: &Path) {}

#[test]
fn a_server_on_the_copy_knows_what_the_first_one_knew() {
    play(
        Database::Sqlite,
        |setup| setup,
        async |server: Server| {
            let person = server.sign_in(&Phone::nth(1)).await;
            let body = json!({"platform": "ios", "deviceId": "before", "token": "t"});
            server.device_token(&person, &body).await.assert_status(200);

            // Others go on writing meanwhile.
            let meanwhile: Vec<_> = (0..50)
                .map(|n| {
                    let body =
                        json!({"platform": "ios", "deviceId": format!("d{n}"), "token": format!("t{n}")});
                    let request = server.post("/api/v1/notifications/device-token").by(&person);
                    tokio::spawn(request.json(&body).send())
                })
                .collect();
            let copy = server.setup().folder().join("copy.db");
            let path = copy.to_str().expect("a path").to_owned();
            let done = server.run(&["backup", &path]);
            assert!(done.status.success(), "{done:?}");
            assert!(String::from_utf8_lossy(&done.stdout).contains(&path), "{done:?}");
            for answer in meanwhile {
                answer.await.expect("an answer").assert_status(200);
            }
            assert_owners_alone(&copy);
            let beside = copy.with_extension("db-wal");
            assert!(!beside.exists(), "it is whole by itself");

            // It is written over by nobody.
            let before = fs::read(&copy).expect("the copy");
            let again = server.run(&["backup", &path]);
            assert!(!again.status.success(), "{again:?}");
            let said = String::from_utf8_lossy(&again.stderr);
            assert!(said.contains("copy.db is there already"), "{said}");
            assert_eq!(fs::read(&copy).expect("the copy"), before);

            // The secret lies in the same folder, as an operator would put it there.
            let restored = server
                .setup()
                .clone()
                .env("DATABASE_URL", &format!("sqlite://{path}"))
                .start();
            restored.get("/health/ready").send().await.assert_status(200);
            let me = restored.get("/api/v1/auth/me").by(&person).send().await;
            me.assert_status(200);
            let device = restored.device(&person, "before").await;
            assert_eq!(device["pushToken"], "t");
            restored.refresh(&person.refresh).await.assert_status(200);

            // They are two from now on.
            let body = json!({"platform": "ios", "deviceId": "after", "token": "u"});
            restored.device_token(&person, &body).await.assert_status(200);
            let here = server.devices(&person).await;
            assert_eq!(here.len(), 51);
            assert!(here.iter().all(|device| device["deviceId"] != "after"));
        },
    );
}

#[test]
fn what_is_not_there_is_not_backed_up_and_not_made() {
    let setup = Setup::on(Database::Sqlite);
    let copy = setup.folder().join("copy.db");
    let done = setup.run(&["backup", copy.to_str().expect("a path")]);
    assert!(!done.status.success(), "{done:?}");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("doorbell.db"), "{said}");
    assert!(!copy.exists() && !setup.sqlite_file().expect("a path").exists());
}

#[test]
fn postgresql_is_left_to_its_own_tools() {
    let setup = Setup::on(Database::Postgres);
    let copy = setup.folder().join("copy.dump");
    let done = setup.run(&["backup", copy.to_str().expect("a path")]);
    assert!(!done.status.success(), "{done:?}");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("pg_dump") && said.contains("copy.dump"), "{said}");
    assert!(!copy.exists());
}

#[test]
fn a_command_for_what_servers_made_makes_nothing_where_there_is_none() {
    for command in [
        &["sweep"][..],
        &["jobs", "redrive"],
        &["pruning", "resume"],
        &["apikey", "list"],
        &["keys", "list"],
    ] {
        let setup = Setup::on(Database::Sqlite);
        let done = setup.run(command);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            !done.status.success() && said.contains("there is no file"),
            "{command:?}: {said}"
        );
        assert!(!setup.sqlite_file().expect("a path").exists(), "{command:?}");
    }
}
