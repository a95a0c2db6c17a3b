//! A TCP proxy that breaks connections on request.

use std::io;
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// Stands between a service and a server, on loopback, and breaks what passes through it.
///
/// Dropping it closes its port and every connection.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    orders: mpsc::Sender<(Order, oneshot::Sender<()>)>,
    _task: JoinSet<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Pass,
    Cut,
    Stall,
}

impl ChaosProxy {
    /// Forwards a free loopback port to `target`.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(target: (String, u16)) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (orders, received) = mpsc::channel(1);
        let mut task = JoinSet::new();
        task.spawn(run(listener, address, target, received));
        Ok(Self {
            address,
            orders,
            _task: task,
        })
    }

    /// Where to connect instead of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and refuses new ones, as a stopped server does.
    pub async fn cut(&self) {
        self.order(Order::Cut).await;
    }

    /// Keeps connections open, accepts new ones, and lets nothing through, as a hung server does.
    pub async fn stall(&self) {
        self.order(Order::Stall).await;
    }

    /// Lets everything through again; stalled bytes arrive late.
    pub async fn restore(&self) {
        self.order(Order::Pass).await;
    }

    async fn order(&self, order: Order) {
        let (done, obeyed) = oneshot::channel();
        let sent = self.orders.send((order, done)).await;
        assert!(
            sent.is_ok() && obeyed.await.is_ok(),
            "the proxy on {} has ended",
            self.address
        );
    }
}

async fn run(
    listener: TcpListener,
    address: SocketAddr,
    target: (String, u16),
    mut orders: mpsc::Receiver<(Order, oneshot::Sender<()>)>,
) {
    let mut listener = Some(listener);
    let passing = watch::Sender::new(true);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((order, done)) = order else { return };
                passing.send_replace(order == Order::Pass);
                if order == Order::Cut {
                    listener = None;
                    connections.shutdown().await;
                } else if listener.is_none() {
                    // Nobody else got the port meanwhile: the kernel does not hand out one with connections in TIME_WAIT.
                    listener = TcpListener::bind(address).await.ok();
                    assert!(listener.is_some(), "cannot bind {address} again");
                }
                // The test that asked may be gone.
                let _ = done.send(());
            }
            stream = accept(listener.as_ref()) => {
                if let Ok(stream) = stream {
                    connections.spawn(forward(stream, target.clone(), passing.subscribe()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// One connection. Whatever ends it ends both sides.
async fn forward(mut near: TcpStream, target: (String, u16), mut passing: watch::Receiver<bool>) {
    if passing.wait_for(|passing| *passing).await.is_err() {
        return;
    }
    let Ok(mut far) = TcpStream::connect((target.0.as_str(), target.1)).await else {
        return;
    };
    // Kept while it stalls: dropping it would lose the bytes that it has read and not yet written.
    let mut copy = std::pin::pin!(copy_bidirectional(&mut near, &mut far));
    while passing.wait_for(|passing| *passing).await.is_ok() {
        tokio::select! {
            _ = copy.as_mut() => return,
            _ = passing.wait_for(|passing| !*passing) => {}
        }
    }
}
