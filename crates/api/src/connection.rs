//! Connections that are kept, and ended when the head of a later request takes too long.
//!
//! The HTTP library times the first head of a connection only: whoever had one answer could then hold the connection for ever, by a
//! head that never ends. So the stream under that library times the others, from a head's first byte until its request is there.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Where a connection stands. Its stream sees bytes, and its requests say that they are there and when they are answered.
#[derive(Clone, Debug, Default)]
struct Standing(Rc<Cell<Stands>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stands {
    /// A request is being answered, or the first one has not come, whose head is timed elsewhere.
    #[default]
    Busy,
    /// The last request was answered, and nothing was said since.
    Idle,
    /// The head of another one has begun.
    InHead,
}

/// A stream that ends when a later head takes too long, as though its client had closed it.
pub(crate) struct TimedStream<S> {
    stream: S,
    standing: Standing,
    head_time: Duration,
    head_is_late: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedStream<S> {
    /// Has every head but the first be there within `head_time`.
    pub(crate) fn new(stream: S, head_time: Duration) -> Self {
        Self {
            stream,
            standing: Standing::default(),
            head_time,
            head_is_late: None,
        }
    }

    /// Gives the connection's requests what [`note_requests`] needs of them.
    pub(crate) fn introduce(&self, connection: &mut Extensions) {
        connection.insert(self.standing.clone());
    }

    fn head_begins(&mut self, context: &mut Context<'_>) {
        self.standing.0.set(Stands::InHead);
        let late = Instant::now() + self.head_time;
        let timer = self
            .head_is_late
            .get_or_insert_with(|| Box::pin(sleep_until(late)));
        timer.as_mut().reset(late);
        // So that the connection is looked at again when its time is over.
        let _ = timer.as_mut().poll(context);
    }

    fn head_is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.standing.0.get() == Stands::InHead
            && self
                .head_is_late
                .as_mut()
                .is_some_and(|timer| timer.as_mut().poll(context).is_ready())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.head_is_late(context) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if this.standing.0.get() == Stands::Idle && buffer.filled().len() > before {
            this.head_begins(context);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Wraps every request: says to its connection when it is there and when it was answered, and has it dressed.
pub(crate) async fn note_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let standing = request.conn_data::<Standing>().cloned().unwrap_or_default();
    standing.0.set(Stands::Busy);
    let answered = doorbell_http::dress(request, next).await;
    standing.0.set(Stands::Idle);
    answered
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time;

    use super::*;

    const HEAD_TIME: Duration = Duration::from_secs(10);
    const ALMOST: Duration = Duration::from_millis(9_990);

    struct Scene {
        client: DuplexStream,
        server: TimedStream<DuplexStream>,
    }

    /// A connection that was answered once.
    fn kept() -> Scene {
        let (client, stream) = duplex(64);
        let server = TimedStream::new(stream, HEAD_TIME);
        server.standing.0.set(Stands::Idle);
        Scene { client, server }
    }

    impl Scene {
        async fn says(&mut self, words: &str) {
            self.client.write_all(words.as_bytes()).await.expect("sent");
            let mut heard = vec![0; words.len()];
            self.server.read_exact(&mut heard).await.expect("heard");
        }

        /// Whether the server reads the end within that time; a client that is silent is waited for.
        async fn ends_within(&mut self, time: Duration) -> bool {
            let read = time::timeout(time, self.server.read(&mut [0])).await;
            read.is_ok_and(|read| read.expect("read") == 0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_head_is_given_its_time_and_no_more() {
        let mut kept = kept();
        assert!(!kept.ends_within(HEAD_TIME * 10).await, "it may rest");
        kept.says("GET / HT").await;
        assert!(!kept.ends_within(ALMOST).await);
        assert!(kept.ends_within(Duration::from_millis(20)).await);
        assert!(kept.ends_within(Duration::ZERO).await, "it stays so");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_drip_earn_no_more_time() {
        let mut kept = kept();
        kept.says("G").await;
        for _ in 0..9 {
            time::advance(Duration::from_secs(1)).await;
            kept.says("E").await;
        }
        assert!(kept.ends_within(Duration::from_millis(1_010)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_there_is_not_timed_here_and_the_next_head_anew() {
        let mut kept = kept();
        for _ in 0..3 {
            kept.says("GET / HTTP/1.1").await;
            time::advance(HEAD_TIME / 2).await;
            kept.server.standing.0.set(Stands::Busy);
            assert!(
                !kept.ends_within(HEAD_TIME * 10).await,
                "its body is slow, or its answer"
            );
            kept.says("a part of its body").await;
            kept.server.standing.0.set(Stands::Idle);
        }
        kept.says("G").await;
        assert!(!kept.ends_within(ALMOST).await);
        assert!(kept.ends_within(Duration::from_millis(20)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_is_the_streams_own() {
        let mut kept = kept();
        kept.server.write_all(b"HTTP/1.1 200 OK").await.expect("written");
        poll_fn(|context| Pin::new(&mut kept.server).poll_shutdown(context))
            .await
            .expect("ended");
        let mut heard = String::new();
        kept.client.read_to_string(&mut heard).await.expect("heard");
        assert_eq!(heard, "HTTP/1.1 200 OK");
    }
}
