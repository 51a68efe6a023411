//! The second listener, for those who run the server.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, rt, web};
use anyhow::Context;
use doorbell_http::Metrics;

use crate::server::HEAD_TIME;

/// A listener that serves `/metrics`, and nothing else.
pub(crate) struct Admin {
    /// Where it listens.
    pub(crate) addresses: Vec<SocketAddr>,
    handle: ServerHandle,
}

impl Admin {
    /// Begins to serve on `listen`.
    pub(crate) fn start(listen: &str, metrics: Arc<Metrics>) -> anyhow::Result<Self> {
        let metrics: web::Data<Metrics> = metrics.into();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(metrics.clone())
                .configure(doorbell_http::configure_admin)
        })
        .workers(1)
        .client_request_timeout(HEAD_TIME)
        .disable_signals()
        .bind(listen)
        .with_context(|| format!("DOORBELL_ADMIN_LISTEN: cannot listen on {listen}"))?;
        let addresses = server.addrs();
        let running = server.run();
        let handle = running.handle();
        rt::spawn(running);
        Ok(Self { addresses, handle })
    }

    /// Ends it at once.
    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}
