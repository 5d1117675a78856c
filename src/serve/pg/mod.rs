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

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::api::NoopHandler;
use datafusion_postgres::pgwire::error::PgWireError;
use datafusion_postgres::pgwire::messages::PgWireFrontendMessage;
use datafusion_postgres::pgwire::tokio::server::{negotiate_tls, process_error, process_message};
use futures::StreamExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::Ends;
use super::access::Access;
use super::audiences::Audiences;
use super::doors::{Doors, Room, WrongPasswords};
use super::engine::Engine;
use super::live::Live;
use super::users::Users;
use crate::error::{Error, Result};
use catalogue::Catalogue;
use clients::{Cancels, Clients, Stop};
use failure::fatal;
use lightsout_query::Error as QueryError;
use lightsout_query::rights::Rights;
use prepared::Prepared;
use public::Public;
use session::Session;
use startup::{Manner, Secret, Startup};

/// The one database.
pub(crate) const DATABASE: &str = "lightsout";

/// Connections that have not come in yet. A start takes milliseconds.
const OUTSIDE: Room = Room { all: 256, of_one_address: 64 };

/// Connections that have; on loopback all have one address.
const INSIDE: Room = Room { all: 200, of_one_address: 100 };
const INSIDE_LOOPBACK: Room = Room { all: 200, of_one_address: 200 };

/// To encrypt, and to say who one is. A wrong password is answered after up to eight seconds.
const TIME_TO_COME_IN: Duration = Duration::from_secs(15);

/// More than the longest text that is looked at, and than the values bound to it need.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// For a client that is sent away.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// After an error of the system, as when it has no more files for us.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// What all connections share.
pub(crate) struct Server {
    audiences: Arc<Audiences>,
    engine: Arc<Engine>,
    sights: Mutex<HashMap<Arc<Rights>, LazySight>>,
    parser: Arc<PostgresCompatibilityParser>,
    clients: Arc<Clients>,
    secret: Option<Secret>,
    users: Option<Arc<Users>>,
    wrong: Arc<WrongPasswords>,
    tls: Option<TlsAcceptor>,
    shares: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

/// Made when the first client with its rights asks.
type LazySight = Arc<OnceCell<Arc<Sight>>>;

/// What clients with equal rights see.
struct Sight {
    live: Arc<Live>,
    catalogue: Catalogue,
}

impl Sight {
    async fn of(live: Arc<Live>, left_out: Vec<String>) -> Result<Self> {
        let catalogue = Catalogue::new(&live.current().await, left_out).await?;
        Ok(Self { live, catalogue })
    }
}

impl Server {
    /// Looks at the reports once, and tells of those that can't be views.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub(crate) async fn new(
        audiences: Arc<Audiences>,
        engine: Arc<Engine>,
        access: &Access,
        users: Option<Arc<Users>>,
        wrong: Arc<WrongPasswords>,
    ) -> Result<Self> {
        let live = audiences.whole();
        let unfit = Public::new(live.current().await, &[]).unfit().await;
        for (name, why) in &unfit {
            lightsout_output::stderr!("lightsout: the query {name} is not available as a view: {why}");
        }
        let left_out = unfit.into_iter().map(|(name, _)| name).collect();
        let whole = Arc::new(OnceCell::new_with(Some(Arc::new(Sight::of(live, left_out).await?))));
        Ok(Self {
            sights: Mutex::new(HashMap::from([(Arc::new(Rights::ALL), whole)])),
            parser: Arc::new(PostgresCompatibilityParser::new()),
            clients: Arc::default(),
            secret: access.password().map(Secret::of),
            tls: access.tls().map(TlsAcceptor::from),
            wrong,
            shares: Mutex::default(),
            users,
            audiences,
            engine,
        })
    }

    /// What clients with these rights see.
    async fn sight(&self, rights: &Arc<Rights>) -> Result<Arc<Sight>> {
        let cell = {
            let mut sights = self.sights.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sights.entry(Arc::clone(rights)).or_default())
        };
        let sight = cell.get_or_try_init(|| async {
            let broken = || Error::Query(QueryError::Broken { name: "catalogue".to_owned() });
            let live = self.audiences.live(rights).await.ok_or_else(broken)?;
            Ok(Arc::new(Sight::of(live, Vec::new()).await?))
        });
        sight.await.cloned()
    }

    /// Whether a client must say a password.
    fn wants_password(&self) -> bool {
        self.secret.is_some() || self.users.is_some()
    }

    /// Serves until the server ends; then each client gets the rest of its answer, and is told so.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, mut ends: Ends) {
        let is_loopback = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
        // Where there is a certificate, no password goes over the wire without it, on loopback either.
        let is_tls_wanted = !is_loopback || self.tls.is_some() && self.wants_password();
        let outside = Doors::new(OUTSIDE);
        let inside = Doors::new(if is_loopback { INSIDE_LOOPBACK } else { INSIDE });
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
            let address = peer.ip().to_canonical();
            // Nothing is owed to whoever opens more than anybody needs.
            let Some(place) = outside.enter(address) else { continue };
            let manner = Manner { is_tls_wanted, address, inside: Arc::clone(&inside), outside: place };
            let (server, ends) = (Arc::clone(&self), ends.clone());
            connections.spawn(async move {
                // A connection that breaks concerns its client alone.
                let _ = server.connection(stream, manner, ends).await;
            });
        }
        while connections.join_next().await.is_some() {}
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, manner: Manner, ends: Ends) -> io::Result<()> {
        let stream = stream.into_std()?;
        let watched = TcpStream::from_std(stream.try_clone()?)?;
        let stream = TcpStream::from_std(stream)?;
        let stop = Arc::new(Stop::new(0));
        let engine = self.engine.for_client(self.share(manner.address));
        let session = Session::new(Arc::clone(&self), engine, Arc::clone(&stop));
        let startup = Arc::new(Startup::new(&self, manner, Arc::clone(&session), Arc::clone(&stop)));
        let connection = Connection {
            tls: self.tls.clone(),
            session,
            startup: Arc::clone(&startup),
            cancels: Arc::new(Cancels(Arc::clone(&self.clients))),
        };
        let served = connection.converse(stream, ends);
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

    /// What the connections of one address may have at work together.
    fn share(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| share.strong_count() > 0);
        if let Some(share) = shares.get(&address).and_then(Weak::upgrade) {
            return share;
        }
        let share = Engine::share();
        shares.insert(address, Arc::downgrade(&share));
        share
    }
}

/// What one connection is handled by.
struct Connection {
    tls: Option<TlsAcceptor>,
    session: Arc<Session>,
    startup: Arc<Startup>,
    cancels: Arc<Cancels>,
}

impl Connection {
    /// Takes one message after the other, as `pgwire` does by itself, but with bounds: of the time to come in, of the
    /// length of a message, and until the server ends.
    async fn converse(self, stream: TcpStream, mut ends: Ends) -> io::Result<()> {
        let late = Instant::now() + TIME_TO_COME_IN;
        let negotiated = timeout_at(late, negotiate_tls::<Prepared>(stream, self.tls)).await;
        let Ok(Some(mut socket)) = negotiated.unwrap_or(Ok(None)) else { return Ok(()) };
        loop {
            let next = poll_fn(|context| match socket.poll_next_unpin(context) {
                Poll::Pending if socket.read_buffer().len() > MESSAGE_BYTES_MAX => {
                    let most = MESSAGE_BYTES_MAX >> 20;
                    let told = format!("expected a message of at most {most} MiB, found a longer one");
                    Poll::Ready(Some(Err(fatal("54000", told))))
                }
                polled => polled,
            });
            let message = tokio::select! {
                biased;
                _ = ends.wait_for(|ended| *ended) => {
                    Some(Err(fatal("57P01", "terminating connection due to administrator command")))
                }
                () = sleep_until(late), if !self.startup.is_in() => None,
                message = next => message,
            };
            match message {
                None | Some(Ok(PgWireFrontendMessage::Terminate(_))) => return Ok(()),
                Some(Ok(message)) => {
                    let is_extended = message.is_extended_query();
                    let processed = process_message(
                        message,
                        &mut socket,
                        Arc::clone(&self.startup),
                        Arc::clone(&self.session),
                        Arc::clone(&self.session),
                        Arc::new(NoopHandler),
                        Arc::clone(&self.cancels),
                    );
                    if let Err(error) = processed.await {
                        process_error(&mut socket, error, is_extended).await?;
                    }
                }
                Some(Err(error @ PgWireError::UserError(_))) => {
                    return timeout(LAST_WORDS, process_error(&mut socket, error, false))
                        .await
                        .unwrap_or(Ok(()));
                }
                // Bytes that are no message.
                Some(Err(_)) => return Ok(()),
            }
        }
    }
}
