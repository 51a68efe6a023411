//! The server's life: bind, say where, serve, finish what is in flight.

use std::cell::Cell;
use std::future::ready;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, web};
use anyhow::Context;
use tokio::net::TcpSocket;

use crate::admin::Admin;
use crate::composition::{self, Composed};
use crate::configuration::{Configuration, Mode};
use crate::connection::{TimedStream, note_requests};
use crate::quick_start;
use crate::signals;

/// How long a client may take over its request's head.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How many connections wait to be taken before more are refused.
const BACKLOG: u32 = 1_024;
/// How long a client may take to close a connection that is ended.
const DISCONNECT_TIME: Duration = Duration::from_secs(1);
/// How many seconds requests in flight have to finish after SIGTERM.
const SHUTDOWN_SECONDS: u64 = 25;
/// How long after SIGTERM the last delivery in flight is waited for.
const END: Duration = Duration::from_secs(29);
/// How long it is waited for otherwise.
const ABRUPT_END: Duration = Duration::from_secs(1);

/// Serves until SIGTERM, which lets requests in flight finish, or SIGINT, which does not.
pub(crate) async fn serve(configuration: &Configuration) -> anyhow::Result<()> {
    let Composed {
        api,
        following,
        workers,
    } = composition::compose(configuration).await?;
    let api = web::Data::new(api);
    let admin = match &configuration.admin_listen {
        Some(listen) => Some(Admin::start(listen, Arc::clone(&api.metrics))?),
        None => None,
    };
    let threads = available_parallelism().map_or(2, usize::from);
    let listeners = listeners(&configuration.listen)?;
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .map(TcpListener::local_addr)
        .collect::<io::Result<_>>()?;
    let mut server = Server::build()
        .workers(threads)
        .max_concurrent_connections(connections_each(configuration.max_connections, threads))
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals();
    for listener in listeners {
        let (api, ending) = (api.clone(), server.graceful_shutdown_signal());
        // What `HttpServer` would set up, over a stream of this program's own.
        server = server.listen("http", listener, move || {
            let app = App::new()
                .app_data(api.clone())
                .wrap(from_fn(note_requests))
                .configure(doorbell_http::configure);
            let ending = ending.clone();
            let http = HttpService::build()
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(HEAD_TIME)
                .client_disconnect_timeout(DISCONNECT_TIME)
                .graceful_shutdown_signal(move || {
                    let ending = ending.clone();
                    async move { ending.notified().await }
                })
                .on_connect_ext(TimedStream::introduce)
                .h1(map_config(app, |()| AppConfig::default()));
            fn_service(|stream: TcpStream| {
                let client = stream.peer_addr().ok();
                ready(Ok::<_, DispatchError>((
                    TimedStream::new(stream, HEAD_TIME),
                    client,
                )))
            })
            .and_then(http)
        })?;
    }
    if configuration.mode == Mode::Development && addresses.iter().any(|address| !address.ip().is_loopback())
    {
        tracing::warn!("in development everybody is told everybody's codes: listen on loopback only");
    }
    let running = server.run();
    // Listened for before anybody is told that the server is there.
    let asked_to_end = signals::listen().context("cannot listen for signals")?;
    let workers = workers.start();
    let (handle, end_of_dispatch) = (running.handle(), workers.end_of_dispatch());
    // When it was asked to end, and whether what is in flight may finish.
    let asked = Rc::new(Cell::new(None));
    let note = Rc::clone(&asked);
    actix_web::rt::spawn(async move {
        let graceful = asked_to_end.await;
        note.set(Some((Instant::now(), graceful)));
        // Beside the last requests, since what is on its way to a push service may take as long as they do.
        end_of_dispatch.begin();
        handle.stop(graceful).await;
    });
    let following = actix_web::rt::spawn(following.run());
    let mut out = std::io::stdout().lock();
    // First, so that who has read where the server listens has read this too.
    for address in admin.iter().flat_map(|admin| &admin.addresses) {
        writeln!(out, "metrics on http://{address}/metrics")?;
    }
    for address in &addresses {
        writeln!(out, "listening on http://{address}")?;
    }
    if let (Mode::Development, Some(address)) = (configuration.mode, addresses.first()) {
        writeln!(out, "{}", quick_start::requests(&format!("http://{address}")))?;
    }
    out.flush()?;
    drop(out);
    let served = running.await;
    following.abort();
    // The last requests may have left something to deliver, so the workers end after them, in what time is left.
    let left = match asked.get() {
        Some((since, true)) => END.saturating_sub(since.elapsed()),
        Some((_, false)) | None => ABRUPT_END,
    };
    workers.stop(left).await;
    if let Some(admin) = admin {
        admin.stop().await;
    }
    served.context("the server failed")
}

/// Listens on the addresses of that name, as many as this machine has of them.
fn listeners(listen: &str) -> anyhow::Result<Vec<TcpListener>> {
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut listeners = Vec::new();
    let addresses = listen.to_socket_addrs().with_context(|| {
        format!("DOORBELL_LISTEN must be an address and a port, as 127.0.0.1:8080, and `{listen}` is none")
    })?;
    for address in addresses {
        match listener(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => refused = error,
        }
    }
    if listeners.is_empty() {
        return Err(refused).with_context(|| format!("DOORBELL_LISTEN: cannot listen on {listen}"));
    }
    Ok(listeners)
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // One that ended a moment ago is no obstacle.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// How many connections each thread may serve, so that all may serve `together`.
fn connections_each(together: u32, threads: usize) -> usize {
    let together = usize::try_from(together).unwrap_or(usize::MAX);
    together.div_ceil(threads.max(1)).max(1)
}
