//! Accepts connections, bounded in number and patience, and drains them.
//!
//! `axum::serve` has neither a header time-out nor a connection limit, and its graceful shutdown waits without end, so the
//! accept loop is ours, on hyper.

mod patience;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::patience::Patience;
use crate::StartError;

/// What a listener bears from its callers.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_connections: NonZeroU32,
}

/// One listening socket and the connections it accepted.
///
/// Dropping it closes the socket and every connection at once.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    closing: CancellationToken,
    task: JoinSet<JoinSet<()>>,
}

impl Server {
    /// Serves `routes` on this listener until [`drain`](Self::drain).
    pub(crate) fn start(
        listener: TcpListener,
        routes: Router,
        limits: Limits,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let closing = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(accept(listener, routes, limits, closing.clone()));
        Ok(Self {
            address,
            closing,
            task,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests in flight finish for at most `patience`, then closes what is left.
    ///
    /// Returns how many connections had to be cut. Dropping the future closes everything at once.
    pub(crate) async fn drain(mut self, patience: Duration) -> usize {
        self.closing.cancel();
        let Some(Ok(mut connections)) = self.task.join_next().await else {
            return 0;
        };
        let finish = async { while connections.join_next().await.is_some() {} };
        // Idle connections take their time to close; cut before, they would count as requests that took too long.
        let _ = tokio::time::timeout(patience.max(2 * LINGER), finish).await;
        connections.len()
    }
}

/// Binds a listener; `key` names the setting in the error.
pub(crate) async fn bind(host: &str, port: u16, key: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind((host, port)).await.map_err(|error| {
        let bound = StartError::new(format!("cannot listen on {host}:{port} (`{key}.host`, `{key}.port`)"));
        let bound = match error.kind() {
            std::io::ErrorKind::AddrInUse => bound.hint(format!(
                "another process has the port: `ss -ltnp 'sport = :{port}'` names it; or choose another with `--set {key}.port=N`"
            )),
            std::io::ErrorKind::AddrNotAvailable => bound.hint("no interface of this machine has that address"),
            std::io::ErrorKind::PermissionDenied => bound.hint("ports below 1024 belong to root"),
            _ => bound,
        };
        bound.caused_by(error)
    })
}

/// The accept loop; returns the connections that are still open when it is told to close.
async fn accept(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    closing: CancellationToken,
) -> JoinSet<()> {
    let places = Arc::new(Semaphore::new(limits.max_connections.get() as usize));
    let mut connections = JoinSet::new();
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout);

    let open = |stream: TcpStream, place: OwnedSemaphorePermit, connections: &mut JoinSet<()>| {
        // Answers are written whole; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        connections.spawn(serve(
            stream,
            routes.clone(),
            protocol.clone(),
            Patience::new(limits.header_timeout, limits.idle_timeout),
            closing.clone(),
            place,
        ));
    };
    loop {
        // A place comes before the connection: the surplus waits in the kernel's queue, not in our memory.
        let accepted = async {
            let place = places
                .clone()
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        tokio::select! {
            biased;
            () = closing.cancelled() => break,
            Some(_) = connections.join_next() => {}
            (accepted, place) = accepted => match accepted {
                Ok((stream, _)) => open(stream, place, &mut connections),
                Err(error) if is_callers(&error) => {}
                Err(error) => {
                    tracing::error!("cannot accept a connection: {error}");
                    // Out of file descriptors or memory: trying at once would only spin.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
    // Connections that the kernel completed before the socket closes have been told that somebody is there. The socket
    // itself is asked: what tokio knows of it is as old as its last look.
    if let Ok(listener) = listener.into_std() {
        while let Ok(place) = places.clone().try_acquire_owned() {
            match accept_now(&listener) {
                Ok(stream) => open(stream, place, &mut connections),
                Err(error) if is_callers(&error) => {}
                Err(_) => break,
            }
        }
    }
    connections
}

/// One connection, from accept to close.
async fn serve(
    stream: TcpStream,
    routes: Router,
    protocol: http1::Builder,
    patience: Patience,
    closing: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    let io = TokioIo::new(patience.watch(stream));
    let connection = protocol
        .serve_connection(io, TowerToHyperService::new(patience.service(routes)))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is its caller's business: a reset or a broken request is no fault of this service.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = closing.cancelled() => {}
    }
    // A caller that is just sending its next request on an idle connection would lose it to a close. Answers carry
    // `Connection: close` by now, so busy connections end by themselves; idle ones get this long to say something.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(LINGER) => {}
    }
    connection.as_mut().graceful_shutdown();
    // Half a first request by now is no request: a slow sender must not hold the stop, nor count as cut.
    if patience.has_begun() {
        let _ = connection.await;
    }
}

const LINGER: Duration = Duration::from_millis(250);

/// Errors of one connection that was gone before it was accepted.
fn is_callers(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// A connection that is there already, else `WouldBlock`.
fn accept_now(listener: &std::net::TcpListener) -> std::io::Result<TcpStream> {
    let (stream, _) = listener.accept()?;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}
