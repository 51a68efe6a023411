//! The signals that end the server.

use std::io;

/// Begins to listen at once. The future ends with the first signal, and says whether what is in flight may finish.
#[cfg(unix)]
pub(crate) fn listen() -> io::Result<impl Future<Output = bool>> {
    use std::future::poll_fn;
    use std::task::Poll;

    use actix_web::rt::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(poll_fn(move |context| {
        if terminate.poll_recv(context).is_ready() {
            return Poll::Ready(true);
        }
        interrupt.poll_recv(context).map(|_| false)
    }))
}

/// Begins to listen when it is first awaited. The future ends with Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn listen() -> io::Result<impl Future<Output = bool>> {
    Ok(async {
        drop(actix_web::rt::signal::ctrl_c().await);
        false
    })
}
