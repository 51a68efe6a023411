//! A push service on this machine, on a thread of its own, so that its share of the processors can be told.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::usage::Thread;

/// What it does with pushes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes each at once.
    Takes,
    /// Reads each, and never answers.
    Hangs,
}

/// The service; it goes with the process.
pub(crate) struct PushService {
    address: SocketAddr,
    thread: Thread,
    seen: Arc<Seen>,
}

/// The pushes that have come and, where it answers, were answered.
struct Seen {
    /// Their paths, and when that was.
    pushes: Mutex<Vec<(String, Instant)>>,
    count: watch::Sender<usize>,
}

impl Seen {
    fn note(&self, path: String) {
        let now = Instant::now();
        let mut pushes = self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        pushes.push((path, now));
        self.count.send_replace(pushes.len());
    }
}

impl PushService {
    pub(crate) fn start(manner: Manner) -> anyhow::Result<Self> {
        let seen = Arc::new(Seen {
            pushes: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let (tell, told) = std::sync::mpsc::channel();
        let noted = Arc::clone(&seen);
        std::thread::spawn(move || serve(manner, &noted, &tell));
        let (address, thread) = told.recv().context("the push service did not start")?;
        Ok(Self {
            address,
            thread,
            seen,
        })
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until so many pushes have come since they were last taken.
    pub(crate) async fn wait(&self, count: usize) -> anyhow::Result<()> {
        let mut seen = self.seen.count.subscribe();
        let all = seen.wait_for(|seen| *seen >= count);
        tokio::time::timeout(Duration::from_mins(5), all)
            .await
            .with_context(|| format!("of {count} pushes {} came", *self.seen.count.borrow()))??;
        Ok(())
    }

    /// What has come, and is forgotten.
    pub(crate) fn take(&self) -> Vec<(String, Instant)> {
        let mut pushes = self.seen.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        self.seen.count.send_replace(0);
        std::mem::take(&mut *pushes)
    }

    /// The processor time that it has used so far.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        self.thread.processor()
    }
}

fn serve(manner: Manner, seen: &Arc<Seen>, tell: &Sender<(SocketAddr, Thread)>) -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        tell.send((listener.local_addr()?, Thread::current()?))?;
        loop {
            let (stream, _) = listener.accept().await?;
            let seen = Arc::clone(seen);
            // A connection that breaks is its client's to mind.
            tokio::spawn(async move { drop(answer(stream, manner, &seen).await) });
        }
    })
}

async fn answer(mut stream: TcpStream, manner: Manner, seen: &Seen) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::with_capacity(4096);
    loop {
        let (path, length) = loop {
            if let Some(request) = request(&read)? {
                break request;
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        };
        read.drain(..length);
        if manner == Manner::Takes {
            stream
                .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
                .await?;
        }
        seen.note(path);
    }
}

/// The path of a request, and how long it is, once it is there whole.
fn request(read: &[u8]) -> anyhow::Result<Option<(String, usize)>> {
    let Some(head) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(read.get(..head).context("no head")?)?;
    let mut lines = text.lines();
    let line = lines.next().context("no request line")?;
    let path = line.split(' ').nth(1).context("no path")?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse::<usize>())?;
    let whole = head + 4 + length;
    Ok((read.len() >= whole).then(|| (path.to_owned(), whole)))
}
