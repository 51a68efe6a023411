//! Somebody who is sent one-time codes, or told what happens: a server that answers as it is told, and keeps what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Far more than a delivery takes, even one that fails a few times before.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// By that status.
    Status(u16),
    /// By that status, and with what was asked.
    Echo(u16),
    /// By 503, and that it is to be left alone for so many seconds.
    Busy(u32),
    /// Not at all; the connection stays open.
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its path and query.
    pub path: String,
    /// Its headers, by their names in small letters.
    headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Received {
    /// A header's value.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    /// The signature that Standard Webhooks asks for, made anew with `secret` (`whsec_…`).
    pub fn signature(&self, secret: &str) -> String {
        let key = secret.strip_prefix("whsec_").expect("a secret");
        let key = BASE64_STANDARD.decode(key).expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let head = format!(
            "{}.{}.",
            self.header("webhook-id"),
            self.header("webhook-timestamp")
        );
        let tag = hmac::sign(&key, &[head.as_bytes(), &self.body].concat());
        format!("v1,{}", BASE64_STANDARD.encode(tag.as_ref()))
    }
}

/// The server. It goes with this.
#[derive(Debug)]
pub struct Receiver {
    address: String,
    received: UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Answers the first request by the first reply, and so on; whatever comes afterwards by 200.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let (tell, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            // They end with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&replies), tell.clone()));
            }
        });
        Self {
            address,
            received,
            task,
        }
    }

    /// Where it listens.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request.
    pub async fn next(&mut self) -> Received {
        let received = timeout(PATIENCE, self.received.recv()).await;
        let received = received.unwrap_or_else(|_| panic!("nothing came within {PATIENCE:?}"));
        received.expect("the receiver runs")
    }

    /// What has come and was not looked at yet.
    pub fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(stream: TcpStream, replies: Arc<Mutex<VecDeque<Reply>>>, tell: UnboundedSender<Received>) {
    let mut stream = BufReader::new(stream);
    // A server that is killed may leave half a request.
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let reply = replies
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front()
        .unwrap_or(Reply::Status(200));
    let asked = request.body.clone();
    let _ = tell.send(request);
    let (line, body) = match reply {
        Reply::Status(status) => (format!("{status} Told"), Vec::new()),
        Reply::Echo(status) => (format!("{status} Told"), asked),
        Reply::Busy(seconds) => (format!("503 Busy\r\nretry-after: {seconds}"), Vec::new()),
        Reply::Silence => std::future::pending().await,
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {line}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

/// A request as it comes; `None` where the connection ends before.
pub(crate) async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(Some(0), |n| n.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { path, headers, body })
}
