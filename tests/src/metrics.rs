//! What the second listener tells.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::{Server, Setup};

/// Far more than it takes to count, even on a machine that compiles beside.
const PATIENCE: Duration = Duration::from_mins(1);

impl Setup {
    /// With a second listener, for metrics.
    #[must_use]
    pub fn metrics(self) -> Self {
        self.env("DOORBELL_ADMIN_LISTEN", "127.0.0.1:0")
    }
}

impl Server {
    /// Asks the second listener, and returns its answer as it came: head and body.
    pub fn ask_admin(&self, method: &str, path: &str) -> (String, String) {
        let log = self.log();
        let said = log.lines().rev();
        let address = said
            .filter_map(|line| line.strip_prefix("metrics on http://"))
            .find_map(|rest| rest.strip_suffix("/metrics"))
            .unwrap_or_else(|| panic!("the server has no second listener:\n{log}"));
        let mut stream = TcpStream::connect(address).expect("the second listener takes connections");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_ascii_lowercase(), body.to_owned())
    }

    /// All metrics, as Prometheus reads them.
    pub fn metrics(&self) -> String {
        let (head, body) = self.ask_admin("GET", "/metrics");
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        body
    }

    /// One metric, named with its labels; `None` where there is none of that name.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.metrics();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map(|value| value.parse().expect("a number"))
    }

    /// Waits until a metric has that value: who works beside the requests counts after it has written down.
    #[track_caller]
    pub fn metric_becomes(&self, name: &str, value: f64) {
        let began = Instant::now();
        while self.metric(name) != Some(value) {
            assert!(
                began.elapsed() < PATIENCE,
                "{name} is not {value}: {}",
                self.metrics()
            );
        }
    }
}
