//! An HTTP/1.1 load, closed or open: each connection sends its next request when its last is answered, or when it is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep_until;

/// What was measured.
pub(crate) struct Outcome {
    /// Answers a second.
    pub(crate) rate: f64,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    /// Answers other than 2xx.
    pub(crate) failed: usize,
}

/// When the next request leaves.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as its connection is free.
    Closed,
    /// So many a second over all connections, whatever the server does. A request that is late, because every connection
    /// still waits, is timed from when it was due: nothing that a stall holds back is left out.
    Open(f64),
}

/// What is sent, over and over, by runs that each go on where the last one stopped.
pub(crate) struct Load {
    requests: Arc<[Vec<u8>]>,
    next: Arc<AtomicUsize>,
}

impl Load {
    pub(crate) fn of(requests: Vec<Vec<u8>>) -> Self {
        Self {
            requests: requests.into(),
            next: Arc::default(),
        }
    }

    /// Keeps `connections` busy for a fifth of `measured` unmeasured, and then for `measured`.
    pub(crate) async fn run(
        &self,
        address: &str,
        connections: usize,
        measured: Duration,
        pace: Pace,
    ) -> anyhow::Result<Outcome> {
        let start = Instant::now();
        let begin = start + measured / 5;
        let end = begin + measured;
        let due = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let (address, due) = (address.to_owned(), Arc::clone(&due));
            let (requests, next) = (Arc::clone(&self.requests), Arc::clone(&self.next));
            tasks.push(tokio::spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let mut times = Vec::new();
                let mut failed = 0;
                loop {
                    let now = Instant::now();
                    let sent = match pace {
                        Pace::Closed => now,
                        Pace::Open(rate) => {
                            let turn = u32::try_from(due.fetch_add(1, Ordering::Relaxed))?;
                            start + Duration::from_secs_f64(f64::from(turn) / rate)
                        }
                    };
                    if sent >= end {
                        break;
                    }
                    if sent > now {
                        sleep_until(sent.into()).await;
                    }
                    let turn = next.fetch_add(1, Ordering::Relaxed) % requests.len();
                    let request = requests.get(turn).context("no requests")?;
                    let status = connection.send(request).await?.status;
                    let answered = Instant::now();
                    let counts = match pace {
                        // What was on its way when measuring began counts as what is on its way at the end does not.
                        Pace::Closed => answered >= begin && answered <= end,
                        Pace::Open(_) => sent >= begin,
                    };
                    if counts {
                        times.push(answered - sent);
                        failed += usize::from(!(200..300).contains(&status));
                    }
                }
                anyhow::Ok((times, failed))
            }));
        }
        let (mut times, mut failed) = (Vec::new(), 0);
        for task in tasks {
            let (part, part_failed) = task.await??;
            times.extend(part);
            failed += part_failed;
        }
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or_default();
        let answered = f64::from(u32::try_from(times.len())?);
        Ok(Outcome {
            rate: answered / measured.as_secs_f64(),
            median: at(500),
            p99: at(990),
            failed,
        })
    }
}

/// Sends every request once, over so many connections, and wants 2xx for each. Gives the bodies in order.
pub(crate) async fn once(
    address: &str,
    requests: &[Vec<u8>],
    connections: usize,
) -> anyhow::Result<Vec<Vec<u8>>> {
    let next = Arc::new(AtomicUsize::new(0));
    let requests: Arc<[Vec<u8>]> = requests.into();
    let mut tasks = Vec::new();
    for _ in 0..connections.min(requests.len()) {
        let (address, requests, next) = (address.to_owned(), Arc::clone(&requests), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut bodies = Vec::new();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(turn) else {
                    return anyhow::Ok(bodies);
                };
                let answer = connection.send(request).await?;
                if !(200..300).contains(&answer.status) {
                    bail!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
                bodies.push((turn, answer.body));
            }
        }));
    }
    let mut bodies = Vec::new();
    for task in tasks {
        bodies.extend(task.await??);
    }
    bodies.sort_unstable_by_key(|(turn, _)| *turn);
    Ok(bodies.into_iter().map(|(_, body)| body).collect())
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

struct Connection {
    address: String,
    stream: TcpStream,
    read: Vec<u8>,
    /// The server said that it would.
    closes: bool,
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        Ok(Self {
            address: address.to_owned(),
            stream: Self::connect(address).await?,
            read: Vec::with_capacity(4096),
            closes: false,
        })
    }

    async fn connect(address: &str) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("nothing listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        if self.closes {
            self.stream = Self::connect(&self.address).await?;
        }
        self.stream.write_all(request).await?;
        self.read.clear();
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = std::str::from_utf8(self.read.get(..head).context("no head")?)?.to_ascii_lowercase();
        let status = text.get(9..12).context("no status")?.parse()?;
        self.closes = text.contains("\r\nconnection: close\r\n");
        if text.contains("\r\ntransfer-encoding: chunked\r\n") {
            // Nobody here looks into a body in chunks; only its end matters.
            while !self.read.ends_with(b"\r\n0\r\n\r\n") {
                self.more().await?;
            }
        } else {
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(Ok(0), str::parse::<usize>)?;
            while self.read.len() < head + length {
                self.more().await?;
            }
        }
        Ok(Answer {
            status,
            body: self.read.split_off(head),
        })
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}
