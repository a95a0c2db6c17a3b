//! What hyper does not bound: how long a caller may take from the first byte of a request to the end of its headers, and
//! how long it may take no byte of an answer.
//!
//! hyper's own time-out counts from the end of the last answer, so it is the idle time-out of a connection that is kept
//! alive; a slow sender of headers needs a shorter one.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tower::Service;

/// Shared by the two ends of one connection: bytes arrive at the socket, whole requests at the service.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    header_timeout: Duration,
    idle_timeout: Duration,
    serving: Arc<AtomicUsize>,
    /// Requests whose headers have ended.
    begun: Arc<AtomicUsize>,
}

/// Held while a request is being answered, and while its body is being read.
#[derive(Debug)]
struct Hold(Arc<AtomicUsize>);

impl Hold {
    fn new(serving: &Arc<AtomicUsize>) -> Self {
        serving.fetch_add(1, Ordering::Relaxed);
        Self(serving.clone())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Patience {
    pub(super) fn new(header_timeout: Duration, idle_timeout: Duration) -> Self {
        Self {
            header_timeout,
            idle_timeout,
            serving: Arc::default(),
            begun: Arc::default(),
        }
    }

    /// Whether any request has arrived as far as the end of its headers.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > 0
    }

    pub(super) fn watch(&self, stream: TcpStream) -> Watched {
        Watched {
            stream,
            patience: self.clone(),
            begun: 0,
            deadline: None,
            stalled: None,
        }
    }

    pub(super) fn service(&self, routes: Router) -> Serving {
        Serving {
            routes,
            serving: self.serving.clone(),
            begun: self.begun.clone(),
        }
    }
}

/// A socket that gives up when headers do not end in time, and when nobody reads what it writes.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    patience: Patience,
    /// As many requests had begun at the last look.
    begun: usize,
    deadline: Option<Pin<Box<Sleep>>>,
    /// There while the caller's side is full.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    fn unless_stalled<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let idle_timeout = self.patience.idle_timeout;
        self.stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle_timeout)))
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        // A quick request may have come and gone since the last look: its deadline is not the next one's.
        let begun = this.patience.begun.load(Ordering::Relaxed);
        if begun != this.begun {
            this.begun = begun;
            this.deadline = None;
        }
        if this.patience.serving.load(Ordering::Relaxed) > 0 {
            this.deadline = None;
            return polled;
        }
        if polled.is_ready() {
            if this.deadline.is_none() && buffer.filled().len() > before {
                this.deadline = Some(Box::pin(tokio::time::sleep(this.patience.header_timeout)));
            }
            return polled;
        }
        match &mut this.deadline {
            Some(deadline) => deadline
                .as_mut()
                .poll(context)
                .map(|()| Err(io::ErrorKind::TimedOut.into())),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_stalled(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.unless_stalled(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The routes, noting while a request is being served.
#[derive(Debug, Clone)]
pub(super) struct Serving {
    routes: Router,
    serving: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
}

impl Service<hyper::Request<Incoming>> for Serving {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: hyper::Request<Incoming>) -> Self::Future {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let (serving, answering) = (self.serving.clone(), Hold::new(&self.serving));
        let reading = Hold::new(&self.serving);
        let hold_while_read = move |frame| {
            let _ = &reading;
            frame
        };
        let answer = self
            .routes
            .call(request.map(|body| Body::new(body.map_frame(hold_while_read))));
        Box::pin(async move {
            let _answering = answering;
            let response = answer.await;
            if matches!(&response, Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS)
            {
                // From here on the connection speaks another protocol: it counts as served for as long as it lives.
                serving.fetch_add(1, Ordering::Relaxed);
            }
            response
        })
    }
}
