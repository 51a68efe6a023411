//! The keys that sign access tokens: replaced while people are at it, revoked when one has leaked, and listed.

use std::cell::Cell;
use std::process::Output;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use doorbell_tests::{Answer, Database, Phone, Server, Setup, SignedIn, Value, join_all, on_both};

const OWN: &str = "own:s3ntinel-of-this-database-0123456789";
const OTHER: &str = "own:s3ntinel-of-another-one-0123456789ab";

/// Longer than servers take to look for keys, even on a machine that compiles beside.
const PATIENCE: Duration = Duration::from_mins(2);

async fn me(server: &Server, access: &str) -> Answer {
    server.get("/api/v1/auth/me").bearer(access).send().await
}

/// The names of the keys that a server publishes, newest first.
async fn published(server: &Server) -> Vec<String> {
    let answer = server.get("/.well-known/jwks.json").send().await.expect(200);
    let set = answer.json();
    let keys = set["keys"].as_array().expect("a list");
    keys.iter()
        .map(|key| key["kid"].as_str().expect("a name").to_owned())
        .collect()
}

/// Which key a token says that it was signed by.
fn kid(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a name").to_owned()
}

/// Runs `doorbell keys …` beside the servers, while requests go on.
async fn keys(server: &Server, arguments: &[&'static str]) -> Output {
    let setup = server.setup().clone();
    let arguments = [&["keys"][..], arguments].concat();
    let ran = tokio::task::spawn_blocking(move || setup.run(&arguments));
    ran.await.expect("it runs")
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Adds a key, and gives its name.
async fn rotate(server: &Server, flags: &[&'static str]) -> String {
    let output = keys(server, &[&["rotate"][..], flags].concat()).await;
    assert!(output.status.success(), "{output:?}");
    let told = said(&output.stdout);
    told.split(' ').next().expect("a key's name").to_owned()
}

/// What `doorbell keys list` says of each key: its name, and what it does now.
async fn listed(server: &Server) -> Vec<(String, String)> {
    let output = keys(server, &["list"]).await;
    assert!(output.status.success(), "{output:?}");
    let told = said(&output.stdout);
    let line = |line: &str| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [kid, created, starts, retires, state] = parts[..] else {
            panic!("not five columns: {told}");
        };
        for instant in [created, starts, retires] {
            assert!(
                instant == "-" || instant.len() == 20 && instant.ends_with('Z'),
                "{told}"
            );
        }
        (kid.to_owned(), state.to_owned())
    };
    told.lines().skip(1).map(line).collect()
}

/// Waits until every server publishes these keys. They look every ten seconds of the world's time, which no offset of the clock
/// shortens.
async fn taken_up(servers: &[&Server], kids: &[&str]) {
    let begun = Instant::now();
    for server in servers {
        while published(server).await != kids {
            assert!(
                begun.elapsed() < PATIENCE,
                "not published after {PATIENCE:?}: {kids:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Trades a refresh token in at the one server, and is at the other at once with what came.
async fn refresh(here: &Server, there: &Server, person: &mut SignedIn) {
    let answer = here.refresh(&person.refresh).await.expect(200).json();
    let token = |name: &str| answer[name].as_str().expect("a token").to_owned();
    (person.access, person.refresh) = (token("accessToken"), token("refreshToken"));
    me(there, &person.access).await.assert_status(200);
}

/// Everybody asks for themselves at one of the servers, and somebody refreshes. Nobody is refused.
async fn bustle(servers: [&Server; 2], people: &mut [SignedIn], round: usize) {
    let asked = people.iter().enumerate();
    let answers = join_all(asked.map(|(n, person)| me(servers[(n + round) % 2], &person.access))).await;
    for answer in answers {
        answer.assert_status(200);
    }
    let n = round % people.len();
    refresh(servers[round % 2], servers[(round + 1) % 2], &mut people[n]).await;
}

on_both!(a_rotation_under_load_refuses_nobody, async |first: Server| {
    let second = Server::second_on(&first);
    let servers = [&first, &second];
    let mut people = Vec::new();
    for (n, server) in (0..4).zip(servers.iter().cycle()) {
        people.push(server.sign_in(&Phone::nth(n)).await);
    }
    let old = kid(&people[0].access);
    let done = Cell::new(false);
    let load = async {
        let mut rounds = 0;
        while !done.get() {
            bustle(servers, &mut people, rounds).await;
            rounds += 1;
        }
        rounds
    };
    let steps = async {
        let new = rotate(&first, &[]).await;
        taken_up(&servers, &[&new, &old]).await;
        // Everybody can know it, and it does not sign yet.
        let early = second.sign_in(&Phone::nth(10)).await;
        assert_eq!(kid(&early.access), old);
        first.advance(Duration::from_secs(361));
        // Now it does, at once and on both.
        for (n, server) in (11..).zip(servers) {
            let person = server.sign_in(&Phone::nth(n)).await;
            assert_eq!(kid(&person.access), new);
        }
        for server in servers {
            me(server, &early.access).await.assert_status(200);
            assert_eq!(published(server).await, [new.as_str(), &old]);
        }
        done.set(true);
        (new, early)
    };
    let (rounds, (new, early)) = tokio::join!(load, steps);
    assert!(rounds > 0, "nobody asked for anything meanwhile");

    // An hour on, the old key's last token has died of age; the key is kept ten minutes more.
    first.advance(Duration::from_hours(1));
    for server in servers {
        assert_eq!(published(server).await, [new.as_str(), &old]);
        me(server, &early.access).await.assert_allmine(401);
    }
    for person in &mut people {
        refresh(&first, &second, person).await;
        assert_eq!(kid(&person.access), new);
    }
    bustle(servers, &mut people, 0).await;
    first.advance(Duration::from_mins(10));
    for server in servers {
        assert_eq!(published(server).await, [new.as_str()]);
    }
    bustle(servers, &mut people, 1).await;
    // A server that starts now has never heard of the old one's time.
    let third = Server::second_on(&first);
    assert_eq!(published(&third).await, [new.as_str()]);
    me(&third, &people[0].access).await.assert_status(200);
});

on_both!(
    a_leaked_keys_tokens_are_refused_and_nobody_is_signed_out,
    async |first: Server| {
        let second = Server::second_on(&first);
        let mut person = first.sign_in(&Phone::nth(1)).await;
        let before = person.access.clone();
        let new = rotate(&first, &["--now", "--revoke"]).await;
        taken_up(&[&first, &second], &[&new]).await;
        for server in [&first, &second] {
            me(server, &before).await.assert_allmine(401);
        }
        refresh(&first, &second, &mut person).await;
        assert_eq!(kid(&person.access), new);
        assert_eq!(first.count("sessions"), 1, "it is the same session");
    }
);

on_both!(
    a_rotation_waits_for_the_one_before_and_takes_retired_keys_away,
    async |server: Server| {
        let [first]: [String; 1] = published(&server).await.try_into().expect("one key");
        let second = rotate(&server, &[]).await;
        let state = |kid: &str, state: &str| (kid.to_owned(), state.to_owned());
        let expected = [state(&second, "published"), state(&first, "signs")];
        assert_eq!(listed(&server).await, expected);

        let refused = keys(&server, &["rotate"]).await;
        assert!(!refused.status.success(), "{refused:?}");
        let why = said(&refused.stderr);
        assert!(why.contains("under way") && why.contains(&second), "{why}");
        assert_eq!(listed(&server).await, expected);

        // Once its key signs, the next may come.
        server.advance(Duration::from_secs(361));
        let third = rotate(&server, &[]).await;
        let expected = [
            state(&third, "published"),
            state(&second, "signs"),
            state(&first, "verifies"),
        ];
        assert_eq!(listed(&server).await, expected);

        // What cannot wait does not, and puts the one that waits aside.
        let fourth = rotate(&server, &["--now"]).await;
        let expected = [
            state(&fourth, "signs"),
            state(&third, "retired"),
            state(&second, "verifies"),
            state(&first, "verifies"),
        ];
        assert_eq!(listed(&server).await, expected);

        server.advance(Duration::from_hours(3));
        assert_eq!(server.count("keys WHERE usage = 'access_token'"), 4);
        let fifth = rotate(&server, &[]).await;
        assert_eq!(
            listed(&server).await,
            [state(&fifth, "published"), state(&fourth, "signs")]
        );
        assert_eq!(
            server.count("keys WHERE usage = 'vapid'"),
            1,
            "which is nobody's business here"
        );
    }
);

on_both!(of_rotations_at_once_one_adds_a_key, async |server: Server| {
    let rotations = join_all((0..3).map(|_| keys(&server, &["rotate"]))).await;
    let added = rotations.iter().filter(|output| output.status.success());
    assert_eq!(added.count(), 1, "{rotations:?}");
    assert_eq!(server.count("keys WHERE usage = 'access_token'"), 2);
});

on_both!(
    a_rotation_under_another_secret_adds_nothing,
    |setup| setup.env("DOORBELL_SECRET", OWN),
    async |mut server: Server| {
        let stranger = server.setup().clone().env("DOORBELL_SECRET", OTHER);
        for flags in [&["keys", "rotate"][..], &["keys", "rotate", "--now", "--revoke"]] {
            let refused = stranger.run(flags);
            assert!(!refused.status.success(), "{refused:?}");
            let why = said(&refused.stderr);
            assert!(
                why.contains("DOORBELL_SECRET") && !why.contains("s3ntinel"),
                "{why}"
            );
        }
        assert_eq!(server.count("keys WHERE usage = 'access_token'"), 1);
        server.restart();
    }
);

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let setup = Setup::on(Database::Sqlite).env("DOORBELL_SECRET", OWN);
    for command in [&["keys", "list"][..], &["keys", "rotate"], &["secret", "reseal"]] {
        let refused = setup.run(command);
        assert!(!refused.status.success(), "{refused:?}");
        assert!(said(&refused.stderr).contains("DATABASE_URL"), "{refused:?}");
    }
    assert!(!setup.sqlite_file().expect("a path").exists());
}
