//! Bytes on a connection, for what no HTTP client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Server;

impl Server {
    /// Sends those bytes on a new connection and returns the answer: up to its announced length, or to the end of
    /// the connection, which must come within ten seconds.
    ///
    /// The answer may come from below the application, so it is text and nothing about it is asserted.
    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        self.connect().ask(bytes.as_ref())
    }

    /// Sends a request's head, which must end in `Expect: 100-continue`, and waits until the server asks for the
    /// body: from then on the request is in flight.
    pub fn begin(&self, head: &str) -> Held {
        let mut held = self.connect();
        held.stream.write_all(head.as_bytes()).expect("the head is sent");
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            held.stream
                .read_exact(&mut byte)
                .expect("the server asks for the body");
            said.extend(byte);
        }
        let said = String::from_utf8_lossy(&said);
        assert!(said.starts_with("HTTP/1.1 100 "), "{said}");
        held
    }

    fn connect(&self) -> Held {
        let stream = TcpStream::connect(self.address()).expect("the server takes connections");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout");
        Held { stream }
    }
}

/// A connection that is held open.
#[derive(Debug)]
pub struct Held {
    stream: TcpStream,
}

impl Held {
    /// Sends the body, and returns the answer as [`Server::raw`] does.
    pub fn finish(mut self, body: &str) -> String {
        self.ask(body.as_bytes())
    }

    fn ask(&mut self, bytes: &[u8]) -> String {
        let Self { stream } = self;
        // The server may have heard enough before all is sent.
        let _ = stream.write_all(bytes);
        let mut answer = String::new();
        let mut part = [0; 4096];
        while !is_whole(&answer) {
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(read) => answer.push_str(&String::from_utf8_lossy(part.get(..read).unwrap_or_default())),
                // It answered, and closed on what it would not read.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error} after {answer:?}"),
            }
        }
        answer
    }
}

/// Whether an answer with a length has come to it.
fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse::<usize>().ok())
        .is_some_and(|length| body.len() >= length)
}
