//! A server that answers as it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

/// How one request is answered.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// With that status and a short body.
    Status(u16),
    /// With that status and a `Retry-After`.
    RetryAfter(u16, &'static str),
    /// Not at all, the connection kept open.
    Silence,
    /// With the beginning of a head, and no more.
    HalfAHead,
    /// With 200 and the beginning of a body, and no more.
    HalfABody,
    /// With 200 and a body that never ends.
    Endless,
    /// With a head that never ends, a byte at a time.
    DrippingHead,
    /// By closing the connection.
    HangUp,
    /// By breaking the connection.
    Reset,
}

/// What was asked.
#[derive(Debug)]
pub struct Received {
    /// The request line.
    pub line: String,
    /// Headers by their names in small letters.
    headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The header of that name, in small letters; it must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect("the header is there")
    }

    /// Whether there is such a header.
    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

/// The server. It ends with the test.
pub struct Scripted {
    address: String,
    received: UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Answers the first connection by the first reply, and so on; afterwards no connection is taken.
    pub async fn start<const N: usize>(replies: [Reply; N]) -> Self {
        let (listener, address) = listen().await;
        let (tell, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            for reply in replies {
                let (stream, _) = listener.accept().await.expect("a connection");
                held.push(answer(stream, reply, &tell).await);
            }
            std::future::pending::<()>().await;
        });
        Self {
            address,
            received,
            task,
        }
    }

    /// Answers that many requests with 201, all on its one connection.
    pub async fn keeping(requests: usize) -> Self {
        let (listener, address) = listen().await;
        let (tell, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            let mut stream = BufReader::new(stream);
            for _ in 0..requests {
                let request = read(&mut stream).await;
                let _ = tell.send(request);
                let text = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(text).await.expect("it listens");
            }
            std::future::pending::<()>().await;
        });
        Self {
            address,
            received,
            task,
        }
    }

    /// Where it listens.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a URL")
    }

    /// The next request, which must come.
    pub async fn next(&mut self) -> Received {
        let received = timeout(Duration::from_secs(30), self.received.recv()).await;
        received.expect("a request in time").expect("the server runs")
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a request and answers it; gives back the connection where it is to stay open.
async fn answer(
    stream: TcpStream,
    reply: Reply,
    tell: &UnboundedSender<Received>,
) -> Option<BufReader<TcpStream>> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await;
    let _ = tell.send(request);
    let head = |status: u16, more: &str| {
        format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\nconnection: close\r\n{more}\r\nok")
    };
    let text = match reply {
        Reply::Status(204) => "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned(),
        Reply::Status(status) => head(status, ""),
        Reply::RetryAfter(status, value) => head(status, &format!("retry-after: {value}\r\n")),
        Reply::Silence => String::new(),
        Reply::HalfAHead => "HTTP/1.1 200 O".to_owned(),
        Reply::HalfABody => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf".to_owned(),
        Reply::Endless => "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
        Reply::DrippingHead => "HTTP/1.1 200 OK\r\nx: ".to_owned(),
        Reply::HangUp => return None,
        Reply::Reset => {
            stream.get_ref().set_zero_linger().expect("it is open");
            return None;
        }
    };
    // The other side may have read enough.
    let _ = stream.write_all(text.as_bytes()).await;
    match reply {
        Reply::Endless => while stream.write_all(&[b'x'; 4096]).await.is_ok() {},
        Reply::DrippingHead => {
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        _ => {}
    }
    Some(stream)
}

async fn read(stream: &mut BufReader<TcpStream>) -> Received {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a line");
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let headers: BTreeMap<String, String> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |n| n.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a body");
    Received {
        line: lines.swap_remove(0),
        headers,
        body,
    }
}
