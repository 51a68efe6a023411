//! Settings: all are listed, misspelt ones are told, and what cannot be is refused by name.

use std::collections::BTreeMap;

use doorbell_tests::{Database, Server, Setup, on_both, play, printed};

const README: &str = include_str!("../../../README.md");

/// By variable, the default that the command line's help says, if it says one.
fn told_by_the_help() -> BTreeMap<String, Option<String>> {
    let help = printed(&["serve", "--help"]);
    // Wherever its lines were wrapped.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    help.split("[env: ")
        .skip(1)
        .map(|of_one| {
            let end = of_one.find(['=', ']']).expect("a variable");
            let default = of_one.split_once("[default: ");
            let default = default.and_then(|(_, rest)| rest.split_once(']'));
            (
                of_one[..end].to_owned(),
                default.map(|(value, _)| value.to_owned()),
            )
        })
        .collect()
}

/// By variable, the second column of the README's table.
fn told_by_the_readme() -> BTreeMap<String, String> {
    let (_, section) = README.split_once("\n## Configuration\n").expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let (variable, rest) = row.split_once("` |").expect("a variable");
            let default = rest.split('|').next().expect("a default");
            (variable.to_owned(), default.trim().to_owned())
        })
        .collect()
}

#[test]
fn the_readme_and_the_help_list_the_same_settings() {
    let (help, readme) = (told_by_the_help(), told_by_the_readme());
    assert!(help.len() > 20, "{help:?}");
    assert_eq!(
        help.keys().collect::<Vec<_>>(),
        readme.keys().collect::<Vec<_>>(),
        "left the help, right the README"
    );
    for (variable, default) in help {
        if let Some(default) = default {
            assert_eq!(readme[&variable], format!("`{default}`"), "{variable}");
        }
    }
}

#[test]
fn production_names_everything_that_it_lacks_at_once() {
    let said = Setup::on(Database::Sqlite)
        .env("DOORBELL_MODE", "production")
        .env("DOORBELL_SENDERS", "log,twilio")
        .env("DOORBELL_EVENTS_WEBHOOK", "https://events.example.com/")
        .env("DOORBELL_WEBPUSH_HOSTS", "any,known")
        .refuses_to_start();
    for variable in [
        "DOORBELL_SECRET",
        "DOORBELL_ISSUER",
        "DOORBELL_SENDERS",
        "DOORBELL_TWILIO_ACCOUNT_SID",
        "DOORBELL_TWILIO_AUTH_TOKEN",
        "DOORBELL_TWILIO_FROM",
        "DOORBELL_EVENTS_WEBHOOK_SECRET",
        "DOORBELL_WEBPUSH_HOSTS",
        // What a test sets.
        "DOORBELL_LIMITS",
        "DOORBELL_CLOCK_OFFSET_FILE",
    ] {
        let lines = said.lines().filter(|line| line.trim().starts_with(variable));
        assert_eq!(lines.count(), 1, "{variable}: {said}");
    }
}

#[test]
fn a_log_filter_that_means_nothing_is_refused_by_name() {
    for value in ["verbose", "doorbell_http=loud", "", "info,,debug"] {
        let setup = Setup::on(Database::Sqlite).env("DOORBELL_LOG", value);
        let said = setup.refuses_to_start();
        assert!(said.contains("DOORBELL_LOG"), "{value}: {said}");
    }
}

#[test]
fn a_misspelt_setting_is_told_without_its_value() {
    let misspelt = |setup: Setup| {
        setup
            .env("DOORBELL_TRUSTED_PROXYS", "s3ntinel")
            .env("ANOTHER_PROGRAMS", "s3ntinel")
    };
    play(Database::Sqlite, misspelt, async |server: Server| {
        let log = server.log();
        let told: Vec<_> = log
            .lines()
            .filter(|line| line.contains("no setting has this name"))
            .collect();
        assert_eq!(told.len(), 1, "{log}");
        assert!(told[0].contains("DOORBELL_TRUSTED_PROXYS"), "{log}");
        assert!(!log.contains("s3ntinel"), "{log}");
    });
}

on_both!(
    a_supervisor_can_ask_without_a_client,
    async |mut server: Server| {
        let address = server.address().to_owned();
        let asked = server.run(&["health", "--listen", &address]);
        assert!(asked.status.success(), "{asked:?}");
        server.stop();
        let asked = server.run(&["health", "--listen", &address]);
        assert!(!asked.status.success(), "{asked:?}");
        assert!(
            String::from_utf8_lossy(&asked.stderr).contains(&address),
            "{asked:?}"
        );
    }
);
