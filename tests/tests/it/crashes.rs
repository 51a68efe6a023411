//! A server is killed while messages come in and go out, over and over: what was accepted arrives.
//!
//! `make crash` runs the long form, 20 rounds on PostgreSQL with two servers and 10 on SQLite, of 2,000 messages each; what it prints is
//! the proof. `SEED` repeats a run's choice of servers and moments, as far as a machine can repeat anything.

mod field;
mod sum;

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process;
use std::str::FromStr;
use std::sync::Arc;

use doorbell_tests::{Database, PushService, Server, play};

use self::field::Field;
use self::sum::Sum;

/// How much of it there is.
#[derive(Clone, Copy)]
struct Plan {
    servers: usize,
    rounds: usize,
    messages: usize,
    seed: u64,
}

impl Plan {
    fn short(servers: usize) -> Self {
        Self {
            servers,
            rounds: 1,
            messages: 300,
            seed: number("SEED").unwrap_or_else(|| process::id().into()),
        }
    }

    fn long(servers: usize, rounds: usize) -> Self {
        Self {
            rounds: number("ROUNDS").unwrap_or(rounds),
            messages: number("MESSAGES").unwrap_or(2_000),
            ..Self::short(servers)
        }
    }

    /// Which server is killed in a round, and after how many answers: neither the first of them nor the last.
    fn blow(&self, round: usize) -> (usize, usize) {
        let drawn = |what: &str| {
            let mut hasher = DefaultHasher::new();
            (self.seed, round, what).hash(&mut hasher);
            usize::try_from(hasher.finish() % 1_000_000).expect("small")
        };
        let within = self.messages * 9 / 10;
        (
            drawn("server") % self.servers,
            self.messages / 20 + drawn("moment") % within,
        )
    }
}

fn number<N: FromStr>(name: &str) -> Option<N> {
    let text = env::var(name).ok()?;
    let number = text.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{name}={text} is no number")))
}

async fn rounds(name: &str, plan: Plan, first: Server) {
    let mut service = PushService::start().await;
    let (field, browsers) = Field::of(first, plan, &service).await;
    let field = Arc::new(field);
    let mut sum = Sum::default();
    println!("{name}: SEED={}", plan.seed);
    for round in 1..=plan.rounds {
        let accepted = field.send_all(plan, round).await;
        let left = field.stand_still().await;
        field.finish().await;
        let said = field.said_of(&accepted).await;
        let came = Sum::of(&accepted, &said, left, &browsers, &service.rest());
        let (victim, moment) = plan.blow(round);
        println!(
            "{name}, round {round} of {}, server {} of {} killed at answer {moment} of {}: {came}",
            plan.rounds,
            victim + 1,
            plan.servers,
            plan.messages
        );
        came.assert_kept();
        sum.add(came);
        let there = field.servers[0].lock().await.count("messages");
        assert_eq!(
            usize::try_from(there).expect("a count"),
            sum.accepted,
            "a request that was repeated is one message"
        );
    }
    println!("{name}, {} rounds: {sum}", plan.rounds);
}

fn one_of_two_servers(plan: Plan) {
    play(
        Database::Postgres,
        |setup| setup,
        async |server| rounds("PostgreSQL", plan, server).await,
    );
}

fn the_only_server(plan: Plan) {
    play(
        Database::Sqlite,
        |setup| setup,
        async |server| rounds("SQLite", plan, server).await,
    );
}

#[test]
fn what_was_accepted_arrives_when_one_of_two_servers_is_killed() {
    one_of_two_servers(Plan::short(2));
}

#[test]
fn what_was_accepted_arrives_when_the_only_server_is_killed() {
    the_only_server(Plan::short(1));
}

#[test]
#[ignore = "it takes minutes: `make crash`"]
fn what_was_accepted_arrives_when_one_of_two_servers_is_killed_over_and_over() {
    one_of_two_servers(Plan::long(2, 20));
}

#[test]
#[ignore = "it takes minutes: `make crash`"]
fn what_was_accepted_arrives_when_the_only_server_is_killed_over_and_over() {
    the_only_server(Plan::long(1, 10));
}
