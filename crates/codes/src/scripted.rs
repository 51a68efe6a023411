//! A server that answers as it is told, and what the senders' tests send.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbell_domain::code::Purpose;
use doorbell_domain::{Clock, Code, CodeDelivery, Language, OtpSessionId, PhoneNumber, Timestamp};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

use crate::wording::{Autofill, Title, Wording};

/// A code for an English phone in Türkiye.
pub(crate) fn delivery() -> CodeDelivery {
    CodeDelivery {
        id: OtpSessionId::from_uuid(Uuid::from_u128(0x0192_f0c1_2b3d_7c4e_8f50_1234_5678_9abc)),
        phone: PhoneNumber::from_parts(90, "5551234567").expect("well-formed"),
        purpose: Purpose::SignIn,
        language: Language::English,
        code: Code::parse("012345").expect("digits"),
        created_at: Timestamp::from_micros(1_789_999_700_000_000),
        expires_at: Timestamp::from_micros(1_790_000_000_000_000),
    }
}

/// The wording of an application called Doorbell.
pub(crate) fn wording() -> Wording {
    Wording::new(Title::parse("Doorbell").expect("a title"), Autofill::OFF)
}

/// A clock that stands still.
pub(crate) struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_789_999_701_000_000)
    }
}

/// How one request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
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
    /// By closing the connection.
    HangUp,
}

/// What was asked.
#[derive(Debug)]
pub(crate) struct Received {
    /// The request line.
    pub(crate) line: String,
    /// Headers by their names in small letters.
    headers: BTreeMap<String, String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }
}

/// The server. It ends with the test.
pub(crate) struct Scripted {
    address: String,
    received: UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Answers the first connection by the first reply, and so on; afterwards no connection is taken.
    pub(crate) async fn start<const N: usize>(replies: [Reply; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
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

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a URL")
    }

    pub(crate) async fn next(&mut self) -> Received {
        let received = timeout(Duration::from_secs(30), self.received.recv()).await;
        received.expect("a request in time").expect("the server runs")
    }
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
        Reply::HangUp => return None,
    };
    // The other side may have read enough.
    let _ = stream.write_all(text.as_bytes()).await;
    if let Reply::Endless = reply {
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
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
