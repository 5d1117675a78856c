//! The lake for many clients at once: the PostgreSQL wire and web pages over the newest snapshot. Reading
//! only; what a client may reach is said in `access`, what it sees in `live`.

pub mod access;
mod audiences;
mod doors;
pub mod engine;
mod error;
pub mod http;
pub mod live;
mod pg;
pub mod scram;
mod stoppable;
mod users;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use access::Access;
use audiences::Audiences;
use doors::WrongPasswords;
use engine::{Engine, QueryLimits};
pub use error::{Error, Result};
use lightsout_lake::pseudonym_key::pseudonym_key;
use lightsout_query::rights::Pseudonyms;
use live::Live;
use users::Users;

/// After a signal, what running answers have left.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// What is served, where, and to whom. Resolved once.
pub struct Settings {
    pub pg: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    pub access: Access,
    pub live: Live,
    pub limits: QueryLimits,
}

/// Told once that the server ends.
pub(crate) type Ends = watch::Receiver<bool>;

/// Serves until a signal ends it.
///
/// # Errors
/// Fails if an address can't be listened on, or a user has a tenant that nobody knows.
pub async fn serve(settings: Settings) -> Result<()> {
    let (live, access) = (Arc::new(settings.live), Arc::new(settings.access));
    let (end, ends) = watch::channel(false);
    let engine = Arc::new(Engine::start(settings.limits)?);
    let wrong = Arc::new(WrongPasswords::default());
    let users = match access.users() {
        [] => None,
        written => Some(Arc::new(Users::resolve(written, &live).await?)),
    };
    let is_restricted = users.as_ref().is_some_and(|users| users.has_restricted());
    let pseudonyms =
        if is_restricted { Some(Pseudonyms::new(pseudonym_key(live.root()).await?)) } else { None };
    let audiences = Arc::new(Audiences::new(live, pseudonyms));
    let mut servers = JoinSet::new();
    // Signals are caught before anybody learns where the server listens: it may be ended at once.
    let mut signalled = pin!(signalled());
    if poll_fn(|context| Poll::Ready(signalled.as_mut().poll(context))).await.is_ready() {
        return Ok(());
    }
    if let Some(address) = settings.pg {
        let (audiences, engine) = (Arc::clone(&audiences), Arc::clone(&engine));
        let (users, wrong) = (users.clone(), Arc::clone(&wrong));
        let server = Arc::new(pg::Server::new(audiences, engine, &access, users, wrong).await?);
        let (listener, at) = listen("--pg", address).await?;
        lightsout_output::stderr!("PostgreSQL: psql -h {} -p {} -d {}", at.ip(), at.port(), pg::DATABASE);
        servers.spawn(server.serve(listener, ends.clone()));
    }
    if let Some(address) = settings.http {
        let (listener, at) = listen("--http", address).await?;
        let scheme = if access.tls().is_some() { "https" } else { "http" };
        lightsout_output::stderr!("web pages: {scheme}://{at}/");
        servers.spawn(http::serve(
            listener,
            Arc::clone(&audiences),
            Arc::clone(&engine),
            Arc::clone(&access),
            users,
            wrong,
            ends.clone(),
        ));
    }
    signalled.await;
    // Nobody listens if every server has ended.
    let _ = end.send(true);
    let ended = async { while servers.join_next().await.is_some() {} };
    // Whoever is not done by then is cut off.
    let _ = tokio::time::timeout(LAST_WORDS, ended).await;
    Ok(())
}

/// Listens, and says where: the port is the system's choice if 0 was asked for.
async fn listen(flag: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let failed = |source| Error::Listen { setting: flag, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    Ok((listener, at))
}

/// Waits for Ctrl-C, or for the signal that asks a process to end.
async fn signalled() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

/// A closed console window, or the end of a session.
#[cfg(windows)]
async fn terminated() {
    use tokio::signal::windows::{ctrl_close, ctrl_shutdown};

    match (ctrl_close(), ctrl_shutdown()) {
        (Ok(mut close), Ok(mut shutdown)) => {
            tokio::select! {
                _ = close.recv() => {}
                _ = shutdown.recv() => {}
            }
        }
        (Err(_), _) | (_, Err(_)) => std::future::pending().await,
    }
}
