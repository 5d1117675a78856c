//! The PostgreSQL wire: psql, BI tools and drivers over the newest snapshot. Everything that reads is a query
//! of the engine; what writes is refused.
//!
//! `pgwire` has the messages, the start and the encryption, `arrow-pg` the encoding of values, `datafusion-pg-catalog`
//! most of `pg_catalog` and the rules that rewrite what psql and others ask of it. Added here is what they lack: the
//! order of statements and rows (`handlers`), transactions, cursors and `COPY` (`transaction`, `cursors`, `copy`),
//! functions and tables of the catalogue (`functions`, `names`, `pg_catalog`), `information_schema` with PostgreSQL's
//! type names, comparing names with numbers of the catalogue (`operators`), and time zones (`time_zone`).

mod array_text;
mod asyncpg;
mod catalogue;
mod clients;
mod copy;
mod cursors;
mod failure;
mod functions;
mod handlers;
mod information_schema;
mod names;
mod operators;
mod pg_catalog;
mod prepared;
mod public;
mod rewrite;
mod session;
mod settings;
mod startup;
mod subqueries;
mod text;
mod time_zone;
mod transaction;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::api::PgWireServerHandlers;
use datafusion_postgres::pgwire::api::auth::StartupHandler;
use datafusion_postgres::pgwire::api::cancel::CancelHandler;
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::tokio::process_socket;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Ends;
use super::access::Access;
use super::engine::Engine;
use super::live::Live;
use crate::error::Result;
use catalogue::Catalogue;
use clients::{Cancels, Clients, Stop};
use public::Public;
use session::Session;
use startup::{Manner, Secret, Startup};

/// The one database.
pub(crate) const DATABASE: &str = "lightsout";

/// Connections at once.
const CONNECTIONS_MAX: usize = 200;

/// For a client that is sent away.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// After an error of the system, as when it has no more files for us.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// What all connections share.
pub(crate) struct Server {
    live: Arc<Live>,
    engine: Arc<Engine>,
    catalogue: Catalogue,
    parser: Arc<PostgresCompatibilityParser>,
    clients: Arc<Clients>,
    secret: Option<Secret>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Looks at the reports once, and tells of those that can't be views.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub(crate) async fn new(live: Arc<Live>, engine: Arc<Engine>, access: &Access) -> Result<Self> {
        let snapshot = live.current().await;
        let unfit = Public::new(Arc::clone(&snapshot), &[]).unfit().await;
        for (name, why) in &unfit {
            eprintln!("lightsout: the query {name} is no view here: {why}");
        }
        let left_out = unfit.into_iter().map(|(name, _)| name).collect();
        Ok(Self {
            catalogue: Catalogue::new(&snapshot, left_out).await?,
            parser: Arc::new(PostgresCompatibilityParser::new()),
            clients: Arc::default(),
            secret: access.password().map(Secret::of),
            tls: access.tls().map(TlsAcceptor::from),
            live,
            engine,
        })
    }

    /// Serves until the server ends; then every client is cut off.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, mut ends: Ends) {
        let is_loopback = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = ends.changed() => break,
                accepted = listener.accept() => accepted,
            };
            // Those that have ended are forgotten.
            while connections.try_join_next().is_some() {}
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            };
            let place = Arc::clone(&room).try_acquire_owned().ok();
            let manner = Manner { is_tls_wanted: !is_loopback, is_full: place.is_none() };
            let server = Arc::clone(&self);
            connections.spawn(async move {
                // A connection that breaks concerns its client alone.
                let _ = server.connection(stream, manner).await;
                drop(place);
            });
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, manner: Manner) -> io::Result<()> {
        let stream = stream.into_std()?;
        let watched = TcpStream::from_std(stream.try_clone()?)?;
        let stream = TcpStream::from_std(stream)?;
        let stop = Arc::new(Stop::new(0));
        let session = Session::new(Arc::clone(&self), Arc::clone(&stop));
        let startup = Arc::new(Startup::new(&self, manner, Arc::clone(&session), Arc::clone(&stop)));
        let tls = self.tls.clone();
        let connection =
            Connection { session, startup: Arc::clone(&startup), clients: Arc::clone(&self.clients) };
        let served = process_socket(stream, tls, Arc::new(connection));
        tokio::pin!(served);
        tokio::select! {
            served = &mut served => return served,
            () = startup.failed() => {
                // It is told why, and then not listened to any more.
                return tokio::time::timeout(LAST_WORDS, served).await.unwrap_or(Ok(()));
            }
            () = clients::closed(&watched) => {}
        }
        // Nobody waits for what runs, nor for what was sent to be run after it.
        loop {
            clients::stop(&stop);
            tokio::select! {
                served = &mut served => return served,
                () = tokio::time::sleep(clients::LOOK_EVERY) => {}
            }
        }
    }
}

/// What one connection is handled by.
struct Connection {
    session: Arc<Session>,
    startup: Arc<Startup>,
    clients: Arc<Clients>,
}

impl PgWireServerHandlers for Connection {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.session)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.session)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.startup)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::new(Cancels(Arc::clone(&self.clients)))
    }
}
