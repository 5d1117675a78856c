//! How a client comes in: the database's name, then the password if there is one.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::auth::sasl::SASLAuthStartupHandler;
use datafusion_postgres::pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth, gen_salted_password};
use datafusion_postgres::pgwire::api::auth::{
    AuthSource, DefaultServerParameterProvider, LoginInfo, Password, ServerParameterProvider, StartupHandler,
    finish_authentication, protocol_negotiation, save_startup_parameters_to_metadata,
};
use datafusion_postgres::pgwire::api::{
    ClientInfo, PgWireConnectionState, PidSecretKeyGenerator as _, RandomPidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::startup::Startup as StartupMessage;
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::Sink;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::catalogue::State;
use super::clients::{Clients, Entry, Stop};
use super::failure::fatal;
use super::session::Session;
use super::{DATABASE, Server};

/// The PostgreSQL whose catalogue and manners are kept to.
pub(super) const SERVER_VERSION: &str = concat!("15.18 (lightsout ", env!("CARGO_PKG_VERSION"), ")");
pub(super) const SERVER_VERSION_NUMBER: &str = "150018";

/// What `version()` says: clients look for the word PostgreSQL and the number behind it.
pub(super) const VERSION: &str =
    concat!("PostgreSQL 15.18 (lightsout ", env!("CARGO_PKG_VERSION"), "), which only reads");

/// Who guesses waits.
const WRONG_PASSWORD: Duration = Duration::from_secs(1);

/// The password as the exchange wants it: salted, so that it is not computed for each client.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    salt: Vec<u8>,
    salted: Vec<u8>,
}

impl Secret {
    pub(super) fn of(password: &str) -> Self {
        // Differs from start to start; a salt is no secret.
        let salt = Sha256::digest(uuid::Uuid::new_v4().as_bytes())[..16].to_vec();
        let salted = gen_salted_password(password, &salt, SCRAM_ITERATIONS);
        Self { salt, salted }
    }
}

#[async_trait]
impl AuthSource for Secret {
    async fn get_password(&self, _: &LoginInfo) -> PgWireResult<Password> {
        Ok(Password::new(Some(self.salt.clone()), self.salted.clone()))
    }
}

/// What a client is told of the server, and of its own settings.
struct Told(Arc<State>);

impl ServerParameterProvider for Told {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let settings = self.0.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parameters = DefaultServerParameterProvider::default();
        SERVER_VERSION.clone_into(&mut parameters.server_version);
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        settings.zone().clone_into(&mut parameters.time_zone);
        parameters.date_style = settings.shown("datestyle").unwrap_or_default();
        parameters.application_name = settings.shown("application_name");
        parameters.server_parameters(client)
    }
}

/// Lets anybody in.
async fn let_in<C>(client: &mut C, startup: &StartupMessage, parameters: &Told) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    protocol_negotiation(client, startup).await?;
    save_startup_parameters_to_metadata(client, startup);
    let (pid, secret) = RandomPidSecretKeyGenerator::default().generate(client);
    client.set_pid_and_secret_key(pid, secret);
    finish_authentication(client, parameters).await
}

/// How clients of a listener are received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Whether a client that does not encrypt is sent away.
    pub(super) is_tls_wanted: bool,
    pub(super) is_full: bool,
}

/// The start of one connection.
pub(super) struct Startup {
    scram: Option<SASLAuthStartupHandler<Told>>,
    manner: Manner,
    clients: Arc<Clients>,
    session: Arc<Session>,
    stop: Arc<Stop>,
    is_in: Arc<AtomicBool>,
    /// Told once the start has failed.
    failed: Notify,
    entry: Mutex<Option<Entry>>,
}

impl Startup {
    pub(super) fn new(server: &Server, manner: Manner, session: Arc<Session>, stop: Arc<Stop>) -> Self {
        let scram = server.secret.as_ref().map(|secret| {
            SASLAuthStartupHandler::new(Arc::new(Told(Arc::clone(&session.state))))
                .with_scram(ScramAuth::new(Arc::new(secret.clone())))
        });
        Self {
            scram,
            manner,
            clients: Arc::clone(&server.clients),
            is_in: session.is_in(),
            session,
            stop,
            failed: Notify::new(),
            entry: Mutex::new(None),
        }
    }

    /// Waits until the start has failed, if it does.
    pub(super) async fn failed(&self) {
        self.failed.notified().await;
    }

    /// Why a client can't come in, before it is asked for anything.
    fn refusal<C: ClientInfo>(&self, client: &C, message: &PgWireFrontendMessage) -> Option<PgWireError> {
        let PgWireFrontendMessage::Startup(startup) = message else { return None };
        if self.manner.is_full {
            return Some(fatal("53300", "sorry, too many clients already; try again later"));
        }
        if self.manner.is_tls_wanted && !client.is_secure() {
            return Some(fatal(
                "28000",
                "expected an encrypted connection, found a plain one; use sslmode=require",
            ));
        }
        let asked = startup.parameters.get("database").or_else(|| startup.parameters.get("user"))?;
        (asked != DATABASE).then(|| {
            fatal(
                "3D000",
                format!("database \"{asked}\" does not exist; there is one, as in: psql -d {DATABASE}"),
            )
        })
    }
}

#[async_trait]
impl StartupHandler for Startup {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match self.receive(client, message).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.failed.notify_one();
                // Whatever it is: after an error that does not end the connection, the library takes queries.
                let mut info = ErrorInfo::from(error);
                "FATAL".clone_into(&mut info.severity);
                if info.code == "28P01" {
                    "password authentication failed".clone_into(&mut info.message);
                }
                Err(PgWireError::UserError(Box::new(info)))
            }
        }
    }
}

impl Startup {
    async fn receive<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let Some(refusal) = self.refusal(client, &message) {
            return Err(refusal);
        }
        if let PgWireFrontendMessage::Startup(startup) = &message {
            self.session.start(&startup.parameters)?;
        }
        match (&self.scram, &message) {
            (None, PgWireFrontendMessage::Startup(startup)) => {
                let_in(client, startup, &Told(Arc::clone(&self.session.state))).await?;
            }
            (None, _) => {}
            (Some(scram), _) => {
                let done = scram.on_startup(client, message).await;
                if done.is_err() {
                    tokio::time::sleep(WRONG_PASSWORD).await;
                }
                done?;
            }
        }
        if matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            self.is_in.store(true, Ordering::Release);
            let (pid, secret) = client.pid_and_secret_key();
            let entry = self.clients.enter(pid, &secret, Arc::clone(&self.stop));
            *self.entry.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
        }
        Ok(())
    }
}
