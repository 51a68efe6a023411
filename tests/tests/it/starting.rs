//! A server starts, answers and ends.

use doorbell_tests::{Database, Server, Setup, on_both};

on_both!(a_started_server_is_alive, async |server| {
    server.get("/health/live").send().await.assert_status(200);
});

on_both!(an_unknown_path_is_a_problem, async |server| {
    server
        .get("/nowhere")
        .send()
        .await
        .assert_problem(404, "not_found");
});

on_both!(a_server_asked_to_end_exits_with_0, async |mut server: Server| {
    server.get("/health/live").send().await.assert_status(200);
    let status = server.stop();
    assert_eq!(status.code(), Some(0), "{}", server.log());
});

on_both!(
    a_server_starts_again_on_what_it_kept,
    async |mut server: Server| {
        server.restart();
        server.get("/health/ready").send().await.assert_status(200);
    }
);

on_both!(two_servers_share_a_database, async |first| {
    let second = Server::second_on(&first);
    first.get("/health/ready").send().await.assert_status(200);
    second.get("/health/ready").send().await.assert_status(200);
});

#[test]
fn another_scheme_is_refused_by_name() {
    let said = Setup::on(Database::Sqlite)
        .env("DATABASE_URL", "mysql://localhost/doorbell")
        .refuses_to_start();
    assert!(said.contains("mysql"), "{said}");
}
