//! A push service: it answers as it is told, and keeps what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::receiver::{PATIENCE, read};
use crate::{Browser, Received};

/// How a push is answered.
#[derive(Clone, Debug)]
pub enum PushReply {
    /// By that status.
    Status(u16),
    /// By that status and that header.
    With(u16, &'static str, String),
    /// By that status, once [`PushService::open_gate`] is called.
    Gated(u16),
    /// Not at all; the connection stays open.
    Silence,
    /// By a reset of the connection.
    Reset,
    /// By a head that never ends, a byte each half second.
    Drip,
}

/// What is to be answered.
#[derive(Debug)]
struct Script {
    by_path: BTreeMap<String, VecDeque<PushReply>>,
    otherwise: PushReply,
}

impl Script {
    fn next(&mut self, path: &str) -> PushReply {
        let scripted = self.by_path.get_mut(path).and_then(VecDeque::pop_front);
        scripted.unwrap_or_else(|| self.otherwise.clone())
    }
}

/// The service, on a port of this machine. It goes with this.
#[derive(Debug)]
pub struct PushService {
    address: String,
    script: Arc<Mutex<Script>>,
    received: UnboundedReceiver<Received>,
    gate: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl PushService {
    /// One that takes every push, until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let script = Arc::new(Mutex::new(Script {
            by_path: BTreeMap::new(),
            otherwise: PushReply::Status(201),
        }));
        let (tell, received) = mpsc::unbounded_channel();
        let (gate, open) = watch::channel(false);
        let answers = Arc::clone(&script);
        let task = tokio::spawn(async move {
            // They end with the service.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&answers), tell.clone(), open.clone()));
            }
        });
        Self {
            address,
            script,
            received,
            gate,
            task,
        }
    }

    /// Where it listens.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A browser of its, with new keys.
    pub fn browser(&self, name: &str) -> Browser {
        Browser::at(format!("{}/push/{name}", self.origin()))
    }

    /// Answers the next pushes to that browser by these, one each.
    pub fn script(&self, browser: &Browser, replies: impl IntoIterator<Item = PushReply>) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = script.by_path.entry(browser.path().to_owned()).or_default();
        queue.extend(replies);
    }

    /// Answers every push so that nothing else was said of.
    pub fn answer_all(&self, reply: PushReply) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.otherwise = reply;
    }

    /// Lets the gated answers go, now and from now on.
    pub fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// The next push.
    pub async fn next(&mut self) -> Received {
        let received = timeout(PATIENCE, self.received.recv()).await;
        let received = received.unwrap_or_else(|_| panic!("nothing came within {PATIENCE:?}"));
        received.expect("the push service runs")
    }

    /// What has come and was not looked at yet.
    pub fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers the requests of a connection, one after the other.
async fn serve(
    stream: TcpStream,
    script: Arc<Mutex<Script>>,
    tell: UnboundedSender<Received>,
    mut open: watch::Receiver<bool>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let reply = script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next(&request.path);
        let _ = tell.send(request);
        if answer(&mut stream, reply, &mut open).await.is_err() {
            return;
        }
    }
}

/// Writes an answer; `Err` where the connection is over.
async fn answer(
    stream: &mut BufReader<TcpStream>,
    reply: PushReply,
    open: &mut watch::Receiver<bool>,
) -> io::Result<()> {
    let head = match reply {
        PushReply::Status(status) => head(status, ""),
        PushReply::With(status, name, value) => head(status, &format!("{name}: {value}\r\n")),
        PushReply::Gated(status) => {
            open.wait_for(|open| *open).await.map_err(io::Error::other)?;
            head(status, "")
        }
        PushReply::Silence => std::future::pending().await,
        PushReply::Reset => {
            stream.get_ref().set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        PushReply::Drip => {
            stream.write_all(b"HTTP/1.1 201 Created\r\nx-slow: ").await?;
            loop {
                stream.write_all(b".").await?;
                stream.flush().await?;
                sleep(Duration::from_millis(500)).await;
            }
        }
    };
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await
}

fn head(status: u16, more: &str) -> String {
    format!("HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n{more}\r\n")
}
