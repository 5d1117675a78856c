//! Connections of browsers, with TLS where it is on, and bounds: of how many there are, of the time for a handshake and for
//! the head of a request. One that hangs holds up nobody else.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower_service::Service as _;

use crate::Ends;
use crate::doors::{Doors, Room};

/// Connections at once: a browser opens six. On loopback all have one address.
const ROOM: Room = Room { all: 256, of_one_address: 64 };
const ROOM_LOOPBACK: Room = Room { all: 256, of_one_address: 192 };

const HANDSHAKE: Duration = Duration::from_secs(10);

/// For the head of a request; so long a connection may also wait for its next.
const HEAD: Duration = Duration::from_secs(20);

/// The head of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// After an error of the system, as when it has no more files for us.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Answers until the server ends; answers that are under way are finished.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    pages: Router,
    mut ends: Ends,
) {
    let is_loopback = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    let doors = Doors::new(if is_loopback { ROOM_LOOPBACK } else { ROOM });
    let acceptor = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = ends.wait_for(|ended| *ended) => break,
            accepted = listener.accept() => accepted,
        };
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let peer = Peer(peer.ip().to_canonical());
        let Some(place) = doors.enter(peer.0) else { continue };
        let (acceptor, pages, ends) = (acceptor.clone(), pages.clone(), ends.clone());
        connections.spawn(async move {
            encrypted(stream, acceptor, peer, pages, ends).await;
            drop(place);
        });
    }
    while connections.join_next().await.is_some() {}
}

async fn encrypted(stream: TcpStream, acceptor: Option<TlsAcceptor>, peer: Peer, pages: Router, ends: Ends) {
    match acceptor {
        None => answer(stream, peer, pages, ends).await,
        Some(acceptor) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                answer(stream, peer, pages, ends).await;
            }
        }
    }
}

/// The requests of one connection.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Peer,
    pages: Router,
    mut ends: Ends,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        pages.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // An error concerns its client alone.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ends.wait_for(|ended| *ended) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
