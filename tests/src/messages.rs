//! What back ends say: messages, and what became of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{Answer, Server, SignedIn};

/// Far more than a delivery takes whose clock is moved on, on a machine that compiles beside.
const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks, so that looking takes no time from what is looked for.
const PACE: Duration = Duration::from_millis(25);

/// States that a job stays in.
const FINAL: [&str; 6] = [
    "delivered",
    "dead",
    "failed",
    "expired",
    "cancelled",
    "superseded",
];

/// A back end, by its API key.
#[derive(Clone, Debug)]
pub struct BackEnd {
    /// The key.
    pub key: String,
}

impl Server {
    /// A back end with a key of that name, made as an operator makes one.
    pub fn back_end(&self, name: &str) -> BackEnd {
        let output = self.run(&["apikey", "create", name]);
        assert!(output.status.success(), "{output:?}");
        let line = String::from_utf8(output.stdout).expect("UTF-8");
        let key = line.split_whitespace().last().expect("a key").to_owned();
        BackEnd { key }
    }

    /// Sends a message.
    pub async fn send_message(&self, by: &BackEnd, body: &Value) -> Answer {
        self.post("/v1/messages").bearer(&by.key).json(body).send().await
    }

    /// Sends a message that is accepted; gives its id.
    pub async fn accepted(&self, by: &BackEnd, body: &Value) -> String {
        let answer = self.send_message(by, body).await.expect(202).json();
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Rings a person with a title; gives the message's id.
    pub async fn ring(&self, by: &BackEnd, person: &SignedIn) -> String {
        self.accepted(by, &ring(person)).await
    }

    /// What became of a message so far.
    pub async fn message(&self, by: &BackEnd, id: &str) -> Value {
        let path = format!("/v1/messages/{id}?limit=1000");
        self.get(&path).bearer(&by.key).send().await.expect(200).json()
    }

    /// The message's jobs once `done` says so of all of them.
    pub async fn jobs_when(&self, by: &BackEnd, id: &str, done: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.jobs_that(by, id, |jobs| jobs.iter().all(&done)).await
    }

    /// The message's jobs once `done` says so of them together.
    pub async fn jobs_that(&self, by: &BackEnd, id: &str, done: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let message = self.message(by, id).await;
            let jobs = message["jobs"].as_array().expect("jobs");
            if done(jobs) {
                return jobs.clone();
            }
            assert!(began.elapsed() < PATIENCE, "{message}\n{}", self.log());
            sleep(PACE).await;
        }
    }

    /// The message's jobs once all of them are over.
    pub async fn settled(&self, by: &BackEnd, id: &str) -> Vec<Value> {
        self.jobs_when(by, id, |job| FINAL.iter().any(|state| job["state"] == *state))
            .await
    }

    /// How the one job of a message ended: state and reason.
    pub async fn end_of(&self, by: &BackEnd, id: &str) -> (String, Value) {
        let jobs = self.settled(by, id).await;
        let [job] = &jobs[..] else {
            panic!("not one job: {jobs:?}")
        };
        (
            job["state"].as_str().expect("a state").to_owned(),
            job["reason"].clone(),
        )
    }

    /// A page of a person's trail.
    pub async fn trail(&self, by: &BackEnd, user: &str, query: &str) -> Value {
        let path = format!("/v1/users/{user}/trail{query}");
        self.get(&path).bearer(&by.key).send().await.expect(200).json()
    }
}

/// A message to a person.
pub fn ring(person: &SignedIn) -> Value {
    json!({"to": {"users": [person.user_id]}, "notification": {"title": "Ring"}})
}
