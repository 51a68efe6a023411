//! A closed-loop HTTP/1.1 load: so many connections, each sending its next request when its last is answered.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a run came to.
pub(crate) struct Outcome {
    rate: f64,
    median: Duration,
    p99: Duration,
    failed: usize,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            f,
            "{:.0} requests/s, median {:.1} ms, p99 {:.1} ms, {} not 2xx",
            self.rate,
            millis(self.median),
            millis(self.p99),
            self.failed
        )
    }
}

/// Keeps `connections` busy for a fifth of `measured` unmeasured, and then for `measured`, with `requests` in
/// turn.
pub(crate) async fn run(
    address: &str,
    requests: &[Vec<u8>],
    connections: usize,
    measured: Duration,
) -> anyhow::Result<Outcome> {
    let begin = Instant::now() + measured / 5;
    let end = begin + measured;
    let next = Arc::new(AtomicUsize::new(0));
    let requests: Arc<[Vec<u8>]> = requests.into();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (address, requests, next) = (address.to_owned(), Arc::clone(&requests), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut times = Vec::new();
            let mut failed = 0;
            while Instant::now() < end {
                let turn = next.fetch_add(1, Ordering::Relaxed) % requests.len();
                let request = requests.get(turn).context("no requests")?;
                let sent = Instant::now();
                let status = connection.send(request).await?.status;
                let answered = Instant::now();
                if sent >= begin && answered <= end {
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
    let answered = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX));
    Ok(Outcome {
        rate: answered / measured.as_secs_f64(),
        median: at(500),
        p99: at(990),
        failed,
    })
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
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(4096),
        })
    }

    async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
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
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(Ok(0), str::parse::<usize>)?;
        while self.read.len() < head + length {
            self.more().await?;
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
